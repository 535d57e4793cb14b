#include "kernel/symbols/vmlinux/vmlinux.h"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/spooled_file.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/vmlinux/compile_unit.h"
#include "kernel/symbols/vmlinux/elf_btf.h"
#include "kernel/symbols/vmlinux/needed_sections.h"
#include "kernel/symbols/vmlinux/packed_sections.h"

namespace photon_dmesg {
namespace {

template <typename Struct>
std::vector<Struct> read_structs(SpooledFile& file, std::uint64_t offset, std::size_t count) {
  std::vector<Struct> structs(count);
  const auto bytes = file.expand({offset, count * sizeof(Struct)});
  std::memcpy(structs.data(), bytes.data(), bytes.size());
  return structs;
}

// The section headers, and for each its name.
struct SectionTable {
  std::vector<Elf64_Shdr> headers;
  std::string names;

  [[nodiscard]] std::string_view name_of(const Elf64_Shdr& header) const {
    const std::string_view rest =
        std::string_view(names).substr(std::min<std::size_t>(header.sh_name, names.size()));
    return rest.substr(0, rest.find('\0'));
  }
};

SectionTable read_section_table(SpooledFile& file) {
  const Elf64_Ehdr header = read_structs<Elf64_Ehdr>(file, 0, 1).front();
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shstrndx >= header.e_shnum) {
    throw unusable("expected a 64-bit ELF file with section headers, found other bytes");
  }
  SectionTable table;
  table.headers = read_structs<Elf64_Shdr>(file, header.e_shoff, header.e_shnum);
  const Elf64_Shdr& names = table.headers[header.e_shstrndx];
  constexpr std::uint64_t names_limit = 16 * 1024 * 1024;
  const auto bytes = file.expand({names.sh_offset, std::min(names.sh_size, names_limit)});
  table.names.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return table;
}

// Whether the section may be asked for later: debug information of types, initial data, notes.
bool is_of_use(const Elf64_Shdr& section, std::string_view name) {
  const bool data = (section.sh_flags & SHF_ALLOC) != 0 && (section.sh_flags & SHF_EXECINSTR) == 0;
  return data || section.sh_type == SHT_NOTE || name == ".debug_info" || name == ".debug_aranges" ||
         std::find(unit_sections.begin(), unit_sections.end(), name) != unit_sections.end();
}

// Expands what ElfImage reads first, and drops what nobody can need.
void prepare(SpooledFile& file) {
  const SectionTable table = read_section_table(file);
  std::vector<FileRange> kept;
  for (const Elf64_Shdr& section : table.headers) {
    if (section.sh_type == SHT_SYMTAB && section.sh_link < table.headers.size()) {
      const Elf64_Shdr& names = table.headers[section.sh_link];
      (void)file.expand({section.sh_offset, section.sh_size});
      (void)file.expand({names.sh_offset, names.sh_size});
    } else if (section.sh_type != SHT_NOBITS && is_of_use(section, table.name_of(section))) {
      kept.push_back({section.sh_offset, section.sh_size});
    }
  }
  file.keep_only(kept);
}

// Shows how far a stream has been read.
class ProgressStream final : public ByteStream {
 public:
  ProgressStream(ByteStream& stream, std::uint64_t size, Diagnostics& diagnostics)
      : stream_(stream), size_(size), diagnostics_(diagnostics) {}

  [[nodiscard]] std::span<const std::byte> next() override {
    const std::span<const std::byte> bytes = stream_.next();
    position_ += bytes.size();
    diagnostics_.progress({"reading vmlinux", position_, size_});
    return bytes;
  }
  [[nodiscard]] const std::string& name() const override { return stream_.name(); }
  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  ByteStream& stream_;
  std::uint64_t size_;
  Diagnostics& diagnostics_;
  std::uint64_t position_ = 0;
};

// Null, with a note, if there is no DWARF.
std::unique_ptr<DwarfTypes> read_types(const ElfImage& image, Diagnostics& diagnostics) {
  if (auto unpacked = unpack_debug_sections(image)) {
    return std::make_unique<DwarfTypes>(image.name(), std::move(*unpacked));
  }
  if (image.find_section(".debug_info")) return std::make_unique<DwarfTypes>(image);
  diagnostics.found({.what = "symbols, but no DWARF debug information", .where = image.name()});
  return nullptr;
}

// In printk.c's unit in every kernel, whatever its log looks like.
constexpr std::string_view printk_struct = "console";

}  // namespace

