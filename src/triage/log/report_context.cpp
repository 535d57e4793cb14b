#include "triage/log/report_context.h"

#include <algorithm>
#include <array>

#include "triage/log/event_heads.h"
#include "triage/log/text_scan.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t most_cpus = 8192;  // the largest CONFIG_NR_CPUS

// "Tainted: G      D W  OE      6.1.0": the letters, without G, which says that nothing proprietary
// is loaded.
std::string taint_letters(std::string_view text) {
  std::string letters;
  while (true) {
    text = trimmed(text);
    const std::string_view word = until(text, " ");
    const bool is_letters = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
      return c >= 'A' && c <= 'Z';
    });
    if (!is_letters) return kept_text(letters);
    letters += word;
    text.remove_prefix(word.size());
  }
}

// "CPU: 1 PID: 4070 Comm: syz-executor Not tainted 4.8.0", since 6.11 with "UID: 0 " in it.
bool add_cpu_line(LogEvent& event, std::string_view line) {
  if (!line.starts_with("CPU: ")) return false;
  const std::optional<std::uint64_t> cpu = number_behind(line, "CPU: ");
  const std::optional<std::uint64_t> pid = number_behind(line, " PID: ");
  const std::optional<std::string_view> comm = behind(line, " Comm: ");
  if (!cpu || !pid || !comm || *cpu >= most_cpus || *pid > INT32_MAX) return true;
  const std::size_t end =
      std::min({comm->find(" Not tainted"), comm->find(" Tainted: "), comm->find(" Kdump: ")});
  // Who reports that others stall, or are blocked, is not at fault.
  if (event.kind == FindingKind::BlockedTasks || (event.cpu && *event.cpu != *cpu)) return true;
  event.cpu = static_cast<std::uint32_t>(*cpu);
  if (!event.task || event.task->pid < 0) {
    event.task =
        TaskName{static_cast<std::int32_t>(*pid), kept_text(trimmed(comm->substr(0, end)))};
  }
  if (const auto taint = behind(line, " Tainted: "); taint && event.taint.empty()) {
    event.taint = taint_letters(*taint);
  }
  return true;
}

// "RIP: 0010:foo+0x12/0x30", until 4.9 "RIP: 0010:[<addr>]  [<addr>] foo+0x12/0x30"; ARM's "PC is
// at foo+0x12/0x30", "pc : foo+0x12/0x30"; PowerPC's "NIP [addr] foo+0x12/0x30".
bool add_instruction(LogEvent& event, std::string_view line) {
  constexpr std::array marks = {"RIP: 0010:", "RIP: e030:", "IP: ", "PC is at ", "pc : ", "NIP "};
  for (const std::string_view mark : marks) {
    if (!line.starts_with(mark)) continue;
    const std::optional<TraceFrame> frame = parse_trace_frame(line.substr(mark.size()));
    if (frame && event.rip.empty()) event.rip = describe(*frame);
    return true;
  }
  return false;
}

// What else names the function: "caller is foo+0x12/0x30", "last function: foo".
void add_function(LogEvent& event, std::string_view line) {
  constexpr std::array marks = {"caller is ", "last function: "};
  for (const std::string_view mark : marks) {
    if (!line.starts_with(mark) || !event.function.empty()) continue;
    event.function = kept_text(until(line.substr(mark.size()), "+ "));
  }
}

// "Read of size 8 at addr ffff888012345678 by task foo/123".
bool add_access(LogEvent& event, std::string_view line) {
  const bool is_read = line.starts_with("Read of size ");
  if (!is_read && !line.starts_with("Write of size ")) return false;
  if (event.kind != FindingKind::MemoryCorruption) return true;
  event.what += is_read ? " read" : " write";
  event.add_detail("size", between(line, " of size ", " "));
  event.add_detail("address", between(line, " at addr ", " "));
  if (const auto task = behind(line, " by task "); task && !event.task) {
    event.task = parse_task(*task, '/');
  }
  return true;
}

