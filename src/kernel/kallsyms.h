#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "kernel/kernel_symbols.h"
#include "kernel/running_kernel.h"

namespace photon_dmesg {

// KernelSymbols from the table that a kernel carries in its own memory for /proc/kallsyms
// (CONFIG_KALLSYMS): functions, and with CONFIG_KALLSYMS_ALL every variable. No layouts, no banner,
// no build-id.
//
// The parts of the table, as scripts/kallsyms.c writes them, each aligned to 8 bytes:
//   4.4         addresses (u64), num_syms, names, markers, token_table, token_index
//   4.6 to 6.3  offsets (s32), relative_base, num_syms, names, markers, [seqs_of_names], ...
//   6.4 to 6.12 num_syms, names, markers, token_table, token_index, offsets, relative_base, ...
//   7.x         as 6.12 without relative_base: each offset counts from its own place
// num_syms and markers are u64 up to 4.19, u32 since.
class Kallsyms final : public KernelSymbols {
 public:
  // Looks for the table in the image of `kernel`. Nothing if there is none that makes sense.
  [[nodiscard]] static std::unique_ptr<Kallsyms> find(const GuestMemory& memory,
                                                      const RunningKernel& kernel,
                                                      Diagnostics& diagnostics);

  // By how much the kernel runs above the address that x86-64 kernels are linked at.
  [[nodiscard]] std::uint64_t kaslr_offset() const { return kaslr_offset_; }

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override;
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

  // Where a function's code stands at run time; it ends where the next symbol begins.
  struct Range {
    GuestVirtual begin;
    std::uint64_t size = 0;  // bytes
  };
  [[nodiscard]] std::optional<Range> find_function(std::string_view name) const;

  // One symbol as the table has it, at its run-time address.
  struct Symbol {
    char type = '?';  // as nm(1) prints it; upper case: global
    GuestVirtual address;
    std::string name;
  };

  explicit Kallsyms(std::vector<Symbol> symbols);

 private:
  [[nodiscard]] std::optional<GuestVirtual> find_run_time(std::string_view name) const;
  [[nodiscard]] GuestVirtual linked(GuestVirtual run_time) const;

  std::string name_ = "kallsyms in the guest's memory";
  std::vector<Symbol> symbols_;
  std::uint64_t kaslr_offset_ = 0;
};

// Takes the table apart that lies somewhere in `bytes`, which stand at `address` in the guest.
// Nothing if there is none. `is_right` says whether a reading of it makes sense: the parts can be
// read in several ways, of which only one fits the kernel.
[[nodiscard]] std::optional<std::vector<Kallsyms::Symbol>> parse_kallsyms(
    std::span<const std::byte> bytes, GuestVirtual address,
    const std::function<bool(const std::vector<Kallsyms::Symbol>&)>& is_right);

}  // namespace photon_dmesg
