#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "report/formats/markdown_text.h"
#include "report/formats/record_lines.h"
#include "report/formats/trace_lines.h"
#include "report/formats/triage_words.h"
#include "report/triage_report.h"
#include "report/triage_timeline.h"

// Headings and labels are our own words; all else may be the guest's, and is code.
namespace photon_dmesg {
namespace {

class Text {
 public:
  Text(const TriageReport& report, std::ostream& out) : report_(report), out_(out) {}

  void write() {
    const std::vector<Finding>& findings = report_.verdict.findings;
    if (findings.empty()) out_ << "# " << headline(report_) << "\n";
    for (const Finding& finding : findings) {
      write(finding, &finding == &findings.front() ? "# " : "## ");
    }
    write_timeline();
    write_guest();
    write_vcpus();
    write_blocked();
    write_records();
    write_warnings();
    write_inputs();
    out_ << "\nWritten by " << code_span(report_.generator) << ".\n";
  }

 private:
  void begin_section(std::string_view title) { out_ << "\n## " << title << "\n\n"; }

  void write(const Finding& finding, std::string_view mark) {
    if (&finding != &report_.verdict.findings.front()) out_ << '\n';
    out_ << mark << title_of(finding.kind) << " (" << name_of(finding.grade) << ")\n\n"
         << code_span(said_of(finding)) << "\n\n";
    write_rows(finding, "");
    if (finding.consequences.empty()) return;
    out_ << "- consequences\n";
    write_consequences(finding, "  ");
  }

  void write_rows(const Finding& finding, const std::string& indent) {
    for (const TriageRow& row : rows_of(finding)) {
      if (row.label == "evidence") {
        write_witnesses(row.label, finding.evidence, indent);
      } else if (row.label == "against") {
        write_witnesses(row.label, finding.against, indent);
      } else {
        out_ << indent << "- " << row.label << ": " << code_span(row.text) << '\n';
      }
    }
  }

  void write_consequences(const Finding& finding, const std::string& indent) {
    for (const Finding& consequence : finding.consequences) {
      out_ << indent << "- " << title_of(consequence.kind) << " (" << name_of(consequence.grade)
           << "): " << code_span(said_of(consequence)) << '\n';
      write_rows(consequence, indent + "  ");
      write_consequences(consequence, indent + "  ");
    }
  }

  void write_witnesses(std::string_view label, const std::vector<Witness>& witnesses,
                       const std::string& indent) {
    out_ << indent << "- " << label << ":\n";
    for (const Witness& witness : witnesses) {
      out_ << indent << "  - " << code_span(describe_with_place(witness)) << '\n';
    }
  }

  void write_timeline() {
    const std::optional<Timeline> timeline = timeline_of(report_);
    if (!timeline) return;
    begin_section("What happened when");
    out_ << "| since boot | |\n|---:|---|\n";
    for (const Timeline::Event& event : timeline->events) {
      out_ << "| " << exact_seconds(event.nsec) << " | " << code_cell(event.what) << " |\n";
    }
    if (timeline->left_out > 0) {
      out_ << fmt::format("\n{} more are not shown.\n", timeline->left_out);
    }
    if (timeline->silent_since_nsec) {
      out_ << "\nNo message between the last one and the stop.\n";
    }
  }

  void write_guest() {
    begin_section("The guest");
    for (const TriageRow& row : guest_rows(report_)) {
      out_ << "- " << row.label << ": " << code_span(row.text) << '\n';
    }
  }

  void write_vcpus() {
    if (report_.facts.vcpus.empty()) return;
    begin_section("Processors");
    for (const VcpuActivity& vcpu : report_.facts.vcpus) {
      write(heading_of(report_, vcpu), vcpu.trace);
    }
  }

  void write(std::string_view heading, const Trace& trace) {
    out_ << code_span(heading) << "\n\n" << code_block(trace_lines(trace)) << '\n';
  }

  void write_blocked() {
    const std::vector<BlockedGroup> groups = blocked_groups(report_.facts);
    if (groups.empty()) return;
    begin_section("Blocked tasks (state D)");
    for (std::size_t i = 0; i < std::min(most_groups, groups.size()); ++i) write(groups[i]);
    if (groups.size() > most_groups) {
      out_ << fmt::format("{} more groups are not shown.\n", groups.size() - most_groups);
    }
  }

  void write(const BlockedGroup& group) {
    out_ << code_span(heading_of(report_, group)) << "\n\n";
    out_ << "- tasks: " << code_span(tasks_of(report_, group)) << '\n';
    for (const std::string& owner : group.owners) out_ << "- " << code_span(owner) << '\n';
    out_ << '\n';
    write("The stack of " + name_and_pid(group.tasks.front()->task), group.tasks.front()->trace);
    if (group.holder == nullptr) return;
    write("The stack of " + name_and_pid(group.holder->task) + ", whom it waits for",
          group.holder->trace);
  }

  void write_records() {
    if (!report_.log.told.empty()) {
      begin_section("Records that the findings name");
      write(report_.log.told);
    }
    if (!report_.log.newest.empty()) {
      begin_section(
          fmt::format("The last {} of {} records", report_.log.newest.size(), report_.log.records));
      write(report_.log.newest);
    }
  }

  void write(const std::vector<LogRecord>& records) {
    std::vector<std::string> lines;
    for (const LogRecord& record : records) {
      std::ranges::move(record_lines(record), std::back_inserter(lines));
    }
    out_ << code_block(lines);
  }

  void write_warnings() {
    if (report_.warnings.empty()) return;
    begin_section("Warnings");
    for (const std::string& warning : report_.warnings) out_ << "- " << code_span(warning) << '\n';
  }

  void write_inputs() {
    if (report_.inputs.empty()) return;
    begin_section("Made from");
    out_ << "| file | bytes | SHA-256 |\n|---|---:|---|\n";
    for (const TriageReport::Input& input : report_.inputs) {
      out_ << "| " << code_cell(input.path) << " | " << input.size << " | "
           << code_cell(input.sha256) << " |\n";
    }
  }

  const TriageReport& report_;
  std::ostream& out_;
};

}  // namespace

void write_triage_markdown(const TriageReport& report, std::ostream& out) {
  Text(report, out).write();
}

}  // namespace photon_dmesg
