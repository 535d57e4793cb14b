#include "kernel/symbols/symbol_store.h"

#include <fmt/format.h>

#include <utility>

#include "base/checksum.h"
#include "base/error.h"

namespace photon_dmesg {

using symbol_store::Section;

namespace {

constexpr std::uint64_t largest_store = 64 * 1024 * 1024;  // many times any kernel's

std::optional<std::string> read_text(ByteReader& input, const char* what) {
  const std::uint32_t length = input.u32(what);
  if (length == symbol_store::unknown_text) return std::nullopt;
  return input.text(length, what);
}

MemberLayout read_member(ByteReader& input) {
  MemberLayout member;
  member.name = input.text(input.u16("a member's name"), "a member's name");
  member.offset = input.u32("a member's offset");
  member.size = input.u32("a member's size");
  member.bit_shift = input.u32("a member's bits");
  member.bit_width = input.u32("a member's bits");
  member.type = input.text(input.u16("a member's type"), "a member's type");
  return member;
}

StructLayout read_layout(ByteReader& input) {
  std::string name = input.text(input.u16("a type's name"), "a type's name");
  const std::uint64_t size = input.u32("a type's size");
  const std::uint32_t count = input.u32("a type's members");
  std::vector<MemberLayout> members;
  for (std::uint32_t i = 0; i < count; ++i) members.push_back(read_member(input));
  return {std::move(name), size, std::move(members)};
}

// Goes past what read_layout() reads, but for the name.
void skip_layout(ByteReader& input) {
  constexpr std::uint64_t numbers = 4 * sizeof(std::uint32_t);  // offset, size, bits
  input.skip(sizeof(std::uint32_t), "a type's size");
  const std::uint32_t count = input.u32("a type's members");
  for (std::uint32_t i = 0; i < count; ++i) {
    input.skip(input.u16("a member's name"), "a member's name");
    input.skip(numbers, "a member's place");
    input.skip(input.u16("a member's type"), "a member's type");
  }
}

// clang 14 has no operator for these in a template.
bool is_before(std::string_view left, std::string_view right) {
  return left.compare(right) < 0;
}

void check_size(const std::string& name, std::uint64_t size) {
  if (size <= largest_store) return;
  throw unusable(fmt::format("{}: expected a profile of at most {} bytes, found {}", name,
                             largest_store, size));
}

LargeBuffer read_all(const ByteSource& source) {
  check_size(source.name(), source.size());
  LargeBuffer bytes(source.size());
  with_context(source.name(), [&] { source.read_at(0, bytes.bytes()); });
  return bytes;
}

}  // namespace

// Walks the names in their order, from the beginning of a block on.
class SymbolStore::Names {
 public:
  Names(const SymbolStore& store, std::uint32_t block)
      : input_(store.reader(Section::Names,
                            store.word_at(Section::Blocks, block, "a block of names"))),
        index_(block * symbol_store::names_per_block) {
    take();
  }

  [[nodiscard]] std::uint32_t index() const { return index_; }
  [[nodiscard]] const std::string& name() const { return name_; }

  // Goes on to the next name, which must exist.
  void next() {
    ++index_;
    take();
  }

 private:
  void take() {
    const std::size_t shared = input_.u8("a name");
    std::size_t length = input_.u8("a name");
    if (length == symbol_store::escaped_length) length = input_.u16("a name");
    if (shared > name_.size()) {
      throw unusable(fmt::format("damaged profile: a name shares {} bytes with one of {} before it",
                                 shared, name_.size()));
    }
    name_.resize(shared);
    name_ += input_.text(length, "a name");
  }

