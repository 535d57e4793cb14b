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
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

// A note's header, its owner "CORE" and a PRSTATUS.
constexpr std::size_t note_size = sizeof(Elf64_Nhdr) + 8 + sizeof(register_notes::Prstatus);

std::optional<Vcpu> take_registers(const std::vector<std::byte>& bytes, std::uint32_t number) {
  const BufferSource source("crash_notes", bytes);
  ElfNotes notes(source, 0, bytes.size());
  const auto note = notes.next();
  register_notes::Prstatus status;
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

}  // namespace

std::optional<Vcpu> read_crash_registers(const GuestKernel& kernel, const Cpu& cpu) {
  const auto variable = kernel.find_address("crash_notes");
  const auto notes = variable ? read_pointer(kernel.memory(), *variable) : std::nullopt;
  std::vector<std::byte> bytes(note_size);
  if (!notes || !kernel.memory().read(*notes + cpu.per_cpu_offset, bytes)) return std::nullopt;
  try {
    return take_registers(bytes, cpu.number);
  } catch (const Error&) {
    return std::nullopt;  // it has saved none
  }
}

}  // namespace photon_dmesg
