#include "kernel/symbols/kallsyms_index.h"

namespace photon_dmesg {
namespace {

bool may_end(std::string_view token, std::string_view name) {
  // With the type in front it may be all of the name.
  return token.size() > name.size() ? token.substr(1) == name : name.ends_with(token);
}

}  // namespace

KallsymsIndex::KallsymsIndex(const KallsymsTokens& tokens, std::size_t count)
    : with_type_(token_count * token_count), behind_type_(token_count * token_count) {
  for (std::size_t token = 0; token < token_count; ++token) {
    const std::string& text = tokens[token];
    if (text.empty()) continue;
    first_[token] = text.front();
    second_[token] = text.size() > 1 ? text[1] : '\0';
    last_[token] = text.back();
  }
  older_.reserve(count);
}

void KallsymsIndex::add(std::span<const std::byte> name) {
  const auto first = std::to_integer<std::size_t>(name.front());
  const auto last = std::to_integer<std::size_t>(name.back());
  const bool is_type = second_[first] == '\0';
  const std::size_t lead =
      is_type && name.size() > 1 ? std::to_integer<std::size_t>(name[1]) : first;
  if (first_[first] == '\0' || first_[lead] == '\0' || last_[last] == '\0') {
    others_.push_back(older_.size());
    older_.push_back(0);
    return;
  }
  std::uint32_t& newest = (is_type ? behind_type_ : with_type_)[list_of(lead, last)];
  older_.push_back(newest);
  newest = static_cast<std::uint32_t>(older_.size());
}

void KallsymsIndex::collect(const Lists& lists, std::size_t lead, std::size_t last,
                            std::vector<std::size_t>& found) const {
  for (std::uint32_t at = lists[list_of(lead, last)]; at != 0; at = older_[at - 1]) {
    found.push_back(at - 1);
  }
}

std::vector<std::size_t> KallsymsIndex::candidates(const KallsymsTokens& tokens,
                                                   std::string_view name) const {
  std::vector<std::size_t> lasts;
  for (std::size_t token = 0; token < token_count; ++token) {
    if (last_[token] == name.back() && may_end(tokens[token], name)) lasts.push_back(token);
  }
  std::vector<std::size_t> found = others_;
  for (std::size_t token = 0; token < token_count; ++token) {
    const std::string_view text = tokens[token];
    if (second_[token] == name.front() && name.starts_with(text.substr(1))) {
      for (const std::size_t last : lasts) collect(with_type_, token, last, found);
    }
    if (first_[token] == name.front() && name.starts_with(text)) {
      for (const std::size_t last : lasts) collect(behind_type_, token, last, found);
    }
  }
  return found;
}

}  // namespace photon_dmesg
