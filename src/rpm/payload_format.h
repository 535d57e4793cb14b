#pragma once

#include <optional>
#include <string>

struct headerToken_s;

namespace photon_dmesg {

// Why the payload of a package with that header can't be read here, though it may be sound; nothing
// if it can. Packages say so themselves: of what only newer versions of rpm can read they require
// "rpmlib(...)".
[[nodiscard]] std::optional<std::string> unknown_payload_format(headerToken_s* header);

}  // namespace photon_dmesg
