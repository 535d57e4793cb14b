#pragma once

#include <map>
#include <memory>
#include <ostream>
#include <string>

#include "base/byte_source.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// docs/profile.md describes the file; a change that an older reader could stumble over takes a new
// version there and here.
inline constexpr int profile_version = 1;

// Whether `source` begins as a profile does.
[[nodiscard]] bool is_profile(const ByteSource& source);

// KernelSymbols from a profile: a small JSON file with all that the log needs of one kernel, which
// replaces the kernel's ISO.
class Profile final : public KernelSymbols {
 public:
  // Throws Error(UnusableInput) when the file is damaged or of another version.
  [[nodiscard]] static std::unique_ptr<Profile> read(const ByteSource& source);

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

// Writes a profile of the kernel that `symbols` are of. `release` is as `uname -r`, `origin` says
// where the symbols were found.
void write_profile(const KernelSymbols& symbols, const std::string& release,
                   const std::string& origin, std::ostream& out);

}  // namespace photon_dmesg
