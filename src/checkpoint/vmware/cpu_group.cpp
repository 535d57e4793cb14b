#include "checkpoint/vmware/cpu_group.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

#include "base/byte_reader.h"
#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::array<std::string_view, 16> register_names = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

// Slots of a gpregs block by register number. crash, the one public reader of it, has rbp before
// rsp, against the hardware's order; no second source confirms that, so what is on the guest's
// stack decides where it can (kernel/stack_registers.h).
constexpr std::array<std::size_t, 16> block_order = {0, 1, 2,  3,  5,  4,  6,  7,
                                                     8, 9, 10, 11, 12, 13, 14, 15};

// More than VMware offers (vSphere 8: 768), so that a damaged count can't exhaust memory.
constexpr std::uint64_t vcpu_limit = 4096;

class CpuGroupReader {
 public:
  CpuGroupReader(const TagFile& file, Machine machine) : file_(file), machine_(machine) {}

  void visit(const CheckpointTag& tag) {
    if (tag.name == vmware::tag::cpu_count && tag.indices.empty()) {
      count_ = file_.value_of(tag);
      return;
    }
    if (tag.indices.empty()) {
      return;
    }
    if (machine_ == Machine::Aarch64) {
      visit_arm64(tag);
    } else if (tag.encoding == CheckpointTag::Encoding::PlainBlock) {
      visit_block(tag);
    } else if (tag.encoding == CheckpointTag::Encoding::Inline) {
      visit_inline(tag);
    }
  }

  // Throws Error(UnusableInput) if there are more vCPUs than a machine has.
  void check_count() const {
    if (const std::uint64_t count = count_.value_or(seen_); count > vcpu_limit) {
      throw unusable(fmt::format("expected at most {} vCPUs, found {}", vcpu_limit, count));
    }
  }

  // Takes those that were read for all of them.
  void forget_count() {
    seen_ = vcpus_.empty() ? 0 : std::uint64_t{vcpus_.rbegin()->first} + 1;
    count_ = seen_;
  }

  std::vector<Vcpu> finish(Diagnostics& diagnostics) {
    const std::uint64_t count = count_.value_or(seen_);
    if (seen_ > count) {
      diagnostics.warn(fmt::format("{}: registers of vCPU {} left out: the checkpoint counts {}",
                                   file_.source().name(), seen_ - 1, count));
    }
    std::vector<Vcpu> vcpus(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (const auto found = vcpus_.find(i); found != vcpus_.end()) {
        vcpus[i] = found->second;
      }
      vcpus[i].index = i;
      vcpus[i].machine = machine_;
    }
    return vcpus;
  }

 private:
  // For tags that are registers: others may count something else.
  Vcpu& vcpu_of(const CheckpointTag& tag) {
    const std::uint64_t index = tag.indices.front();
    seen_ = std::max(seen_, index + 1);
    return index < vcpu_limit ? vcpus_[tag.indices.front()] : nowhere_;
  }

