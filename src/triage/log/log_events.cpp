#include "triage/log/log_events.h"

#include <algorithm>
#include <array>

#include "triage/log/event_heads.h"
#include "triage/log/line_prefix.h"
#include "triage/log/panic_origin.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

// What is looked at of a line, and how many reports can be going on at a time.
constexpr std::size_t longest_line = 1024;
constexpr std::size_t most_open = 16;

std::uint64_t number_of(const std::optional<LogCaller>& caller) {
  if (!caller) return 0;
  const std::uint64_t kind = caller->kind == LogCaller::Kind::Task ? 1 : 2;
  return kind << 32 | caller->id;
}

// Lines that quote what they do not report.
bool is_quotation(std::string_view line) {
  constexpr std::array beginnings = {"Kernel command line:", "Command line:", "DEBUG:", "audit: "};
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [line](std::string_view text) { return line.starts_with(text); });
}

// "systemd[1]: ", "systemd-journald[213]: ".
bool is_of_systemd(std::string_view line) {
  const std::string_view name = until(line, "[: ");
  return line.starts_with("systemd") && line.substr(name.size()).starts_with('[');
}

// Whose repeats "foo: 12 callbacks suppressed" counts.
std::optional<FindingKind> kind_of_suppressed(std::string_view function) {
  constexpr std::array io = {"print_req_error", "blk_update_request", "blk_print_req_error",
                             "buffer_io_error"};
  if (std::find(io.begin(), io.end(), function) != io.end()) return FindingKind::IoError;
  if (function.starts_with("EXT4-fs") || function.starts_with("ext4_") ||
      function.starts_with("__ext4") || function.starts_with("XFS") ||
      function.starts_with("btrfs") || function.starts_with("BTRFS")) {
    return FindingKind::FileSystemError;
  }
  if (function == "show_signal_msg" || function == "show_signal") return FindingKind::Segfault;
  return std::nullopt;
}

}  // namespace

LogEvents::LogEvents(LogSource source)
    : source_(source), kernel_(kernel_patterns()), systemd_(systemd_patterns()) {}

void LogEvents::add(const LogRecord& record) {
  if (record.state == LogRecord::State::TextLost) return;
  std::string_view text = record.text;
  while (true) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, std::min(end, longest_line));
    do {
      const bool is_print = source_ == LogSource::Print;
      const std::string_view own = is_print ? line.substr(0, find_inner_line(line)) : line;
      add_line(own, record);
      line.remove_prefix(own.size());
    } while (!line.empty());
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

void LogEvents::add_line(std::string_view text, const LogRecord& record) {
  const bool begins_record = text.data() == record.text.data();
  const LinePrefix prefix = take_line_prefix(text);
  const std::string_view line = trimmed(text);
  const LogPlace place{record.seq, record.ts_nsec};
  if (record.facility != 0 || is_of_systemd(line)) return add_systemd(line, place);
  if (is_quotation(line)) return;
  add_start(line, place);
  const Caller caller = number_of(record.caller ? record.caller : prefix.caller);
  const PatternMatch match = line.starts_with("---[ end ") ? PatternMatch() : kernel_.find(line);
  // panic() begins a record: behind that a path with a line break in it may stand.
  const bool is_quoted = match.pattern != nullptr && match.pattern->kind == FindingKind::Panic &&
                         source_ == LogSource::Memory && !begins_record;
  if (match.pattern != nullptr && !is_quoted) return add_head(match, line, caller, place);
  if (line.ends_with("suppressed")) return add_suppressed(line);
  if (line.starts_with("NMI backtrace for cpu ")) return begin_backtrace(line, caller);
  add_to_report(line, caller, place);
}

void LogEvents::add_systemd(std::string_view line, LogPlace place) {
  const std::optional<std::string_view> words = behind(line, ": ");
  if (!words || !is_of_systemd(line)) return;
  const PatternMatch match = systemd_.find(*words);
  if (match.pattern != nullptr) add_head(match, *words, 0, place);
}

void LogEvents::add_head(const PatternMatch& match, std::string_view line, Caller caller,
                         LogPlace place) {
  const EventPattern& pattern = *match.pattern;
  if (pattern.role == LineRole::Noise) return;
  Open* const open = open_of(caller);
  if (open != nullptr && !open->report.is_over(place) && open->report.takes(pattern)) {
    return open->report.add_head(match, line, place);
  }
  LogEvent event = begin_event(match, line, place);
  if (!has_trace(event.kind)) return store_.add(std::move(event));
  if (event.kind == FindingKind::Panic) event.origin = origin_of(event, caller);
  close(caller);
  if (open_.size() >= most_open) close(open_.front().caller);
  open_.push_back({OpenReport(std::move(event), pattern.role), caller});
}

