#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// What the bytes of a compressed name stand for.
using KallsymsTokens = std::array<std::string, 256>;

// Where a name may stand among compressed ones that have no order: in lists by the first token that
// has more than the type, and the last one, which few names share.
class KallsymsIndex {
 public:
  // For `count` names, which are to be added.
  KallsymsIndex(const KallsymsTokens& tokens, std::size_t count);

  // The next symbol's name, not empty, its type in front.
  void add(std::span<const std::byte> name);

  // Which symbols have such tokens as `name` may have, behind its type: all that are called so, and
  // few others. `name` is not empty.
  [[nodiscard]] std::vector<std::size_t> candidates(const KallsymsTokens& tokens,
                                                    std::string_view name) const;

 private:
  static constexpr std::size_t token_count = std::tuple_size_v<KallsymsTokens>;
  using Lists = std::vector<std::uint32_t>;
  using Characters = std::array<char, token_count>;

  [[nodiscard]] static std::size_t list_of(std::size_t lead, std::size_t last) {
    return lead * token_count + last;
  }
  void collect(const Lists& lists, std::size_t lead, std::size_t last,
               std::vector<std::size_t>& found) const;

  // Of each token the first, the second and the last character; 0: it has none.
  Characters first_{};
  Characters second_{};
  Characters last_{};
  // Each list is of symbols by their index plus one, from the newest on; 0 ends it.
  Lists with_type_;    // whose first token is the type and more
  Lists behind_type_;  // by the token behind one that is the type alone
  std::vector<std::uint32_t> older_;
  // With tokens that are empty, as no kernel makes them: these may be called anything.
  std::vector<std::size_t> others_;
};

}  // namespace photon_dmesg
