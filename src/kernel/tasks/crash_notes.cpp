#include "kernel/tasks/crash_notes.h"

#include <elf.h>

#include <array>
#include <cstring>
#include <span>
#include <vector>

#include "base/byte_source.h"
#include "base/elf_notes.h"
#include "base/error.h"
#include "checkpoint/guest/register_notes.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

// A note's header, its owner "CORE" and a PRSTATUS.
template <typename Prstatus>
constexpr std::size_t note_size = sizeof(Elf64_Nhdr) + 8 + sizeof(Prstatus);

// By the architecture's own Prstatus.
template <typename Prstatus>
std::optional<Vcpu> take_registers(const std::vector<std::byte>& bytes, std::uint32_t number) {
  const BufferSource source("crash_notes", bytes);
  ElfNotes notes(source, 0, bytes.size());
  const auto note = notes.next();
  Prstatus status;
  if (!note || note->owner != register_notes::core_owner || note->type != NT_PRSTATUS ||
      note->size < sizeof(status)) {
    return std::nullopt;
  }
  source.read_at(note->offset, std::as_writable_bytes(std::span(&status, 1)));
  Vcpu vcpu;
  vcpu.index = number;
  register_notes::take(status, vcpu);
  return vcpu;
}

template <typename Prstatus>
std::optional<Vcpu> read_registers(const GuestKernel& kernel, GuestVirtual notes, const Cpu& cpu) {
  std::vector<std::byte> bytes(note_size<Prstatus>);
  if (!kernel.memory().read(notes + cpu.per_cpu_offset, bytes)) return std::nullopt;
  try {
    return take_registers<Prstatus>(bytes, cpu.number);
  } catch (const Error&) {
    return std::nullopt;  // it has saved none
  }
}

}  // namespace

std::optional<Vcpu> read_crash_registers(const GuestKernel& kernel, const Cpu& cpu) {
  const auto variable = kernel.find_address("crash_notes");
  const auto notes = variable ? read_pointer(kernel.memory(), *variable) : std::nullopt;
  if (!notes) return std::nullopt;
  const bool is_arm64 = is_of(kernel.memory().tables().architecture(), Machine::Aarch64);
  return is_arm64 ? read_registers<register_notes::Arm64Prstatus>(kernel, *notes, cpu)
                  : read_registers<register_notes::Prstatus>(kernel, *notes, cpu);
}

}  // namespace photon_dmesg
