#include "kernel/printk/static_records.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace photon_dmesg {
namespace {

bool is_same(const LogRecord& left, const LogRecord& right) {
  return left.ts_nsec == right.ts_nsec && left.level == right.level && left.text == right.text;
}

// Whether every record that both lists have by number is the same in both. Text that the log has
// lost says nothing.
bool agree(const std::vector<LogRecord>& left, const std::vector<LogRecord>& right) {
  auto other = right.begin();
  for (const LogRecord& record : left) {
    while (other != right.end() && other->seq < record.seq) ++other;
    if (other == right.end()) break;
    const bool comparable = other->seq == record.seq &&
                            other->state == LogRecord::State::Finished &&
                            record.state == LogRecord::State::Finished;
    if (comparable && !is_same(record, *other)) return false;
  }
  return true;
}

// The log's records up to number `last`, and at least one if it has any.
std::vector<LogRecord> beginning_of(const StoredLog& log, std::uint64_t last) {
  std::vector<LogRecord> records;
  KernelLog ignored;
  log.read(
      [&](LogRecord record) {
        records.push_back(std::move(record));
        return records.back().seq < last;
      },
      ignored);
  return records;
}

class LogWithBeginning : public StoredLog {
 public:
  LogWithBeginning(std::vector<LogRecord> beginning, std::unique_ptr<StoredLog> log)
      : beginning_(std::move(beginning)), log_(std::move(log)) {}

  [[nodiscard]] std::uint64_t next_seq() const override { return log_->next_seq(); }

  void read(const RecordSink& sink, KernelLog& result) const override {
    for (const LogRecord& record : beginning_) {
      if (!sink(record)) return;
    }
    log_->read(sink, result);
  }

 private:
  std::vector<LogRecord> beginning_;
  std::unique_ptr<StoredLog> log_;
};

}  // namespace

std::vector<LogRecord> lost_records(std::vector<LogRecord> static_buffer, const StoredLog& log) {
  if (static_buffer.empty()) return {};
  const std::vector<LogRecord> beginning = beginning_of(log, static_buffer.back().seq);
  if (beginning.empty() || !agree(static_buffer, beginning)) return {};
  const std::uint64_t first = beginning.front().seq;
  std::erase_if(static_buffer, [&](const LogRecord& record) {
    return record.seq >= first || record.state == LogRecord::State::TextLost;
  });
  for (LogRecord& record : static_buffer) record.origin = LogRecord::Origin::StaticBuffer;
  return static_buffer;
}

std::unique_ptr<StoredLog> put_before(std::vector<LogRecord> records,
                                      std::unique_ptr<StoredLog> log) {
  return std::make_unique<LogWithBeginning>(std::move(records), std::move(log));
}

}  // namespace photon_dmesg
