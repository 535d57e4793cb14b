#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/output_file.h"
#include "checkpoint/guest/guest_memory.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/memory/kernel_mappings.h"

namespace photon_dmesg {

// What a core shows of a guest.
struct CoreContent {
  const GuestMemory& memory;
  std::uint16_t machine = 0;  // the guest's, as ELF numbers them (EM_*)
  const std::vector<Vcpu>& vcpus;
  const KernelMappings& mappings;
  std::optional<std::string> vmcoreinfo;
  // The pid of the task that each of the vCPUs runs, where that is known and not 0, which is the
  // pid of every idle task: readers take threads apart by this number. Empty: of none is it known.
  std::vector<std::optional<std::int32_t>> pids{};
};

// The number of a vCPU in a core, if no pid is known of it: no task has it.
[[nodiscard]] std::int32_t thread_without_pid(const Vcpu& vcpu);

// Writes an ELF core that gdb and crash both read: a PRSTATUS and on x86-64 a QEMU note (control
// registers) for each vCPU, VMCOREINFO, a segment for each range of RAM at its place in the
// kernel's direct map, and segments over the same bytes for the rest of the kernel's address space,
// so that gdb reads it by virtual address. Throws Error(Incomplete) when it can't be written.
void write_core(OutputFile& file, const CoreContent& content, Diagnostics& diagnostics);

// Whether `beginning`, 4 MiB of a file or all of a smaller one, is that of a core which
// write_core() wrote: those have a note that says so.
[[nodiscard]] bool is_written_core(const ByteSource& beginning);

}  // namespace photon_dmesg
