#include "kernel/tasks/crash_notes.h"

#include <elf.h>

#include <algorithm>
#include <vector>

#include "base/byte_source.h"
#include "base/elf_notes.h"
#include "base/error.h"
#include "checkpoint/guest/register_notes.h"
#include "kernel/arch/architecture.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

// A note's header and its owner, "CORE".
constexpr std::size_t head_bytes = sizeof(Elf64_Nhdr) + 8;

std::optional<Vcpu> take_registers(const std::vector<std::byte>& bytes,
                                   const register_notes::Format& format, std::uint32_t number) {
  const BufferSource source("crash_notes", bytes);
  ElfNotes notes(source, 0, bytes.size());
  const auto note = notes.next();
  if (!note || note->owner != register_notes::core_owner || note->type != NT_PRSTATUS) {
    return std::nullopt;
  }
  std::vector<std::byte> content(std::min<std::size_t>(note->size, format.prstatus_bytes));
  source.read_at(note->offset, content);
  Vcpu vcpu;
  vcpu.index = number;
  return format.take_prstatus(content, vcpu) ? std::optional(vcpu) : std::nullopt;
}

}  // namespace

std::optional<Vcpu> read_crash_registers(const GuestKernel& kernel, const Cpu& cpu) {
  const auto variable = kernel.find_address("crash_notes");
  const auto notes = variable ? read_pointer(kernel.memory(), *variable) : std::nullopt;
  if (!notes || !cpu.per_cpu_offset) return std::nullopt;
  const auto& format = *kernel.memory().tables().architecture().saved_registers().notes;
  std::vector<std::byte> bytes(head_bytes + format.prstatus_bytes);
  if (!kernel.memory().read(*notes + *cpu.per_cpu_offset, bytes)) return std::nullopt;
  try {
    return take_registers(bytes, format, cpu.number);
  } catch (const Error&) {
    return std::nullopt;  // it has saved none
  }
}

}  // namespace photon_dmesg
