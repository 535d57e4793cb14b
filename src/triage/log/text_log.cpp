#include "triage/log/text_log.h"

#include <algorithm>
#include <array>
#include <string>

#include "triage/log/line_prefix.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_line = std::size_t{64} << 10;

// The next line without its end, cut to what is kept; false at the end of the input.
bool read_line(std::istream& input, std::string& line) {
  line.clear();
  std::streambuf& bytes = *input.rdbuf();
  constexpr int end = std::char_traits<char>::eof();
  int byte = bytes.sbumpc();
  if (byte == end) return false;
  for (; byte != end && byte != '\n'; byte = bytes.sbumpc()) {
    if (line.size() < longest_line) line += static_cast<char>(byte);
  }
  return true;
}

// Takes what steers a terminal away: "\e[31m", zeros of a serial line, carriage returns.
void remove_control(std::string& line) {
  std::string kept;
  kept.reserve(line.size());
  for (std::size_t i = 0; i < line.size(); ++i) {
    constexpr char escape = 0x1b;
    if (line[i] == escape && i + 1 < line.size() && line[i + 1] == '[') {
      constexpr std::string_view parameters = "0123456789;?";
      i += 2;
      while (i < line.size() && parameters.find(line[i]) != std::string_view::npos) ++i;
    } else if (line[i] != '\0' && line[i] != '\r' && line[i] != escape) {
      kept += line[i];
    }
  }
  line = std::move(kept);
}

// Takes "Nov 29 01:50:12 " or "2026-11-29T01:50:12.123456+00:00 " off; false if there is none.
bool take_syslog_time(std::string_view& text) {
  constexpr std::array months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  constexpr std::size_t traditional = 15;  // "Nov 29 01:50:12"
  constexpr std::size_t iso = 19;          // "2026-11-29T01:50:12"
  if (text.size() > traditional && text[3] == ' ' && text[9] == ':' && text[12] == ':' &&
      text[traditional] == ' ' &&
      std::find(months.begin(), months.end(), text.substr(0, 3)) != months.end()) {
    text.remove_prefix(traditional + 1);
    return true;
  }
  if (text.size() > iso && text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' &&
      text[16] == ':' && is_digit(text[0])) {
    text.remove_prefix(std::min(text.size(), until(text, " ").size() + 1));
    return true;
  }
  return false;
}

constexpr std::uint8_t user = 1;  // of syslog(3)
constexpr std::uint8_t daemon = 3;

// Takes a syslog's time, host and tag off: what the kernel did not say keeps its tag.
std::optional<std::uint8_t> take_syslog_prefix(std::string_view& text) {
  std::string_view rest = text;
  if (!take_syslog_time(rest)) return std::nullopt;
  const std::size_t host = until(rest, " ").size();
  if (host == rest.size()) return std::nullopt;
  rest.remove_prefix(host + 1);
  constexpr std::string_view kernel = "kernel: ";
  if (rest.starts_with(kernel)) {
    text = rest.substr(kernel.size());
    return 0;
  }
  text = rest;
  return rest.starts_with("systemd") ? daemon : user;
}

// Takes off what journalctl -o short-monotonic puts between time and text, "host kernel: " or
// "host ", if the kernel or systemd wrote it: other tags can't be told from the kernel's own words.
std::optional<std::uint8_t> take_journal_prefix(std::string_view& text) {
  const std::string_view host = until(text, " :[");
  constexpr std::string_view kernel = " kernel: ";
  const std::string_view rest = text.substr(host.size());
  if (rest.starts_with(kernel)) {
    text = rest.substr(kernel.size());
    return 0;
  }
  if (!rest.starts_with(" systemd[") && !rest.starts_with(" systemd-")) return std::nullopt;
  text = rest.substr(1);
  return daemon;
}

// The time of what the kernel printed behind what others had written.
std::optional<std::uint64_t> inner_time(std::string_view text) {
  const std::size_t inner = find_inner_line(text);
  if (inner == std::string_view::npos) return std::nullopt;
  text.remove_prefix(inner);
  return take_line_prefix(text).ts_nsec;
}

LogRecord parse_line(std::string_view text) {
  LogRecord record;
  std::optional<std::uint8_t> facility = take_syslog_prefix(text);
  const LinePrefix prefix = take_line_prefix(text);
  if (prefix.ts_nsec && !facility) facility = take_journal_prefix(text);
  record.ts_nsec = prefix.ts_nsec ? *prefix.ts_nsec : inner_time(text).value_or(UINT64_MAX);
  record.caller = prefix.caller;
  constexpr std::uint8_t info = 6;
  record.level = prefix.level.value_or(info);
  record.facility = prefix.facility.value_or(facility.value_or(0));
  record.text = text;
  return record;
}

}  // namespace

void read_text_log(std::istream& input, const RecordSink& sink) {
  std::string line;
  std::uint64_t number = 0;
  std::uint64_t newest = 0;
  while (read_line(input, line)) {
    remove_control(line);
    LogRecord record = parse_line(line);
    record.seq = ++number;
    if (record.ts_nsec == UINT64_MAX) record.ts_nsec = newest;
    newest = record.ts_nsec;
    if (!sink(std::move(record))) return;
  }
}

}  // namespace photon_dmesg