  ByteReader input_;
  std::uint32_t index_;
  std::string name_;
};

bool is_symbol_store(const ByteSource& source) {
  std::string found(symbol_store::magic.size(), '\0');
  if (!source.contains(0, found.size())) return false;
  source.read_at(0, std::as_writable_bytes(std::span(found)));
  return found == symbol_store::magic;
}

SymbolStore::SymbolStore(std::string name, std::unique_ptr<MappedFile> file)
    : mapped_(std::move(file)), bytes_(std::move(name), mapped_->bytes()) {}

SymbolStore::SymbolStore(std::string name, LargeBuffer file)
    : copied_(std::move(file)), bytes_(std::move(name), copied_.bytes()) {}

std::unique_ptr<SymbolStore> SymbolStore::map(const std::filesystem::path& path, std::string name) {
  std::error_code unknown;  // whoever opens it says why
  const std::uint64_t size = std::filesystem::file_size(path, unknown);
  if (!unknown) check_size(path.string(), size);
  auto file = std::make_unique<MappedFile>(path);
  std::unique_ptr<SymbolStore> store(new SymbolStore(std::move(name), std::move(file)));
  with_context(path.string(), [&] { store->read_header(); });
  return store;
}

std::unique_ptr<SymbolStore> SymbolStore::read(const ByteSource& source) {
  std::unique_ptr<SymbolStore> store(new SymbolStore(source.name(), read_all(source)));
  with_context(source.name(), [&] { store->read_header(); });
  return store;
}

void SymbolStore::read_header() {
  ByteReader header(bytes_);
  if (header.text(symbol_store::magic.size(), "a profile's mark") != symbol_store::magic) {
    throw unusable(fmt::format("expected a profile, which begins with {}", symbol_store::magic));
  }
  check_whole(header);
  const std::uint64_t schema = header.u64("what it holds");
  if (schema != symbol_store::schema()) {
    throw unusable(
        fmt::format("expected a profile that holds {:016x}, found {:016x}: make it again with this "
                    "photon-dmesg",
                    symbol_store::schema(), schema));
  }
  base_ = header.u64("the base of addresses");
  count_ = header.u32("the number of symbols");
  for (Range& section : sections_) {
    section.offset = header.u32("a section's offset");
    section.size = header.u32("a section's size");
  }
  check_sizes();
  read_facts();
  index_types();
}

// The checksum, the version and the size, with which every version has to begin.
void SymbolStore::check_whole(ByteReader& header) const {
  const std::uint64_t expected = header.u64("its checksum");
  const std::uint32_t version = header.u32("its version");
  if (version != symbol_store::version) {
    throw unusable(fmt::format(
        "expected a profile of version {}, found version {}: make it again with this photon-dmesg",
        symbol_store::version, version));
  }
  const std::uint64_t size = header.u64("its size");
  if (size != bytes_.size()) {
    throw unusable(
        fmt::format("damaged profile: expected {} bytes, found {}", size, bytes_.size()));
  }
  const std::span<const std::byte> all = mapped_ ? mapped_->bytes() : copied_.bytes();
  const std::uint64_t found = checksum(all.subspan(symbol_store::checked_offset));
  if (found != expected) {
    throw unusable(fmt::format("damaged profile: expected the checksum {:016x}, found {:016x}",
                               expected, found));
  }
}

void SymbolStore::check_sizes() const {
  constexpr std::uint64_t block = symbol_store::names_per_block;
  const auto size_of = [&](Section section) { return std::uint64_t{sections_.at(section).size}; };
  bool fits = size_of(Section::Blocks) == (count_ + block - 1) / block * sizeof(std::uint32_t) &&
              size_of(Section::Flags) == count_ &&
              size_of(Section::Values) == std::uint64_t{count_} * sizeof(std::uint32_t);
  for (const Range& section : sections_) {
    fits = fits && bytes_.contains(section.offset, section.size);
  }
  if (!fits) {
    throw unusable(fmt::format("damaged profile: its sections do not fit its {} symbols", count_));
  }
}

void SymbolStore::read_facts() {
  ByteReader facts = reader(Section::Facts);
  release_ = read_text(facts, "the release").value_or("");
  origin_ = read_text(facts, "the origin").value_or("");
  banner_ = read_text(facts, "the banner");
  build_id_ = read_text(facts, "the build-id");
}

// Most commands ask for a few of the types.
void SymbolStore::index_types() {
  ByteReader types = reader(Section::Types);
  while (types.remaining() > 0) {
    const std::uint64_t begin = types.position() - sections_.at(Section::Types).offset;
    std::string name = types.text(types.u16("a type's name"), "a type's name");
    types_.try_emplace(std::move(name), StoredType{begin, {}});
    skip_layout(types);
  }
}

ByteReader SymbolStore::reader(Section section, std::uint64_t offset) const {
  const Range& range = sections_.at(section);
  const std::uint64_t begin = range.offset;
  return {bytes_, begin + offset, begin + range.size};
}

std::uint32_t SymbolStore::word_at(Section section, std::uint32_t index, const char* what) const {
  return reader(section, std::uint64_t{index} * sizeof(std::uint32_t)).u32(what);
}

std::uint8_t SymbolStore::flags_of(std::uint32_t symbol) const {
  return reader(Section::Flags, symbol).u8("a symbol's flags");
}

GuestVirtual SymbolStore::address_of(std::uint32_t symbol) const {
  const std::uint8_t flags = flags_of(symbol);
  const std::uint32_t value = word_at(Section::Values, symbol, "an address");
  if ((flags & symbol_store::wide_flag) != 0) {
    return {reader(Section::Wide, value * sizeof(std::uint64_t)).u64("an address")};
  }
  return {(flags & symbol_store::based_flag) != 0 ? base_ + value : value};
}

SymbolBinding SymbolStore::binding_of(std::uint32_t symbol) const {
  return (flags_of(symbol) & symbol_store::global_flag) != 0 ? SymbolBinding::Global
                                                             : SymbolBinding::Local;
}

std::string SymbolStore::name_of(std::uint32_t symbol) const {
  if (symbol >= count_) {
    throw unusable(fmt::format("damaged profile: expected one of {} symbols, found number {}",
                               count_, symbol));
  }
  Names names(*this, symbol / symbol_store::names_per_block);
  while (names.index() < symbol) names.next();
  return names.name();
}

// Calls visit(symbol, name) for each symbol from the first on whose name is not before `name`,
// until it returns false.
template <typename Visit>
void SymbolStore::walk_from(std::string_view name, Visit visit) const {
  if (count_ == 0) return;
  // The last block that begins before `name`; the block behind it begins no earlier.
  std::uint32_t block = 0;
  std::uint32_t end = (count_ - 1) / symbol_store::names_per_block + 1;
  while (end - block > 1) {
    const std::uint32_t middle = block + (end - block) / 2;
    (is_before(Names(*this, middle).name(), name) ? block : end) = middle;
  }
  Names names(*this, block);
  while (is_before(names.name(), name) || visit(names.index(), names.name())) {
    if (names.index() + 1 >= count_) return;
    names.next();
  }
}

std::optional<GuestVirtual> SymbolStore::find_symbol(std::string_view name) const {
  return with_context(bytes_.name(), [&] {
    SymbolChoice choice;
    walk_from(name, [&](std::uint32_t symbol, std::string_view found) {
      if (found != name) return false;
      choice.offer(address_of(symbol), binding_of(symbol));
      return true;
    });
    return choice.address();
  });
}

std::optional<GuestVirtual> SymbolStore::find_static(std::string_view name) const {
  return with_context(bytes_.name(), [&] {
    SymbolChoice choice;
    // Others may stand between `name` and those with a number: "name-", "name$".
    for (const std::string& beginning : {std::string(name), std::string(name) + '.'}) {
      const bool whole = beginning.size() == name.size();
      walk_from(beginning, [&](std::uint32_t symbol, std::string_view found) {
        if (whole ? found != name : !found.starts_with(beginning)) return false;
        if (is_static_name(found, name)) choice.offer(address_of(symbol), binding_of(symbol));
        return true;
      });
    }
    return choice.address();
  });
}

std::optional<SymbolPlace> SymbolStore::find_place(GuestVirtual address) const {
  return with_context(bytes_.name(), [&]() -> std::optional<SymbolPlace> {
    std::uint32_t begin = 0;
    auto end =
        static_cast<std::uint32_t>(sections_.at(Section::Places).size / sizeof(std::uint32_t));
    // The last one at or before the address is in front of `begin`.
    while (begin < end) {
      const std::uint32_t middle = begin + (end - begin) / 2;
      const std::uint32_t symbol = word_at(Section::Places, middle, "a symbol by its address");
      if (address_of(symbol) <= address) {
        begin = middle + 1;
      } else {
        end = middle;
      }
    }
    if (begin == 0) return std::nullopt;
    const std::uint32_t symbol = word_at(Section::Places, begin - 1, "a symbol by its address");
    NearestSymbol nearest(address);
    nearest.offer(address_of(symbol), name_of(symbol));
    return nearest.place();
  });
}

void SymbolStore::for_each_symbol(const SymbolVisit& visit) const {
  with_context(bytes_.name(), [&] {
    std::vector<bool> names_place(count_);
    ByteReader places = reader(Section::Places);
    while (places.remaining() > 0) {
      const std::uint32_t symbol = places.u32("a symbol by its address");
      if (symbol < count_) names_place[symbol] = true;
    }
    // Of several at one address the first counts whose name has no dot, or else the last: so comes
    // to be what names the place.
    enum Turn { First, Middle, Last, Turns };
    for (int turn = First; turn < Turns; ++turn) {
      walk_from("", [&](std::uint32_t symbol, const std::string& name) {
        const bool dotted = name.find('.') != std::string::npos;
        const Turn own = !names_place[symbol] ? Middle : dotted ? Last : First;
        if (own == turn) visit(name, address_of(symbol), binding_of(symbol));
        return true;
      });
    }
  });
}

const StructLayout* SymbolStore::find_struct(std::string_view name) const {
  const auto found = types_.find(name);
  if (found == types_.end()) return nullptr;
  StoredType& type = found->second;
  if (!type.layout) {
    with_context(bytes_.name(), [&] {
      ByteReader types = reader(Section::Types, type.begin);
      type.layout = read_layout(types);
    });
  }
  return &*type.layout;
}

}  // namespace photon_dmesg
