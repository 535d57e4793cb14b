#include "kernel/symbols/vmlinux/packed_sections.h"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>

#include "base/error.h"
#include "base/libzstd.h"
#include "kernel/symbols/vmlinux/elf_writer.h"
#include "kernel/symbols/vmlinux/elfutils.h"

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
      libzstd().ZSTD_decompress(bytes.data(), bytes.size(), packed.data(), packed.size());
  if (libzstd().ZSTD_isError(size) != 0 || size != bytes.size()) {
    throw unusable("a debug section is damaged: it can't be unpacked");
  }
  return bytes;
}

// The section at `range` of the file, which is packed as libelf knows it.
std::vector<std::byte> unpack_by_libelf(const ElfImage& image, FileRange range) {
  Elf_Scn* section = nullptr;
  while ((section = elfutils().elf_nextscn(image.handle(), section)) != nullptr) {
    GElf_Shdr header{};
    if (elfutils().gelf_getshdr(section, &header) != nullptr && header.sh_offset == range.offset &&
        (header.sh_flags & SHF_COMPRESSED) != 0) {
      break;
    }
  }
  const Elf_Data* data = section != nullptr && elfutils().elf_compress(section, 0, 0) == 1
                             ? elfutils().elf_getdata(section, nullptr)
                             : nullptr;
  if (data == nullptr) throw unusable("a debug section is damaged: it can't be unpacked");
  const std::span content(static_cast<const std::byte*>(data->d_buf), data->d_size);
  return {content.begin(), content.end()};
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

std::vector<std::byte> read_debug_section(const ElfImage& image, std::string_view name) {
  const auto section = image.find_section(name);
  if (!section) return {};
  const std::span<const std::byte> content = image.read(section->range);
  if (!section->compressed) return {content.begin(), content.end()};
  return with_context(image.name(), [&] {
    const auto packed = packed_header(content);
    return packed ? unpack(content, *packed) : unpack_by_libelf(image, section->range);
  });
}

}  // namespace photon_dmesg
