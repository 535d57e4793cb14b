#include "cli/profile_command.h"

#include <fmt/format.h>

#include <optional>
#include <sstream>

#include "base/error.h"
#include "cli/output.h"
#include "cli/package_options.h"
#include "kernel/printk/kernel_log.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/profile.h"
#include "session/guest.h"
#include "session/inputs.h"

namespace photon_dmesg {
namespace {

// The release that the symbols are of, by where they were found or by their banner.
std::optional<std::string> release_of(const SymbolSource& source) {
  if (source.release) {
    return source.release;
  }
  const std::optional<KernelBanner> banner = banner_of(*source.symbols);
  return banner ? std::optional(banner->release) : std::nullopt;
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
                  describe(guest.symbols().provenance), out);
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
  require_log(*source.symbols);
  write_profile(*source.symbols, *release, describe(source.provenance), out);
  return out.str();
}

}  // namespace

void print_profile(const Options& options, TerminalDiagnostics& diagnostics) {
  const std::string profile = make_profile(options, diagnostics);
  diagnostics.clear_progress();
  write_output(options, [&](std::ostream& out) { out << profile; });
}

}  // namespace photon_dmesg
