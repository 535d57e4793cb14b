#include "kernel/symbols/vmlinux/packed_sections.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/libzstd.h"
#include "kernel/symbols/vmlinux/elf_writer.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {
namespace {

constexpr std::uint32_t packed_with_zstd = 2;  // ELFCOMPRESS_ZSTD, which <elf.h> may not have

// All of a vmlinux together: the largest known have 300 MB of debug sections.
constexpr std::uint64_t most_unpacked = std::uint64_t{512} << 20;

// Debug sections shrink to a third, small ones of a kind to less.
constexpr std::uint64_t most_times = 64;
constexpr std::uint64_t always_allowed = std::uint64_t{64} << 10;  // bytes

// Of ".zdebug_info" and the like, as packed before there was SHF_COMPRESSED: "ZLIB" and the size.
constexpr std::string_view old_mark = "ZLIB";
constexpr std::size_t old_header_bytes = old_mark.size() + sizeof(std::uint64_t);

std::optional<Elf64_Chdr> read_header(std::span<const std::byte> section) {
  Elf64_Chdr header{};
  if (section.size() < sizeof(header)) return std::nullopt;
  std::memcpy(&header, section.data(), sizeof(header));
  return header;
}

// If it is packed with zstd.
std::optional<Elf64_Chdr> packed_header(std::span<const std::byte> section) {
  const auto header = read_header(section);
  return header && header->ch_type == packed_with_zstd ? header : std::nullopt;
}

// How many bytes the section that begins with `bytes` says that it has unpacked; 0 if it is not
// packed.
std::uint64_t unpacked_size(const GElf_Shdr& header, std::span<const std::byte> bytes) {
  if ((header.sh_flags & SHF_COMPRESSED) != 0) {
    const auto packed = read_header(bytes);
    return packed ? packed->ch_size : 0;
  }
  if (bytes.size() < old_header_bytes ||
      std::memcmp(bytes.data(), old_mark.data(), old_mark.size()) != 0) {
    return 0;
  }
  std::uint64_t size = 0;
  for (const std::byte byte : bytes.subspan(old_mark.size(), sizeof(size))) {
    size = size << 8U | std::to_integer<std::uint64_t>(byte);
  }
  return size;
}

// libelf and libdw take as much memory as packed sections say they have unpacked, before they look
// at what is there; and libdw unpacks all that it knows of what has been read. Throws
// Error(UnusableInput) if that is more than a kernel's, and returns how much it is. All that is to
// be unpacked must have been read.
std::uint64_t check_sizes(const ElfImage& image) {
  std::uint64_t total = 0;
  Elf_Scn* section = nullptr;
  while ((section = elfutils().elf_nextscn(image.handle(), section)) != nullptr) {
    GElf_Shdr header{};
    if (elfutils().gelf_getshdr(section, &header) == nullptr || header.sh_type == SHT_NOBITS ||
        header.sh_type == SHT_NULL) {
      continue;
    }
    const std::uint64_t size =
        unpacked_size(header, image.bytes({header.sh_offset, header.sh_size}));
    if (size > always_allowed && size / most_times > header.sh_size) {
      throw unusable(
          fmt::format("a debug section of {} bytes that is to unpack to {}: expected at most {} "
                      "times as many",
                      header.sh_size, size, most_times));
    }
    total = std::min(total + std::min(size, most_unpacked + 1), most_unpacked + 1);
  }
  if (total > most_unpacked) {
    throw unusable(
        fmt::format("debug sections that are to unpack to more than {} bytes", most_unpacked));
  }
  return total;
}

std::vector<std::byte> unpack(std::span<const std::byte> section, const Elf64_Chdr& header) {
  const std::span<const std::byte> packed = section.subspan(sizeof(header));
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
  const auto read_packed = [&](std::string_view name) {
    const auto section = image.find_section(name);
    if (section && section->compressed) (void)image.read(section->range);
  };
  read_packed(".debug_info");
  for (const std::string_view name : sections) read_packed(name);
  const std::uint64_t size = with_context(image.name(), [&] { return check_sizes(image); });
  const auto info = image.find_section(".debug_info");
  if (!info || !info->compressed || !packed_header(content(".debug_info"))) return std::nullopt;
  ElfWriter writer;
  writer.reserve(size);
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
    (void)check_sizes(image);
    const auto packed = packed_header(content);
    return packed ? unpack(content, *packed) : unpack_by_libelf(image, section->range);
  });
}

}  // namespace photon_dmesg