// Which CPUs or tasks hold a grace period up: "1-...!: (1 GPs behind) idle=...", "Tasks blocked on
// level-0 rcu_node (CPUs 0-1): P3456/1:b..l"; and since when: "(detected by 1, t=10502 jiffies, ".
void add_stall(LogEvent& event, std::string_view line) {
  if (line.starts_with("rcu: ")) line = trimmed(line.substr(std::string_view("rcu: ").size()));
  event.add_detail("jiffies", between(line, "t=", " "));
  std::string_view rest = line;
  const std::optional<std::uint64_t> cpu = take_number(rest);
  if (cpu && *cpu < most_cpus &&
      (rest.starts_with("-.") || rest.starts_with("-O") || rest.starts_with("-o") ||
       rest.starts_with(": ("))) {
    if (!event.cpu) event.cpu = static_cast<std::uint32_t>(*cpu);
    return;
  }
  if (!line.starts_with("Tasks blocked on level-")) return;
  const std::optional<std::uint64_t> pid = number_behind(line, ": P");
  if (pid && *pid <= INT32_MAX && !event.task) {
    event.task = TaskName{static_cast<std::int32_t>(*pid), {}};
  }
}

struct DetailMark {
  FindingKind kind;
  std::string_view begins;  // the line
  std::string_view name;
  std::string_view mark;
  std::string_view ends;
};

// Numbers and names that are worth keeping, each from the line that begins so.
constexpr std::array detail_marks = {
    DetailMark{FindingKind::OutOfMemory, "active_anon:", "active_anon", "active_anon:", " "},
    DetailMark{FindingKind::OutOfMemory, "free:", "free pages", "free:", " "},
    DetailMark{FindingKind::OutOfMemory, "slab_reclaimable:", "slab_unreclaimable",
               "slab_unreclaimable:", " "},
    DetailMark{FindingKind::OutOfMemory, "active_file:", "active_file", "active_file:", " "},
    DetailMark{FindingKind::OutOfMemory, "Free swap", "free swap", "= ", " "},
    DetailMark{FindingKind::OutOfMemory, "Total swap", "total swap", "= ", " "},
    DetailMark{FindingKind::OutOfMemory, "memory: usage ", "limit", "limit ", ", "},
    DetailMark{FindingKind::Panic, "Kernel Offset: ", "kernel offset", "Kernel Offset: ", " "},
    DetailMark{FindingKind::Oops, "CR2: ", "address", "CR2: ", " "},
    DetailMark{FindingKind::MemoryCorruption, "which belongs to the cache ", "cache", "the cache ",
               " "},
};

void add_details(LogEvent& event, std::string_view line) {
  for (const DetailMark& mark : detail_marks) {
    if (mark.kind != event.kind || !line.starts_with(mark.begins)) continue;
    event.add_detail(mark.name, between(line, mark.mark, mark.ends));
  }
  if (line.starts_with("Workqueue: "))
    event.add_detail("workqueue", between(line, "Workqueue: ", "\n"));
  if (event.kind == FindingKind::OutOfMemory && line.ends_with(" pages RAM")) {
    event.add_detail("pages of RAM", until(line, " "));
  }
  if (event.kind == FindingKind::BlockedTasks) {
    for (const std::string_view mark : {" likely owned by task ", " likely last held by task "}) {
      const std::string_view owner = between(line, mark, "\n");
      event.add_detail("owner", owner.substr(0, owner.find_last_not_of('.') + 1));
    }
  }
}

}  // namespace

void add_context(LogEvent& event, std::string_view line) {
  if (add_cpu_line(event, line) || add_instruction(event, line) || add_access(event, line)) return;
  add_function(event, line);
  if (event.kind == FindingKind::RcuStall) add_stall(event, line);
  add_details(event, line);
}

}  // namespace photon_dmesg
