#include "kernel/symbols/vmlinux/compile_unit.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/byte_reader.h"
#include "base/error.h"
#include "kernel/symbols/vmlinux/abbreviations.h"
#include "kernel/symbols/vmlinux/section_marks.h"

namespace photon_dmesg {
namespace {

// An initial length of DWARF: 4 bytes, or these 4 and 8 more in the 64-bit format.
constexpr std::uint32_t escape_to_64_bits = 0xffffffff;

struct InitialLength {
  std::uint64_t value = 0;
  std::size_t offset_width = 4;  // bytes of an offset into another section
};

InitialLength read_initial_length(ByteReader& reader) {
  const std::uint32_t length = reader.u32("a unit's length");
  if (length != escape_to_64_bits) {
    return {length, 4};
  }
  return {reader.u64("a unit's length"), 8};
}

// One set of .debug_aranges, which begins at `set_begin`: the ranges of one unit.
void read_set(const ByteSource& aranges, std::uint64_t begin, std::uint64_t end,
              std::size_t offset_width, std::uint64_t set_begin, std::vector<UnitRange>& ranges) {
  ByteReader reader(aranges, begin, end);
  constexpr std::uint8_t address_width = 8;
  reader.skip(sizeof(std::uint16_t), "the version");
  const std::uint64_t unit = reader.unsigned_of(offset_width, "a unit's offset");
  if (reader.u8("the size of an address") != address_width ||
      reader.u8("the size of a segment") != 0) {
    return;
  }
  // The pairs are aligned to their own size, counted from the beginning of the set.
  constexpr std::uint64_t pair = std::uint64_t{2} * address_width;
  reader.skip((pair - (reader.position() - set_begin) % pair) % pair, "padding");
  while (reader.remaining() >= pair) {
    const GuestVirtual range{reader.u64("an address")};
    ranges.push_back({range, reader.u64("a length"), unit});
  }
}

// The unit among `ranges` that covers `address`.
std::optional<std::uint64_t> unit_of(const std::vector<UnitRange>& ranges, GuestVirtual address) {
  const auto found = std::find_if(ranges.begin(), ranges.end(), [&](const UnitRange& range) {
    return address - range.begin < range.size;
  });
  return found == ranges.end() ? std::nullopt : std::optional(found->unit);
}

// The unit at `offset` of .debug_info, which is `info`.
std::optional<FileRange> find_unit(const ElfImage& image, FileRange info, std::uint64_t offset) {
  constexpr std::uint64_t longest_length = 12;
  if (offset >= info.size || info.size - offset < longest_length) {
    return std::nullopt;
  }
  const BufferSource header(image.name(), image.read({info.offset + offset, longest_length}));
  ByteReader reader(header);
  const std::uint64_t length = read_initial_length(reader).value;
  const std::uint64_t left = info.size - offset - reader.position();
  if (length > left) {
    return std::nullopt;
  }
  return FileRange{info.offset + offset, reader.position() + length};
}

// The units of that code.
std::vector<std::span<const std::byte>> collect_units(const ElfImage& image, FileRange info,
                                                      std::span<const GuestVirtual> addresses) {
  const auto aranges = image.find_section(".debug_aranges");
  if (!aranges || aranges->compressed) return {};
  const std::vector<UnitRange> ranges =
      read_unit_ranges(BufferSource(image.name(), image.read(aranges->range)));
  std::vector<std::uint64_t> known;
  std::vector<std::span<const std::byte>> units;
  for (const GuestVirtual address : addresses) {
    const std::optional<std::uint64_t> offset = unit_of(ranges, address);
    if (!offset || std::find(known.begin(), known.end(), *offset) != known.end()) continue;
    known.push_back(*offset);
    const std::optional<FileRange> unit = find_unit(image, info, *offset);
    if (unit) units.push_back(image.read(*unit));
  }
  return units;
}

// Reads the abbreviations that `unit` is written with, of the section at `section`. Whether a unit
// may be imported by these; nothing if they can't be told from others.
std::optional<bool> read_abbreviations(const ElfImage& image, FileRange section,
                                       std::span<const std::byte> unit) {
  const std::optional<UnitHeader> header = parse_unit_header(unit);
  if (!header || header->abbreviations >= section.size) return std::nullopt;
  const std::uint64_t left = section.size - header->abbreviations;
  constexpr std::uint64_t usual = 16 * 1024;
  for (std::uint64_t size = std::min(usual, left);; size = std::min(2 * size, left)) {
    const auto bytes = image.read({section.offset + header->abbreviations, size});
    if (const auto table = parse_abbreviations(bytes)) return table->imports;
    if (size == left) return std::nullopt;
  }
}

// The section .debug_abbrev at `range`, as far as `units` need it.
std::span<const std::byte> read_abbreviations(const ElfImage& image, FileRange range,
                                              std::span<const std::span<const std::byte>> units,
                                              bool& may_import) {
  for (const std::span<const std::byte> unit : units) {
    const std::optional<bool> imports = read_abbreviations(image, range, unit);
    may_import = may_import || imports.value_or(true);
    if (!imports) return image.read(range);  // what libdw makes of it
  }
  return image.bytes(range);
}

}  // namespace

std::vector<UnitRange> read_unit_ranges(const ByteSource& aranges) {
  std::vector<UnitRange> ranges;
  ByteReader reader(aranges);
  try {
    while (reader.remaining() > 0) {
      const std::uint64_t set_begin = reader.position();
      const InitialLength length = read_initial_length(reader);
      const std::uint64_t begin = reader.position();
      reader.skip(length.value, "a set of ranges");
      read_set(aranges, begin, reader.position(), length.offset_width, set_begin, ranges);
    }
  } catch (const Error&) {
    // What is left of a damaged table is not known: it saves time, it is not needed.
  }
  return ranges;
}

std::optional<std::uint64_t> find_unit_offset(const ByteSource& aranges, GuestVirtual address) {
  return unit_of(read_unit_ranges(aranges), address);
}

std::optional<CompileUnits> extract_compile_units(const ElfImage& image,
                                                  std::span<const GuestVirtual> addresses,
                                                  std::span<const std::string_view> sections) {
  const auto info = image.find_section(".debug_info");
  if (!info || info->compressed) {
    return std::nullopt;
  }
  const auto found = collect_units(image, info->range, addresses);
  if (found.empty()) {
    return std::nullopt;
  }
  CompileUnits units;
  for (const auto unit : found) units.info.insert(units.info.end(), unit.begin(), unit.end());
  for (const std::string_view name : sections) {
    const auto section = image.find_section(name);
    if (!section) continue;
    if (section->compressed) return std::nullopt;
    units.sections.push_back(
        {name, name == ".debug_abbrev"
                   ? read_abbreviations(image, section->range, found, units.may_import)
                   : image.read(section->range)});
  }
  return units;
}

}  // namespace photon_dmesg
