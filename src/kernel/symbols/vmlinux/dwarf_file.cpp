#include "kernel/symbols/vmlinux/dwarf_file.h"

#include <libelf.h>

#include <utility>

namespace photon_dmesg {
namespace {

// libelf has an image's sections only once they have been read.
Elf* with_sections(const ElfImage& image, std::span<const std::string_view> sections) {
  const auto read_section = [&](std::string_view name) {
    if (const auto section = image.find_section(name)) (void)image.read(section->range);
  };
  read_section(".debug_info");
  for (const std::string_view name : sections) read_section(name);
  return image.handle();
}

}  // namespace

void DwarfFile::EndElf::operator()(Elf* elf) const {
  elf_end(elf);
}

void DwarfFile::EndDwarf::operator()(Dwarf* dwarf) const {
  dwarf_end(dwarf);
}

DwarfFile::DwarfFile(std::vector<std::byte> file) : file_(std::move(file)) {
  elf_.reset(elf_memory(reinterpret_cast<char*>(file_.data()), file_.size()));
  dwarf_.reset(dwarf_begin_elf(elf_.get(), DWARF_C_READ, nullptr));
}

DwarfFile::DwarfFile(const ElfImage& image, std::span<const std::string_view> sections)
    : dwarf_(dwarf_begin_elf(with_sections(image, sections), DWARF_C_READ, nullptr)) {}

DwarfFile::~DwarfFile() = default;

}  // namespace photon_dmesg
