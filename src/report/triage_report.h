#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "kernel/printk/log_record.h"
#include "report/report.h"
#include "triage/rules/guest_facts.h"
#include "triage/rules/verdict.h"

namespace photon_dmesg {

// What photon-dmesg triage prints. What is not known is absent.
struct TriageReport {
  std::string generator;           // "photon-dmesg 1.2.3"
  std::optional<GuestInfo> guest;  // absent: a text log alone was judged
  std::optional<SourceInfo> source;
  Verdict verdict;
  GuestFacts facts;

  // What told: "kallsyms", "BTF in the guest's memory".
  std::vector<std::string> read_from;
  // What could not be read, and so was not judged.
  std::vector<std::string> not_read;
  std::vector<std::string> modules;

  // How much the log holds, and the records to show.
  struct Log {
    std::uint64_t records = 0;
    std::optional<std::uint64_t> first_seq;
    std::optional<std::uint64_t> last_seq;
    std::string last_text;
    std::vector<LogRecord> newest;  // the last of them
    std::vector<LogRecord> told;    // those that findings name
    // How many there were in each of equal parts of the guest's life; empty: not counted.
    std::vector<std::uint64_t> density;
  };
  Log log;

  struct Input {
    std::string path;
    std::uint64_t size = 0;
    std::string sha256;  // lower-case hexadecimal; empty: not asked for
  };
  std::vector<Input> inputs;
  std::optional<std::string> screenshot;  // PNG

  std::vector<std::string> warnings;  // what the user was told
};

// What stands in its headline behind its kind and grade: "sysrq triggered crash, on CPU 1 in init
// (1), 8.937 s after boot".
[[nodiscard]] std::string said_of(const Finding& finding);
// "PANIC (certain)  sysrq triggered crash, on CPU 1 in init (1), 8.937 s after boot".
[[nodiscard]] std::string headline(const Finding& finding);
// The same of the whole verdict: of its first finding, or that nothing wrong was found, which means
// less where not all could be read, and says so.
[[nodiscard]] std::string headline(const TriageReport& report);

// A fact, or several that belong together, on one line.
struct TriageRow {
  std::string label;  // "cause", "vCPU 0"
  std::string text;
};

// What is said of a finding below its headline, consequences aside.
[[nodiscard]] std::vector<TriageRow> rows_of(const Finding& finding);
// What a vCPU was doing: "idle", "sh (146): lab_spin+0x7 [lab] < lab_write".
[[nodiscard]] std::string doing_of(const TriageReport& report, const VcpuActivity& vcpu);
// What is said of the guest below all findings.
[[nodiscard]] std::vector<TriageRow> guest_rows(const TriageReport& report);

// For people: docs/triage.md explains it.
void write_triage_text(const TriageReport& report, std::ostream& out);
// One JSON document; docs/formats.md describes it.
void write_triage_json(const TriageReport& report, std::ostream& out);
// A line of JSON for each finding.
void write_triage_lines(const TriageReport& report, std::ostream& out);
// For tickets: a text in CommonMark with GitHub's tables, and one page that needs nothing beside
// it. Guest text can't become markup in either.
void write_triage_markdown(const TriageReport& report, std::ostream& out);
void write_triage_html(const TriageReport& report, std::ostream& out);

}  // namespace photon_dmesg
