#pragma once

#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "base/diagnostics.h"
#include "cli/options/options.h"
#include "kernel/printk/kernel_log.h"
#include "report/host_evidence.h"
#include "report/redactor.h"
#include "report/report.h"
#include "report/report_writer.h"
#include "session/guest.h"

namespace photon_dmesg {

// The writer of the format that `options` name, redacting if they say so. All must outlive it.
[[nodiscard]] std::unique_ptr<ReportWriter> make_writer(const Options& options,
                                                        const ReportContext& context,
                                                        Redactor& redactor, std::ostream& out);

// The log of a guest on its way to an output: what is in its memory, and behind that what it sent
// to its host and the log lacks.
class GuestLog {
 public:
  // Reads all that must be known before the first record. If the guest `is_one_of_several`, each
  // record says whose it is, and `redactor` must have learnt the names of all. Throws Error if the
  // log can't be read, or if what the options ask for can't be told. All must outlive this object.
  GuestLog(const Options& options, Guest& guest, bool is_one_of_several, Redactor& redactor,
           Diagnostics& diagnostics);

  // Writes it, once. `warnings` are all that the user was told, as a report has them.
  void write(std::ostream& out, const std::vector<std::string>& warnings);

  // Whether that was all of the log, with all times that were asked for.
  [[nodiscard]] bool is_complete() const { return is_complete_; }

 private:
  void learn_names();
  bool write_behind(const KernelLog& log, const RecordFilter& filter, ReportWriter& writer);

  const Options& options_;
  Guest& guest_;
  Redactor& redactor_;
  Diagnostics& diagnostics_;
  KernelLogReader reader_;
  HostEvidence host_;
  ReportContext context_;
  bool is_complete_ = false;
};

}  // namespace photon_dmesg
