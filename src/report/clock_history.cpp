#include "report/clock_history.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

namespace photon_dmesg {
namespace {

// A list from its end on, for loops.
template <typename Item>
struct NewestFirst {
  const std::vector<Item>& items;
  [[nodiscard]] auto begin() const { return items.rbegin(); }
  [[nodiscard]] auto end() const { return items.rend(); }
};

template <typename Item>
NewestFirst<Item> newest_first(const std::vector<Item>& items) {
  return {items};
}

constexpr double nsec_per_second = 1e9;

// How far what the log says may be from what is computed: audit's records are printed late, and a
// drift is not quite even.
constexpr std::int64_t tolerance = 1'000'000'000;
constexpr std::int64_t coarse_tolerance = 2'500'000'000;

std::int64_t tolerance_of(const ClockSigns::Reading& reading) {
  return reading.coarse ? coarse_tolerance : tolerance;
}

// How far raw and monotonic clock may part because each rounds its rate, though nobody slews them.
constexpr std::int64_t rounding = 100'000;

// How far the raw clock may be from VMware's: what is known of where it began, and the rounding of
// its rate, which is a second in months.
constexpr std::int64_t vmware_tolerance = 5'000'000'000;

// Numbers from a damaged guest may be anything.
std::int64_t sum(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

std::int64_t difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

bool is_about_nothing(std::int64_t nsec, std::int64_t most = tolerance) {
  return nsec >= -most && nsec <= most;
}

std::int64_t part_of_usec(std::int64_t nsec) {
  constexpr std::int64_t usec = 1000;
  return (nsec % usec + usec) % usec;
}

// What the kernel lets CLOCK_REALTIME be set to, less CLOCK_MONOTONIC (do_settimeofday64()): no
// less than nothing, which is nearly so at the boot; and what GuestClock takes, so that no sum
// overflows.
bool is_possible_offset(std::int64_t nsec) {
  constexpr std::int64_t least = -2'000'000'000;
  constexpr std::int64_t most = std::int64_t{1} << 62;  // 2116
  return nsec >= least && nsec <= most;
}

std::int64_t sum_of(const std::vector<ClockHistory::Step>& steps) {
  std::int64_t total = 0;
  for (const ClockHistory::Step& step : steps) total = sum(total, step.nsec);
  return total;
}

// The steps that the log says the size of, ascending by time stamp.
std::vector<ClockHistory::Step> told_steps(const ClockSigns& signs) {
  using Step = ClockHistory::Step;
  std::vector<Step> steps;
  for (const ClockSigns::Setting& setting : signs.settings()) {
    if (setting.step) steps.push_back({Step::Cause::Set, *setting.step, setting.ts_nsec});
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step& a, const Step& b) { return a.ts_nsec < b.ts_nsec; });
  return steps;
}

// Takes those behind a time stamp off the end of `steps`; the newest first.
std::vector<ClockHistory::Step> take_behind(std::vector<ClockHistory::Step>& steps,
                                            std::uint64_t ts_nsec) {
  std::vector<ClockHistory::Step> taken;
  for (; !steps.empty() && steps.back().ts_nsec > ts_nsec; steps.pop_back()) {
    taken.push_back(steps.back());
  }
  return taken;
}

double seconds(std::int64_t nsec) {
  return static_cast<double>(nsec) / nsec_per_second;
}

double seconds(std::uint64_t nsec) {
  return static_cast<double>(nsec) / nsec_per_second;
}

}  // namespace

ClockHistory::ClockHistory(const GuestClock& clock, const ClockSigns& signs)
    : clock_(clock),
      printk_follows_raw_(
          signs.printk_follows_raw().value_or(clock.printk_follows_raw.value_or(true))) {
  add_sleeps(signs);
  sort_idles();
  compare_clocks(signs);
  sort_steps();
  const std::vector<ClockSigns::Reading> readings = without_old(signs.readings());
  add_settings(signs, readings);
  sort_steps();
  add_contradictions(signs, readings);
  sort_steps();
  leave_out_beginning();
}

// The monotonic clock began at printk's, as far as the log can tell, and the raw clock at 0. That
// they differ by just as much, if by less than that is certain, means that nobody has slewed them.
void ClockHistory::compare_clocks(const ClockSigns& signs) {
  constexpr std::uint64_t most = 1'000'000'000;  // where the log no longer tells of the boot
  if (clock_.raw_nsec) {
    const std::int64_t less = difference(clock_.monotonic_nsec(), *clock_.raw_nsec);
    const auto earliest = static_cast<std::int64_t>(signs.began_after().value_or(0));
    const auto latest = static_cast<std::int64_t>(signs.began_before().value_or(most));
    const std::int64_t began = std::clamp(less, earliest, std::max(earliest, latest));
    const std::int64_t drift = difference(began, less);
    drift_ = is_about_nothing(drift, rounding) ? 0 : drift;
  }
  printk_ahead_ = signs.printk_ahead_nsec();
  if (!printk_ahead_ && clock_.printk_ahead_nsec) {
    const bool has_drifted = printk_follows_raw_ && clock_.printk_ahead_is_new;
    printk_ahead_ = difference(*clock_.printk_ahead_nsec, has_drifted ? drift_.value_or(0) : 0);
    if (clock_.printk_ahead_is_new) printk_ahead_ = difference(*printk_ahead_, idled_since(0));
  }
  const std::int64_t even =
      sum(sum(clock_.monotonic_nsec(), printk_ahead_.value_or(0)), idled_since(0));
  slewed_ = printk_follows_raw_ ? drift_.value_or(0) : 0;
  if (printk_follows_raw_ && clock_.printk_nsec) {
    const std::int64_t exact = difference(*clock_.printk_nsec, even);
    if (is_about_nothing(difference(exact, slewed_), vmware_tolerance)) slewed_ = exact;
  }
  printk_at_stop_ = sum(even, slewed_);
  // A whole number of microseconds is added to time stamps: so a time of day is cut alike by who
  // cuts the sum, and by who adds the microseconds of both, as dmesg does.
  printk_at_stop_ = sum(printk_at_stop_, part_of_usec(offset_at_stop()));
}

std::int64_t ClockHistory::before_stop(std::uint64_t ts_nsec) const {
  using Limits = std::numeric_limits<std::int64_t>;
  if (ts_nsec > std::uint64_t{Limits::max()}) return Limits::min();
  return difference(printk_at_stop_, static_cast<std::int64_t>(ts_nsec));
}

std::int64_t ClockHistory::offset_at_stop() const {
  return difference(clock_.last_update_nsec, printk_at_stop_);
}

std::int64_t ClockHistory::uptime() const {
  return sum(clock_.monotonic_nsec(), clock_.sleep_nsec.value_or(0));
}

// How much of what it was slewed by came so shortly before the stop, not counting what it slept.
std::int64_t ClockHistory::slewed_since(std::int64_t before_stop) const {
  // NTP's correction of a clock's rate is at most that (MAXFREQ in include/linux/timex.h). What is
  // faster has not been so for long: chrony makes up for an offset, or adjtimex(8) was used.
  constexpr double fastest_correction = 0.0005;
  const auto before = static_cast<double>(before_stop);
  const auto all = static_cast<double>(slewed_);
  const auto awake = static_cast<double>(difference(printk_at_stop_, idled_since(0)));
  const double rate = clock_.slew_rate;
  const double began = std::abs(rate) > fastest_correction ? all / rate : 0;
  if (printk_follows_raw_ && began > 0 && began < awake) {
    return before < began ? std::llround(before * rate) : slewed_;
  }
  return std::llround(before * all / awake);
}

std::int64_t ClockHistory::monotonic(std::uint64_t ts_nsec) const {
  const std::int64_t before = difference(before_stop(ts_nsec), idled_since(ts_nsec));
  const std::int64_t counted = difference(clock_.monotonic_nsec(), before);
  return printk_at_stop_ > idled_since(0) ? sum(counted, slewed_since(before)) : counted;
}

// For how long the guest has slept behind a time stamp while printk's clock went on.
std::int64_t ClockHistory::idled_since(std::uint64_t ts_nsec) const {
  const auto end = std::partition_point(idles_.begin(), idles_.end(),
                                        [&](const Idle& idle) { return idle.ts_nsec > ts_nsec; });
  return end == idles_.begin() ? 0 : std::prev(end)->since;
}

// CLOCK_REALTIME less CLOCK_MONOTONIC when a record was logged.
std::int64_t ClockHistory::realtime_offset(std::uint64_t ts_nsec) const {
  const auto next =
      std::upper_bound(steps_.begin(), steps_.end(), ts_nsec,
                       [](std::uint64_t time, const Step& step) { return time < step.ts_nsec; });
  const std::int64_t later =
      next == steps_.end() ? 0 : later_[static_cast<std::size_t>(next - steps_.begin())];
  return difference(clock_.realtime_offset_nsec, sum(later, idled_since(ts_nsec)));
}

std::int64_t ClockHistory::counted_back(std::uint64_t ts_nsec) const {
  return sum(monotonic(ts_nsec), realtime_offset(ts_nsec));
}

std::int64_t ClockHistory::off_by(const ClockSigns::Reading& reading) const {
  return difference(counted_back(reading.ts_nsec), reading.time_of_day);
}

std::optional<std::int64_t> ClockHistory::time_of_day(std::uint64_t ts_nsec) const {
  constexpr std::uint64_t latest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t time = counted_back(ts_nsec);  // a sum that is too large is negative
  return ts_nsec <= latest && time >= 0 ? std::optional(time) : std::nullopt;
}

std::int64_t ClockHistory::nearest_time_of_day(std::uint64_t ts_nsec) const {
  const bool is_late = before_stop(ts_nsec) < 0;
  return time_of_day(ts_nsec).value_or(is_late ? std::numeric_limits<std::int64_t>::max() : 0);
}

// The kernel knows how long the guest has slept in all; the log, when it woke up, and rarely for
// how long it had slept.
void ClockHistory::add_sleeps(const ClockSigns& signs) {
  std::int64_t unsaid = clock_.sleep_nsec.value_or(0);
  std::vector<ClockSigns::Waking> silent;
  for (const ClockSigns::Waking& waking : newest_first(signs.wakings())) {
    if (!waking.slept) {
      silent.push_back(waking);
      continue;
    }
    if (!add_idles({waking}, *waking.slept)) {
      add({Step::Cause::Sleep, *waking.slept, waking.ts_nsec});
    }
    unsaid = difference(unsaid, *waking.slept);
  }
  if (silent.empty()) {
    // Where the log has lost its beginning, that is where the guest slept, as far as is known.
    if (signs.has_all()) unplaced_sleep_ = std::max<std::int64_t>(unsaid, 0);
    return;
  }
  if (unsaid <= 0 || add_idles(silent, unsaid)) return;
  Step step{Step::Cause::Sleep, unsaid, signs.has_all() ? silent.back().ts_nsec : 0};
  // Of several sleeps it is not known which lasted how long; others may have been overwritten.
  if (silent.size() > 1 || !signs.has_all()) {
    step.placed = false;
    step.until_nsec = silent.front().ts_nsec;
  }
  add(step);
}

// Takes sleeps that lasted so long in all for ones in which printk's clock went on, if it did: that
// shows in the time stamps around each. Where it stands still too (S3, other processors), they are
// a second or two apart.
bool ClockHistory::add_idles(const std::vector<ClockSigns::Waking>& wakings, std::int64_t slept) {
  std::int64_t idled = 0;
  for (const ClockSigns::Waking& waking : wakings) {
    if (!waking.idled) return false;
    idled = std::min(slept, sum(idled, *waking.idled));
  }
  // The hardware's clock, by which the kernel knows how long it slept, counts seconds.
  if (!is_about_nothing(difference(slept, idled))) return false;
  for (const ClockSigns::Waking& waking : wakings) {
    const std::int64_t nsec = std::min(slept, *waking.idled);
    idles_.push_back({waking.ts_nsec, nsec});
    slept = difference(slept, nsec);
  }
  return true;
}

void ClockHistory::sort_idles() {
  std::stable_sort(idles_.begin(), idles_.end(),
                   [](const Idle& a, const Idle& b) { return a.ts_nsec > b.ts_nsec; });
  std::int64_t total = 0;
  for (Idle& idle : idles_) idle.since = total = sum(total, idle.nsec);
}

void ClockHistory::add(const Step& step) {
  if (steps_budget_.take()) steps_.push_back(step);
}

// Of the steps that a program told of, newest first, those before which the clock could have shown
// what it then did; `later` is the sum of those behind them.
std::vector<ClockHistory::Step> ClockHistory::possible(std::vector<Step> told,
                                                       std::int64_t later) const {
  std::erase_if(told, [&](const Step& step) {
    const std::int64_t all = sum(later, step.nsec);
    const bool is_possible = is_possible_offset(difference(realtime_offset(step.ts_nsec), all));
    if (is_possible) later = all;
    return !is_possible;
  });
  return told;
}

// Without those times of audit's that are earlier than what is computed only because the system
// call took so long, or its record was printed late: the next older reading then does not agree.
// All records of a system call are equally late, and so are those that were printed together: so
// that reading is one of another moment, or of the hardware's clock. Where there is none, nothing
// speaks against the time.
std::vector<ClockSigns::Reading> ClockHistory::without_old(
    const std::vector<ClockSigns::Reading>& readings) const {
  constexpr std::int64_t moment = 2 * tolerance;
  std::vector<ClockSigns::Reading> kept;  // the newest first
  std::int64_t off = 0;                   // by how much what is computed is later than those
  std::size_t older = readings.size();    // behind the next older one
  const auto is_other = [&](const ClockSigns::Reading& next, const ClockSigns::Reading& reading) {
    const auto apart = static_cast<std::int64_t>(reading.ts_nsec - next.ts_nsec);
    return !next.may_be_old || !is_about_nothing(apart, moment);
  };
  for (std::size_t i = readings.size(); i-- > 0;) {
    const ClockSigns::Reading& reading = readings[i];
    const std::int64_t found = off_by(reading);
    older = std::min(older, i);
    while (older > 0 && !is_other(readings[older - 1], reading)) --older;
    const bool is_earlier = difference(found, off) > tolerance_of(reading);
    if (is_earlier && reading.may_be_old && older > 0) {
      const ClockSigns::Reading& next = readings[older - 1];
      const std::int64_t most = std::max(tolerance_of(reading), tolerance_of(next));
      if (!is_about_nothing(difference(off_by(next), found), most)) continue;
    }
    if (!is_about_nothing(difference(found, off), tolerance_of(reading))) off = found;
    kept.push_back(reading);
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

// Any program may say that it set the clock, but only the kernel what it read of it. If two
// readings are as far apart as they are without the steps that are said to have come between them,
// and not with them, there were none.
void ClockHistory::add_settings(const ClockSigns& signs,
                                const std::vector<ClockSigns::Reading>& readings) {
  std::vector<Step> told = told_steps(signs);
  std::vector<Step> believed;
  std::int64_t later = 0;  // the sum of those
  std::int64_t off = 0;    // by how much what is computed of the reading behind is later than it
  const auto believe = [&](const std::vector<Step>& steps) {
    later = sum(later, sum_of(steps));
    believed.insert(believed.end(), steps.begin(), steps.end());
  };
  for (const ClockSigns::Reading& reading : newest_first(readings)) {
    const std::vector<Step> steps = possible(take_behind(told, reading.ts_nsec), later);
    const std::int64_t without = difference(off_by(reading), later);
    const std::int64_t with = difference(without, sum_of(steps));
    const std::int64_t most = tolerance_of(reading);
    const bool is_refuted = is_about_nothing(difference(without, off), most) &&
                            !is_about_nothing(difference(with, off), most);
    if (!is_refuted) believe(steps);
    off = is_refuted ? without : with;
  }
  believe(possible(take_behind(told, 0), later));
  for (const Step& step : believed) add(step);
}

// Where the log says another time of day than what was computed from what is known so far, the
// clock was set between there and the next place where both agree.
void ClockHistory::add_contradictions(const ClockSigns& signs,
                                      const std::vector<ClockSigns::Reading>& readings) {
  std::int64_t found = 0;
  std::optional<std::uint64_t> until;
  Settings settings;
  for (const ClockSigns::Setting& setting : signs.settings()) {
    if (setting.step) continue;
    settings.any.push_back(setting.ts_nsec);
    if (!setting.backwards) settings.either_way.push_back(setting.ts_nsec);
  }
  std::sort(settings.any.begin(), settings.any.end());
  std::sort(settings.either_way.begin(), settings.either_way.end());
  std::vector<Step> steps;
  for (const ClockSigns::Reading& reading : newest_first(readings)) {
    const std::int64_t step = difference(off_by(reading), found);
    if (!is_about_nothing(step, tolerance_of(reading))) {
      if (!steps_budget_.take()) break;
      steps.push_back(place(step, reading.ts_nsec, until, settings));
      found = sum(found, step);
    }
    until = reading.ts_nsec;
  }
  steps_.insert(steps_.end(), steps.begin(), steps.end());
}

// A step that came behind `after` and not behind `until`: where the log tells of the only one
// there, else at once, so that as much as possible is counted back from the stop.
ClockHistory::Step ClockHistory::place(std::int64_t nsec, std::uint64_t after,
                                       std::optional<std::uint64_t> until,
                                       const Settings& settings) const {
  const std::vector<std::uint64_t>& may_be_it = nsec < 0 ? settings.any : settings.either_way;
  const auto first = std::upper_bound(may_be_it.begin(), may_be_it.end(), after);
  const auto end = until ? std::upper_bound(first, may_be_it.end(), *until) : may_be_it.end();
  if (end - first == 1) return {Step::Cause::Set, nsec, *first};
  Step step{Step::Cause::Set, nsec, after + 1, false, until};
  if (is_about_nothing(difference(nsec, clock_.sleep_nsec.value_or(0)))) {
    step.cause = Step::Cause::Sleep;  // by a kernel that does not log when it wakes up
  }
  return step;
}

// Where the kernel can't read the machine's clock as it begins (arm64), it counts from 1970 until a
// driver sets it: that was no time of day.
void ClockHistory::leave_out_beginning() {
  constexpr std::int64_t nearly = 2'000'000'000;
  constexpr std::int64_t lately = 1'000'000'000'000'000'000;  // 2001
  if (steps_.empty() || steps_.front().cause != Step::Cause::Set) return;
  if (std::abs(realtime_offset(0)) > nearly || clock_.realtime_offset_nsec < lately) return;
  steps_.erase(steps_.begin());
  sort_steps();
}

void ClockHistory::sort_steps() {
  std::stable_sort(steps_.begin(), steps_.end(),
                   [](const Step& a, const Step& b) { return a.ts_nsec < b.ts_nsec; });
  later_.assign(steps_.size(), 0);
  std::int64_t total = 0;
  for (std::size_t i = steps_.size(); i-- > 0;) {
    total = sum(total, steps_[i].nsec);
    later_[i] = total;
  }
}

std::vector<std::string> ClockHistory::warnings() const {
  constexpr std::size_t most_sentences = 100;
  std::vector<std::string> sentences;
  const bool is_explained = is_about_nothing(unplaced_sleep_) ||
                            std::any_of(steps_.begin(), steps_.end(), [&](const Step& step) {
                              return is_about_nothing(difference(step.nsec, unplaced_sleep_));
                            });
  if (!is_explained) {
    sentences.push_back(
        fmt::format("the guest has slept for {:.3f} s, and nothing in the log says when: times of "
                    "day before may be late by as much",
                    seconds(unplaced_sleep_)));
  }
  std::size_t more = 0;
  for (const Step& step : steps_) {
    if (step.placed) continue;
    if (sentences.size() == most_sentences) {
      ++more;
      continue;
    }
    const std::string until =
        step.until_nsec ? fmt::format("{:.6f} s", seconds(*step.until_nsec)) : "the stop";
    sentences.push_back(
        fmt::format("the guest's clock {} by {:+.3f} s between {:.6f} s since boot and {}, and the "
                    "log does not "
                    "say when: times of day between the two may be off by as much",
                    step.cause == Step::Cause::Sleep ? "went on during sleep" : "was set",
                    seconds(step.nsec), seconds(step.ts_nsec), until));
  }
  if (more > 0) {
    sentences.push_back(fmt::format(
        "the guest's clock was set {} times more, and the log does not say when", more));
  }
  if (steps_budget_.exceeded()) {
    sentences.push_back(
        fmt::format("the guest's clock was set more than {} times: times of day before {:.6f} s "
                    "since boot are not to be trusted",
                    steps_budget_.taken(), seconds(steps_.front().ts_nsec)));
  }
  return sentences;
}

}  // namespace photon_dmesg
