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
#include "base/budget.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/arch/page_tables.h"
#include "kernel/arch/release_number.h"

namespace photon_dmesg {

namespace register_notes {
struct Format;
}

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
    Range image;                        // where the image may lie, under KASLR or not
    std::uint64_t image_alignment = 0;  // bytes: the image is loaded and moved by multiples of it
    GuestVirtual kernel_half;           // where kernel addresses begin
    Range direct_map;                   // where the mapping of all RAM may lie
    // The kernel's half, without what is mapped many times over and is of no use to anybody.
    std::array<Range, 2> worth_mapping;
    // The variable by which the kernel knows where in physical memory its image lies; VMCOREINFO
    // has it as "NUMBER(...)".
    const char* place_variable;
    // Whether a processor has the pages of user programs mapped by the same tables.
    bool maps_user = true;
    // Whether the image holds further tables that map all of it, elsewhere.
    bool image_has_other_tables = false;
  };

  // How Linux saves the registers of such processors.
  struct SavedRegisters {
    const register_notes::Format* notes;  // in ELF notes: of a core, of a CPU that crashes
    // Whether a task that has given its CPU away has them in its task_struct, in a struct
    // cpu_context; else they are on its stack, and only where that ends is in the task_struct.
    bool in_task = false;
  };

  // A register that reports show.
  struct ShownRegister {
    const char* key;    // in JSON: "rip"
    const char* title;  // in text: "RIP"; null: what it says stands there otherwise
    std::optional<std::uint64_t> value;
    bool is_decimal = false;
  };

  Architecture(const Architecture&) = delete;
  Architecture& operator=(const Architecture&) = delete;
  virtual ~Architecture() = default;

  // As `uname -m` has it.
  [[nodiscard]] const char* name() const { return name_; }
  [[nodiscard]] const MemoryMap& map() const { return map_; }
  [[nodiscard]] const SavedRegisters& saved_registers() const { return saved_registers_; }
  [[nodiscard]] bool is_image_address(GuestVirtual address) const {
    return address >= map_.image.begin && address < map_.image.end;
  }
  [[nodiscard]] bool is_kernel_pointer(std::uint64_t value) const {
    return value >= map_.kernel_half.value;
  }

  // By how much addresses in the image are higher than where they lie in physical memory, modulo
  // 2^64, if `place` is what the variable map().place_variable holds; and the other way round.
  [[nodiscard]] virtual std::uint64_t image_shift(std::uint64_t place) const = 0;
  [[nodiscard]] virtual std::uint64_t image_place(std::uint64_t shift) const = 0;

  // Where a kernel of that release is linked to begin (_text), `tables` being its own.
  [[nodiscard]] virtual GuestVirtual linked_text(const PageTables& tables,
                                                 ReleaseNumber release) const = 0;

  // Bytes at the beginning of the image that such a kernel does not leave mapped.
  [[nodiscard]] virtual std::uint64_t unmapped_beginning(ReleaseNumber release) const = 0;

  // Where in what `tables` map the image lies, if it is there at all: perhaps among other things.
  // What it takes to find out is taken off `pages`.
  [[nodiscard]] virtual Range image_range(const PageTables& tables, Budget& pages) const = 0;

  // PageTables::find() and for_each_page() of tables of this architecture.
  [[nodiscard]] virtual std::optional<PageTables::Page> find_page(const PageTables& tables,
                                                                  GuestVirtual address) const = 0;
  virtual void for_each_page(const PageTables& tables, Range range,
                             const std::function<void(const PageTables::Page&)>& visit) const = 0;

  // What `vcpu` has in the registers that every machine has; absent if the checkpoint lacks them.
  [[nodiscard]] virtual std::optional<GuestVirtual> instruction_pointer(const Vcpu& vcpu) const = 0;
  [[nodiscard]] virtual std::optional<GuestVirtual> stack_pointer(const Vcpu& vcpu) const = 0;
  // Whether it was in user mode.
  [[nodiscard]] virtual std::optional<bool> was_in_user_mode(const Vcpu& vcpu) const = 0;
  // Where its CPU's own variables begin, if a register tells: it need not in user mode.
  [[nodiscard]] virtual std::optional<GuestVirtual> per_cpu_base(const Vcpu& vcpu) const = 0;
  // What a report shows of it, the instruction pointer first.
  [[nodiscard]] virtual std::vector<ShownRegister> shown_registers(const Vcpu& vcpu) const = 0;
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

  // By how much, modulo 2^64, RAM may lie higher than `memory` has it, if that was read without
  // knowing where RAM begins: by what has the form of page tables in `range`, which is near a
  // kernel's image, and leads to others there. The likeliest first; empty if nothing tells, or if
  // the RAM of all such machines begins at one place.
  [[nodiscard]] virtual std::vector<std::uint64_t> possible_ram_shifts(
      const GuestMemory& memory, const PhysicalRange& range) const = 0;

  // The kernel's own tables, by its symbols: `find` gives the place in memory of a symbol, if there
  // is one of that name. They map `text`, the beginning of the image. Nothing without the symbols
  // that it takes.
  using FindSymbol = std::function<std::optional<GuestPhysical>(const char* name)>;
  [[nodiscard]] virtual std::optional<PageTables> kernel_tables(const GuestMemory& memory,
                                                                const FindSymbol& find,
                                                                GuestVirtual text) const = 0;

  // The kernel's own tables, which begin at `root`, in the form that its VMCOREINFO tells:
  // `entries` are its lines, by what stands before their "=". Nothing if these are not of this
  // architecture.
  using DumpEntries = std::map<std::string, std::string, std::less<>>;
  [[nodiscard]] virtual std::optional<PageTables> dumped_kernel_tables(
      const GuestMemory& memory, GuestPhysical root, const DumpEntries& entries) const = 0;

  // The other way round, for a VMCOREINFO to be made: the lines that tell the form of `tables` and
  // where the image lies, `place` being what map().place_variable holds.
  [[nodiscard]] virtual DumpEntries dump_entries(const PageTables& tables,
                                                 std::uint64_t place) const = 0;

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
  // `name` and what `saved` points to must outlive this object.
  Architecture(const char* name, const MemoryMap& map, const SavedRegisters& saved)
      : name_(name), map_(map), saved_registers_(saved) {}

 private:
  const char* name_;
  MemoryMap map_;
  SavedRegisters saved_registers_;
};

}  // namespace photon_dmesg
