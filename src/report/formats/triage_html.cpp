#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "report/formats/base64.h"
#include "report/formats/html_text.h"
#include "report/formats/record_lines.h"
#include "report/formats/timeline_svg.h"
#include "report/formats/trace_lines.h"
#include "report/formats/triage_style.h"
#include "report/formats/triage_words.h"
#include "report/triage_report.h"
#include "report/triage_timeline.h"

namespace photon_dmesg {
namespace {

// Nothing is loaded and nothing is run, whatever the page holds.
constexpr const char* policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

class Page {
 public:
  Page(const TriageReport& report, std::ostream& out) : report_(report), out_(out) {
    for (const LogRecord& record : report.log.told) told_.insert(record.seq);
  }

  void write() {
    write_head();
    out_ << "<body>\n<main>\n";
    write_verdict();
    write_timeline();
    write_guest();
    write_screenshot();
    write_vcpus();
    write_blocked();
    write_records();
    write_sentences("Warnings", report_.warnings);
    write_inputs();
    out_ << "</main>\n<footer>" << html(report_.generator) << "</footer>\n</body>\n</html>\n";
  }

 private:
  void write_head() {
    out_ << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         << R"(<meta http-equiv="Content-Security-Policy" content=")" << policy << "\">\n"
         << R"(<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
)"
         << R"(<meta name="generator" content=")" << html(report_.generator) << "\">\n"
         << R"(<link rel="icon" href="data:,">)" << '\n'
         << "<title>" << html(headline(report_)) << "</title>\n"
         << "<style>" << triage_style << "</style>\n</head>\n";
  }

  void begin_section(std::string_view title) {
    out_ << "<section>\n<h2>" << html(title) << "</h2>\n";
  }
  void end_section() { out_ << "</section>\n"; }

  void write_verdict() {
    const std::vector<Finding>& findings = report_.verdict.findings;
    if (findings.empty()) {
      out_ << "<section class=\"finding clean\">\n<h1 class=\"kind\">" << html(headline(report_))
           << "</h1>\n</section>\n";
    }
    for (const Finding& finding : findings) write(finding, &finding == &findings.front() ? 1 : 2);
  }

  void write(const Finding& finding, int level) {
    out_ << fmt::format(
        "<section class=\"finding\">\n<h{0}><span class=\"kind\">{1}</span> "
        "<span class=\"grade\">{2}</span></h{0}>\n<p>{3}</p>\n<dl>\n",
        level, html(title_of(finding.kind)), name_of(finding.grade), html(said_of(finding)));
    for (const TriageRow& row : rows_of(finding)) {
      if (row.label == "evidence") {
        write_witnesses(row.label, finding.evidence);
      } else if (row.label == "against") {
        write_witnesses(row.label, finding.against);
      } else {
        write(row);
      }
    }
    out_ << "</dl>\n";
    if (!finding.consequences.empty()) {
      out_ << fmt::format("<details open>\n<summary>Consequences: {}</summary>\n",
                          finding.consequences.size());
      for (const Finding& consequence : finding.consequences) write(consequence, 3);
      out_ << "</details>\n";
    }
    out_ << "</section>\n";
  }

  void write(const TriageRow& row) {
    out_ << "<dt>" << html(row.label) << "</dt><dd>" << html(row.text) << "</dd>\n";
  }

  void write_witnesses(std::string_view label, const std::vector<Witness>& witnesses) {
    out_ << "<dt>" << html(label) << "</dt><dd><ul>\n";
    for (const Witness& witness : witnesses) {
      const std::string text = html(describe_with_place(witness));
      const bool leads_there = witness.record && told_.contains(*witness.record);
      out_ << "<li>"
           << (leads_there ? fmt::format("<a href=\"#record-{}\">{}</a>", *witness.record, text)
                           : text)
           << "</li>\n";
    }
    out_ << "</ul></dd>\n";
  }

  void write_timeline() {
    const std::optional<Timeline> timeline = timeline_of(report_);
    if (!timeline) return;
    begin_section("What happened when");
    write_timeline_svg(*timeline, report_.log.density, out_);
    out_ << "<p class=\"soft\">Time since boot. Bars: messages in the log";
    if (timeline->silent_since_nsec) out_ << "; tinted: no message until the guest stopped";
    out_ << ".</p>\n<ol>\n";
    for (const Timeline::Event& event : timeline->events) {
      out_ << "<li><code>" << exact_seconds(event.nsec) << "</code> " << html(event.what)
           << "</li>\n";
    }
    out_ << "</ol>\n";
    if (timeline->left_out > 0) {
      out_ << fmt::format("<p class=\"soft\">{} more are not shown.</p>\n", timeline->left_out);
    }
    end_section();
  }

  void write_guest() {
    begin_section("The guest");
    out_ << "<dl>\n";
    for (const TriageRow& row : guest_rows(report_)) write(row);
    out_ << "</dl>\n";
    end_section();
  }

  void write_screenshot() {
    if (!report_.screenshot) return;
    begin_section("Its screen");
    out_ << R"(<img alt="The guest's screen when it stopped" src="data:image/png;base64,)"
         << base64(*report_.screenshot) << "\">\n";
    end_section();
  }

  void write_vcpus() {
    if (report_.facts.vcpus.empty()) return;
    begin_section("Processors");
    for (const VcpuActivity& vcpu : report_.facts.vcpus) {
      write(heading_of(report_, vcpu), vcpu.trace, is_busy_in_kernel(vcpu));
    }
    end_section();
  }

  void write(std::string_view heading, const Trace& trace, bool is_open) {
    out_ << "<details" << (is_open ? " open" : "") << ">\n<summary>" << html(heading)
         << "</summary>\n<pre>";
    for (const std::string& line : trace_lines(trace)) out_ << html(line) << '\n';
    out_ << "</pre>\n</details>\n";
  }

  void write_blocked() {
    const std::vector<BlockedGroup> groups = blocked_groups(report_.facts);
    if (groups.empty()) return;
    begin_section("Blocked tasks (state D)");
    for (std::size_t i = 0; i < std::min(most_groups, groups.size()); ++i) write(groups[i]);
    if (groups.size() > most_groups) {
      out_ << fmt::format("<p class=\"soft\">{} more groups are not shown.</p>\n",
                          groups.size() - most_groups);
    }
    end_section();
  }

  void write(const BlockedGroup& group) {
    out_ << "<section>\n<h3>" << html(heading_of(report_, group)) << "</h3>\n<p>"
         << html(tasks_of(report_, group)) << "</p>\n";
    if (!group.owners.empty()) {
      out_ << "<ol>\n";
      for (const std::string& owner : group.owners) out_ << "<li>" << html(owner) << "</li>\n";
      out_ << "</ol>\n";
    }
    write("The stack of " + name_and_pid(group.tasks.front()->task), group.tasks.front()->trace,
          false);
    if (group.holder != nullptr) {
      write("The stack of " + name_and_pid(group.holder->task) + ", whom it waits for",
            group.holder->trace, false);
    }
    out_ << "</section>\n";
  }

  void write_records() {
    if (report_.log.newest.empty() && report_.log.told.empty()) return;
    begin_section("The log");
    if (!report_.log.told.empty()) {
      out_ << "<details open>\n<summary>Records that the findings name</summary>\n<pre>";
      for (const LogRecord& record : report_.log.told) write(record, true);
      out_ << "</pre>\n</details>\n";
    }
    if (!report_.log.newest.empty()) {
      out_ << fmt::format("<details>\n<summary>The last {} of {} records</summary>\n<pre>",
                          report_.log.newest.size(), report_.log.records);
      for (const LogRecord& record : report_.log.newest) write(record, false);
      out_ << "</pre>\n</details>\n";
    }
    end_section();
  }

  void write(const LogRecord& record, bool is_target) {
    out_ << fmt::format("<span class=\"level{}\"", record.level);
    if (is_target) out_ << fmt::format(" id=\"record-{}\"", record.seq);
    out_ << '>';
    bool is_first = true;
    for (const std::string& line : record_lines(record)) {
      if (!std::exchange(is_first, false)) out_ << '\n';
      out_ << html(line);
    }
    out_ << "</span>\n";
  }

  void write_sentences(std::string_view title, const std::vector<std::string>& sentences) {
    if (sentences.empty()) return;
    begin_section(title);
    out_ << "<ul>\n";
    for (const std::string& sentence : sentences) out_ << "<li>" << html(sentence) << "</li>\n";
    out_ << "</ul>\n";
    end_section();
  }

  void write_inputs() {
    if (report_.inputs.empty()) return;
    begin_section("Made from");
    out_ << "<ul>\n";
    for (const TriageReport::Input& input : report_.inputs) {
      out_ << "<li>" << html(input.path) << fmt::format(", {} bytes", input.size);
      if (!input.sha256.empty()) out_ << ", SHA-256 <code>" << html(input.sha256) << "</code>";
      out_ << "</li>\n";
    }
    out_ << "</ul>\n";
    end_section();
  }

  const TriageReport& report_;
  std::ostream& out_;
  std::set<std::uint64_t> told_;
};

}  // namespace

void write_triage_html(const TriageReport& report, std::ostream& out) {
  Page(report, out).write();
}

}  // namespace photon_dmesg
