#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/page_tables.h"

namespace photon_dmesg {

// What a guest's processors are, and where Linux lies on them. Objects are constant and live as
// long as the program: kernel/arch/machines knows them.
class Architecture {
 public:
  // Addresses from `begin` up to, and without, `end`.
  struct Range {
    GuestVirtual begin;
    GuestVirtual end;
  };

  // The parts of Linux's memory map that the kernel image's place follows from.
  struct MemoryMap {
    // Where the image may lie under KASLR. The variable phys_base counts from where it begins.
    Range image;
    GuestVirtual linked_text;           // where _text is linked
    std::uint64_t image_alignment = 0;  // bytes: the image is loaded and moved by multiples of it
    GuestVirtual kernel_half;           // where kernel addresses begin
    // The kernel's half, without what is mapped many times over and is of no use to anybody.
    std::array<Range, 2> worth_mapping;
  };

  Architecture(const Architecture&) = delete;
  Architecture& operator=(const Architecture&) = delete;
  virtual ~Architecture() = default;

  [[nodiscard]] const MemoryMap& map() const { return map_; }
  [[nodiscard]] bool is_image_address(GuestVirtual address) const {
    return address >= map_.image.begin && address < map_.image.end;
  }
  [[nodiscard]] bool is_kernel_pointer(std::uint64_t value) const {
    return value >= map_.kernel_half.value;
  }

  // PageTables::find() and for_each_page() of tables of this architecture.
  [[nodiscard]] virtual std::optional<PageTables::Page> find_page(const PageTables& tables,
                                                                  GuestVirtual address) const = 0;
  virtual void for_each_page(const PageTables& tables, Range range,
                             const std::function<void(const PageTables::Page&)>& visit) const = 0;

  // What `vcpu` has in the registers that every machine has; absent if the checkpoint lacks them.
  [[nodiscard]] virtual std::optional<GuestVirtual> instruction_pointer(const Vcpu& vcpu) const = 0;
  [[nodiscard]] virtual std::optional<GuestVirtual> stack_pointer(const Vcpu& vcpu) const = 0;
  // Whether it takes interrupts.
  [[nodiscard]] virtual std::optional<bool> takes_interrupts(const Vcpu& vcpu) const = 0;
  // Where the processor looks for what to do about an interrupt.
  [[nodiscard]] virtual std::optional<GuestVirtual> interrupt_table(const Vcpu& vcpu) const = 0;
  // The register that names the page tables, as messages show it: "CR3 0x1234000".
  [[nodiscard]] virtual std::string describe_tables(const Vcpu& vcpu) const = 0;

  // The page tables in `memory`, which must outlive them, that `vcpu` may be using, in the order in
  // which to try them: its registers need not tell all, such as whether the guest isolates the
  // kernel's page tables or encrypts its memory. Empty if it uses none, or if that is not known.
  [[nodiscard]] virtual std::vector<PageTables> vcpu_page_tables(const GuestMemory& memory,
                                                                 const Vcpu& vcpu) const = 0;

  // Decides for each vCPU whose format leaves it open (Vcpu::stack_registers_in_doubt) which of two
  // registers is the stack pointer, as far as `memory` tells, with a note where they are swapped.
  virtual void decide_stack_registers(const GuestMemory& memory, std::vector<Vcpu>& vcpus,
                                      Diagnostics& diagnostics) const = 0;

  // What tables at `root` may be if they are a kernel's own, which map no process, by every form
  // they may have. Empty if what stands at `root` speaks against it.
  [[nodiscard]] virtual std::vector<PageTables> possible_kernel_tables(
      const GuestMemory& memory, GuestPhysical root) const = 0;

  // The kernel's own tables, by its symbols: `find` gives the place in memory of a symbol, if there
  // is one of that name. Nothing without the symbols that it takes.
  using FindSymbol = std::function<std::optional<GuestPhysical>(const char* name)>;
  [[nodiscard]] virtual std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                                                const FindSymbol& find) const = 0;

  // The kernel's own tables, which begin at `root`, in the form that its VMCOREINFO tells:
  // `entries` are its lines, by what stands before their "=".
  using DumpEntries = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] virtual PageTables dumped_kernel_tables(const GuestMemory& memory,
                                                        GuestPhysical root,
                                                        const DumpEntries& entries) const = 0;

  // What the first gate of a processor's interrupt table leads to. What the kernel has called it,
  // the newest name first:
  [[nodiscard]] virtual std::span<const char* const> first_handler_names() const = 0;
  // Its address; `tables` map the interrupt table at `table`. Nothing if that can't be read.
  [[nodiscard]] virtual std::optional<GuestVirtual> first_handler(const PageTables& tables,
                                                                  GuestVirtual table) const = 0;

  // The variable in the image that a function returns; nothing if none can be told. `code` is the
  // function's, which runs at `begin`.
  [[nodiscard]] virtual std::optional<GuestVirtual> returned_variable(
      std::span<const std::byte> code, GuestVirtual begin) const = 0;
  // Calls `visit` for every address in the image that `code`, which runs at `begin`, may refer to:
  // more than there are, but none is missing.
  virtual void for_each_reference(std::span<const std::byte> code, GuestVirtual begin,
                                  const std::function<void(GuestVirtual)>& visit) const = 0;

 protected:
  explicit Architecture(const MemoryMap& map) : map_(map) {}

 private:
  MemoryMap map_;
};

}  // namespace photon_dmesg
