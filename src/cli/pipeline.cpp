#include "cli/pipeline.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "cli/guest.h"
#include "cli/inputs.h"
#include "kernel/banner.h"
#include "kernel/kernel_log.h"
#include "kernel/profile.h"

namespace photon_dmesg {
namespace {

GuestInfo describe_guest(const GuestKernel& kernel, const GuestState& state) {
  GuestInfo guest;
  guest.release = kernel.banner().release;
  guest.banner = kernel.banner().text;
  guest.build_id = kernel.build_id();
  guest.kaslr_offset = kernel.kaslr_offset();
  guest.phys_base = kernel.phys_base();
  guest.vcpus = state.vcpus.size();
  guest.memory_bytes = state.memory->size();
  return guest;
}

SourceInfo describe_source(const SymbolSource& symbols, const GuestState& state) {
  SourceInfo source;
  source.checkpoint = state.path;
  source.memory = state.memory_path;
  source.iso = symbols.iso;
  source.package = symbols.package;
  source.vmlinux = symbols.vmlinux;
  source.system_map = symbols.system_map;
  source.symbols_in_memory = symbols.memory;
  source.profile = symbols.profile;
  return source;
}

// Where the symbols were found, from the outside in.
std::string describe_origin(const SymbolSource& source) {
  std::vector<std::string> parts;
  for (const auto& part : {source.iso, source.package, source.vmlinux, source.system_map,
                           source.profile, source.memory}) {
    if (part) parts.push_back(*part);
  }
  return fmt::format("{}", fmt::join(parts, ": "));
}

// The release that the symbols are of, by where they were found or by their banner.
std::optional<std::string> release_of(const SymbolSource& source) {
  if (source.release) {
    return source.release;
  }
  const std::optional<KernelBanner> banner = banner_of(*source.symbols);
  return banner ? std::optional(banner->release) : std::nullopt;
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

// Keeps the records that the options select. Throws Error(UnusableInput) when the position they are
// selected by is not known.
void select_records(const Options& options, KernelLog& log) {
  const auto position = [](const std::optional<std::uint64_t>& known, const char* option) {
    if (!known) {
      throw unusable(fmt::format(
          "{}: the guest's position is not known from these symbols: give the release's ISO",
          option));
    }
    return *known;
  };
  const std::uint64_t from_clear =
      options.since_clear ? position(log.positions.cleared, "--since-clear") : 0;
  const std::uint64_t from_console =
      options.unprinted ? position(log.positions.console, "--unprinted") : 0;
  const std::uint64_t end = options.cleared ? position(log.positions.cleared, "--cleared")
                                            : std::numeric_limits<std::uint64_t>::max();
  const std::uint64_t first = std::max(from_clear, from_console);
  std::erase_if(log.records,
                [&](const LogRecord& record) { return record.seq < first || record.seq >= end; });
}

// The guest's clock, where the report shows it.
std::optional<GuestClock> read_clock(const Options& options, const GuestKernel& kernel,
                                     Diagnostics& diagnostics) {
  if (!options.format->describes_guest && options.time_format == TimeFormat::SinceBoot) {
    return std::nullopt;
  }
  const std::optional<GuestClock> clock = read_guest_clock(kernel, diagnostics);
  if (clock) {
    diagnostics.note(fmt::format("clock: booted at {}, last moved on at {}",
                                 utc_time(clock->realtime_offset_nsec),
                                 utc_time(clock->last_update_nsec)));
  } else {
    diagnostics.warn("the guest's clock can't be read: all times are since boot");
  }
  return clock;
}

}  // namespace

Report make_report(const Options& options, Diagnostics& diagnostics) {
  const Guest guest(sort_inputs(options.files, diagnostics), package_use(options), diagnostics);
  Report report;
  report.guest = describe_guest(guest.kernel(), guest.state());
  report.source = describe_source(guest.symbols(), guest.state());
  report.log = read_kernel_log(guest.kernel(), diagnostics);
  note_extent(report.log, diagnostics);
  select_records(options, report.log);
  report.guest.clock = read_clock(options, guest.kernel(), diagnostics);
  report.time_format = options.time_format;
  for (const std::string& loss : report.log.losses) {
    diagnostics.warn("the log is incomplete: " + loss);
  }
  report.warnings = diagnostics.warnings();
  return report;
}

std::string make_profile(const Options& options, Diagnostics& diagnostics) {
  Inputs inputs = sort_inputs(options.files, diagnostics);
  // A profile of a profile would lose where it came from.
  PackageUse use = package_use(options);
  use.cache.reset();
  std::ostringstream out;
  if (!inputs.guest.empty()) {
    const Guest guest(std::move(inputs), use, diagnostics);
    write_profile(*guest.symbols().symbols, guest.kernel().banner().release,
                  describe_origin(guest.symbols()), out);
    return out.str();
  }
  const SymbolSourceKind kind = inputs.symbols.front().kind;
  const bool several = inputs.symbols.size() > 1 || kind == SymbolSourceKind::Iso ||
                       kind == SymbolSourceKind::Folder;
  if (several && !options.release) {
    throw Error(Failure::Usage, fmt::format("{}: this may hold several kernels: expected "
                                            "--release or a checkpoint, found neither",
                                            inputs.symbol_names()));
  }
  const auto accept_any = [](const KernelSymbols&) {};
  const SymbolSource source =
      find_symbols(inputs, {options.release, std::nullopt}, accept_any, use, diagnostics);
  const std::optional<std::string> release = options.release ? options.release : release_of(source);
  if (!release) {
    throw Error(
        Failure::Usage,
        fmt::format("{}: expected --release, as the file does not say which kernel it is of",
                    inputs.symbol_names()));
  }
  write_profile(*source.symbols, *release, describe_origin(source), out);
  return out.str();
}

}  // namespace photon_dmesg
