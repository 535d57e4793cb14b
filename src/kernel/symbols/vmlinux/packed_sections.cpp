#include "kernel/symbols/vmlinux/packed_sections.h"

#include <elf.h>
#include <fmt/format.h>
#include <zstd.h>

#include <cstring>

#include "base/error.h"
#include "kernel/symbols/vmlinux/elf_writer.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t packed_with_zstd = 2;  // ELFCOMPRESS_ZSTD, which <elf.h> may not have

// Several times the largest known .debug_info.
constexpr std::uint64_t most_unpacked = std::uint64_t{2} << 30;

std::optional<Elf64_Chdr> packed_header(std::span<const std::byte> section) {
  Elf64_Chdr header{};
  if (section.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, section.data(), sizeof(header));
  return header.ch_type == packed_with_zstd ? std::optional(header) : std::nullopt;
}

std::vector<std::byte> unpack(std::span<const std::byte> section, const Elf64_Chdr& header) {
  const std::span<const std::byte> packed = section.subspan(sizeof(header));
  if (header.ch_size > most_unpacked) {
    throw unusable(fmt::format("a debug section of {} bytes: expected at most {}", header.ch_size,
                               most_unpacked));
  }
  std::vector<std::byte> bytes(header.ch_size);
  const std::size_t size =
      ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  if (ZSTD_isError(size) != 0 || size != bytes.size()) {
    throw unusable("a debug section is damaged: it can't be unpacked");
  }
  return bytes;
}

}  // namespace

std::optional<std::vector<std::byte>> unpack_debug_sections(
    const ElfImage& image, std::span<const std::string_view> sections) {
  const auto content = [&](std::string_view name) {
    const auto section = image.find_section(name);
    return section ? image.read(section->range) : std::span<const std::byte>();
  };
  const auto info = image.find_section(".debug_info");
  if (!info || !info->compressed || !packed_header(content(".debug_info"))) return std::nullopt;
  ElfWriter writer;
  const auto add = [&](std::string_view name) {
    const auto section = image.find_section(name);
    if (!section) return;
    const auto packed = section->compressed ? packed_header(content(name)) : std::nullopt;
    if (packed) {
      writer.add(name, SHT_PROGBITS, unpack(content(name), *packed));
    } else {
      writer.add(name, SHT_PROGBITS, content(name));
    }
  };
  with_context(image.name(), [&] {
    add(".debug_info");
    for (const std::string_view name : sections) add(name);
  });
  return writer.finish();
}

}  // namespace photon_dmesg
