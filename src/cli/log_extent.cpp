#include "cli/log_extent.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/guest_facts.h"
#include "report/time_format.h"

namespace photon_dmesg {
namespace {

constexpr std::int64_t late_nsec = 60'000'000'000;

bool is_behind_stop(std::uint64_t nsec, const ClockHistory& clock) {
  // NTP slews a clock by at most 1/2000, which need not all be known.
  const std::int64_t inaccuracy = late_nsec + clock.uptime() / 1000;
  return clock.before_stop(nsec) < -inaccuracy;
}

}  // namespace

void LogExtent::add(const LogRecord& record) {
  if (clock_) {
    compare(record, *clock_);
    if (!clock_->time_of_day(record.ts_nsec)) timeless_.add(record.seq);
  }
  has_gap_ = has_gap_ || (first_ && record.ts_nsec > last_nsec_ + late_nsec);
  if (last_is_recovered_ && record.origin == LogRecord::Origin::Log && record.seq > last_ + 1) {
    gap_ = {last_, record.seq};
  }
  last_is_recovered_ = record.origin == LogRecord::Origin::StaticBuffer;
  if (!first_) first_ = record.seq;
  last_ = record.seq;
  last_nsec_ = record.ts_nsec;
  latest_nsec_ = std::max(latest_nsec_, record.ts_nsec);
}

void LogExtent::check_gaps(const GuestKernel& kernel, const KernelLogReader& reader) {
  if (clock_ || !has_gap_) return;
  SilentDiagnostics silent;
  const auto clock = read_clock_history(kernel, nullptr, silent);
  if (!clock || !is_behind_stop(latest_nsec_, *clock)) return;
  reader.read_records([&](const LogRecord& record) {
    compare(record, *clock);
    return true;
  });
}

std::string LogExtent::nothing_selected(const Selection& selection) const {
  if (!first_) return "nothing is printed: the log has no records";
  std::string sentence = "nothing is printed: no record of the log is selected";
  if (!selection.since_usec && !selection.until_usec) return sentence;
  if (const auto last = selection.clock.value().time_of_day(last_nsec_)) {
    sentence += fmt::format("; the last one that was looked at was logged at {}", utc_time(*last));
  }
  return sentence;
}

void LogExtent::note(Diagnostics& diagnostics) const {
  Evidence extent{.what = "no records", .where = "the log"};
  if (first_) {
    extent.what = "records";
    extent.value = fmt::format("{} to {}", *first_, last_);
  }
  diagnostics.found(std::move(extent));
}

void LogExtent::warn_of_overwritten(const Selection& selection, Diagnostics& diagnostics) const {
  if (selection.since_usec || selection.tail) return;
  if (first_.value_or(0) > 0 && selection.first_seq == 0) {
    diagnostics.warn(fmt::format(
        "the kernel has overwritten the {} oldest records: the log begins with record {}", *first_,
        *first_));
  }
  if (gap_ && selection.first_seq < gap_->end) {
    diagnostics.warn(fmt::format(
        "the kernel has overwritten the {} records behind record {}: up to that they are of the "
        "buffer of early boot, the log itself begins with record {}",
        gap_->end - gap_->behind - 1, gap_->behind, gap_->end));
  }
}

std::optional<std::string> LogExtent::timeless() const {
  if (timeless_.empty()) return std::nullopt;
  return timeless_.describe(
      "without a time of day: by the guest's clock it would be before 1970 or after 2262");
}

std::optional<std::string> LogExtent::behind_stop() const {
  if (behind_stop_.empty()) return std::nullopt;
  return behind_stop_.describe(
      "later than the guest's clock when it stopped: it had stood still while they were logged, or "
      "their times are damaged");
}

void LogExtent::compare(const LogRecord& record, const ClockHistory& clock) {
  if (is_behind_stop(record.ts_nsec, clock)) behind_stop_.add(record.seq);
}

}  // namespace photon_dmesg
