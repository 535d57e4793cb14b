#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/byte_source.h"
#include "base/large_buffer.h"
#include "base/mapped_file.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/symbol_store_format.h"

namespace photon_dmesg {

// Whether `source` begins as a store of symbols does.
[[nodiscard]] bool is_symbol_store(const ByteSource& source);

// KernelSymbols from a file that holds all symbols of one kernel build, and the layouts of all
// types that any command asks for (types_of_use.h): it answers as the source did that it was made
// of. docs/profile.md describes the file.
//
// Names, addresses and layouts are looked up where they stand in the file. That it is whole and
// unchanged is seen when it is opened, by its checksum. One that was made to deceive may give wrong
// answers or an Error(UnusableInput) at any of them, as any source of symbols may, and nothing
// worse. Not for use by several threads at once.
class SymbolStore final : public KernelSymbols {
 public:
  // A store that nobody changes while it is open (see MappedFile); `name` is what messages call
  // these symbols. Throws Error(UnusableInput) when it is damaged, of another version, or made for
  // a photon-dmesg that asks for other types.
  [[nodiscard]] static std::unique_ptr<SymbolStore> map(const std::filesystem::path& path,
                                                        std::string name);

  // The same of any store, which is read into memory: what is believed later has to be what the
  // checksum was of, whoever writes to the file meanwhile.
  [[nodiscard]] static std::unique_ptr<SymbolStore> read(const ByteSource& source);

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override;
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] std::optional<std::string> banner_bytes() const override { return banner_; }
  [[nodiscard]] std::optional<std::string> build_id() const override { return build_id_; }
  [[nodiscard]] const std::string& name() const override { return bytes_.name(); }

  // As `uname -r`.
  [[nodiscard]] const std::string& release() const { return release_; }
  // Where the symbols were found.
  [[nodiscard]] const std::string& origin() const { return origin_; }
  // How many symbols there are.
  [[nodiscard]] std::uint32_t size() const { return count_; }

 private:
  class Names;
  struct Range {
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  struct StoredType {
    std::uint64_t begin = 0;             // its offset in Section::Types
    std::optional<StructLayout> layout;  // nothing: nobody has asked for it
  };

  SymbolStore(std::string name, std::unique_ptr<MappedFile> file);
  SymbolStore(std::string name, LargeBuffer file);

  void read_header();
  void check_whole(ByteReader& header) const;
  void check_sizes() const;
  void read_facts();
  void index_types();
  [[nodiscard]] ByteReader reader(symbol_store::Section section, std::uint64_t offset = 0) const;
  [[nodiscard]] std::uint32_t word_at(symbol_store::Section section, std::uint32_t index,
                                      const char* what) const;
  [[nodiscard]] std::uint8_t flags_of(std::uint32_t symbol) const;
  [[nodiscard]] GuestVirtual address_of(std::uint32_t symbol) const;
  [[nodiscard]] std::string name_of(std::uint32_t symbol) const;
  [[nodiscard]] SymbolBinding binding_of(std::uint32_t symbol) const;
  template <typename Visit>
  void walk_from(std::string_view name, Visit visit) const;

  std::unique_ptr<MappedFile> mapped_;  // null: the file is in copied_
  LargeBuffer copied_;
  BufferSource bytes_;  // over either
  std::uint32_t count_ = 0;
  std::uint64_t base_ = 0;
  std::array<Range, symbol_store::section_count> sections_;
  std::string release_;
  std::string origin_;
  std::optional<std::string> banner_;
  std::optional<std::string> build_id_;
  mutable std::map<std::string, StoredType, std::less<>> types_;
};

}  // namespace photon_dmesg
