#include "kernel/symbols/kallsyms_table.h"

#include <algorithm>
#include <bit>
#include <cctype>

#include "kernel/symbols/kallsyms_unpacker.h"

namespace photon_dmesg {
namespace {

constexpr unsigned length_bits = 7;  // of a length's first byte; the next one has the others
constexpr std::size_t two_bytes = std::size_t{1} << length_bits;

SymbolBinding binding_of(char type) {
  return std::isupper(static_cast<unsigned char>(type)) != 0 ? SymbolBinding::Global
                                                             : SymbolBinding::Local;
}

void offer(SymbolChoice& choice, const KallsymsTable::Symbol& symbol) {
  choice.offer(symbol.address, binding_of(symbol.type));
}

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

// Every byte for itself.
KallsymsTokens plain_tokens() {
  KallsymsTokens tokens;
  for (std::size_t byte = 0; byte < tokens.size(); ++byte) {
    tokens[byte] = std::string(1, static_cast<char>(byte));
  }
  return tokens;
}

void append_name(const KallsymsTable::Symbol& symbol, std::vector<std::byte>& names) {
  const std::string name = symbol.type + symbol.name;
  if (name.size() < two_bytes) {
    names.push_back(static_cast<std::byte>(name.size()));
  } else {
    names.push_back(static_cast<std::byte>(two_bytes | (name.size() & (two_bytes - 1))));
    names.push_back(static_cast<std::byte>(name.size() >> length_bits));
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(name));
  names.insert(names.end(), bytes.begin(), bytes.end());
}

}  // namespace

KallsymsTable::KallsymsTable(KallsymsTokens tokens, std::span<const std::byte> names,
                             std::vector<std::uint32_t> begins,
                             std::span<const KallsymsOrder> orders)
    : tokens_(std::move(tokens)), names_(names), begins_(std::move(begins)) {
  const auto order = std::find_if(orders.begin(), orders.end(),
                                  [&](KallsymsOrder possible) { return is_sound(possible); });
  if (order != orders.end()) {
    order_ = *order;
  } else {
    index_ = make_index();
  }
}

// Names that are not compressed are compressed with every byte for itself.
KallsymsTable::KallsymsTable(const std::vector<Symbol>& symbols) : tokens_(plain_tokens()) {
  for (const Symbol& symbol : symbols) {
    begins_.push_back(static_cast<std::uint32_t>(kept_names_.size()));
    append_name(symbol, kept_names_);
    const auto entry = std::bit_cast<std::array<std::byte, sizeof(std::uint64_t)>>(symbol.address);
    kept_addresses_.insert(kept_addresses_.end(), entry.begin(), entry.end());
  }
  names_ = kept_names_;
  index_ = make_index();
  set_addresses({KallsymsAddresses::Form::Absolute, kept_addresses_, {}, 0});
}

void KallsymsTable::keep() {
  kept_names_ = copy_of(names_);
  names_ = kept_names_;
  kept_addresses_ = copy_of(addresses_.entries());
  addresses_.move_to(kept_addresses_);
  kept_order_ = copy_of(order_.entries());
  order_ = KallsymsOrder(kept_order_);
}

// What is no order of names at all, or has lost a page, is not taken for one. Less damage can hide
// a name, but shows no wrong one: whatever is found has been unpacked and compared.
bool KallsymsTable::is_sound(KallsymsOrder order) const {
  constexpr std::size_t looked_at = 512;
  const std::size_t between = 1 + size() / looked_at;
  if (order.size() != size()) return false;
  std::string before;
  std::size_t last = size();  // none
  for (std::size_t place = 0; place < order.size(); place += between) {
    const std::size_t index = order[place];
    if (index >= size() || index == last || compare(index, before) < 0) return false;
    before = name(index);
    last = index;
  }
  return true;
}

KallsymsIndex KallsymsTable::make_index() const {
  KallsymsIndex index(tokens_, size());
  for (std::size_t i = 0; i < size(); ++i) index.add(compressed(i));
  return index;
}

std::span<const std::byte> KallsymsTable::compressed(std::size_t index) const {
  std::size_t begin = begins_[index];
  auto length = std::to_integer<std::size_t>(names_[begin++]);
  if (length >= two_bytes) {
    length = (length & (two_bytes - 1)) | std::to_integer<std::size_t>(names_[begin++])
                                              << length_bits;
  }
  return names_.subspan(begin, length);
}

std::string KallsymsTable::expand(std::size_t index) const {
  std::string expanded;
  for (const std::byte token : compressed(index)) {
    expanded += tokens_[std::to_integer<std::size_t>(token)];
    if (expanded.size() > 1 + longest_name) return {};
  }
  return expanded;
}

std::string KallsymsTable::name(std::size_t index) const {
  std::string name = expand(index);
  name.erase(0, 1);
  return name;
}

KallsymsTable::Symbol KallsymsTable::symbol(std::size_t index) const {
  Symbol symbol{'?', address(index), expand(index)};
  if (!symbol.name.empty()) {
    symbol.type = symbol.name.front();
    symbol.name.erase(0, 1);
  }
  return symbol;
}

void KallsymsTable::for_each(const KernelSymbols::SymbolVisit& visit) const {
  KallsymsUnpacker unpacker(tokens_, 1 + longest_name);
  for (std::size_t i = 0; i < size(); ++i) {
    const std::string_view name = unpacker.unpack(compressed(i));
    const char type = name.empty() ? '?' : name.front();
    visit(name.substr(name.empty() ? 0 : 1), address(i), binding_of(type));
  }
}

int KallsymsTable::compare(std::size_t index, std::string_view name) const {
  bool is_type = true;
  for (const std::byte token : compressed(index)) {
    std::string_view part = tokens_[std::to_integer<std::size_t>(token)];
    if (is_type && !part.empty()) {
      part.remove_prefix(1);
      is_type = false;
    }
    if (const int order = part.compare(name.substr(0, part.size())); order != 0) return order;
    name.remove_prefix(part.size());
  }
  return name.empty() ? 0 : -1;
}

template <typename Visit>
void KallsymsTable::find_each(std::string_view name, Visit visit) const {
  if (index_) {
    for (const std::size_t candidate : index_->candidates(tokens_, name)) {
      if (compare(candidate, name) == 0) visit(symbol(candidate));
    }
    return;
  }
  std::size_t begin = 0;
  for (std::size_t end = order_.size(); begin < end;) {
    const std::size_t middle = begin + (end - begin) / 2;
    const std::size_t index = order_[middle];
    if (index < size() && compare(index, name) < 0) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  for (; begin < order_.size(); ++begin) {
    const std::size_t index = order_[begin];
    if (index >= size() || compare(index, name) != 0) return;
    visit(symbol(index));
  }
}

std::optional<GuestVirtual> KallsymsTable::find(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  SymbolChoice choice;
  find_each(name, [&](const Symbol& found) { offer(choice, found); });
  return choice.address();
}

std::optional<GuestVirtual> KallsymsTable::find_static(std::string_view name) const {
  SymbolChoice choice;
  for (std::size_t i = 0; i < size(); ++i) {
    const Symbol found = symbol(i);
    if (is_static_name(found.name, name)) offer(choice, found);
  }
  return choice.address();
}

std::optional<SymbolPlace> KallsymsTable::find_place(GuestVirtual address) const {
  // Names cost time to unpack: only that of the nearest is.
  std::optional<GuestVirtual> begin;
  std::size_t first = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const GuestVirtual at = addresses_[i];
    if (at > address || (begin && at <= *begin)) continue;
    begin = at;
    first = i;
  }
  if (!begin) return std::nullopt;
  NearestSymbol choice(address);
  for (std::size_t i = first; i < size(); ++i) {
    if (addresses_[i] == *begin) choice.offer(*begin, name(i));
  }
  return choice.place();
}

}  // namespace photon_dmesg
