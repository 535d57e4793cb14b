#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/byte_stream.h"
#include "kernel/symbols/kernel_symbols.h"

namespace photon_dmesg {

// Whether `source` begins as a System.map does: an address of 16 hexadecimal digits, a type letter,
// a name.
[[nodiscard]] bool is_system_map(const ByteSource& source);

// KernelSymbols from a System.map, which the kernel's own package carries as boot/System.map-*:
// every address, no layout, no banner, no build-id.
class SystemMap final : public KernelSymbols {
 public:
  // Reads all of `stream`. Throws Error(UnusableInput) at a line that is none of a System.map.
  [[nodiscard]] static std::unique_ptr<SystemMap> load(ByteStream& stream);

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override;
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override;
  void for_each_symbol(const SymbolVisit& visit) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

 private:
  SystemMap(std::string name, std::string text);

  std::string name_;
  std::string text_;
};

}  // namespace photon_dmesg
