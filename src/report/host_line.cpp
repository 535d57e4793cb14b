#include "report/host_line.h"

#include <fmt/format.h>

#include <string_view>

#include "triage/log/line_prefix.h"

namespace photon_dmesg {

HostLine parse_host_line(const HostLogLine& line, const std::string& file) {
  HostLine result;
  result.file = file;
  result.host_time = line.time;
  result.host_nsec = line.time_nsec;
  result.thread = line.thread;
  std::string_view text = line.text;
  const bool has_level = text.starts_with('<');
  const LinePrefix prefix = take_line_prefix(text);
  if (!has_level || !prefix.level) {
    result.text = line.text;
    return result;
  }
  result.level = prefix.level;
  result.facility = prefix.facility;
  result.ts_nsec = prefix.ts_nsec;
  result.caller = prefix.caller;
  result.text = text;
  return result;
}

std::string raw_line(const HostLine& line) {
  if (!is_of_kernel(line)) return line.text;
  constexpr unsigned levels = 8;
  constexpr std::uint64_t nsec_per_usec = 1000;
  constexpr std::uint64_t second = 1'000'000;
  const unsigned level = line.facility.value_or(0) * levels + *line.level;
  if (!line.ts_nsec) return fmt::format("<{}>{}", level, line.text);
  const std::uint64_t usec = *line.ts_nsec / nsec_per_usec;
  return fmt::format("<{}>[{:5}.{:06}] {}", level, usec / second, usec % second, line.text);
}

LogRecord record_of(const HostLine& line, std::uint64_t seq) {
  constexpr std::uint8_t user = 1;  // of syslog(3)
  constexpr std::uint8_t info = 6;
  LogRecord record;
  record.seq = seq;
  record.ts_nsec = line.ts_nsec.value_or(0);
  record.facility = line.facility.value_or(user);
  record.level = line.level.value_or(info);
  record.caller = line.caller;
  record.text = line.text;
  return record;
}

}  // namespace photon_dmesg
