#include "batch/summary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

#include "base/printable.h"
#include "triage/finding.h"

namespace photon_dmesg {
namespace {

constexpr std::string_view nothing_found = "nothing wrong found";
constexpr std::string_view not_read = "not read";

bool is_read(const TicketResult& result) {
  return result.error.empty();
}

// Where a ticket stands in the order of what matters.
std::size_t rank_of_kind(const TicketResult& result) {
  const auto& kinds = finding_kinds();
  if (!is_read(result)) return kinds.size() + 1;
  if (result.findings.empty()) return kinds.size();
  const auto found = std::find_if(kinds.begin(), kinds.end(), [&](const KindNames& kind) {
    return kind.name == result.findings.front().kind;
  });
  return static_cast<std::size_t>(found - kinds.begin());
}

std::size_t rank_of_grade(const TicketResult& result) {
  constexpr std::array grades = {Grade::Certain, Grade::Strong, Grade::Weak};
  if (result.findings.empty()) return 0;
  const auto* found = std::find_if(grades.begin(), grades.end(), [&](Grade grade) {
    return name_of(grade) == result.findings.front().grade;
  });
  return static_cast<std::size_t>(found - grades.begin());
}

using Order = std::tuple<std::size_t, std::size_t, const std::string&,
                         const std::optional<std::string>&, const std::string&, const std::string&>;

Order order_of(const TicketResult& result) {
  return {rank_of_kind(result), rank_of_grade(result), result.release,
          result.stopped,       result.last_message,   result.name};
}

bool comes_before(const TicketResult& left, const TicketResult& right) {
  return order_of(left) < order_of(right);
}

std::string_view title_of(const TicketResult& result) {
  if (!is_read(result)) return not_read;
  if (!result.judged || result.findings.empty()) return nothing_found;
  const auto kind = finding_kind(result.findings.front().kind);
  return kind ? title_of(*kind) : std::string_view(result.findings.front().kind);
}

std::string verdict_of(const TicketResult& result) {
  if (!is_read(result)) return fmt::format("{}: {}", not_read, result.error);
  if (!result.judged) return "not judged";
  if (result.findings.empty()) return std::string(nothing_found);
  return result.findings.front().headline;
}

std::string last_of(const TicketResult& result) {
  constexpr std::size_t longest = 160;
  if (!result.last_nsec) return "";
  const std::string_view line =
      std::string_view(result.last_message).substr(0, result.last_message.find('\n'));
  return fmt::format("[{}] {}{}", log_time(*result.last_nsec), line.substr(0, longest),
                     line.size() > longest ? "..." : "");
}

// What a ticket was read without, if its status says that it was: the first warning, and how many
// more there are.
std::string lack_of(const TicketResult& result) {
  if (!is_read(result) || result.status == 0 || result.warnings.empty()) return "";
  const std::size_t more = result.warnings.size() - 1;
  return result.warnings.front() + (more == 0 ? "" : fmt::format(" (and {} more)", more));
}

// One column of the table.
struct Column {
  std::string_view title;
  std::string (*value)(const TicketResult& result);
};

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

constexpr std::array columns = {
    Column{"TICKET", [](const TicketResult& result) { return result.name; }},
    Column{"STATUS", [](const TicketResult& result) { return fmt::format("{}", result.status); }},
    Column{"RELEASE", [](const TicketResult& result) { return or_dash(result.release); }},
    Column{"STOPPED", [](const TicketResult& result) { return result.stopped.value_or("-"); }},
};

// RFC 4180; what a spreadsheet would take for a formula has an apostrophe before it.
std::string csv(const std::string& text) {
  std::string field = printable(text);
  constexpr std::string_view formulas = "=+-@";
  if (!field.empty() && formulas.find(field.front()) != std::string_view::npos) {
    field = fmt::format("'{}", field);
  }
  if (field.find_first_of("\",") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + '"';
}

}  // namespace

Summary::Summary(std::vector<TicketResult> results) : results_(std::move(results)) {
  std::sort(results_.begin(), results_.end(), comes_before);
}

std::string Summary::counts() const {
  std::vector<std::pair<std::string_view, std::size_t>> counts;  // equal ones are neighbours
  for (const TicketResult& result : results_) {
    if (counts.empty() || counts.back().first != title_of(result)) {
      counts.emplace_back(title_of(result), 0);
    }
    ++counts.back().second;
  }
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (const auto& [title, count] : counts) parts.push_back(fmt::format("{} {}", count, title));
  return fmt::format("{} ticket{}{}{}", results_.size(), results_.size() == 1 ? "" : "s",
                     parts.empty() ? "" : ": ", fmt::join(parts, ", "));
}

void Summary::write_text(std::ostream& out) const {
  out << counts() << "\n";
  if (results_.empty()) return;
  std::array<std::size_t, columns.size()> widths{};
  for (std::size_t i = 0; i < columns.size(); ++i) {
    widths[i] = columns[i].title.size();
    for (const TicketResult& result : results_) {
      widths[i] = std::max(widths[i], printable(columns[i].value(result)).size());
    }
  }
  out << '\n';
  for (std::size_t i = 0; i < columns.size(); ++i) {
    out << fmt::format("{:<{}}  ", columns[i].title, widths[i]);
  }
  out << "VERDICT\n";
  for (const TicketResult& result : results_) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      out << fmt::format("{:<{}}  ", printable(columns[i].value(result)), widths[i]);
    }
    out << printable(verdict_of(result)) << '\n';
    const std::string last = last_of(result);
    if (!last.empty()) out << "  last: " << printable(last) << '\n';
    const std::string lack = lack_of(result);
    if (!lack.empty()) out << "  warning: " << printable(lack) << '\n';
  }
}

void Summary::write_csv(std::ostream& out) const {
  out << "ticket,status,kind,grade,verdict,release,stopped,last_time,last_message,vm,host,warnings,"
         "file\r\n";
  for (const TicketResult& result : results_) {
    const bool found = !result.findings.empty();
    const std::array fields = {
        result.name,
        fmt::format("{}", result.status),
        found ? result.findings.front().kind : std::string(),
        found ? result.findings.front().grade : std::string(),
        verdict_of(result),
        result.release,
        result.stopped.value_or(""),
        result.last_nsec ? log_time(*result.last_nsec) : std::string(),
        result.last_message,
        result.vm,
        result.host,
        fmt::format("{}", result.warnings.size()),
        result.files.empty() ? std::string() : result.files.front(),
    };
    for (std::size_t i = 0; i < fields.size(); ++i) out << (i == 0 ? "" : ",") << csv(fields[i]);
    out << "\r\n";
  }
}

void Summary::write_lines(std::ostream& out) const {
  for (const TicketResult& result : results_) out << to_json_line(result);
}

}  // namespace photon_dmesg
