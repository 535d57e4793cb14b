#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace photon_dmesg {

// CRC-64/XZ (that of .xz files: ECMA-182's polynomial, reflected) of `bytes`; with `before`, of
// the bytes that it is of and these behind them. Detects damage, not forgery; some GB a second.
[[nodiscard]] std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t before = 0);

}  // namespace photon_dmesg
