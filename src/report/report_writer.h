#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel/printk/log_record.h"
#include "report/host_line.h"

namespace photon_dmesg {

// One output format at work: gets the log piece by piece and writes each at once.
class ReportWriter {
 public:
  ReportWriter() = default;
  virtual ~ReportWriter() = default;
  ReportWriter(const ReportWriter&) = delete;
  ReportWriter& operator=(const ReportWriter&) = delete;

  // The next record. `previous_usec` is when the one before it was logged, whether or not that is
  // shown: what dmesg counts time differences from. 0: there is none.
  virtual void write(const LogRecord& record, std::uint64_t previous_usec) = 0;

  // Behind all records: text that is none. Only called of formats that show it.
  virtual void write(const UnloggedText& text) { (void)text; }

  // Behind those: a line that the guest sent to its host, and the log does not have. Only called of
  // formats that show unlogged text.
  virtual void write(const HostLine& line) { (void)line; }

  // Between records that --grep shows and that do not follow each other.
  virtual void leave_gap() {}

  // What the format could not hold of the records, a sentence each; known behind the last of them.
  [[nodiscard]] virtual std::vector<std::string> losses() const { return {}; }

  // Behind everything; `warnings` is all that the user was told.
  virtual void finish(const std::vector<std::string>& warnings) { (void)warnings; }
};

}  // namespace photon_dmesg
