#include "kernel/symbols/vmlinux/elf_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/error.h"
#include "base/expanded_file.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/symbols/build_id.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/vmlinux/elfutils.h"

namespace photon_dmesg {
namespace {

std::string libelf_reason() {
  const char* reason = elfutils().elf_errmsg(-1);
  return reason == nullptr ? "unknown error" : reason;
}

// Calls visit(section, header) for each section, until it returns false.
template <typename Visit>
void for_each_section(Elf* elf, Visit visit) {
  Elf_Scn* section = nullptr;
  while ((section = elfutils().elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header{};
    if (elfutils().gelf_getshdr(section, &header) != nullptr && !visit(section, header)) {
      return;
    }
  }
}

bool has_contents(const GElf_Shdr& header) {
  return header.sh_type != SHT_NOBITS && header.sh_type != SHT_NULL;
}

Elf64_Sym read_symbol(std::span<const std::byte> table, std::size_t index) {
  Elf64_Sym symbol{};
  const auto bytes = table.subspan(index * sizeof(symbol), sizeof(symbol));
  std::memcpy(&symbol, bytes.data(), bytes.size());
  return symbol;
}

SymbolBinding binding_of(const Elf64_Sym& symbol) {
  return ELF64_ST_BIND(symbol.st_info) == STB_LOCAL ? SymbolBinding::Local : SymbolBinding::Global;
}

// Whether the symbol names something in memory, not a section or a source file.
bool has_address(const Elf64_Sym& symbol) {
  const unsigned type = ELF64_ST_TYPE(symbol.st_info);
  return symbol.st_shndx != SHN_UNDEF && type != STT_SECTION && type != STT_FILE;
}

// Several times those of the largest kernel, of symbols and of their names.
constexpr std::uint64_t most_symbol_bytes = 128 * 1024 * 1024;

// Notes that are looked into, together: a kernel has some hundred bytes of them.
constexpr std::uint64_t most_note_bytes = 1024 * 1024;

// What libelf looks at at once. More than 16 bits of sections, which would stand elsewhere, no
// vmlinux has.
std::unique_ptr<ExpandableFile> open_with_headers(const std::filesystem::path& path) {
  auto file = std::make_unique<ExpandedFile>(path);
  Elf64_Ehdr header{};
  const std::uint64_t size = file->bytes().size();
  const std::span<const std::byte> bytes = file->expand({0, std::min(size, sizeof(header))});
  std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(std::span(&header, 1)).begin());
  if (header.e_shoff < size) {
    const std::uint64_t wanted = std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
    (void)file->expand({header.e_shoff, std::min(wanted, size - header.e_shoff)});
  }
  return file;
}

}  // namespace

bool is_elf_file(const ByteSource& source) {
  std::array<std::byte, SELFMAG> magic{};
  if (!source.contains(0, magic.size())) {
    return false;
  }
  source.read_at(0, magic);
  return std::memcmp(magic.data(), ELFMAG, SELFMAG) == 0;
}

void ElfImage::End::operator()(Elf* elf) const {
  elfutils().elf_end(elf);
}

ElfImage::ElfImage(const std::filesystem::path& path)
    : ElfImage(path.string(), open_with_headers(path)) {}

ElfImage::ElfImage(std::string name, std::unique_ptr<ExpandableFile> file)
    : name_(std::move(name)), file_(std::move(file)) {
  elfutils().elf_version(EV_CURRENT);
  const std::span<std::byte> bytes = file_->bytes();
  elf_.reset(elfutils().elf_memory(reinterpret_cast<char*>(bytes.data()), bytes.size()));
  check_file();
  index_symbols();
}

ElfImage::ElfImage(std::string name, std::vector<std::byte> file)
    : name_(std::move(name)), memory_(std::move(file)) {
  elfutils().elf_version(EV_CURRENT);
  elf_.reset(elfutils().elf_memory(reinterpret_cast<char*>(memory_.data()), memory_.size()));
  check_file();
  index_symbols();
}

ElfImage::~ElfImage() = default;

void ElfImage::require_symbols() const {
  if (has_symbols_) return;
  throw unusable(fmt::format("{}: expected a symbol table, found none: it is stripped", name_));
}

void ElfImage::check_file() {
  GElf_Ehdr header{};
  if (!elf_ || elfutils().elf_kind(elf_.get()) != ELF_K_ELF ||
      elfutils().gelf_getehdr(elf_.get(), &header) == nullptr) {
    throw unusable(fmt::format("{}: expected an ELF file: {}", name_, libelf_reason()));
  }
  architecture_ = find_elf_architecture(header.e_machine);
  if (architecture_ == nullptr || elfutils().gelf_getclass(elf_.get()) != ELFCLASS64 ||
      (header.e_type != ET_EXEC && header.e_type != ET_DYN)) {
    throw unusable(fmt::format(
        "{}: expected a vmlinux (an x86-64 or arm64 executable), found ELF type {}, machine {}",
        name_, header.e_type, header.e_machine));
  }
  std::size_t size = 0;
  const char* raw = elfutils().elf_rawfile(elf_.get(), &size);
  if (raw == nullptr) {
    throw unusable(fmt::format("{}: can't be read: {}", name_, libelf_reason()));
  }
  file_bytes_ = {reinterpret_cast<const std::byte*>(raw), size};
  if (header.e_shoff == 0 || header.e_shoff >= size) {
    throw unusable(fmt::format("{}: truncated: expected section headers at {:#x}, it ends at {:#x}",
                               name_, header.e_shoff, size));
  }
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& section) {
    if (has_contents(section) &&
        (section.sh_offset > size || section.sh_size > size - section.sh_offset)) {
      throw unusable(
          fmt::format("{}: truncated: expected a section of {} bytes at {:#x}, it ends at {:#x}",
                      name_, section.sh_size, section.sh_offset, size));
    }
    return true;
  });
  read_section_names();
}

