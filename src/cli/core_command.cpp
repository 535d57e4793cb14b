#include "cli/core_command.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "base/error.h"
#include "base/output_file.h"
#include "cli/core_folder.h"
#include "cli/io/standard_streams.h"
#include "cli/session_options.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/cross_check.h"
#include "kernel/memory/kernel_mappings.h"
#include "report/core/core_file.h"
#include "report/core/gdb_files.h"
#include "session/session.h"
#include "session/vmlinux_copy.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(Failure::Incomplete,
                fmt::format("{}: can't be made: {}", folder.string(), error.message()));
  }
}

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
    const Architecture& architecture = architecture_of(vcpu.machine);
    if (architecture.instruction_pointer(vcpu) && architecture.stack_pointer(vcpu)) continue;
    diagnostics.warn(fmt::format(
        "vCPU {}: the checkpoint lacks registers of it, which are 0 in the core", vcpu.index));
  }
  if (vcpus.empty()) diagnostics.warn("there are no vCPUs: the core has no registers");
}

void write_guest(const Guest& guest, const fs::path& path, Diagnostics& diagnostics) {
  const GuestState& state = guest.state();
  const KernelMappings mappings =
      find_kernel_mappings(guest.kernel().memory().tables(), *state.memory, diagnostics);
  if (!mappings.direct_map) {
    diagnostics.warn(
        "the kernel's direct map of RAM was not found: gdb can't read data through it");
  }
  const std::optional<Vmcoreinfo> info = find_vmcoreinfo(guest.kernel(), diagnostics);
  if (!info) {
    diagnostics.found({.what = "no VMCOREINFO",
                       .where = "the guest",
                       .how = "crash finds the KASLR offset by the QEMU notes"});
  }
  check_registers(guest, diagnostics);
  OutputFile file(path, Access::Private);  // as secret as the guest
  write_core(
      file,
      {*state.memory, state.vcpus, mappings, info ? std::optional(info->text()) : std::nullopt},
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

void write_gdb_files(const Guest& guest, const fs::path& folder, bool with_vmlinux) {
  write_text(folder / macros_name, std::string(gdb_macros()));
  write_text(
      folder / gdbinit_name,
      make_gdbinit({guest.kernel().banner().release, guest.kernel().kaslr_offset(), core_name,
                    with_vmlinux ? std::optional<std::string>(vmlinux_name) : std::nullopt}));
}

}  // namespace

void write_core_folder(const Options& options, TerminalDiagnostics& diagnostics) {
  const Guest guest = session::open(options.files, session_options(options), diagnostics);
  const fs::path& folder = *options.output;
  // Before anything is written.
  if (guest.symbols().provenance.vmlinux) (void)has_vmlinux(folder, guest.symbols());
  make_folder(folder);
  write_guest(guest, folder / core_name, diagnostics);
  guest.warn_of_unreadable(diagnostics);
  const bool with_vmlinux = write_vmlinux(guest, folder, diagnostics);
  write_gdb_files(guest, folder, with_vmlinux);
  diagnostics.clear_progress();
  print(describe_core_folder(folder.string(), core_name, with_vmlinux));
}

}  // namespace photon_dmesg
