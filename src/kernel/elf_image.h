#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/address.h"
#include "base/byte_source.h"

struct Elf;

namespace photon_dmesg {

// Anonymous memory that costs only the pages that are written. Reads as zero elsewhere.
class SparseBuffer {
 public:
  explicit SparseBuffer(std::uint64_t size);
  ~SparseBuffer();
  SparseBuffer(const SparseBuffer&) = delete;
  SparseBuffer& operator=(const SparseBuffer&) = delete;

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::span<std::byte> bytes_;
};

// Whether `source` begins with the ELF magic.
[[nodiscard]] bool is_elf_file(const ByteSource& source);

// A vmlinux as an ELF file: its symbols, its initial data, its build-id.
class ElfImage {
 public:
  // Opens `path` without reading what isn't asked for. Throws Error(UnusableInput) unless it is a
  // complete x86-64 executable.
  explicit ElfImage(const std::filesystem::path& path);

  // The same over a file in memory, `name` being what messages call it.
  ElfImage(std::string name, std::unique_ptr<SparseBuffer> buffer);

  ~ElfImage();
  ElfImage(const ElfImage&) = delete;
  ElfImage& operator=(const ElfImage&) = delete;

  // The address of the symbol `name` as linked; nothing if it is absent or if several symbols of
  // that name have different addresses (static ones may) and none is global.
  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const;

  // The bytes that the file holds from `address` on, to the end of their section; empty if it holds
  // none there (a .debug file keeps sections without contents).
  [[nodiscard]] std::span<const std::byte> initial_data(GuestVirtual address) const;

  [[nodiscard]] std::optional<std::string> build_id() const;

  [[nodiscard]] const std::string& name() const { return name_; }
  // For libdw; owned by this object.
  [[nodiscard]] Elf* handle() const { return elf_.get(); }

 private:
  struct End {
    void operator()(Elf* elf) const;
  };
  struct SymbolEntry {
    GuestVirtual address;
    bool global = false;
    bool ambiguous = false;
  };

  void check_file();
  void index_symbols();

  std::string name_;
  std::unique_ptr<SparseBuffer> buffer_;
  int descriptor_ = -1;
  std::unique_ptr<Elf, End> elf_;
  std::span<const std::byte> file_bytes_;
  std::unordered_map<std::string_view, SymbolEntry> symbols_;
};

}  // namespace photon_dmesg
