#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace photon_dmesg {

// Who called printk.
struct LogCaller {
  enum class Kind { Task, Cpu };
  Kind kind = Kind::Task;
  std::uint32_t id = 0;  // thread id or CPU number
};

// One record of the kernel's log, whatever format the kernel keeps it in.
struct LogRecord {
  enum class State {
    Finished,   // ordinary
    Partial,    // stored, but its line is not ended: printk may still have appended to it
    Reopened,   // printk was appending to it when the guest stopped; the text until then
    TextLost,   // stored without text, or the text has been overwritten
    Truncated,  // the text is longer than what is left of it
  };

  std::uint64_t seq = 0;
  std::uint64_t ts_nsec = 0;  // local_clock(): nanoseconds since about boot
  std::uint8_t facility = 0;  // syslog(3); 0 is the kernel itself
  std::uint8_t level = 0;     // 0 (emerg) to 7 (debug)
  std::optional<LogCaller> caller;
  std::string text;  // the bytes the kernel stored, without a final newline
  std::vector<std::pair<std::string, std::string>> dictionary;  // such as SUBSYSTEM, DEVICE
  State state = State::Finished;
};

// What could be read of a kernel's log.
struct KernelLog {
  std::vector<LogRecord> records;  // ascending by seq

  // One sentence for each thing that the log should hold and `records` does not.
  std::vector<std::string> losses;
};

}  // namespace photon_dmesg
