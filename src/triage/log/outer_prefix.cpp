#include "triage/log/outer_prefix.h"

#include <algorithm>
#include <array>

#include "triage/log/line_prefix.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

constexpr std::uint8_t user = 1;  // of syslog(3)
constexpr std::uint8_t daemon = 3;

bool take_form(std::string_view& text, std::string_view form) {
  if (!begins_like(text, form)) return false;
  text.remove_prefix(form.size());
  return true;
}

// "Nov ".
bool take_month(std::string_view& text) {
  constexpr std::array<std::string_view, 12> months = {"Jan ", "Feb ", "Mar ", "Apr ",
                                                       "May ", "Jun ", "Jul ", "Aug ",
                                                       "Sep ", "Oct ", "Nov ", "Dec "};
  const auto* const found =
      std::find_if(months.begin(), months.end(),
                   [text](std::string_view month) { return text.starts_with(month); });
  if (found == months.end()) return false;
  text.remove_prefix(found->size());
  return true;
}

// ".123456" or ",123456". Returns whether it is there with a comma.
bool take_fraction(std::string_view& text) {
  if (text.size() < 2 || (text[0] != '.' && text[0] != ',') || !is_digit(text[1])) return false;
  const bool has_comma = text[0] == ',';
  text.remove_prefix(1);
  text.remove_prefix(std::min(text.find_first_not_of("0123456789"), text.size()));
  return has_comma;
}

void take_zone(std::string_view& text) {
  if (text.starts_with('Z')) return text.remove_prefix(1);
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return;
  std::string_view rest = text.substr(1);
  if (take_form(rest, "99:99") || take_form(rest, "9999")) text = rest;
}

// "UTC", as systemd names a zone behind a blank.
void take_zone_name(std::string_view& text) {
  constexpr std::size_t longest = 5;
  const std::size_t end = text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 1);
  if (!text.starts_with(' ') || end == std::string_view::npos || end < 3 || end > longest + 1 ||
      text[end] != ' ') {
    return;
  }
  text.remove_prefix(end);
}

struct Time {
  bool has_comma = false;
};

std::optional<Time> take_bare_time(std::string_view& text) {
  std::string_view rest = text;
  Time time;
  if (take_month(rest)) {
    if (!take_form(rest, "_9 99:99:99")) return std::nullopt;
    time.has_comma = take_fraction(rest);
  } else {
    const bool has_weekday = take_weekday(rest);
    if (!take_form(rest, "9999-99-99T99:99:99") && !take_form(rest, "9999-99-99 99:99:99")) {
      return std::nullopt;
    }
    time.has_comma = take_fraction(rest);
    has_weekday ? take_zone_name(rest) : take_zone(rest);
  }
  text = rest;
  return time;
}

std::optional<Time> take_time(std::string_view& text) {
  std::string_view rest = text;
  const bool has_bracket = rest.starts_with('[');
  if (has_bracket) rest.remove_prefix(1);
  const auto time = take_bare_time(rest);
  if (!time) return std::nullopt;
  if (has_bracket && !rest.starts_with(']')) return std::nullopt;
  if (has_bracket) rest.remove_prefix(1);
  if (!has_bracket && !rest.empty() && rest[0] != ' ') return std::nullopt;
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  text = rest;
  return time;
}

// "kernel: " or "kernel[0]: ".
bool take_kernel_tag(std::string_view& text) {
  std::string_view rest = text;
  constexpr std::string_view kernel = "kernel";
  if (!rest.starts_with(kernel)) return false;
  rest.remove_prefix(kernel.size());
  if (rest.starts_with('[')) {
    rest.remove_prefix(1);
    if (!take_number(rest) || !rest.starts_with(']')) return false;
    rest.remove_prefix(1);
  }
  if (!rest.starts_with(": ") && rest != ":") return false;
  text = rest.substr(std::min<std::size_t>(rest.size(), 2));
  return true;
}

// Takes "web-1 " off.
std::string_view take_host(std::string_view& text) {
  const std::string_view host = until(text, " ");
  const bool is_host = !host.empty() && host.size() < text.size() &&
                       std::all_of(host.begin(), host.end(),
                                   [](char c) { return is_word(c) || c == '-' || c == '.'; });
  if (!is_host) return {};
  text.remove_prefix(host.size() + 1);
  return host;
}

// Takes "kern.emerg " off. Returns its facility.
std::optional<std::uint8_t> take_facility_name(std::string_view& text) {
  const std::string_view name = until(text, ". ");
  const auto facility = facility_called(name);
  if (!facility || !text.substr(name.size()).starts_with('.')) return std::nullopt;
  const std::string_view level = until(text.substr(name.size() + 1), " ");
  const std::size_t size = name.size() + 1 + level.size();
  if (!level_called(level) || size == text.size()) return std::nullopt;
  text.remove_prefix(size + 1);
  return facility;
}

// Whether the kernel's own time comes next.
bool has_kernel_time(std::string_view text) {
  return text.starts_with('[') && take_line_prefix(text).ts_nsec.has_value();
}

// Whether a program's "tag[12]: " comes next, or its "tag: ".
bool has_tag(std::string_view text, bool with_pid) {
  const std::string_view tag = until(text, " :[");
  if (tag.empty()) return false;
  text.remove_prefix(tag.size());
  if (!with_pid) return text.starts_with(": ");
  if (!text.starts_with('[')) return false;
  text.remove_prefix(1);
  return take_number(text) && text.starts_with("]: ");
}

}  // namespace

std::optional<std::uint8_t> OuterPrefix::take(std::string_view& text) {
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  if (time->has_comma) return 0;
  return take_writer(text);
}

std::optional<std::uint8_t> OuterPrefix::take_writer(std::string_view& text) {
  if (take_kernel_tag(text)) return 0;
  std::string_view rest = text;
  const std::string_view host = take_host(rest);
  if (host.empty()) return std::nullopt;
  const std::optional<std::uint8_t> told = take_facility_name(rest);
  if (take_kernel_tag(rest) || has_kernel_time(rest)) {
    learn(host);
    text = rest;
    return 0;
  }
  if (told || has_tag(rest, true)) learn(host);
  if (!knows(host)) return std::nullopt;
  text = rest;
  return told.value_or(rest.starts_with("systemd") ? daemon : user);
}

void OuterPrefix::learn(std::string_view host) {
  constexpr std::size_t most = 64;
  if (hosts_.size() < most && !knows(host)) hosts_.emplace_back(host);
}

bool OuterPrefix::knows(std::string_view host) const {
  return std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

}  // namespace photon_dmesg
