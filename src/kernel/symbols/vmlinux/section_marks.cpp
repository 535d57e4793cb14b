#include "kernel/symbols/vmlinux/section_marks.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

constexpr std::uint8_t address_bytes = 8;
constexpr std::uint64_t length_bytes = sizeof(std::uint32_t);
constexpr std::uint64_t frame_mark = 0xffffffff;  // of an entry that refers to no other
constexpr std::size_t frame_header_bytes = 8;

std::uint64_t number(std::span<const std::byte> bytes, std::size_t offset, std::size_t width) {
  return load_unsigned(bytes.subspan(offset, width));
}

}  // namespace

std::optional<ArangesHeader> parse_aranges_header(std::span<const std::byte> bytes) {
  if (bytes.size() < section_mark_bytes || number(bytes, 0, 4) >= longest_unit ||
      number(bytes, 4, 2) != 2 || number(bytes, 10, 1) != address_bytes ||
      number(bytes, 11, 1) != 0) {
    return std::nullopt;
  }
  return ArangesHeader{number(bytes, 0, 4) + length_bytes, number(bytes, 6, 4)};
}

bool is_first_aranges_header(std::span<const std::byte> bytes) {
  constexpr std::uint64_t shortest = 28;
  const std::optional<ArangesHeader> header = parse_aranges_header(bytes);
  return header && header->unit == 0 && header->size >= shortest + length_bytes;
}

std::optional<UnitHeader> parse_unit_header(std::span<const std::byte> bytes) {
  if (bytes.size() < section_mark_bytes) return std::nullopt;
  // The shortest unit is a header and the number of one abbreviation.
  const std::uint64_t length = number(bytes, 0, 4);
  if (length + length_bytes < section_mark_bytes || length > longest_unit) return std::nullopt;
  const std::uint64_t version = number(bytes, 4, 2);
  const bool is_5 = version == 5;
  if (version < 2 || version > 5 || number(bytes, is_5 ? 7 : 10, 1) != address_bytes) {
    return std::nullopt;
  }
  const std::size_t place = is_5 ? 8 : 6;
  return UnitHeader{length + length_bytes, number(bytes, place, 4), place};
}

std::optional<std::uint64_t> find_line_program(std::span<const std::byte> bytes) {
  constexpr std::size_t header_bytes = 6;
  if (bytes.size() < header_bytes || number(bytes, 0, 4) >= longest_unit ||
      number(bytes, 4, 2) < 2 || number(bytes, 4, 2) > 5) {
    return std::nullopt;
  }
  return number(bytes, 0, 4) + length_bytes;
}

bool is_first_frame(std::span<const std::byte> bytes) {
  return bytes.size() >= frame_header_bytes && number(bytes, 4, 4) == frame_mark;
}

// An entry has a length and the offset of another, or the mark.
std::optional<std::uint64_t> find_frame(std::span<const std::byte> bytes, std::uint64_t offset) {
  if (bytes.size() < frame_header_bytes) return std::nullopt;
  const std::uint64_t length = number(bytes, 0, 4);
  const std::uint64_t entry = number(bytes, 4, 4);
  if (length < 4 || length >= longest_unit || (entry != frame_mark && entry >= offset)) {
    return std::nullopt;
  }
  return length + length_bytes;
}

std::size_t count_text_bytes(std::span<const std::byte> bytes) {
  std::size_t zeros = 0;
  std::size_t at = 0;
  for (; at < bytes.size() && zeros <= most_zeros; ++at) {
    const auto c = std::to_integer<unsigned char>(bytes[at]);
    if (c > 0 && c < ' ' && c != '\t') break;
    zeros = c == 0 ? zeros + 1 : 0;
  }
  return at == zeros ? 0 : at - zeros + std::min<std::size_t>(zeros, 1);
}

std::size_t find_symbol_table(std::span<const std::byte> bytes) {
  constexpr std::size_t entry = sizeof(Elf64_Sym);
  constexpr std::uint8_t section = ELF64_ST_INFO(STB_LOCAL, STT_SECTION);
  for (std::size_t at = 0; at + 3 * entry <= bytes.size(); at += 8) {
    if (number(bytes, at + entry, 8) != (std::uint64_t{section} << 32 | std::uint64_t{1} << 48)) {
      continue;
    }
    const auto empty = bytes.subspan(at, entry);
    Elf64_Sym second{};
    std::memcpy(&second, bytes.subspan(at + 2 * entry, entry).data(), sizeof(second));
    if (std::all_of(empty.begin(), empty.end(), [](std::byte b) { return b == std::byte{0}; }) &&
        second.st_name == 0 && second.st_info == section && second.st_size == 0) {
      return at;
    }
  }
  return bytes.size();
}

}  // namespace photon_dmesg
