#include "kernel/symbols/symbol_store_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>

#include "base/checksum.h"
#include "base/error.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/symbol_store_format.h"
#include "kernel/symbols/types_of_use.h"

namespace photon_dmesg {
namespace {

using symbol_store::Section;
using Bytes = std::vector<std::byte>;

void put(Bytes& bytes, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes.push_back(static_cast<std::byte>(value >> 8 * i));
}

void put_u32(Bytes& bytes, std::uint64_t value) {
  if (value > std::numeric_limits<std::uint32_t>::max()) {
    throw unusable("expected symbols as a kernel has them, found more than a profile can hold");
  }
  put(bytes, value, sizeof(std::uint32_t));
}

void put_bytes(Bytes& bytes, std::string_view text) {
  const auto added = std::as_bytes(std::span(text));
  bytes.insert(bytes.end(), added.begin(), added.end());
}

void put_text(Bytes& bytes, const std::optional<std::string>& text) {
  put(bytes, text ? text->size() : symbol_store::unknown_text, sizeof(std::uint32_t));
  if (text) put_bytes(bytes, *text);
}

void put_name(Bytes& bytes, std::string_view name) {
  put(bytes, name.size(), sizeof(std::uint16_t));
  put_bytes(bytes, name);
}

struct Symbol {
  GuestVirtual address;
  SymbolBinding binding = SymbolBinding::Local;
  std::uint32_t name_begin = 0;  // of the names of all
  std::uint16_t name_size = 0;
};

// All symbols of a source, in its order.
class Collection {
 public:
  explicit Collection(const KernelSymbols& source) {
    source.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding binding) {
      constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
      if (name.empty() || name.size() > symbol_store::longest_name) return;
      if (name.size() > most - names_.size()) {
        throw unusable(fmt::format("{}: expected names as a kernel has them, found {} bytes",
                                   source.name(), names_.size()));
      }
      symbols_.push_back({address, binding, static_cast<std::uint32_t>(names_.size()),
                          static_cast<std::uint16_t>(name.size())});
      names_ += name;
    });
  }

  [[nodiscard]] const std::vector<Symbol>& symbols() const { return symbols_; }
  [[nodiscard]] std::string_view name(const Symbol& symbol) const {
    return std::string_view(names_).substr(symbol.name_begin, symbol.name_size);
  }

  // The numbers of the symbols, by name, then by address, and a global one first.
  [[nodiscard]] std::vector<std::uint32_t> by_name() const {
    // What a name begins with, as a number: most comparisons need no more.
    std::vector<std::pair<std::uint64_t, std::uint32_t>> keys;
    keys.reserve(symbols_.size());
    for (const Symbol& symbol : symbols_) {
      std::uint64_t beginning = 0;
      for (std::size_t i = 0; i < sizeof(beginning); ++i) {
        const char byte = i < symbol.name_size ? names_[symbol.name_begin + i] : '\0';
        beginning = beginning << 8 | static_cast<unsigned char>(byte);
      }
      keys.emplace_back(beginning, static_cast<std::uint32_t>(keys.size()));
    }
    std::sort(keys.begin(), keys.end(), [&](const auto& left, const auto& right) {
      if (left.first != right.first) return left.first < right.first;
      const Symbol& one = symbols_[left.second];
      const Symbol& other = symbols_[right.second];
      const int order = name(one).compare(name(other));
      if (order != 0) return order < 0;
      return std::pair(one.address, other.binding) < std::pair(other.address, one.binding);
    });
    std::vector<std::uint32_t> numbers;
    numbers.reserve(keys.size());
    for (const auto& key : keys) numbers.push_back(key.second);
    return numbers;
  }

  // The symbols that name each address which has any, by address: as NearestSymbol chooses.
  [[nodiscard]] std::vector<std::uint32_t> by_address() const {
    std::vector<std::uint32_t> numbers(symbols_.size());
    std::iota(numbers.begin(), numbers.end(), 0);
    std::sort(numbers.begin(), numbers.end(), [&](std::uint32_t left, std::uint32_t right) {
      return std::pair(symbols_[left].address, left) < std::pair(symbols_[right].address, right);
    });
    std::vector<std::uint32_t> places;
    for (auto begin = numbers.begin(); begin != numbers.end();) {
      const GuestVirtual address = symbols_[*begin].address;
      const auto end = std::find_if(begin, numbers.end(), [&](std::uint32_t number) {
        return symbols_[number].address != address;
      });
      if (const auto number = choose_name(address, {begin, end})) places.push_back(*number);
      begin = end;
    }
    return places;
  }

 private:
  [[nodiscard]] std::optional<std::uint32_t> choose_name(
      GuestVirtual address, std::span<const std::uint32_t> numbers) const {
    NearestSymbol nearest(address);
    for (const std::uint32_t number : numbers) nearest.offer(address, name(symbols_[number]));
    const std::optional<SymbolPlace> place = nearest.place();
    if (!place) return std::nullopt;
    return *std::find_if(numbers.begin(), numbers.end(), [&](std::uint32_t number) {
      return name(symbols_[number]) == place->name;
    });
  }

  std::vector<Symbol> symbols_;
  std::string names_;
};

// The upper half of most addresses: that of the symbol in the middle.
std::uint64_t choose_base(const std::vector<Symbol>& symbols) {
  std::vector<GuestVirtual> addresses;
  addresses.reserve(symbols.size());
  for (const Symbol& symbol : symbols) addresses.push_back(symbol.address);
  if (addresses.empty()) return 0;
  const auto middle = addresses.begin() + static_cast<std::ptrdiff_t>(addresses.size() / 2);
  std::nth_element(addresses.begin(), middle, addresses.end());
  return middle->value & ~std::uint64_t{std::numeric_limits<std::uint32_t>::max()};
}

