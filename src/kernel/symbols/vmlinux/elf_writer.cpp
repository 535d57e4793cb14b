#include "kernel/symbols/vmlinux/elf_writer.h"

#include <cstring>

namespace photon_dmesg {
namespace {

constexpr std::size_t alignment = alignof(Elf64_Shdr);

std::size_t align(std::size_t offset) {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace

void ElfWriter::add(std::string_view name, std::uint32_t type, std::span<const std::byte> content) {
  const std::size_t begin = align(bytes_.size());
  // Sections are few, and memory is what large ones take: no more than is needed.
  bytes_.reserve(begin + content.size());
  bytes_.resize(begin);
  Elf64_Shdr header{};
  header.sh_name = static_cast<Elf64_Word>(names_.size());
  header.sh_type = type;
  header.sh_offset = bytes_.size();
  header.sh_size = content.size();
  header.sh_addralign = 1;
  headers_.push_back(header);
  names_.append(name).push_back('\0');
  bytes_.insert(bytes_.end(), content.begin(), content.end());
}

void ElfWriter::add_loaded(std::string_view name, std::uint32_t type, GuestVirtual address,
                           std::span<const std::byte> content) {
  add(name, type, content);
  headers_.back().sh_flags = SHF_ALLOC;
  headers_.back().sh_addr = address.value;
}

void ElfWriter::add_symbols(std::span<const std::byte> symbols) {
  add(".symtab", SHT_SYMTAB, symbols);
  headers_.back().sh_entsize = sizeof(Elf64_Sym);
  headers_.back().sh_link = static_cast<Elf64_Word>(headers_.size());
}

void ElfWriter::add_symbol_names(std::span<const std::byte> names) {
  add(".strtab", SHT_STRTAB, names);
}

std::vector<std::byte> ElfWriter::finish() {
  const std::string_view own_name = ".shstrtab";
  const std::string names = names_ + std::string(own_name) + '\0';
  add(own_name, SHT_STRTAB, std::as_bytes(std::span(names)));
  const auto headers = std::as_bytes(std::span(headers_));
  bytes_.reserve(align(bytes_.size()) + headers.size());
  bytes_.resize(align(bytes_.size()));
  Elf64_Ehdr file{};
  std::memcpy(file.e_ident, ELFMAG, SELFMAG);
  file.e_ident[EI_CLASS] = ELFCLASS64;
  file.e_ident[EI_DATA] = ELFDATA2LSB;
  file.e_ident[EI_VERSION] = EV_CURRENT;
  file.e_type = ET_EXEC;
  file.e_machine = EM_X86_64;
  file.e_version = EV_CURRENT;
  file.e_shoff = bytes_.size();
  file.e_ehsize = sizeof(Elf64_Ehdr);
  file.e_shentsize = sizeof(Elf64_Shdr);
  file.e_shnum = static_cast<Elf64_Half>(headers_.size());
  file.e_shstrndx = static_cast<Elf64_Half>(headers_.size() - 1);
  std::memcpy(bytes_.data(), &file, sizeof(file));
  bytes_.insert(bytes_.end(), headers.begin(), headers.end());
  return std::move(bytes_);
}

}  // namespace photon_dmesg
