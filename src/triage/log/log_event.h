#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "triage/finding.h"
#include "triage/log/trace_frame.h"

namespace photon_dmesg {

// One record of the log, and when it was logged.
struct LogPlace {
  std::uint64_t seq = 0;
  std::uint64_t ts_nsec = 0;
};

// One thing that the kernel, or systemd, reported in its log. What the log does not say is absent
// or empty.
struct LogEvent {
  // At most so many of a list are kept: the first ones.
  static constexpr std::size_t most_frames = 64;
  static constexpr std::size_t most_repeats = 16;
  static constexpr std::size_t most_tasks = 16;
  static constexpr std::size_t most_details = 16;
  static constexpr std::size_t longest_text = 300;  // of any text, bytes

  FindingKind kind = FindingKind::Warning;
  std::string what;      // its sub-class in words: "use-after-free", "hung_task: blocked tasks"
  std::string headline;  // the line that reports it, without what stands before it
  std::string object;    // device, file system, work function
  LogPlace first;
  LogPlace last;
  // How often the guest was started since, in this log: places of different boots have no order in
  // time.
  std::uint64_t boots_ago = 0;
  std::optional<std::uint32_t> cpu;
  std::optional<TaskName> task;  // pid -1 where the log has only its name
  std::string taint;             // letters: "GDW"
  std::string rip;               // "foo+0x12/0x30 [mod]": where the kernel itself was
  std::string function;          // the first one that is not at work to report it: "foo"
  std::vector<TraceFrame> trace;
  // Sector, address, victim... as the log has them, each name once.
  std::vector<std::pair<std::string, std::string>> details;
  std::uint64_t suppressed = 0;  // of its repeats the kernel says it did not print so many
  std::uint64_t count = 1;       // it and its repeats that are in the log
  std::vector<LogPlace> repeats;
  std::vector<TaskName> tasks;          // that its repeats name, besides `task`
  std::optional<std::uint64_t> origin;  // of a panic: `first.seq` of the event that it came of

  // What the log says of `name`; empty if nothing.
  [[nodiscard]] std::string detail(std::string_view name) const;
  // Keeps the first value of each name.
  void add_detail(std::string_view name, std::string_view value);
};

// What is kept of a text of the guest.
[[nodiscard]] std::string kept_text(std::string_view text);

// Whether a later one tells no more than that `event` happened again: the same kind of thing, with
// the same object or in the same function.
[[nodiscard]] bool is_repeat(const LogEvent& event, const LogEvent& later);

// Makes one event of two, which tells what the earlier one does.
void add_repeat(LogEvent& event, LogEvent other);

}  // namespace photon_dmesg
