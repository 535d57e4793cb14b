#include "session/guest_lines.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "kernel/symbols/vmlinux/source_lines.h"
#include "session/vmlinux_file.h"

namespace photon_dmesg {
namespace {

// Those of `addresses`, as linked. Why others are missing, if they are, is `failure`.
LinesByAddress read_lines(const std::filesystem::path& vmlinux,
                          const std::vector<GuestVirtual>& addresses,
                          std::optional<Error>& failure) {
  LinesByAddress lines;
  try {
    SourceLines source(vmlinux, addresses);
    for (const GuestVirtual address : addresses) {
      try {
        std::vector<SourceLine> found = source.find(address);
        if (!found.empty()) lines.emplace(address.value, std::move(found));
      } catch (const Error& error) {
        if (!failure) failure = error;  // other units may be sound
      }
    }
  } catch (const Error& error) {
    failure = error;
  }
  return lines;
}

}  // namespace

LinesByAddress find_lines(const Guest& guest, const std::set<GuestVirtual>& addresses,
                          Diagnostics& diagnostics) {
  const auto path = vmlinux_file(guest.symbols());
  if (!path) {
    diagnostics.warn_of_lack(
        fmt::format("no source lines: the symbols are of {}, expected the guest's vmlinux as a "
                    "file (photon-dmesg core writes it, of a package with debuginfo)",
                    describe(guest.symbols().provenance)));
    return {};
  }
  if (addresses.empty()) return {};
  const std::uint64_t offset = guest.kernel().kaslr_offset();
  std::vector<GuestVirtual> linked;
  linked.reserve(addresses.size());
  for (const GuestVirtual address : addresses) linked.push_back({address.value - offset});
  std::optional<Error> failure;
  LinesByAddress lines;
  for (auto& [address, found] : read_lines(*path, linked, failure)) {
    lines.emplace(address + offset, std::move(found));
  }
  if (failure) {
    diagnostics.warn_of_lack(fmt::format("source lines are missing: {}", failure->what()));
  }
  diagnostics.found({.what = "source lines",
                     .value = fmt::format("of {} of {} addresses", lines.size(), linked.size()),
                     .where = path->string()});
  return lines;
}

}  // namespace photon_dmesg
