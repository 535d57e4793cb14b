#include "kernel/symbols/kallsyms_table.h"

#include <algorithm>
#include <cctype>

namespace photon_dmesg {
namespace {

// Enough of a name to tell most others from it.
std::uint32_t make_key(std::size_t length, char first, char last) {
  constexpr unsigned bits = 8;
  return static_cast<std::uint32_t>(length) << 2 * bits |
         static_cast<std::uint32_t>(static_cast<unsigned char>(first)) << bits |
         static_cast<unsigned char>(last);
}

void offer(SymbolChoice& choice, const KallsymsTable::Symbol& symbol) {
  choice.offer(symbol.address, KallsymsTable::binding_of(symbol));
}

}  // namespace

KallsymsTable::KallsymsTable(Tokens tokens, std::vector<std::uint8_t> names,
                             std::vector<std::uint32_t> ends)
    : tokens_(std::move(tokens)),
      names_(std::move(names)),
      ends_(std::move(ends)),
      addresses_(ends_.size()),
      keys_(ends_.size()) {
  for (std::size_t i = 0; i < keys_.size(); ++i) keys_[i] = compute_key(i);
}

// Names that are not compressed are compressed with every byte for itself.
KallsymsTable::KallsymsTable(const std::vector<Symbol>& symbols) {
  for (std::size_t byte = 0; byte < tokens_.size(); ++byte) {
    tokens_[byte] = std::string(1, static_cast<char>(byte));
  }
  for (const Symbol& symbol : symbols) {
    names_.push_back(static_cast<std::uint8_t>(symbol.type));
    names_.insert(names_.end(), symbol.name.begin(), symbol.name.end());
    ends_.push_back(static_cast<std::uint32_t>(names_.size()));
    addresses_.push_back(symbol.address);
    keys_.push_back(compute_key(keys_.size()));
  }
}

SymbolBinding KallsymsTable::binding_of(const Symbol& symbol) {
  return std::isupper(static_cast<unsigned char>(symbol.type)) != 0 ? SymbolBinding::Global
                                                                    : SymbolBinding::Local;
}

std::span<const std::uint8_t> KallsymsTable::compressed(std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
  return std::span(names_).subspan(begin, ends_[index] - begin);
}

std::uint32_t KallsymsTable::compute_key(std::size_t index) const {
  std::size_t length = 0;
  char first = 0;  // behind the type
  char last = 0;
  for (const std::uint8_t byte : compressed(index)) {
    const std::string& token = tokens_[byte];
    if (token.empty()) continue;
    if (length <= 1 && length + token.size() > 1) first = token[1 - length];
    length += token.size();
    last = token.back();
  }
  return length < 2 ? 0 : make_key(length - 1, first, last);
}

KallsymsTable::Symbol KallsymsTable::symbol(std::size_t index) const {
  Symbol symbol;
  for (const std::uint8_t byte : compressed(index)) symbol.name += tokens_[byte];
  if (!symbol.name.empty()) {
    symbol.type = symbol.name.front();
    symbol.name.erase(0, 1);
  }
  symbol.address = addresses_[index];
  return symbol;
}

std::optional<GuestVirtual> KallsymsTable::find(std::string_view name) const {
  if (name.empty()) return std::nullopt;
  SymbolChoice choice;
  const std::uint32_t key = make_key(name.size(), name.front(), name.back());
  for (auto at = std::find(keys_.begin(), keys_.end(), key); at != keys_.end();
       at = std::find(at + 1, keys_.end(), key)) {
    const Symbol found = symbol(static_cast<std::size_t>(at - keys_.begin()));
    if (found.name == name) offer(choice, found);
  }
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
  std::optional<std::size_t> nearest;
  for (std::size_t i = 0; i < size(); ++i) {
    const bool is_nearer = !nearest || addresses_[i] > addresses_[*nearest];
    if (addresses_[i] <= address && is_nearer) nearest = i;
  }
  if (!nearest) return std::nullopt;
  NearestSymbol choice(address);
  const GuestVirtual begin = addresses_[*nearest];
  for (std::size_t i = *nearest; i < size(); ++i) {
    if (addresses_[i] == begin) choice.offer(begin, symbol(i).name);
  }
  return choice.place();
}

}  // namespace photon_dmesg
