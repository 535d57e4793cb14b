#include "checkpoint/guest/register_notes.h"

#include <algorithm>

namespace photon_dmesg::register_notes {
namespace {

template <typename Struct>
std::string text_of(const Struct& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

template <typename Status>
bool take_content(std::span<const std::byte> content, Vcpu& vcpu) {
  Status status;
  if (content.size() < sizeof(status)) return false;
  std::copy_n(content.begin(), sizeof(status),
              std::as_writable_bytes(std::span(&status, 1)).begin());
  take(status, vcpu);
  return true;
}

}  // namespace

const Format x86_64_format = {
    sizeof(Prstatus),
    [](const Vcpu& vcpu, std::int32_t thread) { return text_of(make_prstatus(vcpu, thread)); },
    take_content<Prstatus>, [](const Vcpu& vcpu) { return text_of(make_qemu_state(vcpu)); }};

const Format arm64_format = {sizeof(Arm64Prstatus),
                             [](const Vcpu& vcpu, std::int32_t thread) {
                               return text_of(make_arm64_prstatus(vcpu, thread));
                             },
                             take_content<Arm64Prstatus>, nullptr};

void take(const Prstatus& status, Vcpu& vcpu) {
  for (std::size_t i = 0; i < vcpu.x86.general.size(); ++i) {
    vcpu.x86.general[i] = status.registers[general_slots[i]];
  }
  vcpu.x86.rip = GuestVirtual{status.registers[Prstatus::Rip]};
  vcpu.x86.rflags = status.registers[Prstatus::Rflags];
  vcpu.x86.cs = static_cast<std::uint16_t>(status.registers[Prstatus::Cs]);
  vcpu.x86.ss = static_cast<std::uint16_t>(status.registers[Prstatus::Ss]);
  vcpu.x86.fs_base = GuestVirtual{status.registers[Prstatus::FsBase]};
  vcpu.x86.gs_base = GuestVirtual{status.registers[Prstatus::GsBase]};
}

void take(const Arm64Prstatus& status, Vcpu& vcpu) {
  vcpu.machine = Machine::Aarch64;
  for (std::size_t i = 0; i < vcpu.arm64.general.size(); ++i) {
    vcpu.arm64.general[i] = status.general[i];
  }
  vcpu.arm64.sp = GuestVirtual{status.sp};
  vcpu.arm64.pc = GuestVirtual{status.pc};
  vcpu.arm64.pstate = status.pstate;
}

void take(const QemuCpuState& qemu, Vcpu& vcpu) {
  for (std::size_t i = 0; i < vcpu.x86.general.size(); ++i) {
    vcpu.x86.general[i] = qemu.general[qemu_slots[i]];
  }
  vcpu.x86.rip = GuestVirtual{qemu.rip};
  vcpu.x86.rflags = qemu.rflags;
  vcpu.x86.cs = static_cast<std::uint16_t>(qemu.segments[QemuCpuState::Cs].selector);
  vcpu.x86.ss = static_cast<std::uint16_t>(qemu.segments[QemuCpuState::Ss].selector);
  vcpu.x86.fs_base = GuestVirtual{qemu.segments[QemuCpuState::Fs].base};
  vcpu.x86.gs_base = GuestVirtual{qemu.segments[QemuCpuState::Gs].base};
  vcpu.x86.idt_base = GuestVirtual{qemu.segments[QemuCpuState::Idt].base};
  for (std::size_t i = 0; i < qemu.cr.size(); ++i) vcpu.x86.cr[i] = qemu.cr[i];
}

Prstatus make_prstatus(const Vcpu& vcpu, std::int32_t thread) {
  Prstatus status;
  status.pid = thread;
  for (std::size_t i = 0; i < vcpu.x86.general.size(); ++i) {
    status.registers[general_slots[i]] = vcpu.x86.general[i].value_or(0);
  }
  status.registers[Prstatus::OrigRax] = ~std::uint64_t{0};  // in no system call
  status.registers[Prstatus::Rip] = vcpu.x86.rip.value_or(GuestVirtual{}).value;
  status.registers[Prstatus::Rflags] = vcpu.x86.rflags.value_or(0);
  status.registers[Prstatus::Cs] = vcpu.x86.cs.value_or(0);
  status.registers[Prstatus::Ss] = vcpu.x86.ss.value_or(0);
  status.registers[Prstatus::FsBase] = vcpu.x86.fs_base.value_or(GuestVirtual{}).value;
  status.registers[Prstatus::GsBase] = vcpu.x86.gs_base.value_or(GuestVirtual{}).value;
  return status;
}

Arm64Prstatus make_arm64_prstatus(const Vcpu& vcpu, std::int32_t thread) {
  Arm64Prstatus status;
  status.pid = thread;
  for (std::size_t i = 0; i < vcpu.arm64.general.size(); ++i) {
    status.general[i] = vcpu.arm64.general[i].value_or(0);
  }
  status.sp = vcpu.arm64.sp.value_or(GuestVirtual{}).value;
  status.pc = vcpu.arm64.pc.value_or(GuestVirtual{}).value;
  status.pstate = vcpu.arm64.pstate.value_or(0);
  return status;
}

QemuCpuState make_qemu_state(const Vcpu& vcpu) {
  QemuCpuState qemu;
  for (std::size_t i = 0; i < vcpu.x86.general.size(); ++i) {
    qemu.general[qemu_slots[i]] = vcpu.x86.general[i].value_or(0);
  }
  qemu.rip = vcpu.x86.rip.value_or(GuestVirtual{}).value;
  qemu.rflags = vcpu.x86.rflags.value_or(0);
  qemu.segments[QemuCpuState::Cs].selector = vcpu.x86.cs.value_or(0);
  qemu.segments[QemuCpuState::Ss].selector = vcpu.x86.ss.value_or(0);
  qemu.segments[QemuCpuState::Fs].base = vcpu.x86.fs_base.value_or(GuestVirtual{}).value;
  qemu.segments[QemuCpuState::Gs].base = vcpu.x86.gs_base.value_or(GuestVirtual{}).value;
  qemu.segments[QemuCpuState::Idt].base = vcpu.x86.idt_base.value_or(GuestVirtual{}).value;
  for (std::size_t i = 0; i < qemu.cr.size(); ++i) qemu.cr[i] = vcpu.x86.cr[i].value_or(0);
  return qemu;
}

}  // namespace photon_dmesg::register_notes
