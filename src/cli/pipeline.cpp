#include "cli/pipeline.h"

#include <fmt/format.h>

#include <optional>

#include "checkpoint/checkpoint.h"
#include "cli/inputs.h"
#include "cli/symbol_sources.h"
#include "kernel/guest_kernel.h"
#include "kernel/kernel_log.h"
#include "kernel/running_kernel.h"

namespace photon_dmesg {
namespace {

GuestInfo describe_guest(const GuestKernel& kernel, const Checkpoint& checkpoint) {
  GuestInfo guest;
  guest.release = kernel.banner().release;
  guest.banner = kernel.banner().text;
  guest.build_id = kernel.build_id();
  guest.kaslr_offset = kernel.kaslr_offset();
  guest.phys_base = kernel.phys_base();
  guest.vcpus = checkpoint.vcpus().size();
  guest.memory_bytes = checkpoint.memory().size();
  return guest;
}

SourceInfo describe_source(const SymbolSource& symbols, const Checkpoint& checkpoint) {
  SourceInfo source;
  source.checkpoint = checkpoint.path().string();
  source.memory = checkpoint.memory_path().string();
  source.iso = symbols.iso;
  source.package = symbols.package;
  source.vmlinux = symbols.vmlinux;
  source.system_map = symbols.system_map;
  source.symbols_in_memory = symbols.memory;
  return source;
}

void note_extent(const KernelLog& log, Diagnostics& diagnostics) {
  if (log.records.empty()) {
    diagnostics.note("the log holds no record");
    return;
  }
  const std::uint64_t first = log.records.front().seq;
  diagnostics.note(fmt::format(
      "records {} to {}{}", first, log.records.back().seq,
      first == 0 ? "" : fmt::format("; the kernel has overwritten the {} before them", first)));
}

}  // namespace

Report make_report(const Options& options, Diagnostics& diagnostics) {
  Inputs inputs = sort_inputs(options.files);
  const Checkpoint checkpoint(std::move(inputs.checkpoint), std::move(inputs.memory), diagnostics);
  const GuestMemory& memory = checkpoint.memory();
  const std::optional<RunningKernel> running =
      find_running_kernel(memory, checkpoint.vcpus(), diagnostics);

  std::optional<GuestKernel> kernel;
  const auto attach = [&](const KernelSymbols& symbols) {
    kernel.emplace(running ? GuestKernel::attach(memory, *running, symbols, diagnostics)
                           : GuestKernel::search(memory, symbols, diagnostics));
  };
  const std::optional<std::string> release =
      running ? std::optional(running->banner().release) : std::nullopt;
  const SymbolSource symbols =
      inputs.symbols
          ? find_symbols(inputs, release, attach, diagnostics)
          : find_symbols_in_memory(memory, running ? &*running : nullptr, attach, diagnostics);

  Report report;
  report.guest = describe_guest(*kernel, checkpoint);
  report.source = describe_source(symbols, checkpoint);
  report.log = read_kernel_log(*kernel, diagnostics);
  note_extent(report.log, diagnostics);
  for (const std::string& loss : report.log.losses) {
    diagnostics.warn("the log is incomplete: " + loss);
  }
  report.warnings = diagnostics.warnings();
  return report;
}

}  // namespace photon_dmesg
