#include "kernel/kallsyms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>

#include "base/little_endian.h"
#include "kernel/image_ranges.h"
#include "kernel/kernel_memory.h"
#include "kernel/x86_64.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t token_count = 256;
constexpr std::size_t alignment = 8;
constexpr std::size_t names_per_marker = 256;
constexpr std::uint64_t fewest_symbols = 500;
constexpr std::uint64_t most_symbols = 4'000'000;

// Names and markers of the largest kernels, and more.
constexpr std::size_t longest_names = 64 * 1024 * 1024;

constexpr std::size_t align(std::size_t offset) {
  return (offset + alignment - 1) / alignment * alignment;
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
    const std::size_t end = bytes.text().find('\0', offset);
    if (end == std::string_view::npos) return std::nullopt;
    offset = end + 1;
  }
  return offset;
}

// Reads the tokens if those of the digits stand at `digits`: the index behind the table must name
// the place of each.
std::optional<Tokens> read_tokens(const Bytes& bytes, std::size_t digits) {
  const std::optional<std::size_t> table_end = skip_tokens(bytes, digits, '0');
  if (!table_end) return std::nullopt;
  constexpr std::size_t width = sizeof(std::uint16_t);
  const std::size_t index = align(*table_end);
  const std::size_t before_digits = bytes.number(index + '0' * width, width);
  if (!bytes.contains(index, token_count * width) || before_digits > digits) return std::nullopt;
  Tokens tokens{digits - before_digits, index + token_count * width, {}};
  std::size_t expected = 0;
  for (std::size_t i = 0; i < token_count; ++i) {
    if (bytes.number(index + i * width, width) != expected) return std::nullopt;
    const std::string_view rest = bytes.text().substr(tokens.table + expected);
    tokens.strings[i] = rest.substr(0, rest.find('\0'));
    expected += tokens.strings[i].size() + 1;
  }
  return tokens;
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
    std::size_t length = bytes_.number(offset_, 1);
    std::size_t begin = offset_ + 1;
    constexpr std::size_t more = 0x80;
    if ((length & more) != 0) {
      length = (length & (more - 1)) | bytes_.number(begin, 1) << 7;
      ++begin;
    }
    if (length == 0 || !bytes_.contains(begin, length)) return false;
    begin_ = begin;
    offset_ = begin + length;
    return true;
  }

  // Appends the compressed name that skip() passed over to `names`.
  void copy(std::vector<std::uint8_t>& names) const {
    const std::string_view name = bytes_.text().substr(begin_, offset_ - begin_);
    names.insert(names.end(), name.begin(), name.end());
  }

  // The same name as text, its type in front.
  [[nodiscard]] std::string expand() const {
    std::string name;
    for (std::size_t at = begin_; at < offset_; ++at) {
      name += tokens_.strings[bytes_.number(at, 1)];
    }
    return name;
  }

 private:
  const Bytes& bytes_;
  const Tokens& tokens_;
  std::size_t offset_;
  std::size_t begin_ = 0;
};

struct Names {
  std::size_t begin = 0;  // offset of num_syms
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
bool begins_with_names(const Bytes& bytes, const Tokens& tokens, std::size_t first) {
  constexpr int probed = 8;
  NameReader reader(bytes, tokens, first);
  for (int i = 0; i < probed; ++i) {
    if (!reader.skip() || !is_name(reader.expand())) return false;
  }
  return true;
}

// The names, if num_syms stands at `begin`. The markers behind them prove it: they hold where each
// 256th name begins.
std::optional<Names> read_names(const Bytes& bytes, const Tokens& tokens, std::size_t begin) {
  const std::uint64_t count = bytes.number(begin, 8);
  if (count < fewest_symbols || count > most_symbols) return std::nullopt;
  const std::size_t first = begin + alignment;
  if (!begins_with_names(bytes, tokens, first)) return std::nullopt;
  NameReader reader(bytes, tokens, first);
  Names result{begin, {}, {}};
  std::vector<std::size_t> marked;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % names_per_marker == 0) marked.push_back(reader.offset() - first);
    if (!reader.skip()) return std::nullopt;
    reader.copy(result.compressed);
    result.ends.push_back(static_cast<std::uint32_t>(result.compressed.size()));
  }
  const std::size_t markers = align(reader.offset());
  if (!markers_agree(bytes, markers, 4, marked) && !markers_agree(bytes, markers, 8, marked)) {
    return std::nullopt;
  }
  return result;
}

