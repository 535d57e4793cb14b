#pragma once

#include <cstdint>
#include <functional>
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
    Unindexed,  // stored whole; the kernel was about to count it when the guest stopped
  };

  // Where it was found.
  enum class Origin {
    Log,
    StaticBuffer,  // the log has lost it; the buffer that the kernel used early in boot still has
                   // it
  };

  std::uint64_t seq = 0;
  std::uint64_t ts_nsec = 0;  // local_clock(): nanoseconds since about boot
  std::uint8_t facility = 0;  // syslog(3); 0 is the kernel itself
  std::uint8_t level = 0;     // 0 (emerg) to 7 (debug)
  std::optional<LogCaller> caller;
  std::string text;  // the bytes the kernel stored, without a final newline
  std::vector<std::pair<std::string, std::string>> dictionary;  // such as SUBSYSTEM, DEVICE
  bool continues = false;  // LOG_CONT: it goes on with the line of the record before it
  State state = State::Finished;
  Origin origin = Origin::Log;
};

// Text that printk was given and that had not become a record when the guest stopped.
struct UnloggedText {
  enum class Source {
    Reserved,    // room for a record, being filled
    Cont,        // a line waiting for its end (until 5.9)
    TextBuffer,  // printk's buffer while it formats (until 5.14): behind the point it had come to
                 // stands the end of an earlier text, and where that point is can't be told
    SafeBuffer,  // a CPU's buffer of printk within printk (4.11 to 5.14)
    NmiBuffer,   // a CPU's buffer of printk in an NMI (4.7 to 5.14)
  };
  Source source = Source::Reserved;
  std::optional<std::uint32_t> cpu;      // whose buffer it is
  std::optional<std::uint64_t> seq;      // that the record would have had
  std::optional<std::uint64_t> ts_nsec;  // where one is stored
  std::optional<std::uint8_t> level;     // where one is stored
  std::string text;                      // one line or more, without a final newline
};

// How far the log's readers had come: the sequence number of the record that comes next.
struct LogPositions {
  std::optional<std::uint64_t> cleared;  // dmesg in the guest began here (dmesg -C)
  std::optional<std::uint64_t> console;  // no console had printed this record or later ones
};

// Takes one record after the other, ascending by seq, each as soon as it is decoded; false: it
// wants no more of them.
using RecordSink = std::function<bool(LogRecord)>;

// What could be read of a kernel's log beside its records.
struct KernelLog {
  std::vector<UnloggedText> unlogged;

  // One sentence for each thing that the log should hold and has no record of.
  std::vector<std::string> losses;

  // One sentence for each thing that is shown and can't be as the kernel wrote it.
  std::vector<std::string> doubts;
};

}  // namespace photon_dmesg
