#include "kernel/printk/static_records.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"

namespace photon_dmesg {
namespace {

// Of the first record that the log has.
std::optional<std::uint64_t> first_seq(const StoredLog& log) {
  std::optional<std::uint64_t> first;
  KernelLog ignored;
  log.read(
      [&](const LogRecord& record) {
        first = record.seq;
        return false;
      },
      ignored);
  return first;
}

bool is_same(const LogRecord& left, const LogRecord& right) {
  return left.ts_nsec == right.ts_nsec && left.level == right.level && left.text == right.text;
}

// Text that is lost or not whole yet says nothing.
bool differ(const LogRecord& left, const LogRecord& right) {
  const bool comparable = left.seq == right.seq && left.state == LogRecord::State::Finished &&
                          right.state == LogRecord::State::Finished;
  return comparable && !is_same(left, right);
}

// The first of `records` that is another in `log`.
std::optional<std::uint64_t> find_difference(const std::vector<LogRecord>& records,
                                             const StoredLog& log) {
  if (records.empty()) return std::nullopt;
  std::optional<std::uint64_t> found;
  auto at = records.begin();
  KernelLog ignored;
  log.read_before(
      records.back().seq + 1,
      [&](const LogRecord& record) {
        while (at != records.end() && at->seq < record.seq) ++at;
        if (at != records.end() && differ(*at, record)) found = record.seq;
        return !found && at != records.end();
      },
      ignored);
  return found;
}

class LogWithBeginning : public StoredLog {
 public:
  // `first`: of the log.
  LogWithBeginning(std::unique_ptr<StoredLog> beginning, std::uint64_t first,
                   std::unique_ptr<StoredLog> log)
      : beginning_(std::move(beginning)), first_(first), log_(std::move(log)) {}

  [[nodiscard]] std::uint64_t next_seq() const override { return log_->next_seq(); }

  void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) const override {
    bool wants_more = true;
    KernelLog early;  // what was not in the log yet when the kernel took another is in that
    beginning_->read_before(
        std::min(first_, end),
        [&](LogRecord record) {
          record.origin = LogRecord::Origin::StaticBuffer;
          wants_more = sink(std::move(record));
          return wants_more;
        },
        early);
    std::move(early.losses.begin(), early.losses.end(), std::back_inserter(result.losses));
    std::move(early.doubts.begin(), early.doubts.end(), std::back_inserter(result.doubts));
    if (wants_more) log_->read_before(end, sink, result);
  }

 private:
  std::unique_ptr<StoredLog> beginning_;
  std::uint64_t first_;
  std::unique_ptr<StoredLog> log_;
};

// How many records `early` has before `first`. Throws Error(UnusableInput) if one of the others is
// not the same as in `log`.
std::uint64_t count_lost(const StoredLog& early, std::uint64_t first, const StoredLog& log) {
  std::uint64_t lost = 0;
  std::vector<LogRecord> others;
  KernelLog ignored;
  early.read(
      [&](LogRecord record) {
        if (record.seq < first) {
          ++lost;
        } else {
          others.push_back(std::move(record));
        }
        return true;
      },
      ignored);
  if (const auto difference = find_difference(others, log)) {
    throw unusable(fmt::format("its record {} is not that of the log", *difference));
  }
  return lost;
}

}  // namespace

std::unique_ptr<StoredLog> with_beginning(std::unique_ptr<StoredLog> log, const EarlyBuffer& buffer,
                                          Diagnostics& diagnostics) {
  const std::uint64_t first = first_seq(*log).value_or(0);
  if (first == 0) return log;
  try {
    std::unique_ptr<StoredLog> early = buffer.open();
    diagnostics.found({.what = "records recovered from early boot",
                       .value = fmt::format("{}", count_lost(*early, first, *log)),
                       .where = buffer.name});
    return std::make_unique<LogWithBeginning>(std::move(early), first, std::move(log));
  } catch (const Error& error) {
    diagnostics.warn_of_lack(
        fmt::format("of the records before {}, which the log has lost, none is taken from the {}: "
                    "{}",
                    first, buffer.name, error.what()));
    return log;
  }
}

}  // namespace photon_dmesg
