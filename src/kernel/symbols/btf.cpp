#include "kernel/symbols/btf.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

// include/uapi/linux/btf.h
enum Kind : unsigned {
  Int = 1,
  Pointer = 2,
  Array = 3,
  Struct = 4,
  Union = 5,
  Enum = 6,
  Forward = 7,
  Typedef = 8,
  Volatile = 9,
  Const = 10,
  Restrict = 11,
  Function = 12,
  FunctionProto = 13,
  Variable = 14,
  DataSection = 15,
  Float = 16,
  DeclarationTag = 17,
  TypeTag = 18,
  Enum64 = 19,
};

constexpr std::uint32_t magic = 0xeb9f;
constexpr std::uint64_t version = 1;
constexpr std::uint32_t type_bytes = 12;
constexpr std::uint64_t pointer_bytes = 8;
constexpr std::uint32_t member_bytes = 12;  // as an entry of enum64 and of a section
constexpr std::uint32_t enumerator_bytes = 8;
// As StructLayout has it: nothing in a structure is larger.
constexpr std::uint64_t largest_member = 1024 * 1024;
constexpr std::uint64_t bits_per_byte = 8;

// The header's parts, counted from the beginning of the bytes.
struct Parts {
  std::uint64_t types_begin = 0;
  std::uint64_t types_end = 0;
  std::uint64_t strings_begin = 0;
  std::uint64_t strings_end = 0;
};

std::optional<Parts> parse_header(std::span<const std::byte> bytes) {
  if (bytes.size() < btf_header_bytes) return std::nullopt;
  const auto number = [&](std::size_t offset, std::size_t width) {
    return load_unsigned(bytes.subspan(offset, width));
  };
  const std::uint64_t header = number(4, 4);
  if (number(0, 2) != magic || number(2, 1) != version || header < btf_header_bytes ||
      header > most_btf_bytes) {
    return std::nullopt;
  }
  Parts parts;
  parts.types_begin = header + number(8, 4);
  parts.types_end = parts.types_begin + number(12, 4);
  parts.strings_begin = header + number(16, 4);
  parts.strings_end = parts.strings_begin + number(20, 4);
  const bool is_sound =
      parts.types_begin % sizeof(std::uint32_t) == 0 && parts.strings_begin >= parts.types_end &&
      parts.strings_end > parts.strings_begin && parts.strings_end <= most_btf_bytes;
  return is_sound ? std::optional(parts) : std::nullopt;
}

[[noreturn]] void fail_loop() {
  throw unusable("damaged BTF: it leads back to itself");
}

// How many bytes follow a type's own, for each entry that it has and in all.
std::optional<std::uint64_t> extra_bytes(unsigned kind, std::uint64_t entries) {
  switch (kind) {
    case Int:
    case Variable:
    case DeclarationTag:
      return 4;
    case Array:
      return 12;
    case Struct:
    case Union:
    case DataSection:
    case Enum64:
      return entries * member_bytes;
    case Enum:
    case FunctionProto:
      return entries * enumerator_bytes;
    case Pointer:
    case Forward:
    case Typedef:
    case Volatile:
    case Const:
    case Restrict:
    case Function:
    case Float:
    case TypeTag:
      return 0;
    default:
      return std::nullopt;
  }
}

// Whether a type is another one under another name.
bool is_other_name(unsigned kind) {
  return kind == Typedef || kind == Volatile || kind == Const || kind == Restrict ||
         kind == TypeTag;
}

bool is_structure(unsigned kind) {
  return kind == Struct || kind == Union;
}

}  // namespace

struct Btf::Type {
  std::uint32_t name = 0;  // offset in the strings
  unsigned kind = 0;
  std::uint32_t entries = 0;
  bool flag = false;
  std::uint32_t size_or_type = 0;
  std::uint32_t extra = 0;  // where in the bytes its entries begin
};

// A type, and of which BTF: of a module's or of the kernel's.
struct Btf::Place {
  const Btf* owner = nullptr;
  Type type;
};