void LogEvents::add_to_report(std::string_view line, Caller caller, LogPlace place) {
  Open* const open = open_of(caller);
  if (open == nullptr) return;
  if (open->report.is_over(place)) return close(caller);
  open->report.add_line(line, place);
}

// A log that was printed may hold more than one kernel's: the next one's begins at 0, and nothing
// before it says why if the machine was reset or fell.
void LogEvents::add_start(std::string_view line, LogPlace place) {
  constexpr std::uint64_t began = 1'000'000'000;  // nanoseconds
  if (line.starts_with("reboot: ") || line.starts_with("Rebooting in ")) is_restarting_ = true;
  const bool is_start = line.starts_with("Linux version ") && place.ts_nsec < began;
  if (is_start && (newest_nsec_ >= began || is_restarting_)) {
    while (!open_.empty()) close(open_.front().caller);
    if (!is_restarting_) {
      LogEvent event;
      event.kind = FindingKind::Warning;
      event.what = "the kernel started anew";
      event.headline = kept_text(line);
      event.first = event.last = place;
      store_.add(std::move(event));
    }
    store_.begin_boot();
    newest_nsec_ = 0;
    is_restarting_ = false;
  }
  newest_nsec_ = std::max(newest_nsec_, place.ts_nsec);
}

void LogEvents::add_suppressed(std::string_view line) {
  const std::string_view function = until(line, ":");
  const std::optional<FindingKind> kind = kind_of_suppressed(function);
  if (!kind || function.size() + 2 >= line.size()) return;
  std::string_view rest = line.substr(function.size() + 2);
  const std::optional<std::uint64_t> count = take_number(rest);
  LogEvent* const event = store_.newest(
      [&](const LogEvent& known) { return known.kind == *kind && known.boots_ago == 0; });
  if (event != nullptr && count) event->suppressed += std::min<std::uint64_t>(*count, UINT32_MAX);
}

// A CPU's trace that another one asked for goes to the stall that it asked because of.
void LogEvents::begin_backtrace(std::string_view line, Caller caller) {
  const auto is_lockup = [](const Open& open) {
    const FindingKind kind = open.report.event().kind;
    return kind == FindingKind::RcuStall || kind == FindingKind::SoftLockup ||
           kind == FindingKind::HardLockup;
  };
  const auto lockup = std::find_if(open_.rbegin(), open_.rend(), is_lockup);
  const std::optional<std::uint64_t> cpu = number_behind(line, "for cpu ");
  constexpr std::uint64_t most_cpus = 8192;
  if (lockup == open_.rend() || !cpu || *cpu >= most_cpus) {
    close(caller);
    return;
  }
  // The CPU itself prints it.
  const Caller former = lockup->caller;
  if (former != caller) {
    close(caller);
    open_of(former)->caller = caller;
  }
  open_of(caller)->report.begin_backtrace_of(static_cast<std::uint32_t>(*cpu));
}

LogEvents::Open* LogEvents::open_of(Caller caller) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [caller](const Open& open) { return open.caller == caller; });
  return found == open_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> LogEvents::origin_of(const LogEvent& panic, Caller caller) {
  // What this caller was just reporting comes first, then what others did.
  const Open* const own = open_of(caller);
  if (own != nullptr && may_be_origin(own->report.event(), panic)) {
    return own->report.event().first.seq;
  }
  const LogEvent* newest =
      store_.newest([&](const LogEvent& event) { return may_be_origin(event, panic); });
  for (const Open& open : open_) {
    const LogEvent& event = open.report.event();
    if (!may_be_origin(event, panic)) continue;
    if (newest == nullptr || newest->last.seq < event.first.seq) newest = &event;
  }
  return newest == nullptr ? std::nullopt : std::optional(newest->first.seq);
}

void LogEvents::close(Caller caller) {
  const auto found = std::find_if(open_.begin(), open_.end(),
                                  [caller](const Open& open) { return open.caller == caller; });
  if (found == open_.end()) return;
  store_.add(found->report.take());
  open_.erase(found);
}

std::vector<LogEvent> LogEvents::finish() {
  while (!open_.empty()) close(open_.front().caller);
  std::vector<LogEvent> events = store_.take();
  complete_origins(events);
  return events;
}

}  // namespace photon_dmesg
