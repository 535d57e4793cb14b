#include "session/guest.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/optional_fact.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "checkpoint/vmware/companion_file.h"
#include "checkpoint/vmware/host_log.h"
#include "kernel/arch/machines/machines.h"
#include "kernel/find/crash_kernel.h"
#include "kernel/find/kernel_scan.h"
#include "kernel/find/ram_base_search.h"
#include "kernel/self/memory_symbols.h"
#include "kernel/symbols/banner.h"
#include "session/other_files.h"

namespace photon_dmesg {
namespace {

// Keeps what is said of an attempt until it is known to be the one that counts.
class HeldWarnings final : public Diagnostics {
 public:
  explicit HeldWarnings(Diagnostics& target) : target_(target) {}

  void warn(std::string message) override { held_.emplace_back(std::move(message), false); }
  void warn_of_lack(std::string message) override { held_.emplace_back(std::move(message), true); }
  void found(Evidence evidence) override { target_.found(std::move(evidence)); }
  void progress(const Progress& progress) override { target_.progress(progress); }

  void release() {
    for (auto& [message, is_lack] : held_) {
      is_lack ? target_.warn_of_lack(std::move(message)) : target_.warn(std::move(message));
    }
    held_.clear();
  }

 private:
  Diagnostics& target_;
  std::vector<std::pair<std::string, bool>> held_;
};

// The memory that was named, or the one beside the checkpoint; null if there is none.
std::shared_ptr<const ByteSource> find_memory(const Inputs& inputs) {
  if (inputs.guest.memory) return inputs.guest.memory;
  try {
    const FileTree& tree = inputs.guest.surroundings();
    const auto beside = find_companion(tree, inputs.guest.state.front()->name(), {"vmem"});
    SilentDiagnostics silent;
    return beside ? open_guest_file(tree, *beside, silent) : nullptr;
  } catch (const Error&) {
    return nullptr;
  }
}

void require_guest(const GuestFiles& files) {
  if (!files.empty()) return;
  throw Error(Failure::Usage, "expected a checkpoint (.vmss or .vmsn) among the files, found none");
}

std::optional<std::string> find_vm_name(const GuestFiles& files) {
  if (files.kind != GuestFileKind::Checkpoint || files.state.empty()) return std::nullopt;
  try {
    return read_machine_name(*files.state.front());
  } catch (const Error&) {
    return std::nullopt;  // whether the checkpoint can be used is not for its name to say
  }
}

// The ways in which a guest's files may belong together, the likeliest first: with the memory that
// was named, with that beside the checkpoint; then though some memory is missing; then the memory
// without the checkpoint, if that can't be used. If `strict`, only as they were named. `guest` are
// those of `inputs`, with the checkpoint beside the memory if none was named.
std::vector<GuestFiles> ways_to_read(const GuestFiles& guest, const Inputs& inputs, bool strict) {
  std::vector<GuestFiles> ways = {guest};
  if (strict || guest.state.empty()) return ways;
  const bool was_named = !inputs.guest.state.empty();
  for (const auto& memory : inputs.other_memories) {
    ways.push_back(guest);
    ways.back().memory = memory;
  }
  if (guest.memory && was_named) {
    ways.push_back(guest);
    ways.back().memory = nullptr;
  }
  if (guest.kind != GuestFileKind::Checkpoint) {
    ways.front().completeness = Completeness::NotRequired;
    if (was_named) return ways;
  }
  const std::vector<GuestFiles> complete = ways;
  for (GuestFiles way : complete) {
    way.completeness = Completeness::NotRequired;
    ways.push_back(std::move(way));
  }
  GuestFiles& alone = ways.emplace_back();
  alone.is_alone = true;  // its memory is looked for when it is its turn
  alone.tree = guest.tree;
  return ways;
}

bool is_snapshot_pending(const GuestFiles& files) {
  return !files.state.empty() &&
         is_snapshot_pending(files.surroundings(), files.state.front()->name());
}

// Only a snapshot's memory is written while the guest runs on; that of one that is suspended is
// whole when the log's last line stands.
void warn_if_pending(const GuestFiles& files, Diagnostics& diagnostics) {
  if (files.state.empty() || !has_ending(files.state.front()->name(), ".vmsn")) return;
  if (!is_snapshot_pending(files)) return;
  diagnostics.warn_of_lack(
      "vmware.log says that the memory of a snapshot was still being written: what it lacked then "
      "is empty here, and what follows may lack more than it tells: copy the files once that has "
      "ended");
}

// The checkpoint beside memory that was named without one. If that can't be read, memory is read
// alone; returns why.
std::optional<Error> add_checkpoint(GuestFiles& files, Diagnostics& diagnostics) {
  try {
    find_checkpoint_beside(files, diagnostics);
    return std::nullopt;
  } catch (const Error& error) {
    if (error.failure() == Failure::Usage) throw;
    files.is_alone = true;
    return error;
  }
}

}  // namespace

Guest::Guest(const Inputs& inputs, std::shared_ptr<SymbolPool> pool, Diagnostics& diagnostics)
    : pool_(std::move(pool)), tree_(inputs.guest.tree) {
  require_guest(inputs.guest);
  open_kernel(open_files(inputs, diagnostics), diagnostics);
  const auto header = optional_fact("whether this is a crash-dump kernel", diagnostics,
                                    [&] { return find_elf_core_header(*kernel_, diagnostics); });
  if (header) open_crashed_kernel(*header, diagnostics);
}

// Reads the files in the first way that leads to a kernel, or that leaves it to symbols to find it.
std::optional<RunningKernel> Guest::open_files(const Inputs& inputs, Diagnostics& diagnostics) {
  const bool was_named = !inputs.guest.state.empty();
  std::optional<Error> failure;
  GuestFiles guest = inputs.guest;
  if (!was_named && !guest.is_alone && !pool_->is_strict()) {
    failure = add_checkpoint(guest, diagnostics);
  }
  for (GuestFiles& files : ways_to_read(guest, inputs, pool_->is_strict())) {
    if (files.is_alone) {
      if (was_named && failure && failure->failure() != Failure::UnusableInput) continue;
      files.memory = find_memory(inputs);
      if (!files.memory) continue;
    }
    HeldWarnings attempt(diagnostics);
    const bool as_named = files.memory == inputs.guest.memory && !files.is_alone;
    try {
      auto running = open_way(std::move(files), attempt);
      if (failure && !as_named) attempt.warn_of_lack(fmt::format("not used: {}", failure->what()));
      attempt.release();
      warn_if_pending(guest, diagnostics);
      return running;
    } catch (const Error& error) {
      if (!failure) failure = error;
    }
  }
  throw Error(failure->failure(),
              fmt::format("{}{}", failure->what(),
                          is_snapshot_pending(guest)
                              ? " (vmware.log says that the memory of a snapshot was still "
                                "being written: copy the files once that has ended)"
                              : ""));
}

std::optional<RunningKernel> Guest::open_way(GuestFiles files, Diagnostics& diagnostics) {
  const bool is_alone = files.is_alone;
  vm_name_ = find_vm_name(files);
  state_ = open_guest(std::move(files), diagnostics);
  if (!state_.vcpus.empty()) {
    architecture_of(state_.vcpus.front().machine)
        .decide_stack_registers(*state_.memory, state_.vcpus, diagnostics);
  }
  try {
    // What was not named like this proves itself.
    return find_kernel(pool_->empty() || is_alone || !state_.missing.empty(), diagnostics);
  } catch (const Error&) {
    // Nothing fits what can't be read.
    const auto reason = state_.memory->unreadable();
    if (!reason) throw;
    throw unusable(fmt::format("no kernel is found, as memory can't be read: {}", *reason));
  }
}

void Guest::warn_of_unreadable(Diagnostics& diagnostics) const {
  if (const auto where = state_.memory->unreadable()) {
    diagnostics.warn_of_lack(
        fmt::format("some of the guest's memory can't be read and counts as missing: {}", *where));
  }
}

bool Guest::runs_kernel(const Vcpu& vcpu) const {
  return may_run_kernel(*state_.memory, vcpu, kernel_->memory());
}

// The kernel that runs, by the first evidence there is: what vCPUs run, what the dump says, what
// lies in memory. Unless it is `required`, the last is for the symbols at hand to find. Throws
// Error(UnusableInput) if it is required and there is none.
std::optional<RunningKernel> Guest::find_kernel(bool required, Diagnostics& diagnostics) {
  // Without other symbols the guest's own are looked for where its banner is.
  const auto pieces = pool_->empty() ? KernelImage::Pieces::Kept : KernelImage::Pieces::Forgotten;
  auto running = find_running_kernel(*state_.memory, state_.vcpus, diagnostics, pieces);
  if (!running) check_memory_belongs(*state_.memory, state_.vcpus, state_.missing);
  if (!running && state_.vmcoreinfo) {
    running = find_dumped_kernel(*state_.memory, *state_.vmcoreinfo, diagnostics);
  }
  if (!running && !state_.other_readings.empty()) {
    running = choose_reading(diagnostics);
  } else if (!running && required) {
    running = scan_for_kernel(*state_.memory, diagnostics);
  }
  if (!running && required) running = choose_base(diagnostics);
  if (!running && required) throw no_kernel();
  return running;
}

// Reads the memory from where its kernel shows that RAM begins, if the way in which it was read
// shows none.
std::optional<RunningKernel> Guest::choose_base(Diagnostics& diagnostics) {
  const auto expected = state_.memory->ranges().empty()
                            ? std::nullopt
                            : std::optional(state_.memory->ranges().front().begin);
  auto placed = find_ram_base(std::exchange(state_.other_bases, {}), diagnostics);
  if (!placed) return std::nullopt;
  state_.memory = std::move(placed->memory);
  const GuestPhysical begin = state_.memory->ranges().front().begin;
  if (expected && !state_.vcpus.empty()) {
    diagnostics.warn(fmt::format(
        "{}: RAM begins at {}, where there is a kernel, and not at {}, as the checkpoint's "
        "machine should have it",
        state_.memory->name(), begin, *expected));
  }
  diagnostics.found({.what = "RAM begins",
                     .value = fmt::format("{}", begin),
                     .where = state_.memory->name(),
                     .how = placed->how});
  return std::move(placed->kernel);
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
    if (proved || !state_.memory || (found && !running)) {
      state_.memory = std::move(reading);
      running = std::move(found);
    }
    if (proved) return running;
  }
  if (!running) return running;
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

bool Guest::use_own_symbols(Diagnostics& diagnostics) {
  if (pool_->is_strict() || symbols_.provenance.memory) return false;
  const std::vector<FoundBanner> banners =
      find_banners(kernel_->image(), BannerExtent::UpToBuildNumber, diagnostics);
  if (banners.empty()) return false;  // part of the image is missing, and its banner with it
  const RunningKernel running{banners, kernel_->shared_image(), std::nullopt, {}};
  open_by_memory(running, diagnostics);
  return true;
}

void Guest::open_by_memory(const RunningKernel& running, Diagnostics& diagnostics) {
  auto symbols = MemorySymbols::find(*state_.memory, running, diagnostics);
  SymbolSource source;
  source.provenance.memory = symbols->origin();
  source.symbols = std::move(symbols);
  attach(running, std::move(source), diagnostics);
}

Error Guest::no_kernel() const {
  return unusable(
      fmt::format("{}: no vCPU leads to a kernel, and none was found in all of the memory: is this "
                  "the memory of a Linux guest that had booted?",
                  state_.memory->name()));
}

// Whether any of the candidates is of the kernel; else `failures` says why not.
bool Guest::open_by_candidates(const std::optional<RunningKernel>& running,
                               std::vector<Error>& failures, Diagnostics& diagnostics) {
  WantedKernel wanted;
  if (running) {
    wanted = {running->banner().release, build_time(running->banner()),
              running->tables().architecture().name()};
  }
  const auto candidates = pool_->candidates(wanted, diagnostics);
  while (std::optional<SymbolSource> source = candidates->next()) {
    try {
      attach(running, std::move(*source), diagnostics);
      candidates->accept();
      return true;
    } catch (const Error& error) {
      candidates->refuse(error);
    }
  }
  failures = candidates->failures();
  return false;
}

// By the symbols at hand, else by the guest's own, which takes nothing but its memory.
void Guest::open_kernel(std::optional<RunningKernel> running, Diagnostics& diagnostics) {
  if (pool_->empty()) return open_by_memory(running.value(), diagnostics);
  std::vector<Error> failures;
  if (open_by_candidates(running, failures, diagnostics)) return;
  if (!running && !pool_->is_strict()) running = scan_for_kernel(*state_.memory, diagnostics);
  if (!running) {
    running = choose_base(diagnostics);
    if (running && open_by_candidates(running, failures, diagnostics)) return;
  }
  if (pool_->is_strict()) throw Error(failures.front());
  if (!running) throw Error(failures.front());
  try {
    open_by_memory(*running, diagnostics);
  } catch (const Error& error) {
    diagnostics.found({.what = error.what()});
    throw Error(failures.front());  // what the user can do something about
  }
  for (const Error& failure : failures) {
    diagnostics.warn_of_lack(
        fmt::format("not used: {}: symbols are taken from the guest's memory", failure.what()));
  }
}

void Guest::open_crashed_kernel(GuestPhysical elf_core_header, Diagnostics& diagnostics) {
  const auto crashed = find_crashed_kernel(
      *state_.memory, kernel_->memory().tables().architecture(), elf_core_header, diagnostics);
  const std::string happened =
      "the guest had crashed and was running its crash-dump (kdump) kernel";
  if (!crashed) {
    return diagnostics.warn_of_lack(fmt::format(
        "{}: this is of that kernel, the one that crashed was not found in its memory", happened));
  }
  try {
    open_kernel(crashed, diagnostics);
    diagnostics.warn(fmt::format("{}: this is of the kernel that crashed", happened));
  } catch (const Error& error) {
    diagnostics.warn_of_lack(
        fmt::format("{}: this is of that kernel, the one that crashed can't be read: {}", happened,
                    error.what()));
  }
}

}  // namespace photon_dmesg
