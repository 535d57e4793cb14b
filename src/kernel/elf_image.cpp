#include "kernel/elf_image.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/error.h"
#include "kernel/build_id.h"

namespace photon_dmesg {
namespace {

std::string libelf_reason() {
  const char* reason = elf_errmsg(-1);
  return reason == nullptr ? "unknown error" : reason;
}

// Calls visit(section, header) for each section, until it returns false.
template <typename Visit>
void for_each_section(Elf* elf, Visit visit) {
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf, section)) != nullptr) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) != nullptr && !visit(section, header)) {
      return;
    }
  }
}

bool has_contents(const GElf_Shdr& header) {
  return header.sh_type != SHT_NOBITS && header.sh_type != SHT_NULL;
}

}  // namespace

SparseBuffer::SparseBuffer(std::uint64_t size) {
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw unusable(fmt::format("no address space for {} bytes: {}", size,
                               std::generic_category().message(errno)));
  }
  bytes_ = {static_cast<std::byte*>(memory), size};
}

SparseBuffer::~SparseBuffer() {
  ::munmap(bytes_.data(), bytes_.size());
}

bool is_elf_file(const ByteSource& source) {
  std::array<std::byte, SELFMAG> magic{};
  if (!source.contains(0, magic.size())) {
    return false;
  }
  source.read_at(0, magic);
  return std::memcmp(magic.data(), ELFMAG, SELFMAG) == 0;
}

void ElfImage::End::operator()(Elf* elf) const {
  elf_end(elf);
}

ElfImage::ElfImage(const std::filesystem::path& path) : name_(path.string()) {
  elf_version(EV_CURRENT);
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    throw unusable(
        fmt::format("{}: can't be opened: {}", name_, std::generic_category().message(errno)));
  }
  elf_.reset(elf_begin(descriptor_, ELF_C_READ_MMAP, nullptr));
  check_file();
  index_symbols();
}

ElfImage::ElfImage(std::string name, std::unique_ptr<SparseBuffer> buffer)
    : name_(std::move(name)), buffer_(std::move(buffer)) {
  elf_version(EV_CURRENT);
  const std::span<std::byte> bytes = buffer_->bytes();
  elf_.reset(elf_memory(reinterpret_cast<char*>(bytes.data()), bytes.size()));
  check_file();
  index_symbols();
}

ElfImage::~ElfImage() {
  elf_.reset();
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

void ElfImage::check_file() {
  GElf_Ehdr header{};
  if (!elf_ || elf_kind(elf_.get()) != ELF_K_ELF || gelf_getehdr(elf_.get(), &header) == nullptr) {
    throw unusable(fmt::format("{}: expected an ELF file: {}", name_, libelf_reason()));
  }
  if (header.e_machine != EM_X86_64 || gelf_getclass(elf_.get()) != ELFCLASS64 ||
      (header.e_type != ET_EXEC && header.e_type != ET_DYN)) {
    throw unusable(
        fmt::format("{}: expected a vmlinux (an x86-64 executable), found ELF type {}, machine {}",
                    name_, header.e_type, header.e_machine));
  }
  std::size_t size = 0;
  const char* raw = elf_rawfile(elf_.get(), &size);
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
}

void ElfImage::index_symbols() {
  for_each_section(elf_.get(), [&](Elf_Scn* section, const GElf_Shdr& header) {
    if (header.sh_type != SHT_SYMTAB || header.sh_entsize == 0) {
      return true;
    }
    Elf_Data* data = elf_getdata(section, nullptr);
    const auto count = static_cast<int>(header.sh_size / header.sh_entsize);
    symbols_.reserve(static_cast<std::size_t>(count));
    for (int i = 0; data != nullptr && i < count; ++i) {
      GElf_Sym symbol{};
      if (gelf_getsym(data, i, &symbol) == nullptr || symbol.st_shndx == SHN_UNDEF ||
          GELF_ST_TYPE(symbol.st_info) == STT_SECTION || GELF_ST_TYPE(symbol.st_info) == STT_FILE) {
        continue;
      }
      const char* symbol_name = elf_strptr(elf_.get(), header.sh_link, symbol.st_name);
      if (symbol_name == nullptr || *symbol_name == '\0') {
        continue;
      }
      const SymbolEntry found{{symbol.st_value}, GELF_ST_BIND(symbol.st_info) != STB_LOCAL, false};
      const auto [place, inserted] = symbols_.try_emplace(symbol_name, found);
      if (inserted || place->second.address == found.address) {
        continue;
      }
      if (found.global && !place->second.global) {
        place->second = found;
      } else if (found.global == place->second.global) {
        place->second.ambiguous = true;
      }
    }
    return false;
  });
  if (symbols_.empty()) {
    throw unusable(fmt::format("{}: expected a symbol table, found none: it is stripped", name_));
  }
}

std::optional<GuestVirtual> ElfImage::find_symbol(std::string_view name) const {
  const auto found = symbols_.find(name);
  if (found == symbols_.end() || found->second.ambiguous) {
    return std::nullopt;
  }
  return found->second.address;
}

std::span<const std::byte> ElfImage::initial_data(GuestVirtual address) const {
  std::span<const std::byte> result;
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& header) {
    const std::uint64_t inside = address.value - header.sh_addr;
    if ((header.sh_flags & SHF_ALLOC) == 0 || !has_contents(header) || inside >= header.sh_size) {
      return true;
    }
    result = file_bytes_.subspan(header.sh_offset + inside, header.sh_size - inside);
    return false;
  });
  return result;
}

std::optional<std::string> ElfImage::build_id() const {
  std::optional<std::string> id;
  for_each_section(elf_.get(), [&](Elf_Scn*, const GElf_Shdr& header) {
    if (header.sh_type == SHT_NOTE) {
      id =
          find_build_id(BufferSource(name_, file_bytes_.subspan(header.sh_offset, header.sh_size)));
    }
    return !id;
  });
  return id;
}

}  // namespace photon_dmesg
