#pragma once

#include <array>
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

// The symbols of such a table, at their run-time addresses. A kernel has some hundred thousand, so
// names stay compressed, and each has a short key that most lookups get by on.
class KallsymsTable {
 public:
  struct Symbol {
    char type = '?';  // as nm(1) prints it; upper case: global
    GuestVirtual address;
    std::string name;
  };

  // What the bytes of a compressed name stand for.
  using Tokens = std::array<std::string, 256>;

  // `names` are compressed, their types in front, one behind the other; `ends` says where each one
  // ends. Addresses are set afterwards.
  KallsymsTable(Tokens tokens, std::vector<std::uint8_t> names, std::vector<std::uint32_t> ends);
  explicit KallsymsTable(const std::vector<Symbol>& symbols);

  [[nodiscard]] std::size_t size() const { return addresses_.size(); }
  [[nodiscard]] Symbol symbol(std::size_t index) const;
  [[nodiscard]] const std::vector<GuestVirtual>& addresses() const { return addresses_; }
  void set_address(std::size_t index, GuestVirtual address) { addresses_[index] = address; }

  // The address of `name`; nothing without one, or if several symbols of that name leave a doubt.
  [[nodiscard]] std::optional<GuestVirtual> find(std::string_view name) const;
  // The same for a function's static variable: see is_static_name().
  [[nodiscard]] std::optional<GuestVirtual> find_static(std::string_view name) const;

 private:
  [[nodiscard]] std::span<const std::uint8_t> compressed(std::size_t index) const;
  [[nodiscard]] std::uint32_t compute_key(std::size_t index) const;

  Tokens tokens_;
  std::vector<std::uint8_t> names_;
  std::vector<std::uint32_t> ends_;
  std::vector<GuestVirtual> addresses_;
  std::vector<std::uint32_t> keys_;
};

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
  [[nodiscard]] std::optional<SymbolPlace> find_place(GuestVirtual address) const override;
  [[nodiscard]] const std::string& name() const override { return name_; }

  // Where a function's code stands at run time; it ends where the next symbol begins.
  struct Range {
    GuestVirtual begin;
    std::uint64_t size = 0;  // bytes
  };
  [[nodiscard]] std::optional<Range> find_function(std::string_view name) const;

  explicit Kallsyms(KallsymsTable table);

 private:
  [[nodiscard]] GuestVirtual linked(GuestVirtual run_time) const;

  std::string name_ = "kallsyms in the guest's memory";
  KallsymsTable table_;
  std::uint64_t kaslr_offset_ = 0;
};

// Takes the table apart that lies somewhere in `bytes`, which stand at `address` in the guest.
// Nothing if there is none. `is_right` says whether a reading of it makes sense: the parts can be
// read in several ways, of which only one fits the kernel.
[[nodiscard]] std::optional<KallsymsTable> parse_kallsyms(
    std::span<const std::byte> bytes, GuestVirtual address,
    const std::function<bool(const KallsymsTable&)>& is_right);

}  // namespace photon_dmesg
