#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// Whether `source` begins as a profile of version 1 does.
[[nodiscard]] bool is_profile(const ByteSource& source);

// KernelSymbols from a profile of version 1 (docs/profile.md): a small JSON file with all that the
// log needs of one kernel. Only read: what is written is a SymbolStore. It has no checksum, so that
// a number that was altered does not show.
class Profile final : public KernelSymbols {
 public:
  // Throws Error(UnusableInput) when the file is damaged or of another version.
  [[nodiscard]] static std::unique_ptr<Profile> read(const ByteSource& source);

  // Forgets the layouts that `is_sound` is false of, and returns the structures' names.
  std::vector<std::string> forget_structs_unless(bool (*is_sound)(const StructLayout& layout));

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] const StructLayout* find_struct(std::string_view name) const override;
  [[nodiscard]] std::optional<std::string> banner_bytes() const override { return banner_; }
  [[nodiscard]] std::optional<std::string> build_id() const override { return build_id_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  std::string name_;
  std::optional<std::string> banner_;
  std::optional<std::string> build_id_;
  std::map<std::string, GuestVirtual, std::less<>> symbols_;
  std::map<std::string, StructLayout, std::less<>> structs_;
};

}  // namespace photon_dmesg
