#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// "2 records WHAT (sequence numbers 7 and 9)"; a long list is cut short with its last number.
[[nodiscard]] std::string describe_loss(const std::vector<std::uint64_t>& seqs,
                                        std::string_view what);

}  // namespace photon_dmesg
