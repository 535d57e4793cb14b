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

constexpr std::size_t longest_name = KallsymsTable::longest_name;
// What names come to all in all, so that short ones of long tokens can't make much of little.
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
  // What must be contained.
  [[nodiscard]] std::span<const std::byte> part(std::size_t offset, std::size_t length) const {
    return bytes_.subspan(offset, length);
  }
  [[nodiscard]] std::span<const std::byte> from(std::size_t offset) const {
    return bytes_.subspan(offset);
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
std::optional<std::size_t> skip_tokens(const Bytes& bytes, std::size_t offset, std::size_t token,
                                       Budget& budget) {
  for (; token < token_count; ++token) {
    const std::size_t end = bytes.text().substr(offset, longest_name + 1).find('\0');
    if (end == std::string_view::npos || !budget.take(end + 1)) return std::nullopt;
    offset += end + 1;
  }
  return offset;
}

// Reads the tokens if those of the digits stand at `digits` and token_index at `index`: it must
// name the place of each.
std::optional<Tokens> read_tokens_by(const Bytes& bytes, std::size_t digits, std::size_t index,
                                     Budget& budget) {
  constexpr std::size_t width = sizeof(std::uint16_t);
  const std::size_t before_digits = bytes.number(index + '0' * width, width);
  if (!bytes.contains(index, token_count * width) || before_digits > digits) return std::nullopt;
  Tokens tokens{digits - before_digits, index + token_count * width, {}};
  std::size_t expected = 0;
  for (std::size_t i = 0; i < token_count; ++i) {
    if (bytes.number(index + i * width, width) != expected) return std::nullopt;
    const std::string_view rest = bytes.text().substr(tokens.table + expected);
    tokens.strings[i] = rest.substr(0, rest.substr(0, longest_name + 1).find('\0'));
    const std::size_t size = tokens.strings[i].size();
    if (size > longest_name || !budget.take(size + 1)) return std::nullopt;
    expected += size + 1;
  }
  return tokens;
}

std::optional<Tokens> read_tokens(const Bytes& bytes, std::size_t digits, Budget& budget) {
  const std::optional<std::size_t> table_end = skip_tokens(bytes, digits, '0', budget);
  if (!table_end) return std::nullopt;
  if (auto tokens = read_tokens_by(bytes, digits, align(*table_end), budget)) return tokens;
  return read_tokens_by(bytes, digits, align(*table_end, packed_alignment), budget);
}

std::optional<Tokens> find_tokens(const Bytes& bytes, Budget& budget) {
  const std::string digits = digit_tokens();
  for (std::size_t at = bytes.text().find(digits);
       at != std::string_view::npos && !budget.exceeded(); at = bytes.text().find(digits, at + 1)) {
    if (std::optional<Tokens> tokens = read_tokens(bytes, at, budget)) return tokens;
  }
  return std::nullopt;
}

bool is_name(std::string_view text) {
  // The first character is the type.
  return text.size() >= 2 && std::isalpha(static_cast<unsigned char>(text[0])) != 0 &&
         std::all_of(text.begin() + 1, text.end(),
                     [](unsigned char c) { return c > ' ' && c < 0x7f; });
}

constexpr std::size_t long_length = 0x80;  // from here on a name's length takes two bytes

// How many bytes the name takes that `bytes` begins with: a length (of two bytes if it is above
// 127: 6.1 and later), then as many tokens. 0 if it is none: empty, too long or cut off.
std::size_t name_bytes(std::span<const std::byte> bytes) {
  constexpr unsigned bits = 7;
  if (bytes.size() < 2) return 0;
  auto length = std::to_integer<std::size_t>(bytes[0]);
  std::size_t before = 1;
  if (length >= long_length) {
    before = 2;
    length = (length - long_length) | std::to_integer<std::size_t>(bytes[1]) << bits;
  }
  const bool is_sound = length != 0 && length <= 1 + longest_name;
  return is_sound && before + length <= bytes.size() ? before + length : 0;
}

// Reads compressed names one after the other.
class NameReader {
 public:
  NameReader(const Bytes& bytes, const Tokens& tokens, std::size_t offset)
      : bytes_(bytes), tokens_(tokens), offset_(offset) {}

  // Passes over the next name. False at the end of the bytes.
  bool skip() {
    if (!bytes_.contains(offset_, 1)) return false;
    const std::size_t size = name_bytes(bytes_.from(offset_));
    begin_ = offset_ + (bytes_.byte(offset_) < long_length ? 1 : 2);
    offset_ += size;
    return size > 0;
  }

  // How many tokens the name has that skip() passed over.
  [[nodiscard]] std::size_t size() const { return offset_ - begin_; }

  // The name that skip() passed over as text, its type in front; no longer than names are.
  [[nodiscard]] std::string expand() const {
    std::string expanded;
    for (const char token : name()) {
      expanded += tokens_.strings[static_cast<unsigned char>(token)];
      if (expanded.size() > 1 + longest_name) return {};
    }
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
  std::size_t begin = 0;              // offset of num_syms
  bool is_packed = false;             // aligned to 4 bytes
  std::size_t first = 0;              // offset of the first name
  std::size_t end = 0;                // behind the last
  std::vector<std::uint32_t> begins;  // of each, from the first on
};

bool markers_agree(const Bytes& bytes, std::size_t markers, std::size_t width,
                   const std::vector<std::uint32_t>& begins) {
  for (std::size_t i = 0; i * names_per_marker < begins.size(); ++i) {
    if (bytes.number(markers + i * width, width) != begins[i * names_per_marker]) return false;
  }
  return true;
}

// Of random bytes, almost none get through the first few names.
bool begins_with_names(const Bytes& bytes, const Tokens& tokens, std::size_t first,
                       Budget& budget) {
  constexpr int probed = 8;
  NameReader reader(bytes, tokens, first);
  for (int i = 0; i < probed; ++i) {
    if (!reader.skip() || !budget.take(reader.size()) || !is_name(reader.expand())) {
      return false;
    }
  }
  return true;
}

// Whether the markers stand behind the names, in any width and alignment.
bool are_marked(const Bytes& bytes, const Names& names) {
  const std::size_t markers = align(names.end);
  return markers_agree(bytes, markers, 4, names.begins) ||
         markers_agree(bytes, markers, 8, names.begins) ||
         markers_agree(bytes, align(names.end, packed_alignment), 4, names.begins);
}

// Whether the names, of `size` bytes all in all, come to no more than those of a kernel.
bool are_bounded(const Bytes& bytes, const Tokens& tokens, const Names& names) {
  const auto* const longest = std::max_element(
      tokens.strings.begin(), tokens.strings.end(),
      [](std::string_view left, std::string_view right) { return left.size() < right.size(); });
  // Of what the tokens alone rule out, no name needs a look.
  if ((names.end - names.first) * longest->size() <= most_expanded) return true;
  std::size_t expanded = 0;
  for (std::size_t at = names.first; at < names.end; ++at) {
    expanded += tokens.strings[bytes.byte(at)].size();
  }
  return expanded <= most_expanded;
}

// The names, if num_syms stands at `begin`, with its padding in `width` bytes. The markers behind
// them prove it: they hold where each 256th name begins.
std::optional<Names> read_names(const Bytes& bytes, const Tokens& tokens, std::size_t begin,
                                std::size_t width, Budget& budget) {
  const std::uint64_t count = bytes.number(begin, width);
  const std::size_t first = begin + width;
  if (!begins_with_names(bytes, tokens, first, budget)) return std::nullopt;
  // Grows as names are read: it is the budget that bounds these, and no number in front of them.
  Names result{begin, width == packed_alignment, first, first, {}};
  std::span<const std::byte> rest = bytes.from(first);
  while (result.begins.size() < count) {
    const std::size_t size = name_bytes(rest);
    if (size == 0) break;
    result.begins.push_back(static_cast<std::uint32_t>(result.end - first));
    result.end += size;
    rest = rest.subspan(size);
  }
  if (!budget.take(result.end - first) || result.begins.size() < count) return std::nullopt;
  if (!are_marked(bytes, result) || !are_bounded(bytes, tokens, result)) {
    return std::nullopt;
  }
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

// The names, if num_syms stands in the 8 bytes at `begin`, which must be aligned, and `can_be` says
// that a number of names, which begin at an offset, may be theirs.
template <typename CanBe>
std::optional<Names> read_names_near(const Bytes& bytes, const Tokens& tokens, std::size_t begin,
                                     CanBe can_be, Budget& budget) {
  constexpr unsigned half = 32;
  const std::uint64_t both = bytes.number(begin, alignment);
  const auto try_at = [&](std::size_t place, std::size_t width, std::uint64_t count) {
    return count >= fewest_symbols && count <= most_symbols && can_be(count, place + width)
               ? read_names(bytes, tokens, place, width, budget)
               : std::nullopt;
  };
  if (auto names = try_at(begin, alignment, both)) return names;
  if (auto names = try_at(begin + packed_alignment, packed_alignment, both >> half)) return names;
  return try_at(begin, packed_alignment, static_cast<std::uint32_t>(both));
}

// Offsets of names, each 256th one's.
struct Markers {
  std::size_t begin = 0;  // where they stand
  std::uint64_t count = 0;
  std::uint64_t last = 0;
};

// What may be markers at `begin`: from 0 on, each one as much behind the other as 256 names may
// take.
Markers read_markers(const Bytes& bytes, std::size_t begin, std::size_t width) {
  constexpr std::uint64_t least = 2 * names_per_marker;
  constexpr std::uint64_t most = (2 + longest_name) * names_per_marker;
  Markers markers{begin, 0, bytes.number(begin, width)};
  if (markers.last != 0) return markers;
  for (std::uint64_t next = 0; markers.count == 0 || next - markers.last - least <= most - least;
       next = bytes.number(begin + markers.count * width, width)) {
    markers.last = next;
    ++markers.count;
  }
  return markers;
}

// The names in front of `markers`. The last marker says where they begin, but for how much the
// names behind it take, of which there are 256 at most.
std::optional<Names> find_marked_names(const Bytes& bytes, const Tokens& tokens,
                                       const Markers& markers, Budget& budget) {
  constexpr std::size_t most_behind = names_per_marker * (2 + longest_name);
  const std::size_t end = std::min(markers.last, markers.begin);
  std::size_t at = align(markers.begin - end);
  const std::size_t lowest = at - std::min(at, most_behind);
  const auto can_be = [&](std::uint64_t count, std::size_t /*first*/) {
    return (count + names_per_marker - 1) / names_per_marker == markers.count;
  };
  for (; at >= lowest + alignment && budget.take(alignment); at -= alignment) {
    auto names = read_names_near(bytes, tokens, at - alignment, can_be, budget);
    if (names) return names;
  }
  return std::nullopt;
}

// Markers lie between the names and the tokens, in 6.1 with the order of names behind them.
std::optional<Names> find_names_by_markers(const Bytes& bytes, const Tokens& tokens,
                                           Budget& budget) {
  constexpr std::uint64_t fewest = (fewest_symbols + names_per_marker - 1) / names_per_marker;
  const std::size_t last = tokens.table / packed_alignment * packed_alignment;
  const std::size_t lowest = last > longest_names ? last - longest_names : 0;
  for (std::size_t at = last; at >= lowest + packed_alignment && !budget.exceeded();
       at -= packed_alignment) {
    const std::size_t begin = at - packed_alignment;
    if (bytes.number(begin, packed_alignment) != 0) continue;
    for (const std::size_t width : {sizeof(std::uint32_t), sizeof(std::uint64_t)}) {
      const Markers markers = read_markers(bytes, begin, width);
      if (markers.count < fewest) continue;
      if (auto names = find_marked_names(bytes, tokens, markers, budget)) return names;
    }
  }
  return std::nullopt;
}

// num_syms and the names lie before the tokens in every version.
std::optional<Names> find_names(const Bytes& bytes, const Tokens& tokens, Budget& budget) {
  const std::size_t last = tokens.table / alignment * alignment;
  const std::size_t lowest = last > longest_names ? last - longest_names : 0;
  for (std::size_t at = last; at >= lowest + alignment && !budget.exceeded(); at -= alignment) {
    const auto can_be = [&](std::uint64_t count, std::size_t first) {
      return can_fill(count, tokens.table - first);
    };
    auto names = read_names_near(bytes, tokens, at - alignment, can_be, budget);
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

// The `count` addresses, if they stand where `addressing` has them; nothing if that is outside of
// the bytes, which stand at `address`.
std::optional<KallsymsAddresses> find_addresses(const Bytes& bytes, GuestVirtual address,
                                                const Tokens& tokens, const Names& names,
                                                std::size_t count, Addressing addressing) {
  using Form = KallsymsAddresses::Form;
  const auto make = [&](Form form, std::size_t table,
                        std::size_t base) -> std::optional<KallsymsAddresses> {
    const std::size_t size = count * KallsymsAddresses::width(form);
    if (!bytes.contains(table, size)) return std::nullopt;
    return KallsymsAddresses(form, bytes.part(table, size), address + table,
                             bytes.number(base, sizeof(std::uint64_t)));
  };
  const std::size_t offsets_size = align(count * sizeof(std::int32_t));
  const std::size_t behind = align(tokens.end);
  // A place that would lie before the bytes becomes one behind them.
  const auto before = [&](std::size_t size) {
    return size <= names.begin ? names.begin - size : bytes.size() + 1;
  };
  switch (addressing) {
    case Addressing::BehindTokensPerCpu:
      return make(Form::PerCpu, behind, behind + offsets_size);
    case Addressing::BehindTokensRelative:
      return make(Form::Relative, behind, behind + offsets_size);
    case Addressing::BehindTokensOwnPlace:
      return make(Form::OwnPlace, behind, 0);
    case Addressing::BehindTokensPacked:
      return make(Form::OwnPlace, align(tokens.end, packed_alignment), 0);
    case Addressing::BeforeNamesPerCpu:
      return make(Form::PerCpu, before(alignment + offsets_size), before(alignment));
    case Addressing::BeforeNamesRelative:
      return make(Form::Relative, before(alignment + offsets_size), before(alignment));
    default:
      return make(Form::Absolute, before(count * sizeof(std::uint64_t)), 0);
  }
}

// Where their order may be: in front of the tokens, or behind the addresses and, if there is one,
// their base.
std::vector<KallsymsOrder> find_orders(const Bytes& bytes, const Tokens& tokens,
                                       std::size_t count) {
  const std::size_t size = count * KallsymsOrder::width;
  const std::size_t addresses = count * sizeof(std::int32_t);
  const std::size_t behind = align(tokens.end) + align(addresses);
  std::vector<KallsymsOrder> orders;
  for (const std::size_t place :
       {tokens.table - std::min(tokens.table, align(size)), behind + sizeof(std::uint64_t), behind,
        align(tokens.end, packed_alignment) + addresses}) {
    if (bytes.contains(place, size)) orders.emplace_back(bytes.part(place, size));
  }
  return orders;
}

KallsymsTable make_table(const Bytes& bytes, const Tokens& tokens, Names& names) {
  KallsymsTokens strings;
  std::copy(tokens.strings.begin(), tokens.strings.end(), strings.begin());
  const std::vector<KallsymsOrder> orders = find_orders(bytes, tokens, names.begins.size());
  return {std::move(strings), bytes.part(names.first, names.end - names.first),
          std::move(names.begins), orders};
}

}  // namespace

Budget kallsyms_budget() {
  return {"bytes that may be symbols' names", 4 * longest_names};
}

std::optional<KallsymsTable> parse_kallsyms(
    std::span<const std::byte> bytes, GuestVirtual address, Budget& budget,
    const std::function<bool(const KallsymsTable&)>& is_right) {
  const Bytes image(bytes);
  const std::optional<Tokens> tokens = find_tokens(image, budget);
  if (!tokens) return std::nullopt;
  std::optional<Names> names = find_names_by_markers(image, *tokens, budget);
  if (!names) names = find_names(image, *tokens, budget);
  if (!names) return std::nullopt;
  KallsymsTable table = make_table(image, *tokens, *names);
  for (const Addressing addressing : addressings) {
    if ((addressing == Addressing::BehindTokensPacked) != names->is_packed) continue;
    const auto addresses =
        find_addresses(image, address, *tokens, *names, table.size(), addressing);
    if (!addresses) continue;
    table.set_addresses(*addresses);
    if (is_right(table)) return table;
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
