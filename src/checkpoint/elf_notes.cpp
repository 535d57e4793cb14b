#include "checkpoint/elf_notes.h"

namespace photon_dmesg::elf_notes {

void take(const Prstatus& status, Vcpu& vcpu) {
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    vcpu.general[i] = status.registers[general_slots[i]];
  }
  vcpu.rip = GuestVirtual{status.registers[Prstatus::rip]};
  vcpu.rflags = status.registers[Prstatus::rflags];
  vcpu.cs = static_cast<std::uint16_t>(status.registers[Prstatus::cs]);
  vcpu.ss = static_cast<std::uint16_t>(status.registers[Prstatus::ss]);
  vcpu.fs_base = GuestVirtual{status.registers[Prstatus::fs_base]};
  vcpu.gs_base = GuestVirtual{status.registers[Prstatus::gs_base]};
}

void take(const QemuCpuState& qemu, Vcpu& vcpu) {
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    vcpu.general[i] = qemu.general[qemu_slots[i]];
  }
  vcpu.rip = GuestVirtual{qemu.rip};
  vcpu.rflags = qemu.rflags;
  vcpu.cs = static_cast<std::uint16_t>(qemu.segments[QemuCpuState::cs].selector);
  vcpu.ss = static_cast<std::uint16_t>(qemu.segments[QemuCpuState::ss].selector);
  vcpu.fs_base = GuestVirtual{qemu.segments[QemuCpuState::fs].base};
  vcpu.gs_base = GuestVirtual{qemu.segments[QemuCpuState::gs].base};
  vcpu.idt_base = GuestVirtual{qemu.segments[QemuCpuState::idt].base};
  for (std::size_t i = 0; i < qemu.cr.size(); ++i) vcpu.cr[i] = qemu.cr[i];
}

Prstatus make_prstatus(const Vcpu& vcpu) {
  Prstatus status;
  // Readers take threads apart by this number, and 0 is none.
  status.pid = static_cast<std::int32_t>(vcpu.index) + 1;
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    status.registers[general_slots[i]] = vcpu.general[i].value_or(0);
  }
  status.registers[Prstatus::orig_rax] = ~std::uint64_t{0};  // in no system call
  status.registers[Prstatus::rip] = vcpu.rip.value_or(GuestVirtual{}).value;
  status.registers[Prstatus::rflags] = vcpu.rflags.value_or(0);
  status.registers[Prstatus::cs] = vcpu.cs.value_or(0);
  status.registers[Prstatus::ss] = vcpu.ss.value_or(0);
  status.registers[Prstatus::fs_base] = vcpu.fs_base.value_or(GuestVirtual{}).value;
  status.registers[Prstatus::gs_base] = vcpu.gs_base.value_or(GuestVirtual{}).value;
  return status;
}

QemuCpuState make_qemu_state(const Vcpu& vcpu) {
  QemuCpuState qemu;
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    qemu.general[qemu_slots[i]] = vcpu.general[i].value_or(0);
  }
  qemu.rip = vcpu.rip.value_or(GuestVirtual{}).value;
  qemu.rflags = vcpu.rflags.value_or(0);
  qemu.segments[QemuCpuState::cs].selector = vcpu.cs.value_or(0);
  qemu.segments[QemuCpuState::ss].selector = vcpu.ss.value_or(0);
  qemu.segments[QemuCpuState::fs].base = vcpu.fs_base.value_or(GuestVirtual{}).value;
  qemu.segments[QemuCpuState::gs].base = vcpu.gs_base.value_or(GuestVirtual{}).value;
  qemu.segments[QemuCpuState::idt].base = vcpu.idt_base.value_or(GuestVirtual{}).value;
  for (std::size_t i = 0; i < qemu.cr.size(); ++i) qemu.cr[i] = vcpu.cr[i].value_or(0);
  return qemu;
}

}  // namespace photon_dmesg::elf_notes
