#include "checkpoint/guest/register_notes.h"

namespace photon_dmesg::register_notes {

void take(const Prstatus& status, Vcpu& vcpu) {
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    vcpu.general[i] = status.registers[general_slots[i]];
  }
  vcpu.rip = GuestVirtual{status.registers[Prstatus::Rip]};
  vcpu.rflags = status.registers[Prstatus::Rflags];
  vcpu.cs = static_cast<std::uint16_t>(status.registers[Prstatus::Cs]);
  vcpu.ss = static_cast<std::uint16_t>(status.registers[Prstatus::Ss]);
  vcpu.fs_base = GuestVirtual{status.registers[Prstatus::FsBase]};
  vcpu.gs_base = GuestVirtual{status.registers[Prstatus::GsBase]};
}

void take(const QemuCpuState& qemu, Vcpu& vcpu) {
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    vcpu.general[i] = qemu.general[qemu_slots[i]];
  }
  vcpu.rip = GuestVirtual{qemu.rip};
  vcpu.rflags = qemu.rflags;
  vcpu.cs = static_cast<std::uint16_t>(qemu.segments[QemuCpuState::Cs].selector);
  vcpu.ss = static_cast<std::uint16_t>(qemu.segments[QemuCpuState::Ss].selector);
  vcpu.fs_base = GuestVirtual{qemu.segments[QemuCpuState::Fs].base};
  vcpu.gs_base = GuestVirtual{qemu.segments[QemuCpuState::Gs].base};
  vcpu.idt_base = GuestVirtual{qemu.segments[QemuCpuState::Idt].base};
  for (std::size_t i = 0; i < qemu.cr.size(); ++i) vcpu.cr[i] = qemu.cr[i];
}

Prstatus make_prstatus(const Vcpu& vcpu) {
  Prstatus status;
  // Readers take threads apart by this number, and 0 is none.
  status.pid = static_cast<std::int32_t>(vcpu.index) + 1;
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    status.registers[general_slots[i]] = vcpu.general[i].value_or(0);
  }
  status.registers[Prstatus::OrigRax] = ~std::uint64_t{0};  // in no system call
  status.registers[Prstatus::Rip] = vcpu.rip.value_or(GuestVirtual{}).value;
  status.registers[Prstatus::Rflags] = vcpu.rflags.value_or(0);
  status.registers[Prstatus::Cs] = vcpu.cs.value_or(0);
  status.registers[Prstatus::Ss] = vcpu.ss.value_or(0);
  status.registers[Prstatus::FsBase] = vcpu.fs_base.value_or(GuestVirtual{}).value;
  status.registers[Prstatus::GsBase] = vcpu.gs_base.value_or(GuestVirtual{}).value;
  return status;
}

QemuCpuState make_qemu_state(const Vcpu& vcpu) {
  QemuCpuState qemu;
  for (std::size_t i = 0; i < vcpu.general.size(); ++i) {
    qemu.general[qemu_slots[i]] = vcpu.general[i].value_or(0);
  }
  qemu.rip = vcpu.rip.value_or(GuestVirtual{}).value;
  qemu.rflags = vcpu.rflags.value_or(0);
  qemu.segments[QemuCpuState::Cs].selector = vcpu.cs.value_or(0);
  qemu.segments[QemuCpuState::Ss].selector = vcpu.ss.value_or(0);
  qemu.segments[QemuCpuState::Fs].base = vcpu.fs_base.value_or(GuestVirtual{}).value;
  qemu.segments[QemuCpuState::Gs].base = vcpu.gs_base.value_or(GuestVirtual{}).value;
  qemu.segments[QemuCpuState::Idt].base = vcpu.idt_base.value_or(GuestVirtual{}).value;
  for (std::size_t i = 0; i < qemu.cr.size(); ++i) qemu.cr[i] = vcpu.cr[i].value_or(0);
  return qemu;
}

}  // namespace photon_dmesg::register_notes
