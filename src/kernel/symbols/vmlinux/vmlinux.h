#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/byte_stream.h"
#include "base/diagnostics.h"
#include "kernel/symbols/btf.h"
#include "kernel/symbols/kernel_symbols.h"
#include "kernel/symbols/vmlinux/dwarf_types.h"
#include "kernel/symbols/vmlinux/elf_image.h"

namespace photon_dmesg {

// KernelSymbols from a vmlinux with debug information. Without DWARF the types are those of its
// BTF, if it has that.
class Vmlinux final : public KernelSymbols {
 public:
  // A vmlinux on disk; only what is needed of it is read. Throws Error(UnusableInput) when it is
  // damaged or has no symbols. Without DWARF its symbols serve without types, with a warning if it
  // has DWARF that can't be read.
  [[nodiscard]] static std::unique_ptr<Vmlinux> open(const std::filesystem::path& path,
                                                     Diagnostics& diagnostics);

  // The same of a vmlinux that comes as a stream, read only until all that is needed of it has
  // come. Null, with the reason noted, if that can't be told while it comes by; then load() can.
  [[nodiscard]] static std::unique_ptr<Vmlinux> load_needed(ByteStream& stream, std::uint64_t size,
                                                            Diagnostics& diagnostics);

  // A vmlinux that comes as a stream of about `size` bytes, as from a package. Keeps the sections
  // that matter in memory, less than the file's size; nothing goes to disk. Packages may have one
  // without DWARF (linux-esx until 4.4.60).
  [[nodiscard]] static std::unique_ptr<Vmlinux> load(ByteStream& stream, std::uint64_t size,
                                                     Diagnostics& diagnostics);

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    return image_->find_symbol(name);
  }
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override {
    return image_->find_static(name);
  }
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override {
    return image_->find_place(address);
  }
  void for_each_symbol(const SymbolVisit& visit) const override { image_->for_each_symbol(visit); }
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override {
    if (types_) return types_->find_struct(name);
    return btf_ ? btf_->find_struct(name) : nullptr;
  }
  [[nodiscard]] std::optional<std::string> banner_bytes() const override;
  [[nodiscard]] std::optional<std::string> build_id() const override { return image_->build_id(); }
  [[nodiscard]] const Architecture* architecture() const override { return image_->architecture(); }
  [[nodiscard]] const std::string& name() const override { return image_->name(); }

 private:
  Vmlinux(std::unique_ptr<ElfImage> image, std::unique_ptr<DwarfTypes> types,
          std::unique_ptr<Btf> btf = nullptr)
      : image_(std::move(image)), types_(std::move(types)), btf_(std::move(btf)) {}

  std::unique_ptr<ElfImage> image_;
  std::unique_ptr<DwarfTypes> types_;  // null: there are none
  std::unique_ptr<Btf> btf_;           // null: there is none, or no need of it
};

}  // namespace photon_dmesg
