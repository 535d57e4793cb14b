#include <fmt/format.h>

#include <string_view>

#include "base/printable.h"
#include "report/triage_report.h"

namespace photon_dmesg {
namespace {

void write(const TriageRow& row, std::string_view indent, std::ostream& out) {
  constexpr int width = 10;
  out << fmt::format("{}{:<{}} {}\n", indent, row.label, width, printable(row.text));
}

void write(const Finding& finding, std::ostream& out) {
  out << printable(headline(finding)) << '\n';
  for (const TriageRow& row : rows_of(finding)) write(row, "  ", out);
  if (finding.consequences.empty()) return;
  out << "  consequences\n";
  for (const Finding& consequence : finding.consequences) {
    out << "    " << printable(headline(consequence)) << '\n';
    for (const TriageRow& row : rows_of(consequence)) {
      if (row.label == "cause") write(row, "      ", out);
    }
  }
}

}  // namespace

void write_triage_text(const TriageReport& report, std::ostream& out) {
  if (report.verdict.findings.empty()) out << headline(report) << '\n';
  for (const Finding& finding : report.verdict.findings) write(finding, out);
  for (const TriageRow& row : guest_rows(report)) write(row, "  ", out);
}

}  // namespace photon_dmesg
