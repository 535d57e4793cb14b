#include "kernel/vmlinux.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "base/compressed_spool.h"
#include "base/error.h"
#include "kernel/banner.h"

namespace photon_dmesg {
namespace {

// The sections that symbols, layouts, banner and build-id are read from.
constexpr std::array<std::string_view, 12> needed_sections = {
    ".symtab",       ".strtab",    ".shstrtab",       ".debug_info", ".debug_types",
    ".debug_abbrev", ".debug_str", ".debug_line_str", ".debug_addr", ".debug_str_offsets",
    ".rodata",       ".notes"};

template <typename Struct>
std::vector<Struct> read_structs(const CompressedSpool& spool, std::uint64_t offset,
                                 std::size_t count) {
  std::vector<Struct> structs(count);
  spool.read_at(offset, std::as_writable_bytes(std::span(structs)));
  return structs;
}

std::string read_section_names(const CompressedSpool& spool, const Elf64_Shdr& section) {
  constexpr std::uint64_t names_limit = 16 * 1024 * 1024;
  std::string names(std::min(section.sh_size, names_limit), '\0');
  spool.read_at(section.sh_offset, std::as_writable_bytes(std::span(names)));
  return names;
}

bool is_needed(std::string_view names, const Elf64_Shdr& section) {
  if (section.sh_type == SHT_NOTE) {
    return true;
  }
  if (section.sh_type == SHT_NOBITS || section.sh_name >= names.size()) {
    return false;
  }
  const std::string_view rest = names.substr(section.sh_name);
  const std::string_view name = rest.substr(0, rest.find('\0'));
  return std::find(needed_sections.begin(), needed_sections.end(), name) != needed_sections.end();
}

// The file's parts that are kept: its header, the section headers, the needed sections.
std::vector<CompressedSpool::Range> find_needed_ranges(const CompressedSpool& spool) {
  const Elf64_Ehdr header = read_structs<Elf64_Ehdr>(spool, 0, 1).front();
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum) {
    throw unusable("expected a 64-bit ELF file with section headers, found other bytes");
  }
  const auto sections = read_structs<Elf64_Shdr>(spool, header.e_shoff, header.e_shnum);
  const std::string names = read_section_names(spool, sections[header.e_shstrndx]);
  std::vector<CompressedSpool::Range> ranges = {
      {0, sizeof(Elf64_Ehdr)}, {header.e_shoff, sections.size() * sizeof(Elf64_Shdr)}};
  for (const Elf64_Shdr& section : sections) {
    if (is_needed(names, section)) {
      if (section.sh_offset > spool.size() || section.sh_size > spool.size() - section.sh_offset) {
        throw unusable(
            fmt::format("truncated: expected a section of {} bytes at {:#x}, it ends at "
                        "{:#x}",
                        section.sh_size, section.sh_offset, spool.size()));
      }
      ranges.push_back({section.sh_offset, section.sh_size});
    }
  }
  return ranges;
}

std::unique_ptr<SparseBuffer> unpack_needed(CompressedSpool& spool) {
  const std::vector<CompressedSpool::Range> ranges = find_needed_ranges(spool);
  spool.keep_only(ranges);
  auto buffer = std::make_unique<SparseBuffer>(spool.size());
  for (const CompressedSpool::Range& range : ranges) {
    spool.read_at(range.offset, buffer->bytes().subspan(range.offset, range.size));
  }
  return buffer;
}

}  // namespace

std::unique_ptr<Vmlinux> Vmlinux::open(const std::filesystem::path& path) {
  return std::unique_ptr<Vmlinux>(new Vmlinux(std::make_unique<ElfImage>(path)));
}

std::unique_ptr<Vmlinux> Vmlinux::load(ByteStream& stream, std::uint64_t size,
                                       Diagnostics& diagnostics) {
  CompressedSpool spool;
  for (std::span<const std::byte> bytes = stream.next(); !bytes.empty(); bytes = stream.next()) {
    spool.append(bytes);
    diagnostics.progress("reading vmlinux", spool.size(), size);
  }
  spool.finish();
  std::unique_ptr<SparseBuffer> buffer =
      with_context(stream.name(), [&] { return unpack_needed(spool); });
  return std::unique_ptr<Vmlinux>(
      new Vmlinux(std::make_unique<ElfImage>(stream.name(), std::move(buffer))));
}

std::optional<std::string> Vmlinux::banner_bytes() const {
  const std::optional<GuestVirtual> address = find_symbol("linux_banner");
  if (!address) {
    return std::nullopt;
  }
  const std::span<const std::byte> bytes = image_->initial_data(*address);
  const std::size_t count = std::min(bytes.size(), banner_bytes_limit);
  return std::string(reinterpret_cast<const char*>(bytes.data()), count);
}

}  // namespace photon_dmesg
