#include "kernel/symbols/kallsyms_parser.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t token_count = 256;
constexpr std::size_t alignment = 8;
constexpr std::size_t names_per_marker = 256;
constexpr std::uint64_t fewest_symbols = 500;
constexpr std::uint64_t most_symbols = 4'000'000;

// Names and markers of the largest kernels, and more.
constexpr std::size_t longest_names = 64 * 1024 * 1024;

// The kernel's limit (KSYM_NAME_LEN) is 512, of a token as of a name; and what they come to all in
// all, so that a short name of long tokens can't make much of little.
constexpr std::size_t longest_name = 512;
constexpr std::size_t most_expanded = 256 * 1024 * 1024;

// Until 7.2 the tables are aligned to 8 bytes, since then to 4.
constexpr std::size_t packed_alignment = 4;

constexpr std::size_t align(std::size_t offset, std::size_t to = alignment) {
  return (offset + to - 1) / to * to;
}

// The bytes in which the table is looked for; every read is bounded.
class Bytes {
 public:
  explicit Bytes(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool contains(std::size_t offset, std::size_t length) const {
    return offset <= size() && length <= size() - offset;
  }
  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  // The byte at `offset`, or 0.
  [[nodiscard]] std::size_t byte(std::size_t offset) const {
    return offset < size() ? std::to_integer<std::size_t>(bytes_[offset]) : 0;
  }
  // The number of `width` bytes at `offset`; 0 where there is none, which no check takes for sound.
  [[nodiscard]] std::uint64_t number(std::size_t offset, std::size_t width) const {
    return contains(offset, width) ? load_unsigned(bytes_.subspan(offset, width)) : 0;
  }

 private:
  std::span<const std::byte> bytes_;
};

// The 256 strings that names are made of.
struct Tokens {
  std::size_t table = 0;  // offset of token_table
  std::size_t end = 0;    // behind token_index
  std::array<std::string_view, token_count> strings;
};

// The digits are always tokens of their own: every kernel has each of them in some name.
std::string digit_tokens() {
  std::string tokens;
  for (char digit = '0'; digit <= '9'; ++digit) {
    tokens += digit;
    tokens += '\0';
  }
  return tokens;
}

// Offset behind the last of the tokens from `token` on that begin at `offset`.
std::optional<std::size_t> skip_tokens(const Bytes& bytes, std::size_t offset, std::size_t token) {
  for (; token < token_count; ++token) {
    const std::size_t end = bytes.text().substr(offset, longest_name + 1).find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    offset += end + 1;
  }
  return offset;
}

// Reads the tokens if those of the digits stand at `digits` and token_index at `index`: it must
// name the place of each.
std::optional<Tokens> read_tokens_by(const Bytes& bytes, std::size_t digits, std::size_t index) {
  constexpr std::size_t width = sizeof(std::uint16_t);
  const std::size_t before_digits = bytes.number(index + '0' * width, width);
  if (!bytes.contains(index, token_count * width) || before_digits > digits) return std::nullopt;
  Tokens tokens{digits - before_digits, index + token_count * width, {}};
  std::size_t expected = 0;
  for (std::size_t i = 0; i < token_count; ++i) {
    if (bytes.number(index + i * width, width) != expected) return std::nullopt;
    const std::string_view rest = bytes.text().substr(tokens.table + expected);
    tokens.strings[i] = rest.substr(0, rest.substr(0, longest_name + 1).find('\0'));
    if (tokens.strings[i].size() > longest_name) return std::nullopt;
    expected += tokens.strings[i].size() + 1;
  }
  return tokens;
}

std::optional<Tokens> read_tokens(const Bytes& bytes, std::size_t digits) {
  const std::optional<std::size_t> table_end = skip_tokens(bytes, digits, '0');
  if (!table_end) return std::nullopt;
  if (auto tokens = read_tokens_by(bytes, digits, align(*table_end))) return tokens;
  return read_tokens_by(bytes, digits, align(*table_end, packed_alignment));
}

std::optional<Tokens> find_tokens(const Bytes& bytes) {
  const std::string digits = digit_tokens();
  for (std::size_t at = bytes.text().find(digits); at != std::string_view::npos;
       at = bytes.text().find(digits, at + 1)) {
    if (std::optional<Tokens> tokens = read_tokens(bytes, at)) return tokens;
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  // The first character is the type.
  return text.size() >= 2 && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::all_of(text.begin() + 1, text.end(),
                     [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

// Reads compressed names one after the other.
class NameReader {
 public:
  NameReader(const Bytes& bytes, const Tokens& tokens, std::size_t offset)
      : bytes_(bytes), tokens_(tokens), offset_(offset) {}

  [[nodiscard]] std::size_t offset() const { return offset_; }

  // Passes over the next name: a length (of two bytes if it is above 127: 6.1 and later), then as
  // many tokens. False at the end of the bytes.
  bool skip() {
    std::size_t length = bytes_.byte(offset_);
    std::size_t begin = offset_ + 1;
    constexpr std::size_t more = 0x80;
    if ((length & more) != 0) {
      length = (length & (more - 1)) | bytes_.byte(begin) << 7;
      ++begin;
    }
    if (length == 0 || length > 1 + longest_name || !bytes_.contains(begin, length)) return false;
    begin_ = begin;
    offset_ = begin + length;
    return true;
  }

  // How many tokens the name has that skip() passed over.
  [[nodiscard]] std::size_t size() const { return offset_ - begin_; }

  // How long it is, with its type.
  [[nodiscard]] std::size_t expanded_size() const {
    std::size_t size = 0;
    for (const char token : name())
      size += tokens_.strings[static_cast<unsigned char>(token)].size();
    return size;
  }

  // Appends the compressed name that skip() passed over to `names`.
  void copy(std::vector<std::uint8_t>& names) const {
    const std::string_view compressed = name();
    names.insert(names.end(), compressed.begin(), compressed.end());
  }

  // The same name as text, its type in front.
  [[nodiscard]] std::string expand() const {
    std::string expanded;
    for (const char token : name()) expanded += tokens_.strings[static_cast<unsigned char>(token)];
    return expanded;
  }

 private:
  [[nodiscard]] std::string_view name() const { return bytes_.text().substr(begin_, size()); }

  const Bytes& bytes_;
  const Tokens& tokens_;
  std::size_t offset_;
  std::size_t begin_ = 0;
};

struct Names {
  std::size_t begin = 0;   // offset of num_syms
  bool is_packed = false;  // aligned to 4 bytes
  std::vector<std::uint8_t> compressed;
  std::vector<std::uint32_t> ends;
};

bool markers_agree(const Bytes& bytes, std::size_t markers, std::size_t width,
                   const std::vector<std::size_t>& marked) {
  for (std::size_t i = 0; i < marked.size(); ++i) {
    if (bytes.number(markers + i * width, width) != marked[i]) return false;
  }
  return true;
}

// Of random bytes, almost none get through the first few names.
bool begins_with_names(const Bytes& bytes, const Tokens& tokens, std::size_t first,
                       Budget& budget) {
  constexpr int probed = 8;
  NameReader reader(bytes, tokens, first);
  for (int i = 0; i < probed; ++i) {
    if (!reader.skip() || !budget.take(reader.size()) ||
        reader.expanded_size() > 1 + longest_name || !is_name(reader.expand())) {
      return false;
    }
  }
  return true;
}

// Whether the markers stand behind the names, which end at `end`, in any width and alignment.
bool are_marked(const Bytes& bytes, std::size_t end, const std::vector<std::size_t>& marked) {
  const std::size_t markers = align(end);
  return markers_agree(bytes, markers, 4, marked) || markers_agree(bytes, markers, 8, marked) ||
         markers_agree(bytes, align(end, packed_alignment), 4, marked);
}

// The names, if num_syms stands at `begin`, with its padding in `width` bytes. The markers behind
// them prove it: they hold where each 256th name begins.
std::optional<Names> read_names(const Bytes& bytes, const Tokens& tokens, std::size_t begin,
                                std::size_t width, Budget& budget) {
  const std::uint64_t count = bytes.number(begin, width);
  const std::size_t first = begin + width;
  if (!begins_with_names(bytes, tokens, first, budget)) return std::nullopt;
  NameReader reader(bytes, tokens, first);
  Names result{begin, width == packed_alignment, {}, {}};
  std::vector<std::size_t> marked;
  std::size_t expanded = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % names_per_marker == 0) marked.push_back(reader.offset() - first);
    if (!reader.skip() || !budget.take(reader.size())) return std::nullopt;
    const std::size_t size = reader.expanded_size();
    expanded += size;
    if (size > 1 + longest_name || expanded > most_expanded) return std::nullopt;
    reader.copy(result.compressed);
    result.ends.push_back(static_cast<std::uint32_t>(result.compressed.size()));
  }
  if (!are_marked(bytes, reader.offset(), marked)) return std::nullopt;
  return result;
}

// Whether `count` names can take `bytes`, as far as the tokens, at all. From wherever names are
// read, soon their true beginnings are met: most numbers that are no count would have all names
// read.
bool can_fill(std::uint64_t count, std::uint64_t bytes) {
  constexpr std::uint64_t shortest = 2;       // a length and a token
  constexpr std::uint64_t most_a_name = 128;  // with its share of what else lies there
  return count * shortest <= bytes && bytes <= count * most_a_name;
}

// Whether markers of `count` names, which begin at `first`, seem to stand where some version has
// them: right before the tokens, or with the order of names (3 bytes each: 6.2 and 6.3) between.
bool seems_marked(const Bytes& bytes, const Tokens& tokens, std::size_t first,
                  std::uint64_t count) {
  const std::uint64_t markers = (count + names_per_marker - 1) / names_per_marker;
  constexpr std::size_t order_bytes = 3;
  for (const std::size_t width : {sizeof(std::uint32_t), sizeof(std::uint64_t)}) {
    for (const std::size_t to : {alignment, packed_alignment}) {
      for (const std::uint64_t between : {std::uint64_t{0}, count * order_bytes}) {
        const std::size_t size = align(markers * width, to) + align(between, to);
        if (size >= tokens.table - first) continue;
        const std::size_t at = tokens.table - size;
        const std::uint64_t last = bytes.number(at + (markers - 1) * width, width);
        if (bytes.number(at, width) == 0 && last >= count && last < at - first) return true;
      }
    }
  }
  return false;
}

// num_syms and the names lie before the tokens in every version. `is_sure`: only where the markers,
// too, are in a known place, which spares reading names wherever a number may be their count.
std::optional<Names> find_names(const Bytes& bytes, const Tokens& tokens, bool is_sure,
                                Budget& budget) {
  const std::size_t last = tokens.table / alignment * alignment;
  const std::size_t lowest = last > longest_names ? last - longest_names : 0;
  for (std::size_t at = last; at >= lowest + alignment && !budget.exceeded(); at -= alignment) {
    const std::size_t begin = at - alignment;
    const std::uint64_t both = bytes.number(begin, alignment);
    const auto try_at = [&](std::size_t place, std::size_t width, std::uint64_t count) {
      const bool can_be = count >= fewest_symbols && count <= most_symbols &&
                          can_fill(count, tokens.table - place) &&
                          (!is_sure || seems_marked(bytes, tokens, place + width, count));
      return can_be ? read_names(bytes, tokens, place, width, budget) : std::nullopt;
    };
    constexpr unsigned half = 32;
    if (auto names = try_at(begin, alignment, both)) return names;
    if (auto names = try_at(begin + packed_alignment, packed_alignment, both >> half)) return names;
    auto names = try_at(begin, packed_alignment, static_cast<std::uint32_t>(both));
    if (names) return names;
  }
  return std::nullopt;
}

// How a version says addresses, and where.
enum class Addressing {
  BehindTokensPerCpu,    // 6.4 to 6.12 with CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  BehindTokensRelative,  // the same without
  BehindTokensOwnPlace,  // 7.x, each relative to its own place
  BehindTokensPacked,    // the same, aligned to 4 bytes
  BeforeNamesPerCpu,     // 4.6 to 6.3 with CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  BeforeNamesRelative,
  BeforeNamesAbsolute,  // up to 4.5
};
constexpr std::array addressings = {
    Addressing::BehindTokensPerCpu,   Addressing::BehindTokensRelative,
    Addressing::BehindTokensOwnPlace, Addressing::BehindTokensPacked,
    Addressing::BeforeNamesPerCpu,    Addressing::BeforeNamesRelative,
    Addressing::BeforeNamesAbsolute,
};

class AddressReader {
 public:
  AddressReader(const Bytes& bytes, GuestVirtual address, const Tokens& tokens,
                std::size_t names_begin, std::size_t count, Addressing addressing)
      : bytes_(bytes), address_(address), addressing_(addressing) {
    const std::size_t offsets_size = align(count * sizeof(std::int32_t));
    switch (addressing) {
      case Addressing::BehindTokensPerCpu:
      case Addressing::BehindTokensRelative:
      case Addressing::BehindTokensOwnPlace:
        table_ = align(tokens.end);
        base_ = bytes.number(table_ + offsets_size, sizeof(std::uint64_t));
        break;
      case Addressing::BehindTokensPacked:
        table_ = align(tokens.end, packed_alignment);
        break;
      case Addressing::BeforeNamesPerCpu:
      case Addressing::BeforeNamesRelative:
        table_ = before(names_begin, alignment + offsets_size);
        base_ = bytes.number(before(names_begin, alignment), sizeof(std::uint64_t));
        break;
      case Addressing::BeforeNamesAbsolute:
        table_ = before(names_begin, count * sizeof(std::uint64_t));
        break;
    }
  }

  // The run-time address of the symbol `index`.
  [[nodiscard]] GuestVirtual operator[](std::size_t index) const {
    if (addressing_ == Addressing::BeforeNamesAbsolute) {
      return {bytes_.number(table_ + index * sizeof(std::uint64_t), sizeof(std::uint64_t))};
    }
    const std::size_t place = table_ + index * sizeof(std::int32_t);
    const auto offset = static_cast<std::int32_t>(bytes_.number(place, sizeof(std::int32_t)));
    const auto extended = static_cast<std::uint64_t>(std::int64_t{offset});
    switch (addressing_) {
      case Addressing::BehindTokensOwnPlace:
      case Addressing::BehindTokensPacked:
        return address_ + place + extended;
      case Addressing::BehindTokensPerCpu:
      case Addressing::BeforeNamesPerCpu:
        return {offset >= 0 ? extended : base_ - 1 - extended};
      default:
        return {base_ + static_cast<std::uint32_t>(offset)};
    }
  }

 private:
  // A place that would lie before the bytes becomes one behind them, where nothing can be read.
  [[nodiscard]] std::size_t before(std::size_t end, std::size_t size) const {
    return size <= end ? end - size : bytes_.size();
  }

  const Bytes& bytes_;
  GuestVirtual address_;
  Addressing addressing_;
  std::size_t table_ = 0;
  std::uint64_t base_ = 0;
};

KallsymsTable make_table(const Tokens& tokens, Names names) {
  KallsymsTable::Tokens strings;
  std::copy(tokens.strings.begin(), tokens.strings.end(), strings.begin());
  return {std::move(strings), std::move(names.compressed), std::move(names.ends)};
}

}  // namespace

Budget kallsyms_budget() {
  return {"bytes that may be symbols' names", 4 * longest_names};
}

std::optional<KallsymsTable> parse_kallsyms(
    std::span<const std::byte> bytes, GuestVirtual address, Budget& budget,
    const std::function<bool(const KallsymsTable&)>& is_right) {
  const Bytes image(bytes);
  const std::optional<Tokens> tokens = find_tokens(image);
  std::optional<Names> names = tokens ? find_names(image, *tokens, true, budget) : std::nullopt;
  if (tokens && !names) names = find_names(image, *tokens, false, budget);
  if (!names) {
    return std::nullopt;
  }
  const std::size_t begin = names->begin;
  const bool is_packed = names->is_packed;
  KallsymsTable table = make_table(*tokens, std::move(*names));
  const std::size_t count = table.size();
  for (const Addressing addressing : addressings) {
    if ((addressing == Addressing::BehindTokensPacked) != is_packed) continue;
    const AddressReader addresses(image, address, *tokens, begin, count, addressing);
    for (std::size_t i = 0; i < count; ++i) table.set_address(i, addresses[i]);
    if (is_right(table)) {
      return table;
    }
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
