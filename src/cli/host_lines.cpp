#include "cli/host_lines.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/error.h"

namespace photon_dmesg {

std::vector<HostLine> lines_of(const std::vector<HostLog>& logs) {
  std::vector<HostLine> lines;
  for (const HostLog& log : logs) {
    const std::string name = log.path.string();
    for (const HostLogLine& line : log.lines) lines.push_back(parse_host_line(line, name));
  }
  return lines;
}

HostEvidence read_host_lines(const std::vector<std::filesystem::path>& files, const Guest& guest,
                             Diagnostics& diagnostics) {
  return HostEvidence(
      lines_of(host_logs_of(files, guest.state().path, guest.surroundings(), diagnostics)));
}

std::vector<HostLine> read_lone_host_lines(const std::vector<std::filesystem::path>& files,
                                           WantedLines wanted, BundleTree& tree,
                                           Diagnostics& diagnostics) {
  const std::vector<HostLog> logs = read_host_logs(files, tree, diagnostics);
  const bool is_whole =
      std::all_of(logs.begin(), logs.end(), [](const HostLog& log) { return log.is_whole; });
  std::vector<HostLine> lines = lines_of(logs);
  std::vector<std::string> names;
  names.reserve(logs.size());
  for (const HostLog& log : logs) names.push_back(log.path.string());
  const std::string name = fmt::format("{}", fmt::join(names, ", "));
  if (lines.empty()) {
    throw unusable(fmt::format(
        "{}: this is the host's log of a VM (vmware.log), and the guest has sent nothing to {}: "
        "give the checkpoint and its memory",
        name, is_whole ? "it" : "its end, which is read"));
  }
  diagnostics.warn(
      fmt::format("{}: this is the host's log of a VM (vmware.log): what the guest sent to it is "
                  "not all of the guest's log: give the checkpoint and its memory for that",
                  name));
  if (wanted == WantedLines::All) return lines;
  std::erase_if(lines, [](const HostLine& line) { return !is_of_kernel(line); });
  if (lines.empty()) {
    throw unusable(fmt::format(
        "{}: the guest's kernel has sent nothing to the host{}: give the checkpoint "
        "and its memory",
        files.front().string(), is_whole ? "" : " in the end of its log, which is read"));
  }
  return lines;
}

void tell(const HostTestimony& testimony, Diagnostics& diagnostics) {
  if (!testimony.lines.empty()) {
    diagnostics.found({.what = "lines that the guest sent to its host in this boot",
                       .value = fmt::format("{}", testimony.lines.size()),
                       .where = testimony.lines.front().file,
                       .how = fmt::format("the log has {} of them", testimony.logged)});
  }
  for (const std::string& sentence : testimony.elsewhere) {
    diagnostics.found({.what = "the host's log", .how = sentence});
  }
  for (const std::string& doubt : testimony.doubts) diagnostics.warn(doubt);
}

}  // namespace photon_dmesg
