#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "kernel/symbols/btf.h"
#include "kernel/symbols/kallsyms_table.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// KernelSymbols from a boot image (vmlinuz). The kernel in it is stripped, and tells what it would
// tell in memory: its own table of symbols (CONFIG_KALLSYMS), its types (BTF), if it was built with
// them; its banner, its build-id.
class BootImage final : public KernelSymbols {
 public:
  // Unpacks `file` and keeps what is needed of it. Throws Error(UnusableInput) when it is damaged,
  // packed in a way that can't be unpacked, or holds no kernel with a table of symbols.
  [[nodiscard]] static std::unique_ptr<BootImage> load(const ByteSource& file,
                                                       Diagnostics& diagnostics);

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return table_.find(name);
  }
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override {
    return table_.find_static(name);
  }
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override {
    return table_.find_place(address);
  }
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override {
    return btf_ ? btf_->find_struct(name) : nullptr;
  }
  [[nodiscard]] std::optional<std::string> banner_bytes() const override { return banner_; }
  [[nodiscard]] std::optional<std::string> build_id() const override { return build_id_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  BootImage(std::string name, const ElfImage& kernel, KallsymsTable table,
            std::unique_ptr<Btf> btf);

  std::string name_;
  KallsymsTable table_;
  std::unique_ptr<Btf> btf_;           // null: it has none
  std::optional<std::string> banner_;  // absent: its table names no variables
  std::optional<std::string> build_id_;
};

}  // namespace photon_dmesg
