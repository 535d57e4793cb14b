#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/diagnostics.h"

namespace photon_dmesg {

// What a person is shown of long work: what it is, how much of how much, how fast it goes and how
// long it will still take, as far as these are known.
class ProgressLine {
 public:
  using Clock = std::chrono::steady_clock;

  // The line at `now`: "reading vmlinux: 120 of 341 MiB, 85 MiB/s, 3 s left"; of work that has no
  // size, for how long it has been going on. Work of another name begins anew.
  [[nodiscard]] std::string update(const Progress& progress, Clock::time_point now);

 private:
  std::string what_;
  Clock::time_point began_;
  std::uint64_t done_at_begin_ = 0;
};

}  // namespace photon_dmesg
