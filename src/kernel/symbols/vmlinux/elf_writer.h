#pragma once

#include <elf.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"

namespace photon_dmesg {

// Puts sections into a small x86-64 ELF file in memory, for libelf and libdw to read.
class ElfWriter {
 public:
  ElfWriter() : bytes_(sizeof(Elf64_Ehdr)), headers_(1) {}

  // Makes room for `size` bytes that are to be added: large sections are not copied again then.
  void reserve(std::size_t size) { bytes_.reserve(bytes_.size() + size); }

  // Adds a section of type `type` (SHT_*) that is not loaded.
  void add(std::string_view name, std::uint32_t type, std::span<const std::byte> content);

  // Adds one that stands at `address` in memory.
  void add_loaded(std::string_view name, std::uint32_t type, GuestVirtual address,
                  std::span<const std::byte> content);

  // Adds a symbol table; the names that it refers to must be added next.
  void add_symbols(std::span<const std::byte> symbols);
  void add_symbol_names(std::span<const std::byte> names);

  // The file. Ends the writer.
  [[nodiscard]] std::vector<std::byte> finish();

 private:
  std::vector<std::byte> bytes_;
  std::vector<Elf64_Shdr> headers_;  // the first is the null section
  std::string names_ = std::string(1, '\0');
};

}  // namespace photon_dmesg
