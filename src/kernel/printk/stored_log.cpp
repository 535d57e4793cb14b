#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

std::vector<LogRecord> collect_records(const StoredLog& log) {
  std::vector<LogRecord> records;
  KernelLog ignored;
  log.read(
      [&](LogRecord record) {
        records.push_back(std::move(record));
        return true;
      },
      ignored);
  return records;
}

}  // namespace photon_dmesg
