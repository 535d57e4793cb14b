#include "session/guest.h"

#include <fmt/format.h>

#include "base/error.h"
#include "kernel/arch/x86_64/memory_map.h"
#include "kernel/arch/x86_64/stack_registers.h"
#include "kernel/find/crash_kernel.h"
#include "kernel/find/kernel_scan.h"

namespace photon_dmesg {
namespace {

GuestFiles require_guest(Inputs& inputs) {
  if (inputs.guest.empty()) {
    throw Error(Failure::Usage,
                "expected a checkpoint (.vmss or .vmsn) among the files, found none");
  }
  return std::move(inputs.guest);
}

}  // namespace

Guest::Guest(Inputs inputs, const PackageUse& use, Diagnostics& diagnostics)
    : inputs_(std::move(inputs)), state_(open_guest(require_guest(inputs_), diagnostics)) {
  decide_stack_registers(*state_.memory, state_.vcpus, diagnostics);
  open_kernel(find_kernel(diagnostics), use, diagnostics);
  if (const auto header = find_elf_core_header(*kernel_, diagnostics)) {
    open_crashed_kernel(*header, use, diagnostics);
  }
}

bool Guest::runs_kernel(const Vcpu& vcpu) const {
  if (!vcpu.rip || !vcpu.cr[3] || !x86_64::is_image_address(*vcpu.rip)) return true;
  const PageTables tables(*state_.memory, page_table_root(*vcpu.cr[3]),
                          paging_levels(vcpu.cr[4].value_or(0)));
  return KernelMemory(*state_.memory, tables).translate(*vcpu.rip) ==
         kernel_->memory().translate(*vcpu.rip);
}

// The kernel that runs, by the first evidence there is: what vCPUs run, what the dump says, what
// lies in memory. With symbols at hand, the last is theirs to find.
std::optional<RunningKernel> Guest::find_kernel(Diagnostics& diagnostics) {
  auto running = find_running_kernel(*state_.memory, state_.vcpus, diagnostics);
  if (!running && state_.vmcoreinfo) {
    running = find_dumped_kernel(*state_.memory, *state_.vmcoreinfo, diagnostics);
  }
  if (!running && !state_.other_readings.empty()) return choose_reading(diagnostics);
  if (!running && inputs_.symbols.empty()) running = scan_for_kernel(*state_.memory, diagnostics);
  return running;
}

// Reads the memory as its kernel does.
std::optional<RunningKernel> Guest::choose_reading(Diagnostics& diagnostics) {
  std::vector<std::unique_ptr<GuestMemory>> readings = std::move(state_.other_readings);
  state_.other_readings.clear();
  readings.insert(readings.begin(), std::move(state_.memory));
  std::optional<RunningKernel> running;
  for (std::unique_ptr<GuestMemory>& reading : readings) {
    std::optional<RunningKernel> found = scan_for_kernel(*reading, diagnostics);
    const bool proved = found && uses_end_of_memory(*found, *reading);
    if (proved || !state_.memory) {
      state_.memory = std::move(reading);
      running = std::move(found);
    }
    if (proved) return running;
  }
  diagnostics.warn(
      fmt::format("{}: where its end lies in the guest is not certain: no kernel in it says so",
                  state_.memory->name()));
  return running;
}

// Finds the symbols of `running`, or of any kernel in memory if there is none, and attaches them.
void Guest::open_kernel(const std::optional<RunningKernel>& running, const PackageUse& use,
                        Diagnostics& diagnostics) {
  const GuestMemory& memory = *state_.memory;
  const auto attach = [&](const KernelSymbols& symbols) {
    kernel_.emplace(running ? GuestKernel::attach(memory, *running, symbols, diagnostics)
                            : GuestKernel::search(memory, symbols, diagnostics));
  };
  WantedKernel wanted;
  if (running) wanted = {running->banner().release, build_time(running->banner())};
  // The kernel refers to the symbols it has, so that these go last.
  SymbolSource found =
      inputs_.symbols.empty()
          ? find_symbols_in_memory(memory, running ? &*running : nullptr, attach, diagnostics)
          : find_symbols(inputs_, wanted, attach, use, diagnostics);
  symbols_ = std::move(found);
}

void Guest::open_crashed_kernel(GuestPhysical elf_core_header, const PackageUse& use,
                                Diagnostics& diagnostics) {
  const auto crashed = find_crashed_kernel(*state_.memory, elf_core_header, diagnostics);
  if (crashed) {
    diagnostics.warn(
        "the guest had crashed and was running its crash-dump (kdump) kernel: this is the log of "
        "the kernel that crashed");
    open_kernel(crashed, use, diagnostics);
  } else {
    diagnostics.warn(
        "the guest had crashed and was running its crash-dump (kdump) kernel: this is the log of "
        "that kernel, the one that crashed was not found in its memory");
  }
}

}  // namespace photon_dmesg