// num_syms and the names lie before the tokens in every version.
std::optional<Names> find_names(const Bytes& bytes, const Tokens& tokens) {
  const std::size_t last = tokens.table / alignment * alignment;
  const std::size_t lowest = last > longest_names ? last - longest_names : 0;
  for (std::size_t at = last; at >= lowest + alignment; at -= alignment) {
    if (std::optional<Names> names = read_names(bytes, tokens, at - alignment)) return names;
  }
  return std::nullopt;
}

// How a version says addresses, and where.
enum class Addressing {
  BehindTokensPerCpu,    // 6.4 to 6.12 with CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  BehindTokensRelative,  // the same without
  BehindTokensOwnPlace,  // 7.x
  BeforeNamesPerCpu,     // 4.6 to 6.3 with CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  BeforeNamesRelative,
  BeforeNamesAbsolute,  // up to 4.5
};
constexpr std::array addressings = {
    Addressing::BehindTokensPerCpu,   Addressing::BehindTokensRelative,
    Addressing::BehindTokensOwnPlace, Addressing::BeforeNamesPerCpu,
    Addressing::BeforeNamesRelative,  Addressing::BeforeNamesAbsolute,
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

// Whether `table` is that of a kernel image: its text begins and ends where such an image may.
bool fits_kernel(const KallsymsTable& table, const RunningKernel& kernel,
                 const KernelMemory& memory) {
  const std::optional<GuestVirtual> text = table.find("_stext");
  const std::optional<GuestVirtual> text_end = table.find("_etext");
  const std::optional<GuestVirtual> banner = table.find("linux_banner");
  const auto is_banner = [&](const FoundBanner& found) { return found.address == banner; };
  return text && text_end && *text < *text_end && *text >= x86_64::start_kernel_map &&
         *text_end < x86_64::kernel_image_end && memory.translate(*text) &&
         memory.translate(GuestVirtual{text_end->value - 1}) &&
         (!banner || std::any_of(kernel.banners.begin(), kernel.banners.end(), is_banner));
}

// Enough of a name to tell most others from it.
std::uint32_t make_key(std::size_t length, char first, char last) {
  constexpr unsigned bits = 8;
  return static_cast<std::uint32_t>(length) << 2 * bits |
         static_cast<std::uint32_t>(static_cast<unsigned char>(first)) << bits |
         static_cast<unsigned char>(last);
}

KallsymsTable make_table(const Tokens& tokens, Names names) {
  KallsymsTable::Tokens strings;
  std::copy(tokens.strings.begin(), tokens.strings.end(), strings.begin());
  return {std::move(strings), std::move(names.compressed), std::move(names.ends)};
}

void offer(SymbolChoice& choice, const KallsymsTable::Symbol& symbol) {
  const bool global = std::isupper(static_cast<unsigned char>(symbol.type)) != 0;
  choice.offer(symbol.address,
               global ? SymbolChoice::Binding::Global : SymbolChoice::Binding::Local);
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

std::optional<KallsymsTable> parse_kallsyms(
    std::span<const std::byte> bytes, GuestVirtual address,
    const std::function<bool(const KallsymsTable&)>& is_right) {
  const Bytes image(bytes);
  const std::optional<Tokens> tokens = find_tokens(image);
  std::optional<Names> names = tokens ? find_names(image, *tokens) : std::nullopt;
  if (!names) {
    return std::nullopt;
  }
  const std::size_t begin = names->begin;
  KallsymsTable table = make_table(*tokens, std::move(*names));
  const std::size_t count = table.size();
  for (const Addressing addressing : addressings) {
    const AddressReader addresses(image, address, *tokens, begin, count, addressing);
    for (std::size_t i = 0; i < count; ++i) table.set_address(i, addresses[i]);
    if (is_right(table)) {
      return table;
    }
  }
  return std::nullopt;
}

Kallsyms::Kallsyms(KallsymsTable table) : table_(std::move(table)) {
  if (const std::optional<GuestVirtual> text = table_.find("_text")) {
    kaslr_offset_ = *text - x86_64::linked_text;
  } else if (const std::optional<GuestVirtual> code = table_.find("_stext")) {
    // Until 4.14 some bytes of start-up code stood before _stext, outside of what kallsyms without
    // variables hold.
    kaslr_offset_ = (*code - x86_64::linked_text) & ~(x86_64::kernel_alignment - 1);
  }
}

std::optional<SymbolPlace> Kallsyms::find_place(GuestVirtual address) const {
  // Names cost time to unpack: only that of the nearest is.
  std::optional<std::size_t> nearest;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const GuestVirtual symbol = linked(table_.addresses()[i]);
    if (symbol <= address && (!nearest || symbol > linked(table_.addresses()[*nearest]))) {
      nearest = i;
    }
  }
  if (!nearest) return std::nullopt;
  NearestSymbol choice(address);
  choice.offer(linked(table_.addresses()[*nearest]), table_.symbol(*nearest).name);
  return choice.place();
}

std::optional<Kallsyms::Range> Kallsyms::find_function(std::string_view name) const {
  const std::optional<GuestVirtual> begin = table_.find(name);
  if (!begin) return std::nullopt;
  std::optional<GuestVirtual> end;
  for (const GuestVirtual address : table_.addresses()) {
    if (address > *begin && (!end || address < *end)) end = address;
  }
  return end ? std::optional(Range{*begin, *end - *begin}) : std::nullopt;
}

// What is not in the image, such as a per-CPU offset, does not move with it.
GuestVirtual Kallsyms::linked(GuestVirtual run_time) const {
  return x86_64::is_image_address(run_time) ? GuestVirtual{run_time.value - kaslr_offset_}
                                            : run_time;
}

std::optional<GuestVirtual> Kallsyms::find_symbol(std::string_view name) const {
  const std::optional<GuestVirtual> address = table_.find(name);
  return address ? std::optional(linked(*address)) : std::nullopt;
}

std::optional<GuestVirtual> Kallsyms::find_static(std::string_view name) const {
  const std::optional<GuestVirtual> address = table_.find_static(name);
  return address ? std::optional(linked(*address)) : std::nullopt;
}

std::unique_ptr<Kallsyms> Kallsyms::find(const GuestMemory& memory, const RunningKernel& kernel,
                                         Diagnostics& diagnostics) {
  const KernelMemory kernel_memory(memory, kernel.tables);
  const ImageRanges image = find_image_ranges(kernel.tables);
  const auto is_right = [&](const KallsymsTable& table) {
    return fits_kernel(table, kernel, kernel_memory);
  };
  // The table is read-only data, but not every kernel protects that.
  for (const std::vector<ImageRange>* ranges : {&image.read_only, &image.other}) {
    for (const ImageRange& range : *ranges) {
      std::vector<std::byte> bytes(range.size);
      if (!kernel_memory.read(range.begin, bytes)) continue;
      if (auto table = parse_kallsyms(bytes, range.begin, is_right)) {
        diagnostics.note(fmt::format("kallsyms: {} symbols in the guest's memory, in {} to {}",
                                     table->size(), range.begin, range.begin + range.size));
        return std::make_unique<Kallsyms>(std::move(*table));
      }
    }
  }
  diagnostics.note("kallsyms: no table found in the kernel image");
  return nullptr;
}

}  // namespace photon_dmesg
