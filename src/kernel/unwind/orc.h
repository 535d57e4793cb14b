#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/code/modules.h"
#include "kernel/find/guest_kernel.h"

namespace photon_dmesg {

// What ORC says of an address: where the caller's frame is. The formats that there have been are
// told apart in orc.cpp, and nowhere else.
struct OrcEntry {
  enum class Base {
    Undefined,
    PreviousSp,
    Sp,
    Bp,
    SpIndirect,
    BpIndirect,
    R10,
    R13,
    Rdi,
    Rdx,
    Rax
  };
  enum class Type { Undefined, EndOfStack, Call, Regs, RegsPartial };

  Type type = Type::Undefined;
  Base sp_base = Base::Undefined;
  std::int16_t sp_offset = 0;
  Base bp_base = Base::Undefined;
  std::int16_t bp_offset = 0;
};

// How the numbers of an entry are laid out in its bits.
struct OrcFormat;

// The kernel's and its modules' ORC tables in guest memory (CONFIG_UNWINDER_ORC, since 4.14).
class OrcTables {
 public:
  // Nothing if the kernel has none, or if their format is none that is known. `kernel` must outlive
  // it.
  [[nodiscard]] static std::optional<OrcTables> find(const GuestKernel& kernel,
                                                     const std::vector<Module>& modules,
                                                     Diagnostics& diagnostics);

  // The entry for the code at `address`; nothing if no table has it.
  [[nodiscard]] std::optional<OrcEntry> find(GuestVirtual address) const;

 private:
  struct Table {
    GuestVirtual begin;  // the lowest and, excluded, the highest address that it may tell
    GuestVirtual end;
    OrcRange range;
  };

  OrcTables(const GuestKernel& kernel, const OrcFormat& format)
      : kernel_(&kernel), format_(&format) {}
  [[nodiscard]] std::optional<GuestVirtual> address_at(const OrcRange& range,
                                                       std::uint64_t index) const;
  [[nodiscard]] std::optional<OrcEntry> look_up(const OrcRange& range, GuestVirtual address) const;

  const GuestKernel* kernel_;
  const OrcFormat* format_;
  std::vector<Table> tables_;
  // Few places are asked for again and again.
  mutable std::unordered_map<std::uint64_t, std::optional<OrcEntry>> known_;
};

}  // namespace photon_dmesg
