#include "cli/triage_details.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/file_stream.h"
#include "base/input_file.h"
#include "checkpoint/guest_files.h"
#include "checkpoint/vmware/checkpoint_info.h"
#include "cli/input_files.h"
#include "kernel/printk/kernel_log.h"
#include "session/session.h"
#include "triage/log/text_log.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t newest_records = 200;
constexpr std::size_t parts_of_life = 160;  // bars in a picture

bool is_for_tickets(const Options& options) {
  return options.report_format == "markdown" || options.report_format == "html";
}

bool has_digests(const Options& options) {
  return options.triage.hash || is_for_tickets(options);
}

using Sequences = std::set<std::uint64_t>;

void add_named(const std::vector<Finding>& findings, Sequences& named) {
  for (const Finding& finding : findings) {
    for (const auto* witnesses : {&finding.evidence, &finding.against}) {
      for (const Witness& witness : *witnesses) {
        if (witness.record) named.insert(*witness.record);
      }
    }
    add_named(finding.consequences, named);
  }
}

// Takes from a log what is shown of it, whatever its length.
class Excerpt {
 public:
  explicit Excerpt(const TriageReport& report)
      : now_(std::max(report.facts.time.now_nsec, report.facts.last_record_nsec.value_or(0))) {
    add_named(report.verdict.findings, named_);
    if (now_ > 0) density_.resize(parts_of_life);
  }

  void add(const LogRecord& record) {
    if (named_.contains(record.seq)) told_.push_back(record);
    newest_.push_back(record);
    if (newest_.size() > newest_records) newest_.pop_front();
    if (density_.empty()) return;
    const double share = static_cast<double>(record.ts_nsec) / static_cast<double>(now_);
    const auto part = static_cast<std::size_t>(share * static_cast<double>(parts_of_life));
    ++density_[std::min(part, parts_of_life - 1)];
  }

  void give(TriageReport::Log& log) {
    log.newest.assign(newest_.begin(), newest_.end());
    log.told = std::move(told_);
    log.density = std::move(density_);
  }

 private:
  std::uint64_t now_;
  Sequences named_;
  std::deque<LogRecord> newest_;
  std::vector<LogRecord> told_;
  std::vector<std::uint64_t> density_;
};

using Take = std::function<void(const LogRecord&)>;
// Reads the log anew and has each record taken.
using ReadLog = std::function<void(const Take&)>;

// That the log can't be read, whoever read it for the verdict has said.
ReadLog log_of(Guest& guest) {
  return [&guest](const Take& take) {
    SilentDiagnostics silent;
    try {
      session::open_log(guest, silent).read_records([&](const LogRecord& record) {
        take(record);
        return true;
      });
    } catch (const Error& error) {
      silent.found({.what = "no log", .how = error.what()});
    }
  };
}

ReadLog log_of(const ByteSource& text) {
  return [&text](const Take& take) {
    FileStream input(text);
    read_text_log(input, [&](const LogRecord& record) {
      take(record);
      return true;
    });
  };
}

void add_log(const Options& options, const ReadLog& read, Redactor& redactor,
             TriageReport& report) {
  if (options.redact) {
    read([&](const LogRecord& record) { redactor.learn(record.text); });
  }
  if (!is_for_tickets(options)) return;
  Excerpt excerpt(report);
  read([&](const LogRecord& record) { excerpt.add(record); });
  excerpt.give(report.log);
}

bool is_png(std::string_view bytes) {
  constexpr std::string_view magic = "\x89PNG\r\n\x1a\n";
  return bytes.starts_with(magic);
}

void add_screenshot(const Guest& guest, TriageReport& report, Diagnostics& diagnostics) {
  try {
    const InputFile file(guest.state().path);
    if (identify_guest_file(file) != GuestFileKind::Checkpoint) return;
    const std::vector<std::byte> bytes = read_screenshot(file);
    std::string picture(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (is_png(picture)) report.screenshot = std::move(picture);
  } catch (const Error& error) {
    diagnostics.found({.what = "no screenshot", .where = "the checkpoint", .how = error.what()});
  }
}

}  // namespace

void add_details(const Options& options, Guest& guest, Redactor& redactor, TriageReport& report,
                 Diagnostics& diagnostics) {
  report.inputs = input_files(files_of(options, guest), has_digests(options), diagnostics);
  add_log(options, log_of(guest), redactor, report);
  if (is_for_tickets(options) && !options.redact) add_screenshot(guest, report, diagnostics);
}

void add_details(const Options& options, const ByteSource& text, Redactor& redactor,
                 TriageReport& report, Diagnostics& diagnostics) {
  report.inputs = input_files(options.files, has_digests(options), diagnostics);
  add_log(options, log_of(text), redactor, report);
}

}  // namespace photon_dmesg
