#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// What the bytes of a compressed name stand for.
using KallsymsTokens = std::array<std::string, 256>;

// Where a name may stand among compressed ones that have no order: by the first and the last token
// of each, which not many names share.
class KallsymsIndex {
 public:
  KallsymsIndex() = default;
  // For `count` names, which are to be added.
  explicit KallsymsIndex(std::size_t count);

  // The next symbol's tokens.
  void add(std::uint8_t first, std::uint8_t last) {
    std::uint32_t& newest = newest_[list_of(first, last)];
    older_.push_back(newest);
    newest = static_cast<std::uint32_t>(older_.size());
  }

  // Which symbols have a first and a last token as `name` may have, behind its type: all that are
  // called so, and some others. `name` is not empty.
  [[nodiscard]] std::vector<std::size_t> candidates(const KallsymsTokens& tokens,
                                                    std::string_view name) const;

 private:
  static constexpr std::size_t token_count = std::tuple_size_v<KallsymsTokens>;

  [[nodiscard]] static std::size_t list_of(std::uint8_t first, std::uint8_t last) {
    return first * token_count + last;
  }

  // Each list is of symbols by their index plus one, from the newest on; 0 ends it.
  std::vector<std::uint32_t> newest_;
  std::vector<std::uint32_t> older_;
};

}  // namespace photon_dmesg
