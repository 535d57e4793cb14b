#include "kernel/arch/x86_64/stack_registers.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "base/little_endian.h"
#include "checkpoint/guest/privilege.h"
#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/arch/x86_64/vcpu_tables.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t rsp = 4;  // x86's register numbers
constexpr std::size_t rbp = 5;

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t page = 4096;

// A task's stack begins at a multiple of its size (THREAD_SIZE, since 3.15), and its lowest word is
// STACK_END_MAGIC (since 4.9, where that is not taken by struct thread_info).
constexpr std::uint64_t stack_size = 16384;
constexpr std::uint64_t stack_end_magic = 0x57ac6e9d;

enum class Order { AsRead, Swapped };

// Memory that knows whether it lacked any of what was read.
class WatchedMemory final : public GuestMemory {
 public:
  explicit WatchedMemory(const GuestMemory& memory) : memory_(memory) {}

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const bool is_there = memory_.read(address, target);
    lacks_some_ = lacks_some_ || !is_there;
    return is_there;
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override {
    return memory_.ranges();
  }
  [[nodiscard]] const std::string& name() const override { return memory_.name(); }
  [[nodiscard]] bool lacks_some() const { return lacks_some_; }

 private:
  const GuestMemory& memory_;
  mutable bool lacks_some_ = false;
};

bool is_in_user_mode(const Vcpu& vcpu) {
  if (vcpu.x86.cs) return is_user_code(*vcpu.x86.cs);
  return !x86_64::is_kernel_pointer(vcpu.x86.rip->value);
}

// What one vCPU shows of the order, where it is known whether it was in user mode. Each of the
// rules says whether `sp` must be its rsp, as the other register is `other`.
class Witness {
 public:
  Witness(const GuestMemory& memory, const Vcpu& vcpu)
      : memory_(memory),
        tables_(vcpu_page_tables(memory_, vcpu)),
        vcpu_(vcpu),
        is_user_(is_in_user_mode(vcpu)) {}

  [[nodiscard]] const Vcpu& vcpu() const { return vcpu_; }

  [[nodiscard]] bool shows_by_value(std::uint64_t sp, std::uint64_t other) const {
    return may_be_stack(sp) && !may_be_stack(other) && is_mapped(sp);
  }

  // What is in use of a stack, and pointed to, begins at the lower of two places in it.
  [[nodiscard]] bool shows_by_place(std::uint64_t sp, std::uint64_t other) const {
    if (!are_kernel_pointers() || sp >= other || stack_of(sp) != stack_of(other)) return false;
    for (std::uint64_t at = sp; at < other; at += page) {
      if (!is_mapped(at)) return false;
    }
    return is_mapped(other);
  }

  // If the other one is in a stack for interrupts, then that is in use, and the task was
  // interrupted.
  [[nodiscard]] bool shows_by_task(std::uint64_t sp, std::uint64_t other) const {
    return are_kernel_pointers() && is_in_task_stack(sp) && !is_in_task_stack(other) &&
           !may_be_in_other_stack(other);
  }

  // A process may use what is not mapped yet, the kernel does not.
  [[nodiscard]] bool shows_by_mapping(std::uint64_t sp, std::uint64_t other) const {
    return are_kernel_pointers() && is_mapped(sp) && !is_mapped(other) && !memory_.lacks_some();
  }

 private:
  [[nodiscard]] bool may_be_stack(std::uint64_t value) const {
    constexpr std::uint64_t user_end = std::uint64_t{1} << 56;  // with 5 levels of page tables
    constexpr std::uint64_t user_alignment = 4;                 // as programs of 32 bits have it
    return is_user_ ? value % user_alignment == 0 && value >= page && value < user_end
                    : value % word == 0 && x86_64::is_kernel_pointer(value);
  }

  [[nodiscard]] bool are_kernel_pointers() const {
    return !is_user_ && may_be_stack(*vcpu_.x86.general[rsp]) &&
           may_be_stack(*vcpu_.x86.general[rbp]);
  }

  // An empty stack's pointer stands one byte behind it.
  static std::uint64_t stack_of(std::uint64_t pointer) { return (pointer - 1) / stack_size; }

  [[nodiscard]] bool is_mapped(std::uint64_t pointer) const {
    return std::any_of(tables_.begin(), tables_.end(), [&](const PageTables& tables) {
      return tables.find({pointer}) || tables.find({pointer - word});
    });
  }

