#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/diagnostics.h"
#include "base/error.h"

namespace photon_dmesg {

// What `read` returns, or its empty value if it fails: a fact that the log can be shown without
// must not stop it. `what` is what is then said to be unknown.
template <typename Read>
auto optional_fact(std::string_view what, Diagnostics& diagnostics, Read&& read)
    -> decltype(read()) {
  try {
    return std::forward<Read>(read)();
  } catch (const Error& error) {
    diagnostics.warn_of_lack(std::string(what) + " is not known: " + error.what());
    return decltype(read())();
  }
}

}  // namespace photon_dmesg
