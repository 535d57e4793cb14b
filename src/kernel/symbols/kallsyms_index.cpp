#include "kernel/symbols/kallsyms_index.h"

namespace photon_dmesg {
namespace {

// Whether a name with its type in front, "Tname", may begin with `token`. What comes to nothing
// says nothing.
bool may_begin(std::string_view token, std::string_view name) {
  if (token.size() <= 1) return true;
  return token[1] == name.front() && name.starts_with(token.substr(1));
}

bool may_end(std::string_view token, std::string_view name) {
  if (token.empty()) return true;
  if (token.back() != name.back()) return false;
  return token.size() > name.size() ? token.substr(1) == name : name.ends_with(token);
}

template <typename May>
std::vector<std::uint8_t> choose_tokens(const KallsymsTokens& tokens, std::string_view name,
                                        May may) {
  std::vector<std::uint8_t> chosen;
  for (std::size_t token = 0; token < tokens.size(); ++token) {
    if (may(tokens[token], name)) chosen.push_back(static_cast<std::uint8_t>(token));
  }
  return chosen;
}

}  // namespace

KallsymsIndex::KallsymsIndex(std::size_t count) : newest_(token_count * token_count) {
  older_.reserve(count);
}

std::vector<std::size_t> KallsymsIndex::candidates(const KallsymsTokens& tokens,
                                                   std::string_view name) const {
  std::vector<std::size_t> found;
  const std::vector<std::uint8_t> lasts = choose_tokens(tokens, name, may_end);
  for (const std::uint8_t first : choose_tokens(tokens, name, may_begin)) {
    for (const std::uint8_t last : lasts) {
      for (std::uint32_t at = newest_[list_of(first, last)]; at != 0; at = older_[at - 1]) {
        found.push_back(at - 1);
      }
    }
  }
  return found;
}

}  // namespace photon_dmesg