  [[nodiscard]] std::optional<std::uint64_t> read(std::uint64_t address) const {
    for (const PageTables& tables : tables_) {
      const auto found = tables.find({address});
      std::array<std::byte, word> bytes{};
      if (found &&
          memory_.read(found->physical_address + (address - found->virtual_address.value), bytes)) {
        return load_u64(bytes);
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] bool is_in_task_stack(std::uint64_t pointer) const {
    return read(stack_of(pointer) * stack_size) == stack_end_magic;
  }

  // Stacks for exceptions lie in the CPU entry area. At the top of one for interrupts, which ends a
  // page, stands where on a task's the interrupt was met (arch/x86/include/asm/irq_stack.h; before
  // 5.8 arch/x86/entry/entry_64.S, where 64 bytes are left free).
  [[nodiscard]] bool may_be_in_other_stack(std::uint64_t pointer) const {
    if (x86_64::is_in_cpu_entry_area({pointer})) return true;
    std::uint64_t end = (pointer - 1) / page * page;
    for (std::uint64_t size = 0; size < stack_size; size += page) {
      end += page;
      for (const std::uint64_t top : {word, 64 + word}) {
        const auto link = read(end - top);
        if (link && *link % word == 0 && is_in_task_stack(*link)) return true;
      }
    }
    return false;
  }

  WatchedMemory memory_;
  std::vector<PageTables> tables_;
  const Vcpu& vcpu_;
  bool is_user_;
};

struct Rule {
  bool (Witness::*shows)(std::uint64_t sp, std::uint64_t other) const;
  const char* sp_is;
  const char* other_is;
};

// The most certain first.
constexpr std::array rules = {
    Rule{&Witness::shows_by_value, "is mapped", "can be no stack pointer"},
    Rule{&Witness::shows_by_place, "is the lower place of the two", "lies in the same stack"},
    Rule{&Witness::shows_by_task, "lies in a task's stack", "lies in no stack"},
    Rule{&Witness::shows_by_mapping, "is mapped", "is not"}};

std::optional<Order> order_by(const Rule& rule, const Witness& witness) {
  const std::uint64_t first = *witness.vcpu().x86.general[rsp];
  const std::uint64_t second = *witness.vcpu().x86.general[rbp];
  if ((witness.*rule.shows)(first, second)) return Order::AsRead;
  if ((witness.*rule.shows)(second, first)) return Order::Swapped;
  return std::nullopt;
}

void note_swap(const Rule& rule, const Vcpu& vcpu, Diagnostics& diagnostics) {
  diagnostics.found({.what = "rsp stands before rbp in gpregs",
                     .where = fmt::format("vCPU {}", vcpu.index),
                     .how = fmt::format("{:#x} {}, {:#x} {}", *vcpu.x86.general[rbp], rule.sp_is,
                                        *vcpu.x86.general[rsp], rule.other_is)});
}

// By the first rule that any vCPU shows it by; nothing if there is none, or if vCPUs contradict
// each other.
std::optional<Order> find_order(const std::deque<Witness>& witnesses, Diagnostics& diagnostics) {
  for (const Rule& rule : rules) {
    std::optional<Order> order;
    const Vcpu* shown_by = nullptr;
    for (const Witness& witness : witnesses) {
      const auto own = order_by(rule, witness);
      if (own && order && *own != *order) return std::nullopt;
      if (own && !order) shown_by = &witness.vcpu();
      if (own) order = own;
    }
    if (order == Order::Swapped) note_swap(rule, *shown_by, diagnostics);
    if (order) return order;
  }
  return std::nullopt;
}

}  // namespace

void decide_stack_registers(const GuestMemory& memory, std::vector<Vcpu>& vcpus,
                            Diagnostics& diagnostics) {
  std::vector<X86Registers*> open;
  std::deque<Witness> witnesses;
  for (Vcpu& vcpu : vcpus) {
    X86Registers& registers = vcpu.x86;
    if (!registers.stack_registers_in_doubt) continue;
    registers.stack_registers_in_doubt = registers.general[rsp] != registers.general[rbp];
    if (!registers.general[rsp] || !registers.general[rbp]) continue;
    open.push_back(&registers);
    if (registers.cs || registers.rip) witnesses.emplace_back(memory, vcpu);
  }
  const auto order = find_order(witnesses, diagnostics);
  if (!order) return;
  for (X86Registers* registers : open) {
    if (order == Order::Swapped) std::swap(registers->general[rsp], registers->general[rbp]);
    registers->stack_registers_in_doubt = false;
  }
}

}  // namespace photon_dmesg
