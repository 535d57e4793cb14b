#pragma once

#include "base/error.h"

namespace photon_dmesg {

// What scripts can tell a run's end by; --help lists them.
inline constexpr int exit_complete = 0;
inline constexpr int exit_incomplete = 1;
inline constexpr int exit_found = 10;  // triage: what --fail-on names was found

[[nodiscard]] constexpr int exit_status(Failure failure) {
  switch (failure) {
    case Failure::Incomplete:
      return exit_incomplete;
    case Failure::Usage:
      return 2;
    case Failure::UnusableInput:
      return 3;
    case Failure::Mismatch:
      return 4;
  }
  return 3;
}

}  // namespace photon_dmesg