std::uint64_t Btf::size_of(const Type& type) {
  switch (type.kind) {
    case Pointer:
      return pointer_bytes;
    case Int:
    case Float:
    case Struct:
    case Union:
    case Enum:
    case Enum64:
      return type.size_or_type;
    default:
      throw unusable("damaged BTF: a member's type has no size");
  }
}

std::optional<std::uint64_t> find_btf_size(std::span<const std::byte> beginning) {
  const std::optional<Parts> parts = parse_header(beginning);
  return parts ? std::optional(parts->strings_end) : std::nullopt;
}

std::unique_ptr<Btf> Btf::parse(std::span<const std::byte> bytes, std::string name,
                                std::shared_ptr<const Btf> base) {
  LargeBuffer copy(bytes.size());
  std::copy(bytes.begin(), bytes.end(), copy.bytes().begin());
  return parse(std::move(copy), std::move(name), std::move(base));
}

std::unique_ptr<Btf> Btf::parse(LargeBuffer bytes, std::string name,
                                std::shared_ptr<const Btf> base) {
  const std::string context = name;
  return with_context(context, [&] {
    return std::unique_ptr<Btf>(new Btf(std::move(bytes), std::move(name), std::move(base)));
  });
}

Btf::Btf(LargeBuffer bytes, std::string name, std::shared_ptr<const Btf> base)
    : buffer_(std::move(bytes)),
      bytes_(std::as_const(buffer_).bytes()),
      name_(std::move(name)),
      base_(std::move(base)) {
  const std::optional<Parts> parts = parse_header(bytes_);
  if (!parts || parts->strings_end > bytes_.size()) {
    throw unusable(
        fmt::format("expected a header of BTF, and {} bytes that fit it", bytes_.size()));
  }
  strings_ = bytes_.subspan(parts->strings_begin, parts->strings_end - parts->strings_begin);
  if (base_) {
    first_type_ = static_cast<std::uint32_t>(base_->size());
    first_string_ = base_->first_string_ + static_cast<std::uint32_t>(base_->strings_.size());
  }
  index_types(static_cast<std::uint32_t>(parts->types_begin),
              static_cast<std::uint32_t>(parts->types_end));
  structure_names_ = NameIndex(structures_.size(), [&](std::size_t structure) {
    return text(word(structures_[structure])).value_or(std::string_view());
  });
}

void Btf::index_types(std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t at = begin; at != end;) {
    if (end - at < type_bytes) throw unusable("damaged BTF: its last type is cut off");
    const Type type = type_at(at);
    const std::optional<std::uint64_t> extra = extra_bytes(type.kind, type.entries);
    if (!extra) {
      throw unusable(
          fmt::format("expected types of known kinds, found kind {} at {}", type.kind, at));
    }
    if (*extra > end - at - type_bytes) throw unusable("damaged BTF: its last type is cut off");
    types_.push_back(at);
    if (is_structure(type.kind) && type.name != 0) structures_.push_back(at);
    if (type.kind == Enum || type.kind == Enum64) enumerations_.push_back(at);
    at += type_bytes + static_cast<std::uint32_t>(*extra);
  }
}

std::uint32_t Btf::word(std::size_t offset) const {
  if (offset > bytes_.size() || bytes_.size() - offset < sizeof(std::uint32_t)) {
    throw unusable("damaged BTF: a type leaves it");
  }
  return static_cast<std::uint32_t>(load_unsigned(bytes_.subspan(offset, sizeof(std::uint32_t))));
}

// Bits 16 to 23 of `info` and bit 29 are zero in what kernels have made so far; they are reserved
// for more of the number and of the kind beside them.
Btf::Type Btf::type_at(std::uint32_t offset) const {
  Type type;
  type.name = word(offset);
  const std::uint32_t info = word(offset + 4);
  type.entries = info & 0xffffff;
  type.kind = info >> 24 & 0x7f;
  type.flag = info >> 31 != 0;
  type.size_or_type = word(offset + 8);
  type.extra = offset + type_bytes;
  return type;
}

