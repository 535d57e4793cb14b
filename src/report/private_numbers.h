#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "report/private_text.h"

// Addresses and numbers that belong to one machine. As the functions in private_text.h.
namespace photon_dmesg {

// A UUID with dashes, or 32 hexadecimal digits, as machines have for an id.
[[nodiscard]] std::optional<PrivateText> find_uuid(std::string_view text, std::size_t at);
// "SerialNumber: ...", "serial=...", "naa.6000c29...", "VMware-56 4d ...".
[[nodiscard]] std::optional<PrivateText> find_serial(std::string_view text, std::size_t at);
// "00:50:56:ab:cd:ef" with or without further pairs, "0050.56ab.cdef", "enx005056abcdef".
[[nodiscard]] std::optional<PrivateText> find_mac(std::string_view text, std::size_t at);
// An address of IPv4 or IPv6 that is not every machine's, and no version. Also at "::".
[[nodiscard]] std::optional<PrivateText> find_ip(std::string_view text, std::size_t at);

}  // namespace photon_dmesg
