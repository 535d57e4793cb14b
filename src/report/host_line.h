#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "checkpoint/vmware/host_log.h"
#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// A line that the guest sent to its host, and what it says of itself. It is no record of the log
// that was found in memory.
struct HostLine {
  std::string file;                       // that the host wrote it to: ".../vmware.log"
  std::string host_time;                  // by the host's clock, as it was written there
  std::optional<std::int64_t> host_nsec;  // since 1970, UTC; nothing if its zone is not told
  std::string thread;                     // of the host: "vcpu-0"
  // What stood before the text. The kernel puts a level before each of its lines; what is sent
  // without one is not the kernel's.
  std::optional<std::uint8_t> level;
  std::optional<std::uint8_t> facility;
  std::optional<std::uint64_t> ts_nsec;  // since boot, to the microsecond
  std::optional<LogCaller> caller;
  std::string text;
};

// `line` of the log `file`, taken apart.
[[nodiscard]] HostLine parse_host_line(const HostLogLine& line, const std::string& file);

[[nodiscard]] inline bool is_of_kernel(const HostLine& line) {
  return line.level.has_value();
}

// As the guest sent it: "<0>[   20.000000] text".
[[nodiscard]] std::string raw_line(const HostLine& line);

// The same as a record, for what takes those: of the facility "user" if the kernel did not send it.
[[nodiscard]] LogRecord record_of(const HostLine& line, std::uint64_t seq);

// What is called the source of such lines.
inline constexpr const char* host_log_name = "vmware.log";

}  // namespace photon_dmesg