std::optional<Btf::Place> Btf::find_type(std::uint32_t number) const {
  if (number < first_type_) return base_ ? base_->find_type(number) : std::nullopt;
  if (number - first_type_ >= types_.size()) return std::nullopt;
  return Place{this, type_at(types_[number - first_type_])};
}

// The type of that number behind all its other names.
std::optional<Btf::Place> Btf::resolve(std::uint32_t number) const {
  constexpr int longest_chain = 64;
  std::optional<Place> place = find_type(number);
  for (int i = 0; place && is_other_name(place->type.kind); ++i) {
    if (i == longest_chain) fail_loop();
    place = find_type(place->type.size_or_type);
  }
  return place;
}

std::optional<std::string_view> Btf::text(std::uint32_t offset) const {
  constexpr std::size_t longest = 512;  // KSYM_NAME_LEN: BTF's own bound
  if (offset < first_string_) return base_ ? base_->text(offset) : std::nullopt;
  if (offset - first_string_ >= strings_.size()) return std::nullopt;
  const std::span<const std::byte> rest = strings_.subspan(offset - first_string_);
  const std::string_view most(reinterpret_cast<const char*>(rest.data()),
                              std::min(rest.size(), longest));
  const std::size_t end = most.find('\0');
  return end == std::string_view::npos ? std::nullopt : std::optional(most.substr(0, end));
}

bool Btf::is_text(std::uint32_t offset, std::string_view wanted) const {
  if (offset < first_string_) return base_ && base_->is_text(offset, wanted);
  const std::size_t at = offset - first_string_;
  if (at >= strings_.size() || strings_.size() - at <= wanted.size()) return false;
  const std::span<const std::byte> here = strings_.subspan(at, wanted.size() + 1);
  return here.back() == std::byte{0} &&
         std::equal(wanted.begin(), wanted.end(), here.begin(), [](char wanted_byte, std::byte b) {
           return static_cast<std::byte>(wanted_byte) == b;
         });
}

const StructLayout* Btf::find_struct(std::string_view name) const {
  auto known = layouts_.find(name);
  if (known == layouts_.end()) {
    std::optional<StructLayout> found;
    try {
      found = read_struct(name);
    } catch (const Error&) {
      // Damaged: then it is not known.
    }
    known = layouts_.emplace(name, std::move(found)).first;
  }
  if (known->second) return &*known->second;
  return base_ ? base_->find_struct(name) : nullptr;
}

std::optional<Btf::Place> Btf::find_definition(std::string_view name) const {
  std::optional<Type> found;
  const auto rank = [](const Type& type) {
    return (type.entries > 0 ? 2 : 0) + (type.kind == Struct ? 1 : 0);
  };
  structure_names_.for_each(name, [&](std::size_t structure) {
    const std::uint32_t at = structures_[structure];
    if (!is_text(word(at), name)) return;
    const Type type = type_at(at);
    if (!found || rank(type) > rank(*found)) found = type;
  });
  return found ? std::optional(Place{this, *found}) : std::nullopt;
}

std::optional<StructLayout> Btf::read_struct(std::string_view name) const {
  const std::optional<Place> place = find_definition(name);
  if (!place) return std::nullopt;
  std::vector<MemberLayout> members;
  Budget steps("members of a structure", 4096);
  read_members(*place, 0, members, steps, 0);
  return StructLayout(std::string(name), place->type.size_or_type, std::move(members));
}

