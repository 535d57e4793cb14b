#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/kernel_log.h"
#include "kernel/printk/log_losses.h"
#include "report/clock_history.h"
#include "report/record_filter.h"

namespace photon_dmesg {

// Which records a log has, as they are read: for those who ask how far it goes, and for what must
// be said of it as a whole.
class LogExtent {
 public:
  // `clock` must outlive this object.
  explicit LogExtent(const std::optional<ClockHistory>& clock) : clock_(clock) {}

  void add(const LogRecord& record);

  // Whether records that are far behind others can be so late only the guest's clock tells: where
  // nothing else asks for it, it is read for this.
  void check_gaps(const GuestKernel& kernel, const KernelLogReader& reader);

  // No kernel stops without having logged anything.
  [[nodiscard]] bool is_empty() const { return !first_; }

  // Why nothing is printed: that a pattern or a time is mistaken is easily taken for a quiet guest.
  [[nodiscard]] std::string nothing_selected(const Selection& selection) const;

  // Which records there were.
  void note(Diagnostics& diagnostics) const;

  // That the beginning is gone, or what came behind records of early boot, matters to who reads
  // from there.
  void warn_of_overwritten(const Selection& selection, Diagnostics& diagnostics) const;

  // Whether a time must be damaged: several records tell of a clock that stood still.
  [[nodiscard]] bool has_odd_time() const { return behind_stop_.count() == 1; }

  // Which records have no time of day, if any.
  [[nodiscard]] std::optional<std::string> timeless() const;

  // What is later than the guest's clock when it was last moved on, if anything is.
  [[nodiscard]] std::optional<std::string> behind_stop() const;

 private:
  void compare(const LogRecord& record, const ClockHistory& clock);

  const std::optional<ClockHistory>& clock_;
  LossCounter behind_stop_;
  LossCounter timeless_;
  std::optional<std::uint64_t> first_;
  // What the log has lost behind the records that were recovered from early boot: the number of the
  // last one of these, and of the log's own first.
  struct Gap {
    std::uint64_t behind = 0;
    std::uint64_t end = 0;
  };
  std::optional<Gap> gap_;
  bool last_is_recovered_ = false;
  std::uint64_t last_ = 0;
  std::uint64_t last_nsec_ = 0;
  std::uint64_t latest_nsec_ = 0;
  bool has_gap_ = false;
};

}  // namespace photon_dmesg
