#pragma once

#include <string_view>

namespace photon_dmesg {

// What this program was built with, and what without: a line for each thing that it reads, with the
// library that does and its version at that time, and one for the compiler.
[[nodiscard]] std::string_view build_features();

}  // namespace photon_dmesg