  void visit_arm64(const CheckpointTag& tag) {
    if (tag.encoding != CheckpointTag::Encoding::Inline || tag.value_size > sizeof(std::uint64_t)) {
      return;
    }
    std::string name(tag.name);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name.find(vmware::tag::translation_table) != std::string::npos) {
      // Which of the two it is, a number behind tells, which is not that of "EL1".
      if (const auto level = name.find(vmware::tag::exception_level); level != std::string::npos) {
        name.erase(level, vmware::tag::exception_level.size());
      }
      const bool by_index = tag.indices.size() > 1 && tag.indices[1] == 1;
      if (by_index || name.find('1') != std::string::npos) {
        vcpu_of(tag).arm64.ttbr1 = file_.value_of(tag);
      }
    } else if (name.find(vmware::tag::translation_control) != std::string::npos) {
      vcpu_of(tag).arm64.tcr = file_.value_of(tag);
    }
  }

  void visit_block(const CheckpointTag& tag) {
    ByteReader reader(file_.source(), tag.value_offset, tag.value_offset + tag.value_size);
    if (tag.name == vmware::tag::general_registers) {
      std::array<std::uint64_t, 16> slots{};
      for (std::uint64_t& slot : slots) slot = reader.u64("a register of gpregs");
      X86Registers& registers = vcpu_of(tag).x86;
      for (std::size_t i = 0; i < slots.size(); ++i) registers.general[i] = slots[block_order[i]];
      registers.stack_registers_in_doubt = true;
    } else if (tag.name == vmware::tag::control_registers) {
      auto& cr = vcpu_of(tag).x86.cr;
      for (std::size_t i = 0; i < cr.size() && reader.remaining() > 0; ++i) {
        cr[i] = reader.u64("a register of CR64");
      }
    } else if (tag.name == vmware::tag::interrupt_table) {
      reader.skip(sizeof(std::uint16_t), "the limit in IDTR");
      vcpu_of(tag).x86.idt_base = GuestVirtual{reader.u64("the base in IDTR")};
    }
  }

  void visit_inline(const CheckpointTag& tag) {
    if (tag.value_size > sizeof(std::uint64_t)) {
      return;  // no register is longer: nothing this program knows
    }
    const std::uint64_t value = file_.value_of(tag);
    if (tag.indices.size() == 1) {
      set_register(tag, value);
    } else if (tag.indices.size() == 2) {
      set_numbered_register(tag, tag.indices[1], value);
    }
  }

  void set_register(const CheckpointTag& tag, std::uint64_t value) {
    const auto* name = std::find(register_names.begin(), register_names.end(), tag.name);
    if (name != register_names.end()) {
      vcpu_of(tag).x86.general[static_cast<std::size_t>(name - register_names.begin())] = value;
    } else if (tag.name == vmware::tag::instruction_pointer) {
      vcpu_of(tag).x86.rip = GuestVirtual{value};
    } else if (tag.name == vmware::tag::flags[0] || tag.name == vmware::tag::flags[1]) {
      // Both tags may be there, each with a part of the flags (crash combines them so).
      vcpu_of(tag).x86.rflags = vcpu_of(tag).x86.rflags.value_or(0) | value;
    }
  }

  void set_numbered_register(const CheckpointTag& tag, std::uint32_t number, std::uint64_t value) {
    if (tag.name == vmware::tag::control_registers) {
      if (number < vcpu_of(tag).x86.cr.size()) vcpu_of(tag).x86.cr[number] = value;
    } else if (tag.name == vmware::tag::interrupt_table) {
      set_interrupt_table(vcpu_of(tag), number, value);
    } else if (tag.name == vmware::tag::segment_selectors) {
      if (number == vmware::segment_cs) vcpu_of(tag).x86.cs = static_cast<std::uint16_t>(value);
      if (number == vmware::segment_ss) vcpu_of(tag).x86.ss = static_cast<std::uint16_t>(value);
    } else if (tag.name == vmware::tag::segment_bases) {
      if (number == vmware::segment_fs) vcpu_of(tag).x86.fs_base = GuestVirtual{value};
      if (number == vmware::segment_gs) vcpu_of(tag).x86.gs_base = GuestVirtual{value};
    }
  }

  // IDTR[cpu][0] is the limit, [1] the low and [2] the high half of the base.
  static void set_interrupt_table(Vcpu& vcpu, std::uint32_t number, std::uint64_t value) {
    const std::uint64_t base = vcpu.x86.idt_base.value_or(GuestVirtual{}).value;
    constexpr std::uint64_t low_half = 0xffffffff;
    if (number == 1) vcpu.x86.idt_base = GuestVirtual{(base & ~low_half) | (value & low_half)};
    if (number == 2) vcpu.x86.idt_base = GuestVirtual{(base & low_half) | value << 32};
  }

  const TagFile& file_;
  Machine machine_;
  std::optional<std::uint64_t> count_;
  // Keyed by index: a register may come before the count, and its index may be nonsense.
  std::map<std::uint32_t, Vcpu> vcpus_;
  Vcpu nowhere_;            // takes the registers of those that no machine has
  std::uint64_t seen_ = 0;  // the highest index, and one
};

}  // namespace

std::vector<Vcpu> read_vcpus(const TagFile& file, Machine machine, Diagnostics& diagnostics,
                             Completeness completeness) {
  CpuGroupReader reader(file, machine);
  auto lack = file.for_each_tag(
      vmware::group::cpu, [&](const CheckpointTag& tag) { reader.visit(tag); }, completeness);
  try {
    reader.check_count();
  } catch (const Error& error) {
    if (completeness == Completeness::Required) throw;
    reader.forget_count();
    lack = error.what();
  }
  if (lack) {
    diagnostics.warn_of_lack(
        fmt::format("{}: registers of vCPUs are missing: {}", file.source().name(), *lack));
  }
  return reader.finish(diagnostics);
}

}  // namespace photon_dmesg
