#include "report/formats/record_lines.h"

#include <fmt/format.h>

#include <string_view>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

std::string_view remark(LogRecord::State state) {
  switch (state) {
    case LogRecord::State::Finished:
    case LogRecord::State::Unindexed:
      break;
    case LogRecord::State::Partial:
    case LogRecord::State::Reopened:
      return " (its line is not ended)";
    case LogRecord::State::TextLost:
      return "(text lost)";
    case LogRecord::State::Truncated:
      return " (the rest is lost)";
  }
  return "";
}

}  // namespace

std::vector<std::string> record_lines(const LogRecord& record) {
  constexpr std::uint64_t nsec_per_usec = 1000;
  constexpr std::uint64_t second = 1'000'000;
  const std::uint64_t usec = record.ts_nsec / nsec_per_usec;
  std::string prefix = fmt::format("[{:5}.{:06}] ", usec / second, usec % second);
  std::vector<std::string> lines;
  std::string_view rest = record.text;
  while (true) {
    const std::size_t end = rest.find('\n');
    lines.push_back(prefix + printable(rest.substr(0, end)));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
    prefix.assign(prefix.size(), ' ');
  }
  lines.back() += remark(record.state);
  return lines;
}

}  // namespace photon_dmesg
