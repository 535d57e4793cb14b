#include "kernel/printk/record_checks.h"

#include <string_view>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t nsec_per_sec = 1'000'000'000;

// CPUs take their records' times and places one after the other, so that times may go back by a
// little, and when the clock source changes early in boot by somewhat more.
constexpr std::uint64_t tolerance = 60 * nsec_per_sec;

constexpr std::uint32_t largest_pid = 4 * 1024 * 1024;  // PID_MAX_LIMIT
constexpr std::uint32_t most_cpus = 8192;               // NR_CPUS at most

// printk ends a text where its first NUL is. At the end of a whole text zeros are a length that
// contradicts its block, which is said by who reads that.
bool has_zeros(const LogRecord& record) {
  constexpr std::string_view zeros("\0\0\0\0\0\0\0\0", 8);
  std::string_view text = record.text;
  const bool is_open =
      record.state == LogRecord::State::Partial || record.state == LogRecord::State::Reopened;
  if (!is_open) text = text.substr(0, text.find_last_not_of('\0') + 1);
  return text.find(zeros) != std::string_view::npos;
}

bool is_later(std::uint64_t nsec, std::uint64_t than) {
  return nsec > than && nsec - than > tolerance;
}

}  // namespace

void RecordChecks::judge(const Stamp& next) {
  const bool early = before_ && is_later(before_->nsec, waiting_->nsec);
  const bool late = is_later(waiting_->nsec, next.nsec);
  // Those around it decide which of two that don't follow each other is wrong.
  const bool next_follows = !before_ || !is_later(before_->nsec, next.nsec);
  if ((early || late) && next_follows) {
    out_of_turn_.add(waiting_->seq);
  } else {
    before_ = waiting_;
  }
}

void RecordChecks::add(const LogRecord& record) {
  // Where there was no room for its text, the kernel stores a record without anything.
  if (record.state == LogRecord::State::TextLost && record.ts_nsec == 0) return;
  const Stamp stamp{record.seq, record.ts_nsec};
  if (waiting_) judge(stamp);
  waiting_ = stamp;
  if (has_zeros(record)) zeroed_.add(record.seq);
  if (!record.caller) return;
  const bool is_cpu = record.caller->kind == LogCaller::Kind::Cpu;
  if (record.caller->id > (is_cpu ? most_cpus : largest_pid)) callers_.add(record.seq);
}

void RecordChecks::report(std::vector<std::string>& doubts) const {
  out_of_turn_.report("whose time is more than a minute out of turn", doubts);
  callers_.report("by a task or CPU that can't be", doubts);
  zeroed_.report("with zeros in its text, which no kernel writes", doubts);
}

}  // namespace photon_dmesg
