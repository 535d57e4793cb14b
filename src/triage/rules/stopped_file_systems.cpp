#include <fmt/format.h>

#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

void add_errors(const FileSystem& file_system, Finding& finding) {
  if (file_system.error_count.value_or(0) > 0) {
    finding.evidence.push_back({.what = "errors noted in its super block",
                                .value = fmt::format("{}", *file_system.error_count),
                                .address = file_system.address});
  }
  if (file_system.last_error && !file_system.last_error->function.empty()) {
    finding.cause = fmt::format("the last error was found by {}", file_system.last_error->function);
  }
  if (!file_system.journal) return;
  const Journal& journal = *file_system.journal;
  if (journal.is_aborted.value_or(false)) {
    finding.evidence.push_back({.what = "its journal is aborted", .address = journal.address});
  }
  if (journal.error.value_or(0) != 0) {
    finding.evidence.push_back({.what = "journal_s.j_errno",
                                .value = fmt::format("{}", *journal.error),
                                .address = journal.address});
  }
}

}  // namespace

std::vector<Finding> find_stopped_file_systems(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const FileSystem& file_system : facts.file_systems) {
    const bool is_stopped = is_stopped_by_error(file_system);
    if (!is_stopped && !file_system.has_errors.value_or(false)) continue;
    Finding& finding = findings.emplace_back();
    finding.kind = is_stopped ? FindingKind::ReadOnlyFileSystem : FindingKind::FileSystemError;
    finding.object = name_of(file_system);
    finding.summary = is_stopped ? fmt::format("{} takes no writes since an error", finding.object)
                                 : fmt::format("{} is marked as one with errors", finding.object);
    add_errors(file_system, finding);
    finding.grade = finding.evidence.size() > 1 ? Grade::Strong : Grade::Weak;
  }
  return findings;
}

}  // namespace photon_dmesg