class Writer {
 public:
  explicit Writer(const KernelSymbols& source)
      : source_(source), collection_(source), base_(choose_base(collection_.symbols())) {}

  Bytes run(const std::string& release, const std::string& origin) {
    put_facts(release, origin);
    put_symbols();
    put_places();
    for (const StructLayout* layout : find_types_of_use(source_)) put_layout(*layout);
    return finish();
  }

 private:
  Bytes& section(Section section) { return sections_.at(section); }

  void put_facts(const std::string& release, const std::string& origin) {
    Bytes& facts = section(Section::Facts);
    put_text(facts, release);
    put_text(facts, origin);
    // Behind its end a source may give whatever follows.
    const std::optional<KernelBanner> banner = banner_of(source_);
    put_text(facts, banner ? std::optional(banner->text + "\n" + '\0') : std::nullopt);
    put_text(facts, source_.build_id());
  }

  // One of a name and an address is as good as several, and a global one better than others.
  void put_symbols() {
    positions_.resize(collection_.symbols().size());
    const Symbol* last = nullptr;
    for (const std::uint32_t number : collection_.by_name()) {
      const Symbol& symbol = collection_.symbols()[number];
      const bool is_new = last == nullptr || last->address != symbol.address ||
                          collection_.name(*last) != collection_.name(symbol);
      if (is_new) put_symbol(symbol);
      positions_[number] = count_ - 1;
      last = &symbol;
    }
  }

  void put_symbol(const Symbol& symbol) {
    Bytes& names = section(Section::Names);
    const std::string_view name = collection_.name(symbol);
    if (count_++ % symbol_store::names_per_block == 0) {
      put_u32(section(Section::Blocks), names.size());
      last_name_ = {};
    }
    const auto [difference, ignored] =
        std::mismatch(name.begin(),
                      name.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                         {name.size(), last_name_.size(), std::size_t{0xff}})),
                      last_name_.begin());
    const auto shared = static_cast<std::size_t>(difference - name.begin());
    const std::string_view rest = name.substr(shared);
    put(names, shared, 1);
    put(names, std::min(rest.size(), symbol_store::escaped_length), 1);
    if (rest.size() >= symbol_store::escaped_length) put(names, rest.size(), 2);
    put_bytes(names, rest);
    last_name_ = name;
    put_address(symbol);
  }

  void put_address(const Symbol& symbol) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint32_t>::max();
    std::uint8_t flags = symbol.binding == SymbolBinding::Global ? symbol_store::global_flag : 0;
    std::uint64_t value = symbol.address.value;
    if (value > most && value - base_ <= most) {
      flags |= symbol_store::based_flag;
      value -= base_;
    } else if (value > most) {
      flags |= symbol_store::wide_flag;
      Bytes& wide = section(Section::Wide);
      put(wide, value, sizeof(value));
      value = wide.size() / sizeof(value) - 1;
    }
    put(section(Section::Flags), flags, 1);
    put_u32(section(Section::Values), value);
  }

  // None for a source that can't tell places, as it does not know all symbols.
  void put_places() {
    const std::vector<std::uint32_t> places = collection_.by_address();
    if (places.empty() ||
        !source_.find_place(collection_.symbols()[places.front()].address).has_value()) {
      return;
    }
    for (const std::uint32_t number : places) {
      put(section(Section::Places), positions_[number], sizeof(std::uint32_t));
    }
  }

  void put_layout(const StructLayout& layout) {
    Bytes& types = section(Section::Types);
    put_name(types, layout.name());
    put_u32(types, layout.size());
    put_u32(types, layout.members().size());
    for (const MemberLayout& member : layout.members()) {
      put_name(types, member.name);
      put_u32(types, member.offset);
      put_u32(types, member.size);
      put_u32(types, member.bit_shift);
      put_u32(types, member.bit_width);
      put_name(types, member.type);
    }
  }

  Bytes finish() {
    std::uint64_t size = symbol_store::header_bytes;
    for (const Bytes& section : sections_) size += section.size();
    Bytes checked;
    checked.reserve(size);
    put(checked, symbol_store::version, sizeof(std::uint32_t));
    put(checked, size, sizeof(size));
    put(checked, symbol_store::schema(), sizeof(std::uint64_t));
    put(checked, base_, sizeof(base_));
    put(checked, count_, sizeof(count_));
    std::uint64_t offset = symbol_store::header_bytes;
    for (const Bytes& section : sections_) {
      put_u32(checked, offset);
      put_u32(checked, section.size());
      offset += section.size();
    }
    for (const Bytes& section : sections_) {
      checked.insert(checked.end(), section.begin(), section.end());
    }
    Bytes file;
    file.reserve(size);
    put_bytes(file, symbol_store::magic);
    put(file, checksum(checked), sizeof(std::uint64_t));
    file.insert(file.end(), checked.begin(), checked.end());
    return file;
  }

  const KernelSymbols& source_;
  Collection collection_;
  std::uint64_t base_;
  std::uint32_t count_ = 0;
  std::vector<std::uint32_t> positions_;  // by the source's order
  std::string_view last_name_;
  std::array<Bytes, symbol_store::section_count> sections_;
};

}  // namespace

Bytes make_symbol_store(const KernelSymbols& symbols, const std::string& release,
                        const std::string& origin) {
  return Writer(symbols).run(release, origin);
}

}  // namespace photon_dmesg
