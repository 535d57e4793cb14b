#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// Whether `source` is an ELF core: what vmss2core -N, QEMU's dump-guest-memory, virsh dump
// --memory-only, kdump (/proc/vmcore) and photon-dmesg core write.
[[nodiscard]] bool is_elf_core(const ByteSource& source);

// A guest from an ELF core of its physical memory, with the vCPUs of its PRSTATUS and QEMU notes.
// Notes that can't be read are a warning. Throws Error(UnusableInput) when the core is damaged, not
// of an x86-64 machine, cut short where completeness is required, or of virtual addresses only
// (vmss2core without -N, or a process's).
[[nodiscard]] GuestState open_elf_core(std::shared_ptr<const ByteSource> file,
                                       Completeness completeness, Diagnostics& diagnostics);

// Reads the notes of a machine's core, which kdump files carry too: `size` bytes at `begin` of
// `file` into the vCPUs and VMCOREINFO of `state`; of more notes than any machine has, the rest is
// left out with a warning. Throws Error(UnusableInput) when they are cut short.
void read_core_notes(const ByteSource& file, std::uint64_t begin, std::uint64_t size,
                     GuestState& state, Diagnostics& diagnostics);

}  // namespace photon_dmesg
