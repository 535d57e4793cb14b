#include "kernel/symbols/vmlinux/dwarf_file.h"

#include <elf.h>

#include <utility>

#include "kernel/symbols/vmlinux/elf_writer.h"
#include "kernel/symbols/vmlinux/elfutils.h"

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

// An ELF file with these sections, all empty.
std::vector<std::byte> write_empty_sections(const CompileUnits& units) {
  ElfWriter writer;
  writer.add(".debug_info", SHT_PROGBITS, {});
  for (const auto& section : units.sections) writer.add(section.name, SHT_PROGBITS, {});
  return writer.finish();
}

// libelf remembers what a section holds, as it is and as numbers are read from it: libdw is given
// both from where they stand. To put them into a file would be to copy some megabytes, which takes
// longer than to read them. If another libelf forgets it, there are no units in the file.
void set_content(Elf* elf, std::size_t index, std::span<const std::byte> bytes) {
  Elf_Scn* section = elfutils().elf_getscn(elf, index);
  for (Elf_Data* data :
       {elfutils().elf_rawdata(section, nullptr), elfutils().elf_getdata(section, nullptr)}) {
    if (data == nullptr) continue;
    data->d_buf = const_cast<std::byte*>(bytes.data());  // which libdw does not write to
    data->d_size = bytes.size();
  }
}

}  // namespace

void DwarfFile::EndElf::operator()(Elf* elf) const {
  elfutils().elf_end(elf);
}

void DwarfFile::EndDwarf::operator()(Dwarf* dwarf) const {
  elfutils().dwarf_end(dwarf);
}

DwarfFile::DwarfFile(std::vector<std::byte> file) : file_(std::move(file)) {
  open();
  dwarf_.reset(elfutils().dwarf_begin_elf(elf_.get(), DWARF_C_READ, nullptr));
}

DwarfFile::DwarfFile(CompileUnits units)
    : units_(std::move(units)), file_(write_empty_sections(units_)) {
  open();
  std::size_t section = 1;
  set_content(elf_.get(), section, units_.info);
  for (const auto& other : units_.sections) set_content(elf_.get(), ++section, other.bytes);
  dwarf_.reset(elfutils().dwarf_begin_elf(elf_.get(), DWARF_C_READ, nullptr));
}

DwarfFile::DwarfFile(const ElfImage& image, std::span<const std::string_view> sections)
    : dwarf_(elfutils().dwarf_begin_elf(with_sections(image, sections), DWARF_C_READ, nullptr)) {}

DwarfFile::~DwarfFile() = default;

void DwarfFile::open() {
  elf_.reset(elfutils().elf_memory(reinterpret_cast<char*>(file_.data()), file_.size()));
}

}  // namespace photon_dmesg
