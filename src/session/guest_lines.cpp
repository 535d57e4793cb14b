#include "session/guest_lines.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernel/symbols/vmlinux/source_lines.h"

namespace photon_dmesg {
namespace {

// The vmlinux of `source`, if it is a file: of one in a package only the types are kept.
std::optional<std::filesystem::path> vmlinux_file(const SymbolSource& source) {
  if (source.open_package || !source.provenance.vmlinux) return std::nullopt;
  return *source.provenance.vmlinux;
}

}  // namespace

LinesByAddress find_lines(const Guest& guest, const std::set<GuestVirtual>& addresses,
                          Diagnostics& diagnostics) {
  LinesByAddress lines;
  const auto path = vmlinux_file(guest.symbols());
  if (!path) {
    diagnostics.warn_of_lack(
        fmt::format("no source lines: the symbols are of {}, expected the guest's vmlinux as a "
                    "file (photon-dmesg core writes it, of a package with debuginfo)",
                    describe(guest.symbols().provenance)));
    return lines;
  }
  const std::uint64_t offset = guest.kernel().kaslr_offset();
  std::vector<GuestVirtual> linked;
  for (const GuestVirtual address : addresses) linked.push_back({address.value - offset});
  if (linked.empty()) return lines;
  try {
    SourceLines source(*path, linked);
    for (const GuestVirtual address : linked) {
      std::vector<SourceLine> found = source.find(address);
      if (!found.empty()) lines.emplace(address.value + offset, std::move(found));
    }
  } catch (const Error& error) {
    diagnostics.warn_of_lack(fmt::format("source lines are missing: {}", error.what()));
  }
  diagnostics.found({.what = "source lines",
                     .value = fmt::format("of {} of {} addresses", lines.size(), linked.size()),
                     .where = path->string()});
  return lines;
}

}  // namespace photon_dmesg
