#include "cli/info_command.h"

#include "base/budget.h"
#include "base/error.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "cli/exit_status.h"
#include "cli/guest_facts.h"
#include "cli/output.h"
#include "cli/private_names.h"
#include "cli/session_options.h"
#include "kernel/arch/machines/machines.h"
#include "report/info.h"
#include "report/redaction.h"
#include "session/guest.h"
#include "session/guest_tasks.h"
#include "session/inputs.h"

namespace photon_dmesg {
namespace {

// What is taken out of a checkpoint.
struct Extracts {
  std::optional<std::vector<std::byte>> screenshot;
  std::optional<std::vector<std::byte>> configuration;
};

void list_files(const Inputs& inputs, InfoReport& report) {
  const auto add = [&](const ByteSource& file, std::string_view kind) {
    report.files.push_back({file.name(), std::string(kind), file.size()});
  };
  for (const auto& file : inputs.guest.state) add(*file, name_of(inputs.guest.kind));
  if (inputs.guest.memory) add(*inputs.guest.memory, "memory");
  for (const SymbolInput& input : inputs.symbols) {
    report.files.push_back({input.name(), std::string(name_of(input.kind)),
                            input.file ? std::optional(input.file->size()) : std::nullopt});
  }
}

// What `read` takes out of `file`; nothing, and a problem, if it is not there or can't be taken
// out.
template <typename Read>
std::optional<std::vector<std::byte>> extract(const ByteSource& file, const Read& read,
                                              InfoReport& report) {
  try {
    return read(file);
  } catch (const Error& error) {
    report.problems.emplace_back(error.what());
    return std::nullopt;
  }
}

// What needs the container only, before anything else can fail.
void read_container(const Options& options, const Inputs& inputs, InfoReport& report,
                    Extracts& extracts, Diagnostics& diagnostics) {
  if (inputs.guest.kind != GuestFileKind::Checkpoint) {
    if (options.tags || options.screenshot || options.configuration) {
      throw Error(Failure::Usage,
                  "--tags, --screenshot and --vmx: expected a VMware checkpoint, found none");
    }
    return;
  }
  const ByteSource& file = *inputs.guest.state.front();
  with_context(file.name(), [&] { report.checkpoint = read_checkpoint_info(file, diagnostics); });
  report.problems = report.checkpoint->problems;
  for (const Vcpu& vcpu : report.checkpoint->vcpus)
    report.registers.emplace_back().registers = vcpu;
  if (options.tags) report.tags = list_tags(file, report.problems, diagnostics);
  if (options.screenshot) extracts.screenshot = extract(file, read_screenshot, report);
  if (options.configuration) extracts.configuration = extract(file, read_configuration, report);
}

void write_extracts(const Options& options, const Extracts& extracts) {
  if (extracts.screenshot) write_extract(options, *options.screenshot, *extracts.screenshot);
  if (extracts.configuration)
    write_extract(options, *options.configuration, *extracts.configuration);
}

// A guest whose log can't be read is described all the same.
std::optional<ClockHistory> read_clock(const GuestKernel& kernel, Diagnostics& diagnostics) {
  SilentDiagnostics silent;
  try {
    const KernelLogReader log(kernel, silent);
    return read_clock_history(kernel, &log, diagnostics);
  } catch (const Error& error) {
    diagnostics.found({.what = "no log", .where = "clock", .how = error.what()});
    return read_clock_history(kernel, nullptr, diagnostics);
  }
}

// What the vCPUs were doing, as far as it can be told: `bt` says why not.
void read_activity(const Guest& guest, InfoReport& report, Diagnostics& diagnostics) {
  constexpr std::size_t most_frames = 4;
  try {
    const GuestTasks tasks(guest, diagnostics);
    const std::vector<VcpuActivity> vcpus = tasks.vcpus();
    for (std::size_t i = 0; i < vcpus.size(); ++i) {
      report.registers[i].task = vcpus[i].task;
      for (const Frame& frame : vcpus[i].trace.frames) {
        if (!frame.place || !frame.is_reliable) continue;
        if (report.registers[i].frames.size() == most_frames) break;
        report.registers[i].frames.push_back(describe(*frame.place));
      }
    }
  } catch (const Error& error) {
    diagnostics.found({.what = "no tasks", .where = "the guest", .how = error.what()});
  }
}

void read_guest(const Guest& guest, InfoReport& report, Diagnostics& diagnostics) {
  report.guest = describe_guest(guest, diagnostics);
  report.guest->clock = read_clock(guest.kernel(), diagnostics);
  report.source = describe_source(guest);
  // A dump without its unused pages may have millions, which are of no use in a list.
  constexpr std::size_t most_ranges = std::size_t{1} << 18;
  Budget budget("ranges of memory to be listed", most_ranges);
  report.memory_ranges = guest.state().memory->ranges();
  if (!budget.take(report.memory_ranges.size())) report.memory_ranges.resize(most_ranges);
  budget.warn_if_exceeded(guest.state().memory->name(), diagnostics);
  report.registers.clear();
  for (const Vcpu& vcpu : guest.state().vcpus) {
    const auto at = architecture_of(vcpu.machine).instruction_pointer(vcpu);
    const bool known = at && guest.runs_kernel(vcpu);
    InfoReport::Cpu& cpu = report.registers.emplace_back();
    cpu.registers = vcpu;
    if (known) cpu.place = guest.kernel().find_place(*at);
  }
  read_activity(guest, report, diagnostics);
}

}  // namespace

int print_info(const Options& options, Redactor& redactor, TerminalDiagnostics& diagnostics) {
  InfoReport report;
  Inputs inputs = sort_inputs(options.files, options.strict, diagnostics);
  list_files(inputs, report);
  Extracts extracts;
  read_container(options, inputs, report, extracts, diagnostics);
  int status = report.problems.empty() ? exit_complete : exit_status(Failure::UnusableInput);
  auto pool = std::make_shared<SymbolPool>(std::move(inputs.symbols), session_options(options));
  try {
    if (inputs.guest.empty()) {
      for (const PackagedKernel& kernel : pool->kernels(diagnostics)) {
        report.kernels.push_back({kernel.release, kernel.package, kernel.has_types});
      }
    } else {
      const Guest guest(inputs, std::move(pool), diagnostics);
      if (options.redact) {
        learn_hosts(guest, redactor);
        warn_of_missed_names(redactor, diagnostics);
      }
      read_guest(guest, report, diagnostics);
      guest.warn_of_unreadable(diagnostics);
    }
  } catch (const Error& error) {
    report.problems.emplace_back(error.what());
    if (status == exit_complete) status = exit_status(error.failure());
  }
  if (status == exit_complete && diagnostics.has_lack()) status = exit_incomplete;
  report.warnings = diagnostics.warnings();
  if (options.redact) redact(redactor, report);
  diagnostics.release();
  diagnostics.clear_progress();
  write_extracts(options, extracts);  // now that all files which are read are known
  write_output(options, [&](std::ostream& out) {
    (options.report_format == "json" ? write_info_json : write_info_text)(report, out);
  });
  return status;
}

}  // namespace photon_dmesg
