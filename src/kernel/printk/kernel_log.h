#pragma once

#include <memory>
#include <string>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// The guest's kernel log, in whichever format its kernel keeps it: the one place that knows which
// formats there are.
class KernelLogReader {
 public:
  // Finds the log. Throws Error(UnusableInput) for a kernel that has none of the formats, and when
  // the log's own variables are damaged. `kernel` and `diagnostics` must outlive the reader.
  KernelLogReader(const GuestKernel& kernel, Diagnostics& diagnostics);

  [[nodiscard]] const LogPositions& positions() const { return positions_; }

  // Hands over every record.
  void read_records(const RecordSink& sink) const;

  // The same, and returns what else there is of the log; what is wrong with records
  // is among its losses.
  [[nodiscard]] KernelLog read(const RecordSink& sink) const;

 private:
  const GuestKernel& kernel_;
  Diagnostics& diagnostics_;
  std::unique_ptr<StoredLog> log_;
  LogPositions positions_;
};

// Whether `symbols` tell where a log of one of these formats is.
[[nodiscard]] bool has_log(const KernelSymbols& symbols);

// Throws Error(UnusableInput) if they don't.
void require_log(const KernelSymbols& symbols);

}  // namespace photon_dmesg
