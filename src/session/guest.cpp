#include "session/guest.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/crash_kernel.h"
#include "kernel/find/kernel_scan.h"
#include "kernel/self/memory_symbols.h"
#include "kernel/symbols/banner.h"

namespace photon_dmesg {
namespace {

void require_guest(const GuestFiles& files) {
  if (!files.empty()) return;
  throw Error(Failure::Usage, "expected a checkpoint (.vmss or .vmsn) among the files, found none");
}

std::optional<std::string> find_vm_name(const GuestFiles& files) {
  if (files.kind != GuestFileKind::Checkpoint || files.state.empty()) return std::nullopt;
  return read_machine_name(*files.state.front());
}

}  // namespace

Guest::Guest(GuestFiles files, std::shared_ptr<SymbolPool> pool, Diagnostics& diagnostics)
    : pool_(std::move(pool)) {
  require_guest(files);
  vm_name_ = find_vm_name(files);
  state_ = open_guest(std::move(files), diagnostics);
  if (!state_.vcpus.empty()) {
    architecture_of(state_.vcpus.front().machine)
        .decide_stack_registers(*state_.memory, state_.vcpus, diagnostics);
  }
  open_kernel(find_kernel(diagnostics), diagnostics);
  if (const auto header = find_elf_core_header(*kernel_, diagnostics)) {
    open_crashed_kernel(*header, diagnostics);
  }
}

bool Guest::runs_kernel(const Vcpu& vcpu) const {
  return may_run_kernel(*state_.memory, vcpu, kernel_->memory());
}

// The kernel that runs, by the first evidence there is: what vCPUs run, what the dump says, what
// lies in memory. With symbols at hand, the last is theirs to find.
std::optional<RunningKernel> Guest::find_kernel(Diagnostics& diagnostics) {
  auto running = find_running_kernel(*state_.memory, state_.vcpus, diagnostics);
  if (!running && state_.vmcoreinfo) {
    running = find_dumped_kernel(*state_.memory, *state_.vmcoreinfo, diagnostics);
  }
  if (!running && !state_.other_readings.empty()) return choose_reading(diagnostics);
  if (!running && pool_->empty()) running = scan_for_kernel(*state_.memory, diagnostics);
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

// Puts the symbols of `source` onto `running`, or onto the kernel in memory that they are of if
// there is none. Throws Error(Mismatch) when they are of another kernel.
void Guest::attach(const std::optional<RunningKernel>& running, SymbolSource source,
                   Diagnostics& diagnostics) {
  const GuestMemory& memory = *state_.memory;
  const KernelSymbols& symbols = *source.symbols;
  kernel_.emplace(running ? GuestKernel::attach(*running, symbols, diagnostics)
                          : GuestKernel::search(memory, symbols, diagnostics));
  symbols_ = std::move(source);
}

void Guest::open_by_memory(const RunningKernel& running, Diagnostics& diagnostics) {
  auto symbols = MemorySymbols::find(*state_.memory, running, diagnostics);
  SymbolSource source;
  source.provenance.memory = symbols->origin();
  source.symbols = std::move(symbols);
  attach(running, std::move(source), diagnostics);
}

void Guest::open_by_candidates(const std::optional<RunningKernel>& running,
                               Diagnostics& diagnostics) {
  WantedKernel wanted;
  if (running) wanted = {running->banner().release, build_time(running->banner())};
  const auto candidates = pool_->candidates(wanted, diagnostics);
  while (std::optional<SymbolSource> source = candidates->next()) {
    try {
      attach(running, std::move(*source), diagnostics);
      return candidates->accept();
    } catch (const Error& error) {
      if (error.failure() != Failure::Mismatch) throw;
      candidates->refuse(error);
    }
  }
  throw candidates->failure();
}

void Guest::open_kernel(const std::optional<RunningKernel>& running, Diagnostics& diagnostics) {
  if (!pool_->empty()) return open_by_candidates(running, diagnostics);
  if (!running) {
    throw unusable(fmt::format(
        "{}: no vCPU leads to a kernel, and none was found in all of the memory: is this the "
        "memory of a Linux guest that had booted?",
        state_.memory->name()));
  }
  open_by_memory(*running, diagnostics);
}

void Guest::open_crashed_kernel(GuestPhysical elf_core_header, Diagnostics& diagnostics) {
  const auto crashed = find_crashed_kernel(
      *state_.memory, kernel_->memory().tables().architecture(), elf_core_header, diagnostics);
  if (crashed) {
    diagnostics.warn(
        "the guest had crashed and was running its crash-dump (kdump) kernel: this is the log of "
        "the kernel that crashed");
    open_kernel(crashed, diagnostics);
  } else {
    diagnostics.warn(
        "the guest had crashed and was running its crash-dump (kdump) kernel: this is the log of "
        "that kernel, the one that crashed was not found in its memory");
  }
}

}  // namespace photon_dmesg
