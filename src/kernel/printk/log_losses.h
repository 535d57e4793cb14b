#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// "5 records WHAT (sequence numbers 3, 7 to 10)"; `seqs` are ascending, and a long list is cut
// short with its last number.
[[nodiscard]] std::string describe_loss(const std::vector<std::uint64_t>& seqs,
                                        std::string_view what);

}  // namespace photon_dmesg
