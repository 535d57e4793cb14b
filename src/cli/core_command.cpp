#include "cli/core_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/output_file.h"
#include "cli/core_folder.h"
#include "cli/io/standard_streams.h"
#include "cli/output.h"
#include "cli/session_options.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/cross_check.h"
#include "kernel/find/made_vmcoreinfo.h"
#include "kernel/memory/kernel_mappings.h"
#include "report/core/core_file.h"
#include "report/core/gdb_files.h"
#include "session/guest_processors.h"
#include "session/session.h"
#include "session/vmlinux_copy.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

void write_text(const fs::path& path, const std::string& text) {
  write_file(path, Access::Commands, std::as_bytes(std::span(text)));
}

void check_registers(const Guest& guest, Diagnostics& diagnostics) {
  const std::vector<Vcpu>& vcpus = guest.state().vcpus;
  for (const Vcpu& vcpu : vcpus) {
    if (!guest.runs_kernel(vcpu)) {
      diagnostics.warn(fmt::format(
          "vCPU {}: its registers are not of the kernel that the core is of", vcpu.index));
    }
    if (vcpu.x86.stack_registers_in_doubt) {
      diagnostics.warn_of_lack(fmt::format(
          "vCPU {}: which of two registers is the stack pointer is not known: rsp and rbp may be "
          "exchanged in the core",
          vcpu.index));
      continue;
    }
    const Architecture& architecture = architecture_of(vcpu.machine);
    if (architecture.instruction_pointer(vcpu) && architecture.stack_pointer(vcpu)) continue;
    diagnostics.warn(fmt::format(
        "vCPU {}: the checkpoint lacks registers of it, which are 0 in the core", vcpu.index));
  }
  if (vcpus.empty()) diagnostics.warn("there are no vCPUs: the core has no registers");
}

// What a debugger is told of the vCPUs' tasks.
struct Threads {
  std::vector<std::optional<std::int32_t>> pids;  // one for each vCPU
  std::optional<std::size_t> panicked;            // which of them, counted from 1
};

// The CPU that panicked, as the kernel says since 4.6.
std::optional<std::uint32_t> panic_cpu(const GuestKernel& kernel) {
  constexpr std::uint32_t none = 0xffffffff;  // PANIC_CPU_INVALID
  const auto at = kernel.find_address("panic_cpu");
  const auto cpu = at ? kernel.memory().read_unsigned(*at, sizeof(none)) : std::nullopt;
  if (!cpu || *cpu == none) return std::nullopt;
  return static_cast<std::uint32_t>(*cpu);
}

// A guest whose tasks can't be found makes a core all the same.
Threads find_threads(const Guest& guest, Diagnostics& diagnostics) {
  Threads threads;
  try {
    const GuestProcessors processors(guest, diagnostics);
    const auto panicked = panic_cpu(guest.kernel());
    for (const Processor& processor : processors.all()) {
      const bool has_task = processor.runs_kernel && processor.task;
      threads.pids.push_back(has_task ? std::optional(processor.task->pid) : std::nullopt);
      if (processor.runs_kernel && processor.cpu != nullptr && processor.cpu->number == panicked) {
        threads.panicked = threads.pids.size();
      }
    }
    processors.warn_of_doubts(diagnostics);
  } catch (const Error& error) {
    diagnostics.found({.what = "no tasks", .where = "the guest", .how = error.what()});
  }
  return threads;
}

std::optional<std::string> vmcoreinfo_of(const GuestKernel& kernel, Diagnostics& diagnostics) {
  if (const auto info = find_vmcoreinfo(kernel, diagnostics)) return info->text();
  auto made = make_vmcoreinfo(kernel);
  diagnostics.found({.what = "no VMCOREINFO",
                     .where = "the guest",
                     .how = made ? "the core's is made of what was found out about the kernel"
                                 : "crash finds the KASLR offset by the QEMU notes"});
  return made;
}

void write_guest(const Guest& guest, const Threads& threads, const fs::path& path,
                 Diagnostics& diagnostics) {
  const GuestState& state = guest.state();
  const KernelMappings mappings =
      find_kernel_mappings(guest.kernel().memory().tables(), *state.memory, diagnostics);
  if (!mappings.direct_map) {
    diagnostics.warn(
        "the kernel's direct map of RAM was not found: gdb can't read data through it");
  }
  check_registers(guest, diagnostics);
  OutputFile file(path, Access::Private);  // as secret as the guest
  write_core(file,
             {*state.memory, elf_machine_of(guest.kernel().memory().tables().architecture()),
              state.vcpus, mappings, vmcoreinfo_of(guest.kernel(), diagnostics), threads.pids},
             diagnostics);
}

// Returns whether the folder has a vmlinux then.
bool write_vmlinux(const Guest& guest, const fs::path& folder, Diagnostics& diagnostics) {
  const SymbolSource& symbols = guest.symbols();
  if (!symbols.provenance.vmlinux) {
    diagnostics.warn(
        "no vmlinux was given: the core is without one, and gdb and crash need the guest's own: "
        "name an ISO or package with debuginfo");
    return false;
  }
  if (!has_vmlinux(folder, symbols)) {
    OutputFile file(folder / vmlinux_name, Access::Public);
    copy_vmlinux(symbols, guest.pool().package_use(), file, diagnostics);
  }
  return true;
}

void write_gdb_files(const Guest& guest, const Threads& threads, const fs::path& folder,
                     bool with_vmlinux) {
  write_text(folder / macros_name, std::string(gdb_macros()));
  write_text(
      folder / gdbinit_name,
      make_gdbinit({guest.kernel().banner().release, guest.kernel().kaslr_offset(), core_name,
                    with_vmlinux ? std::optional<std::string>(vmlinux_name) : std::nullopt,
                    threads.panicked}));
}

}  // namespace

void write_core_folder(const Options& options, TerminalDiagnostics& diagnostics) {
  const Guest guest = session::open(options.files, session_options(options), diagnostics);
  const fs::path& folder = *options.output;
  // Before anything is written.
  check_standard_output(options);
  if (guest.symbols().provenance.vmlinux) (void)has_vmlinux(folder, guest.symbols());
  make_folder(folder);
  const Threads threads = find_threads(guest, diagnostics);
  write_guest(guest, threads, folder / core_name, diagnostics);
  guest.warn_of_unreadable(diagnostics);
  const bool with_vmlinux = write_vmlinux(guest, folder, diagnostics);
  write_gdb_files(guest, threads, folder, with_vmlinux);
  diagnostics.clear_progress();
  print(describe_core_folder(folder.string(), core_name, with_vmlinux));
}

}  // namespace photon_dmesg
