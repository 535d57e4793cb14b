#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>

#include "log_text.h"
#include "report_titles.h"
#include "triage/log/log_findings.h"

namespace photon_dmesg {
namespace {

// A log of syzkaller's collection, and what it says of it.
struct Report {
  std::string name;
  std::string title;
  std::string log;
};

// "TITLE: ...", other headers and comments, an empty line, the log, and what syzkaller makes of it.
Report parse_report(std::string name, const std::string& content) {
  Report report{.name = std::move(name), .title = {}, .log = {}};
  const std::size_t end = content.starts_with('\n') ? 0 : content.find("\n\n");
  std::istringstream headers(content.substr(0, end));
  for (std::string line; std::getline(headers, line);) {
    if (line.starts_with("TITLE: ")) report.title = line.substr(7);
  }
  report.log = end == std::string::npos ? std::string() : content.substr(end + 1);
  report.log = report.log.substr(0, report.log.find("\nREPORT:"));
  return report;
}

// The collection: $PHOTON_DMESG_KERNEL_REPORTS or beside the project.
std::filesystem::path collection() {
  const char* const named = std::getenv("PHOTON_DMESG_KERNEL_REPORTS");
  if (named != nullptr) return named;
  return std::filesystem::path(SOURCE_FOLDER) / "../shared/data/kernel-reports.tar.zst";
}

std::vector<Report> read_reports(const std::filesystem::path& file) {
  const std::unique_ptr<archive, decltype(&archive_read_free)> handle(archive_read_new(),
                                                                      archive_read_free);
  archive_read_support_format_tar(handle.get());
  archive_read_support_filter_all(handle.get());
  constexpr std::size_t block = 65536;
  REQUIRE(archive_read_open_filename(handle.get(), file.c_str(), block) == ARCHIVE_OK);
  std::vector<Report> reports;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(handle.get(), &entry) == ARCHIVE_OK) {
    const std::filesystem::path name = archive_entry_pathname(entry);
    if (archive_entry_filetype(entry) != AE_IFREG || name.parent_path().filename() != "reports") {
      continue;
    }
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '\0');
    REQUIRE(archive_read_data(handle.get(), content.data(), content.size()) ==
            static_cast<la_ssize_t>(content.size()));
    reports.push_back(parse_report(name.filename(), content));
  }
  return reports;
}

// Not what a program did, what a disk or a file system that it made up has, or what systemd says.
bool is_kernel_fault(FindingKind kind) {
  switch (kind) {
    case FindingKind::IoError:
    case FindingKind::ScsiAbort:
    case FindingKind::ReadOnlyFileSystem:
    case FindingKind::OutOfMemory:
    case FindingKind::MemoryLow:
    case FindingKind::LinkFlap:
    case FindingKind::TimeJump:
    case FindingKind::Segfault:
    case FindingKind::FailedUnit:
      return false;
    default:
      return true;
  }
}

// What the log says first.
std::optional<FindingKind> first_fault(const std::vector<LogEvent>& events, FindingKind expected) {
  for (const LogEvent& event : events) {
    const bool is_file_system = event.kind == FindingKind::FileSystemError;
    if (is_file_system && expected != event.kind) continue;
    if (is_kernel_fault(event.kind)) return event.kind;
  }
  return std::nullopt;
}

using Confusion = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;

void print(const Confusion& confusion) {
  for (const auto& [kinds, names] : confusion) {
    const bool is_right = kinds.first == kinds.second;
    fmt::print("  {:20} found as {:20} {:4}{}\n", kinds.first, kinds.second, names.size(),
               is_right ? "" : fmt::format("  {}", fmt::join(names, " ")));
  }
}

TEST_CASE("log: what others' kernels reported is of the right kind, and what is none is nothing") {
  const std::filesystem::path file = collection();
  if (!std::filesystem::exists(file)) {
    std::cout << "skipped: the collection of kernel reports: " << file.string()
              << " is not there\n";
    return;
  }
  Confusion confusion;
  std::size_t titled = 0;
  std::size_t right = 0;
  for (const Report& report : read_reports(file)) {
    const std::vector<LogEvent> events = test::events_of_text(report.log);
    const std::vector<Finding> findings = findings_of(events);
    const std::optional<FindingKind> expected = test::kind_of_title(report.title);
    CAPTURE(report.name, report.title);
    if (!expected) {
      const auto fault = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
        return is_kernel_fault(finding.kind);
      });
      if (fault != findings.end()) {
        FAIL_CHECK("found " << name_of(fault->kind) << ": " << fault->summary);
      }
      continue;
    }
    ++titled;
    const std::optional<FindingKind> found = first_fault(events, *expected);
    if (!found) UNSCOPED_INFO("nothing found in " << report.name << ": " << report.title);
    if (found == expected) ++right;
    confusion[{std::string(name_of(*expected)), found ? std::string(name_of(*found)) : "nothing"}]
        .push_back(report.name);
  }
  fmt::print("{} of {} reports are of the right kind\n", right, titled);
  print(confusion);
  REQUIRE(titled > 0);
  CHECK(right * 100 >= titled * 95);
  for (const auto& [kinds, names] : confusion) {
    CAPTURE(kinds.first, fmt::format("{}", fmt::join(names, " ")));
    CHECK((kinds.second != "nothing" || kinds.first == "warning"));
  }
}

}  // namespace
}  // namespace photon_dmesg
