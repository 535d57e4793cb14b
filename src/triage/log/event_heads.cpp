#include "triage/log/event_heads.h"

#include <algorithm>

#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_what = 100;

std::optional<std::uint32_t> cpu_behind(std::string_view text, std::string_view mark) {
  constexpr std::uint64_t most_cpus = 8192;  // the largest CONFIG_NR_CPUS
  const std::optional<std::uint64_t> cpu = number_behind(text, mark);
  if (!cpu || *cpu >= most_cpus) return std::nullopt;
  return static_cast<std::uint32_t>(*cpu);
}

// "foo+0x12/0x30 ..." as a function's name; some lines have it without an offset.
std::string_view function_in(std::string_view text) {
  const std::string_view name = until(text, "+ ,");
  return name.find_first_of("/:") == std::string_view::npos ? name : std::string_view();
}

// The words of a pattern that has none of its own: those behind its text, but not where it was.
std::string_view own_words(FindingKind kind, std::string_view tail) {
  tail = trimmed(tail.substr(0, tail.find(" ]---")));
  const std::size_t place = std::min(tail.find(" in "), tail.find(" on CPU"));
  return tail.substr(0, std::min(kind == FindingKind::Panic ? tail.size() : place, longest_what));
}

void add_sanitizer(LogEvent& event, std::string_view tail) {
  const std::optional<std::string_view> place = behind(tail, " in ");
  if (!place) return;
  event.function = kept_text(function_in(*place));
  event.add_detail("address", between(*place, " at addr ", " "));
  if (event.function.empty()) event.object = kept_text(*place);
}

// "WARNING: CPU: 1 PID: 12 at FILE:LINE foo+0x12/0x30"; since 7.2 "WARNING: FILE:LINE at
// foo+0x12/0x30, CPU#1: comm/12".
void add_warning(LogEvent& event, std::string_view rest) {
  const bool is_newer = rest.find(", CPU#") != std::string_view::npos;
  event.cpu = cpu_behind(rest, is_newer ? ", CPU#" : "CPU: ");
  const std::string_view at = behind(rest, " at ").value_or(std::string_view());
  if (is_newer) {
    event.add_detail("location", between(rest, "WARNING: ", " "));
    event.function = kept_text(function_in(at));
    if (const auto end = behind(rest, ", CPU#")) {
      event.task = parse_task(behind(*end, ": ").value_or(std::string_view()), '/');
    }
    return;
  }
  event.add_detail("location", until(at, " "));
  event.function = kept_text(function_in(trimmed(at.substr(until(at, " ").size()))));
}

void add_soft_lockup(LogEvent& event, std::string_view rest) {
  event.cpu = cpu_behind(rest, "CPU#");
  event.add_detail("stuck", between(rest, "stuck for ", "! "));
  const std::size_t end = rest.rfind(']');
  const std::size_t begin = rest.find('[');
  if (begin < end && end != std::string_view::npos) {
    event.task = parse_task(rest.substr(begin + 1, end - begin - 1), ':');
  }
}

// The CPU stands behind the text, or since 7.2 before it: "CPU1: Watchdog detected hard LOCKUP on
// cpu 1".
void add_hard_lockup(LogEvent& event, std::string_view line) {
  event.cpu = cpu_behind(line, "on cpu ");
  if (!event.cpu) event.cpu = cpu_behind(line, "CPU");
}

void add_blocked_task(LogEvent& event, std::string_view tail) {
  const std::size_t end = std::min(tail.find(" blocked "), tail.find(" can't die "));
  event.task = parse_task(tail.substr(0, end), ':');
  event.add_detail("seconds", between(tail, "more than ", " "));
}

// "comm[12]: segfault at 0 ip ... sp ... error 4 in libc.so[...]", "traps: comm[12] trap ...".
void add_segfault(LogEvent& event, std::string_view before, std::string_view rest) {
  if (before.starts_with("traps: ")) before.remove_prefix(std::string_view("traps: ").size());
  event.task = parse_task(before, '[');
  event.add_detail("address", between(rest, "segfault at ", " "));
  event.add_detail(
      "ip", between(rest, rest.find(" ip:") != std::string_view::npos ? " ip:" : " ip ", " "));
  event.object = kept_text(between(rest, " in ", "[ "));
}

void add_io_error(LogEvent& event, std::string_view rest) {
  event.add_detail("sector", between(rest, " sector ", " ,"));
  event.add_detail("block", between(rest, "logical block ", " ,"));
  event.add_detail("operation", between(rest, " op ", " "));
  event.add_detail("result", between(rest, "hostbyte=", " "));
}

void add_exception(LogEvent& event, std::string_view rest) {
  std::string_view address = between(rest, "address: ", " ");
  if (address.empty()) address = between(rest, "virtual address ", " ");
  if (address.empty() && rest.find("unable to handle kernel") != std::string_view::npos) {
    address = between(rest, " at ", " ");
  }
  if (address.empty()) address = between(rest, "non-canonical address ", ": ");
  event.add_detail("address", address);
  if (const auto place = behind(rest, "ernel BUG at "))
    event.add_detail("location", until(*place, "! "));
}