void ElfImage::read_section_names() const {
  std::size_t index = 0;
  GElf_Shdr names{};
  if (elfutils().elf_getshdrstrndx(elf_.get(), &index) == 0 &&
      elfutils().gelf_getshdr(elfutils().elf_getscn(elf_.get(), index), &names) != nullptr &&
      has_contents(names)) {
    (void)read({names.sh_offset, names.sh_size});
  }
}

void ElfImage::index_symbols() {
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& header) {
    GElf_Shdr names{};
    if (header.sh_type != SHT_SYMTAB ||
        elfutils().gelf_getshdr(elfutils().elf_getscn(elf_.get(), header.sh_link), &names) ==
            nullptr ||
        !has_contents(names)) {
      return true;
    }
    if (header.sh_size > most_symbol_bytes || names.sh_size > most_symbol_bytes) {
      throw unusable(fmt::format("{}: expected at most {} bytes of symbols, found {}", name_,
                                 most_symbol_bytes, std::max(header.sh_size, names.sh_size)));
    }
    symbols_ = read({header.sh_offset, header.sh_size});
    const std::span<const std::byte> bytes = read({names.sh_offset, names.sh_size});
    symbol_names_ = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    return false;
  });
  symbol_count_ = symbols_.size() / sizeof(Elf64_Sym);
  index_ = NameIndex(symbol_count_, [&](std::size_t symbol) {
    const std::string_view name = symbol_name(symbol);
    has_symbols_ = has_symbols_ || !name.empty();
    return name;
  });
}

std::string_view ElfImage::symbol_name(std::size_t index) const {
  const auto symbol = read_symbol(symbols_, index);
  const std::string_view rest =
      symbol_names_.substr(std::min<std::size_t>(symbol.st_name, symbol_names_.size()));
  return rest.substr(0, rest.find('\0'));
}

std::optional<SymbolPlace> ElfImage::find_place(GuestVirtual address) const {
  NearestSymbol nearest(address);
  for (std::size_t i = 0; i < symbol_count_; ++i) {
    const Elf64_Sym symbol = read_symbol(symbols_, i);
    if (has_address(symbol)) nearest.offer({symbol.st_value}, symbol_name(i));
  }
  return nearest.place();
}

std::optional<GuestVirtual> ElfImage::find_symbol(std::string_view name) const {
  SymbolChoice choice;
  index_.for_each(name, [&](std::size_t i) {
    if (symbol_name(i) != name) return;
    const Elf64_Sym symbol = read_symbol(symbols_, i);
    if (has_address(symbol)) choice.offer({symbol.st_value}, binding_of(symbol));
  });
  return choice.address();
}

std::optional<GuestVirtual> ElfImage::find_static(std::string_view name) const {
  SymbolChoice choice;
  for (std::size_t i = 0; i < symbol_count_; ++i) {
    if (!is_static_name(symbol_name(i), name)) continue;
    const Elf64_Sym symbol = read_symbol(symbols_, i);
    if (has_address(symbol)) choice.offer({symbol.st_value}, binding_of(symbol));
  }
  return choice.address();
}

void ElfImage::for_each_symbol(const KernelSymbols::SymbolVisit& visit) const {
  for (std::size_t i = 0; i < symbol_count_; ++i) {
    const Elf64_Sym symbol = read_symbol(symbols_, i);
    if (has_address(symbol)) visit(symbol_name(i), {symbol.st_value}, binding_of(symbol));
  }
}

std::span<const std::byte> ElfImage::initial_data(GuestVirtual address, std::uint64_t most) const {
  std::span<const std::byte> result;
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& header) {
    const std::uint64_t inside = address.value - header.sh_addr;
    if ((header.sh_flags & SHF_ALLOC) == 0 || !has_contents(header) || inside >= header.sh_size) {
      return true;
    }
    result = read({header.sh_offset + inside, std::min(most, header.sh_size - inside)});
    return false;
  });
  return result;
}

std::optional<ElfImage::Section> ElfImage::find_section(std::string_view name) const {
  std::size_t names = 0;
  elfutils().elf_getshdrstrndx(elf_.get(), &names);
  std::optional<Section> found;
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& header) {
    const char* section_name = elfutils().elf_strptr(elf_.get(), names, header.sh_name);
    if (section_name == nullptr || section_name != name || !has_contents(header)) {
      return true;
    }
    found = {{header.sh_offset, header.sh_size},
             {header.sh_addr},
             (header.sh_flags & SHF_COMPRESSED) != 0};
    return false;
  });
  return found;
}

std::span<const std::byte> ElfImage::read(FileRange range) const {
  return file_ ? file_->expand(range) : file_bytes_.subspan(range.offset, range.size);
}

std::optional<std::string> ElfImage::build_id() const {
  std::optional<std::string> id;
  std::uint64_t left = most_note_bytes;
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& header) {
    if (header.sh_type == SHT_NOTE && header.sh_size <= left) {
      left -= header.sh_size;
      id = find_build_id(BufferSource(name_, read({header.sh_offset, header.sh_size})));
    }
    return !id;
  });
  return id;
}

}  // namespace photon_dmesg
