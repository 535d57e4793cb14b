#pragma once

#include <optional>
#include <string>

#include "base/address.h"
#include "kernel/code/code_map.h"

namespace photon_dmesg {

// How the variable at `address` is called, and the place in it: "lab_lock+0x8 [lab]". Nothing
// without a symbol.
[[nodiscard]] std::optional<std::string> name_of_data(const CodeMap& code, GuestVirtual address);

}  // namespace photon_dmesg