void add_out_of_memory(LogEvent& event, std::string_view before, std::string_view rest) {
  event.add_detail("gfp_mask", between(rest, "gfp_mask=", ", "));
  event.add_detail("order", between(rest, "order=", ", "));
  event.add_detail("constraint", between(rest, "constraint=", ", "));
  event.add_detail("control group", between(rest, "task_memcg=", ", "));
  if (rest.starts_with("Memory cgroup")) event.add_detail("constraint", "CONSTRAINT_MEMCG");
  if (const auto victim = behind(rest, "Kill")) {
    const std::string_view pid = between(*victim, "process ", " ,");
    std::string_view comm = behind(*victim, "(").value_or(std::string_view());
    comm = comm.substr(0, std::min({comm.find(") "), comm.find("),"), comm.size()}));
    if (!pid.empty()) event.add_detail("victim", std::string(comm) + ':' + std::string(pid));
    event.add_detail("total-vm", between(rest, "total-vm:", ", "));
    event.add_detail("anon-rss", between(rest, "anon-rss:", ", "));
  }
  if (rest.starts_with("invoked")) event.task = TaskName{-1, kept_text(trimmed(before))};
}

void add_stalled_workers(LogEvent& event, std::string_view rest) {
  // A pool that is bound to no CPU has several: "cpus=0-3".
  const std::string_view cpus = until(behind(rest, "cpus=").value_or(std::string_view()), " ");
  if (cpus.find_first_of("-,") == std::string_view::npos) event.cpu = cpu_behind(rest, "cpus=");
  event.add_detail("stuck", between(rest, "stuck for ", "! "));
  if (const auto pool = behind(rest, "lockup - ")) {
    event.object = kept_text(pool->substr(0, pool->find(" stuck")));
  }
}

// "BUG: scheduling while atomic: comm/12/0x00000002".
void add_sleep(LogEvent& event, std::string_view rest) {
  const std::optional<std::string_view> task = behind(rest, "atomic: ");
  if (task) event.task = parse_task(task->substr(0, task->rfind('/')), '/');
  event.add_detail("location", between(rest, "context at ", " "));
}

}  // namespace

std::optional<TaskName> parse_task(std::string_view text, char mark) {
  constexpr std::uint64_t most = 1U << 22;  // PID_MAX_LIMIT
  const std::size_t at = text.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view number = text.substr(at + 1);
  const std::optional<std::uint64_t> pid = take_number(number);
  if (!pid || *pid > most) return std::nullopt;
  return TaskName{static_cast<std::int32_t>(*pid), kept_text(trimmed(text.substr(0, at)))};
}

namespace {

void add_parts(LogEvent& event, const PatternMatch& match, std::string_view line) {
  const std::string_view before = line.substr(0, match.at);
  const std::string_view rest = line.substr(match.at);
  const std::string_view tail = rest.substr(match.pattern->text.size());
  switch (match.pattern->kind) {
    case FindingKind::MemoryCorruption:
    case FindingKind::DataRace:
    case FindingKind::UndefinedBehavior:
      if (rest.starts_with("WARNING: ")) return add_warning(event, rest);
      return add_sanitizer(event, tail);
    case FindingKind::Warning:
    case FindingKind::RefcountError:
    case FindingKind::LockingError:
      if (rest.starts_with("WARNING: ")) add_warning(event, rest);
      return;
    case FindingKind::Panic:
      event.function = kept_text(function_in(between(tail, "stack is corrupted in: ", " ")));
      return;
    case FindingKind::Oops:
      return add_exception(event, rest);
    case FindingKind::SoftLockup:
      return add_soft_lockup(event, rest);
    case FindingKind::HardLockup:
      return add_hard_lockup(event, line);
    case FindingKind::BlockedTasks:
      return add_blocked_task(event, tail);
    case FindingKind::Segfault:
      return add_segfault(event, before, rest);
    case FindingKind::IoError:
      return add_io_error(event, rest);
    case FindingKind::OutOfMemory:
      return add_out_of_memory(event, before, rest);
    case FindingKind::MemoryLow:
      return event.add_detail("order", between(rest, "order:", ", "));
    case FindingKind::StalledWorkers:
      return add_stalled_workers(event, rest);
    case FindingKind::SleepInAtomic:
      return add_sleep(event, rest);
    case FindingKind::RcuStall:
      // Where the stalled CPUs stand in the same line: "{ 1-.... }", "{ 0}".
      if (!event.cpu) event.cpu = cpu_behind(rest, "{ ");
      return;
    case FindingKind::WorkqueueHog:
      return event.add_detail("hogged", between(rest, "hogged CPU for ", " "));
    default:
      return;
  }
}

}  // namespace

LogEvent begin_event(const PatternMatch& match, std::string_view line, LogPlace place) {
  const std::string_view rest = line.substr(match.at);
  LogEvent event;
  event.kind = match.pattern->kind;
  event.what = match.pattern->what.empty()
                   ? kept_text(own_words(event.kind, rest.substr(match.pattern->text.size())))
                   : std::string(match.pattern->what);
  const bool is_named_before =
      match.pattern->object == object_before || event.kind == FindingKind::OutOfMemory ||
      event.kind == FindingKind::Segfault || event.kind == FindingKind::MemoryLow;
  event.headline = kept_text(is_named_before ? line : rest);
  event.object = kept_text(object_of(match, line));
  event.first = place;
  event.last = place;
  add_parts(event, match, line);
  return event;
}

void add_head(LogEvent& event, const PatternMatch& match, std::string_view line, bool is_closer) {
  LogEvent other = begin_event(match, line, event.first);
  if (is_closer) {
    event.kind = other.kind;
    event.what = other.what;
  }
  if (event.object.empty()) event.object = other.object;
  if (event.function.empty()) event.function = other.function;
  if (!event.cpu) event.cpu = other.cpu;
  if (!event.task) event.task = other.task;
  for (const auto& [name, value] : other.details) event.add_detail(name, value);
}

}  // namespace photon_dmesg
