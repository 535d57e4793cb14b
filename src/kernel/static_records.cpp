#include "kernel/static_records.h"

#include <algorithm>
#include <iterator>

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

}  // namespace

std::size_t recover_records(std::vector<LogRecord> from_static_buffer, KernelLog& log) {
  if (log.records.empty() || !agree(from_static_buffer, log.records)) {
    return 0;
  }
  const std::uint64_t first = log.records.front().seq;
  const auto is_lost = [&](const LogRecord& record) {
    return record.seq < first && record.state != LogRecord::State::TextLost;
  };
  std::vector<LogRecord> recovered;
  std::copy_if(std::make_move_iterator(from_static_buffer.begin()),
               std::make_move_iterator(from_static_buffer.end()), std::back_inserter(recovered),
               is_lost);
  for (LogRecord& record : recovered) record.origin = LogRecord::Origin::StaticBuffer;
  log.records.insert(log.records.begin(), std::make_move_iterator(recovered.begin()),
                     std::make_move_iterator(recovered.end()));
  return recovered.size();
}

}  // namespace photon_dmesg