std::unique_ptr<Vmlinux> Vmlinux::open(const std::filesystem::path& path,
                                       Diagnostics& diagnostics) {
  auto image = std::make_unique<ElfImage>(path);
  image->require_symbols();
  std::unique_ptr<DwarfTypes> types;
  try {
    types = read_types(*image, diagnostics);
    if (types) (void)types->find_struct(printk_struct);
  } catch (const Error& error) {
    types.reset();
    diagnostics.warn_of_lack(fmt::format("{}: its symbols are used without types", error.what()));
  }
  std::unique_ptr<Btf> btf = types ? nullptr : read_elf_btf(*image, diagnostics);
  return std::unique_ptr<Vmlinux>(new Vmlinux(std::move(image), std::move(types), std::move(btf)));
}

std::unique_ptr<Vmlinux> Vmlinux::load(ByteStream& stream, std::uint64_t size,
                                       Diagnostics& diagnostics) {
  // Several times the largest known; what is expanded of it is bounded by that.
  constexpr std::uint64_t most_bytes = std::uint64_t{2} << 30;
  if (size > most_bytes) {
    throw unusable(fmt::format("{}: expected a vmlinux of at most {} bytes, found {}",
                               stream.name(), most_bytes, size));
  }
  auto file = std::make_unique<SpooledFile>();
  ProgressStream watched(stream, size, diagnostics);
  for (auto bytes = watched.next(); !bytes.empty(); bytes = watched.next()) file->append(bytes);
  file->finish();
  with_context(stream.name(), [&] { prepare(*file); });
  auto image = std::make_unique<ElfImage>(stream.name(), std::move(file));
  image->require_symbols();
  std::unique_ptr<DwarfTypes> types = read_types(*image, diagnostics);
  std::unique_ptr<Btf> btf = types ? nullptr : read_elf_btf(*image, diagnostics);
  return std::unique_ptr<Vmlinux>(new Vmlinux(std::move(image), std::move(types), std::move(btf)));
}

std::unique_ptr<Vmlinux> Vmlinux::load_needed(ByteStream& stream, std::uint64_t size,
                                              Diagnostics& diagnostics) {
  ProgressStream watched(stream, size, diagnostics);
  std::string why;
  try {
    if (std::optional<NeededSections> needed = read_needed_sections(watched, why)) {
      auto image = std::make_unique<ElfImage>(stream.name(), std::move(needed->image));
      auto types = std::make_unique<DwarfTypes>(stream.name(), std::move(needed->units));
      if (image->find_symbol(printk_function) != needed->printk_function) {
        why = "a symbol table that agrees with kallsyms";
      } else if (types->find_struct(printk_struct) == nullptr) {
        why = "printk's structures in its unit";
      } else {
        diagnostics.found({.what = "bytes that were needed",
                           .value = fmt::format("{} of {}", watched.position(), size),
                           .where = stream.name()});
        return std::unique_ptr<Vmlinux>(new Vmlinux(std::move(image), std::move(types)));
      }
    }
  } catch (const Error& error) {
    why = fmt::format("sound sections ({})", error.what());
  }
  diagnostics.found(
      {.what = "all of it must be read", .where = stream.name(), .how = "expected " + why});
  return nullptr;
}

std::optional<std::string> Vmlinux::banner_bytes() const {
  const std::optional<GuestVirtual> address = find_symbol("linux_banner");
  if (!address) {
    return std::nullopt;
  }
  const std::span<const std::byte> bytes = image_->initial_data(*address, banner_bytes_limit);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace photon_dmesg
