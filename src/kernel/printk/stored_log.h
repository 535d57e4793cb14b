#pragma once

#include <cstdint>
#include <limits>

#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// A log in one of the kernel's formats, found and not yet read.
class StoredLog {
 public:
  StoredLog() = default;
  virtual ~StoredLog() = default;
  StoredLog(const StoredLog&) = delete;
  StoredLog& operator=(const StoredLog&) = delete;

  // The number of the record that comes behind the newest one.
  [[nodiscard]] virtual std::uint64_t next_seq() const = 0;

  // Hands every record to `sink`; what is wrong with any of them goes to `result`. Where `sink`
  // wanted no more, nothing is known of the rest: only of those up to the last one it got.
  void read(const RecordSink& sink, KernelLog& result) const {
    read_before(std::numeric_limits<std::uint64_t>::max(), sink, result);
  }

  // The same of the records with numbers below `end`.
  virtual void read_before(std::uint64_t end, const RecordSink& sink, KernelLog& result) const = 0;
};

}  // namespace photon_dmesg
