#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/byte_source.h"
#include "base/expandable_file.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/name_index.h"

struct Elf;

namespace photon_dmesg {

// Whether `source` begins with the ELF magic.
[[nodiscard]] bool is_elf_file(const ByteSource& source);

// A vmlinux as an ELF file: its symbols, its initial data, its build-id.
class ElfImage {
 public:
  // Opens `path` without reading what isn't asked for. Throws Error(UnusableInput) unless it is a
  // complete executable of a known architecture.
  explicit ElfImage(const std::filesystem::path& path);

  // The same over a file that came as a stream, `name` being what messages call it. Its header,
  // section headers, symbols and their names must have been expanded; the rest is when it is read.
  ElfImage(std::string name, std::unique_ptr<ExpandableFile> file);

  // The same over a whole file in memory.
  ElfImage(std::string name, std::vector<std::byte> file);

  // Throws Error(UnusableInput) if there is no symbol table to answer the following by.
  void require_symbols() const;

  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  // The address of the symbol `name` as linked; nothing if it is absent or if several symbols of
  // that name have different addresses (static ones may) and none is global.
  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const;
  // The same for a function's static variable: see is_static_name().
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const;

  // The symbol that `address` belongs to.
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const;

  // See KernelSymbols.
  void for_each_symbol(const KernelSymbols::SymbolVisit& visit) const;

  // The bytes that the file holds from `address` on, to the end of their section or `most` of them;
  // empty if it holds none there (a .debug file keeps sections without contents).
  [[nodiscard]] std::span<const std::byte> initial_data(GuestVirtual address,
                                                        std::uint64_t most) const;

  [[nodiscard]] std::optional<std::string> build_id() const;

  // What it is an executable for.
  [[nodiscard]] const Architecture* architecture() const { return architecture_; }

  struct Section {
    FileRange range;
    GuestVirtual address;     // where it is linked; 0: it is not loaded
    bool compressed = false;  // SHF_COMPRESSED: only libelf can make sense of it
  };

  // The section `name`, if the file has contents for it.
  [[nodiscard]] std::optional<Section> find_section(std::string_view name) const;

  // A part of the file, which must lie inside a section that find_section() gave.
  [[nodiscard]] std::span<const std::byte> read(FileRange range) const;

  // Where that part stands, of which only what read() has had is there.
  [[nodiscard]] std::span<const std::byte> bytes(FileRange range) const {
    return file_bytes_.subspan(range.offset, range.size);
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  // For libdw, which must not be let at a section before read() has had all of it; owned by this
  // object.
  [[nodiscard]] Elf* handle() const { return elf_.get(); }

 private:
  struct End {
    void operator()(Elf* elf) const;
  };
  void check_file();
  void read_section_names() const;
  void index_symbols();
  [[nodiscard]] std::string_view symbol_name(std::size_t index) const;

  std::string name_;
  const Architecture* architecture_ = nullptr;
  std::unique_ptr<ExpandableFile> file_;  // null: everything can be read as it is
  std::vector<std::byte> memory_;         // empty unless elf_ is over it
  std::unique_ptr<Elf, End> elf_;
  std::span<const std::byte> file_bytes_;
  std::span<const std::byte> symbols_;  // the symbol table
  std::string_view symbol_names_;       // its string table
  std::size_t symbol_count_ = 0;
  bool has_symbols_ = false;  // any with a name
  NameIndex index_;           // of the symbols
};

}  // namespace photon_dmesg
