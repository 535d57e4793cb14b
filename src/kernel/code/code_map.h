#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/address_ranges.h"
#include "kernel/code/code_place.h"
#include "kernel/code/image_code.h"
#include "kernel/code/modules.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// All code of the guest's kernel at its run-time addresses: the image's and the modules'.
class CodeMap {
 public:
  // `kernel` must outlive this object.
  CodeMap(const GuestKernel& kernel, std::vector<Module> modules);

  [[nodiscard]] const std::vector<Module>& modules() const { return modules_; }
  // The module whose code `address` is in, or null.
  [[nodiscard]] const Module* find_module(GuestVirtual address) const;

  [[nodiscard]] bool is_text(GuestVirtual address) const;

  // The function that `address` is in; nothing if it is no code or its name is not known.
  [[nodiscard]] std::optional<CodePlace> place(GuestVirtual address) const;

  // The variable that `address` is in, by the symbol in front of it; nothing without one. Only
  // kernels with CONFIG_KALLSYMS_ALL keep the names of their modules' variables.
  [[nodiscard]] std::optional<CodePlace> place_of_data(GuestVirtual address) const;

  // The place that a return address names: that of the call in front of it, with the offset of what
  // is behind it, as the kernel prints it (%pB).
  [[nodiscard]] std::optional<CodePlace> place_of_call(GuestVirtual return_address) const;

 private:
  // All that modules have of one kind, code or variables.
  struct ModuleRange {
    std::size_t module = 0;  // its place among modules_
    CodeRange range;
  };
  struct ModuleRanges {
    std::vector<ModuleRange> all;
    AddressRanges places;  // of each of them

    void add(std::size_t module, const std::vector<CodeRange>& ranges);
    void make_places();
    [[nodiscard]] const ModuleRange* find(GuestVirtual address) const;
  };
  struct ModuleSymbol {
    GuestVirtual address;
    std::uint32_t name = 0;  // where it stands among the module's names
  };

  [[nodiscard]] bool is_in_image(GuestVirtual address) const;
  [[nodiscard]] std::optional<CodePlace> place_in(const ModuleRange& part,
                                                  GuestVirtual address) const;
  // Its symbols that have names, by address: one for each.
  [[nodiscard]] const std::vector<ModuleSymbol>& symbols_of(const Module& module) const;
  [[nodiscard]] std::vector<ModuleSymbol> read_symbols(const Module& module) const;
  [[nodiscard]] std::vector<ModuleSymbol> read_table(const Module& module) const;
  [[nodiscard]] std::optional<std::string> name_of(const Module& module,
                                                   const ModuleSymbol& symbol) const;

  const GuestKernel& kernel_;
  ImageCode image_;
  std::vector<Module> modules_;
  ModuleRanges code_;
  ModuleRanges data_;
  mutable std::map<std::uint64_t, std::vector<ModuleSymbol>> symbols_;  // by the module's address
};

}  // namespace photon_dmesg