// An anonymous structure's or union's members count as members of the outer one. Types that name
// each other several times make many members without a loop.
void Btf::read_members(const Place& structure, std::uint64_t base_bits,
                       std::vector<MemberLayout>& members, Budget& steps, int depth) const {
  constexpr int deepest = 16;
  if (depth > deepest) fail_loop();
  const Btf& owner = *structure.owner;
  for (std::uint32_t i = 0; i < structure.type.entries; ++i) {
    if (!steps.take()) fail_loop();
    const std::size_t at = structure.type.extra + std::size_t{i} * member_bytes;
    const std::uint32_t name = owner.word(at);
    const std::uint32_t type = owner.word(at + 4);
    const std::uint32_t place = owner.word(at + 8);
    const unsigned width = structure.type.flag ? place >> 24 : 0;
    const std::uint64_t bits = base_bits + (structure.type.flag ? place & 0xffffff : place);
    if (name != 0) {
      members.push_back(owner.read_member(name, type, bits, width));
      continue;
    }
    const std::optional<Place> inner = owner.resolve(type);
    if (inner && is_structure(inner->type.kind)) {
      read_members(*inner, bits, members, steps, depth + 1);
    }
  }
}

// What a member of that type consists of: itself, or an array's elements.
std::pair<Btf::Place, std::uint64_t> Btf::elements_of(std::uint32_t type) const {
  constexpr int most_dimensions = 16;
  std::optional<Place> place = resolve(type);
  std::uint64_t count = 1;
  for (int depth = 0; place && place->type.kind == Array; ++depth) {
    const Btf& owner = *place->owner;
    count *= owner.word(place->type.extra + 8);
    if (depth == most_dimensions || count > largest_member) fail_loop();
    place = owner.resolve(owner.word(place->type.extra));
  }
  if (!place) throw unusable("damaged BTF: a member's type is missing");
  return {*place, count};
}

MemberLayout Btf::read_member(std::uint32_t name, std::uint32_t type, std::uint64_t bit_offset,
                              unsigned bit_width) const {
  const std::optional<std::string_view> member_name = text(name);
  if (!member_name) throw unusable("damaged BTF: a member's name is missing");
  const auto [place, count] = elements_of(type);
  const Type& element = place.type;
  MemberLayout member;
  member.name = *member_name;
  member.offset = bit_offset / bits_per_byte;
  member.size = count * size_of(element);
  if (is_structure(element.kind) && element.name != 0) {
    member.type = place.owner->text(element.name).value_or(std::string_view());
  }
  if (bit_width == 0 && element.kind == Int && count == 1) {
    // Until 5.0 the integer itself said that it was a bit field.
    const std::uint32_t encoding = place.owner->word(element.extra);
    const unsigned bits = encoding & 0xff;
    if (bits != member.size * bits_per_byte) {
      bit_width = bits;
      bit_offset += encoding >> 16 & 0xff;
    }
  }
  if (bit_width > 0) {
    member.offset = bit_offset / bits_per_byte;
    member.bit_shift = static_cast<unsigned>(bit_offset % bits_per_byte);
    member.bit_width = bit_width;
    member.size = (member.bit_shift + bit_width + bits_per_byte - 1) / bits_per_byte;
  }
  return member;
}

std::optional<std::int64_t> Btf::find_enumerator(std::string_view name) const {
  for (const std::uint32_t at : enumerations_) {
    if (const auto value = find_in_enumeration(type_at(at), name)) return value;
  }
  return base_ ? base_->find_enumerator(name) : std::nullopt;
}

std::optional<std::int64_t> Btf::find_in_enumeration(const Type& type,
                                                     std::string_view name) const {
  const bool is_wide = type.kind == Enum64;
  const std::size_t entry_bytes = is_wide ? member_bytes : enumerator_bytes;
  for (std::uint32_t i = 0; i < type.entries; ++i) {
    const std::size_t at = type.extra + i * entry_bytes;
    if (!is_text(word(at), name)) continue;
    const std::uint32_t low = word(at + 4);
    if (is_wide) {
      return static_cast<std::int64_t>(std::uint64_t{word(at + 8)} << 32 | low);
    }
    // The flag says that values are signed.
    return type.flag ? std::int64_t{static_cast<std::int32_t>(low)} : std::int64_t{low};
  }
  return std::nullopt;
}

}  // namespace photon_dmesg
