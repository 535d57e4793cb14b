#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/budget.h"
#include "kernel/facts/guest_clock.h"
#include "report/clock_signs.h"

namespace photon_dmesg {

// The time of day at which a record was logged, as the guest's own clock showed it then.
//
// All is counted back from the stop, by printk's time stamps. Those count as the raw clock does;
// the time of day counts as the monotonic clock, which NTP slews, and goes on by itself while the
// guest sleeps and when somebody sets it (the steps). In some sleeps printk's clock goes on with it
// (s2idle on x86, where only the monotonic clock stands still): these are no steps. How much it was
// slewed is known (the drift), and is taken as even over all of the guest's life, unless it is just
// being slewed faster than that can be. Steps are known as far as the log tells of them.
class ClockHistory {
 public:
  // A change of CLOCK_REALTIME against CLOCK_MONOTONIC.
  struct Step {
    enum class Cause { Sleep, Set };
    Cause cause = Cause::Set;
    std::int64_t nsec = 0;      // by how much the time of day went on
    std::uint64_t ts_nsec = 0;  // from this time stamp on records are counted as behind it
    // Whether that is so. Otherwise it came between there and `until_nsec` (absent: the stop), and
    // records between the two may be off by it.
    bool placed = true;
    std::optional<std::uint64_t> until_nsec{};
  };

  // A clock alone is the history of a guest whose log says nothing.
  ClockHistory(const GuestClock& clock, const ClockSigns& signs = {});

  // Of a record with that time stamp, nanoseconds since 1970, UTC. Nothing if that would be before
  // 1970 or after 2262, which no clock of Linux shows: the time stamp or the clock is damaged.
  [[nodiscard]] std::optional<std::int64_t> time_of_day(std::uint64_t ts_nsec) const;

  // The same for who must have a time: else the first or the last one that there is, whichever is
  // nearer.
  [[nodiscard]] std::int64_t nearest_time_of_day(std::uint64_t ts_nsec) const;

  // The time of day when printk's clock showed 0: before 1970 if the clock is damaged.
  [[nodiscard]] std::int64_t boot() const { return counted_back(0); }

  // How long before the guest stopped, in nanoseconds; negative behind its clock's last update.
  [[nodiscard]] std::int64_t before_stop(std::uint64_t ts_nsec) const;

  // What is to be added to the time stamps of the newest records to get their time of day.
  [[nodiscard]] std::int64_t offset_at_stop() const;

  // CLOCK_MONOTONIC when a record with that time stamp was logged, or when printk's clock showed
  // that.
  [[nodiscard]] std::int64_t monotonic(std::uint64_t ts_nsec) const;
  // What printk's clock showed at the timekeeper's last update.
  [[nodiscard]] std::int64_t printk_at_stop() const { return printk_at_stop_; }

  // How long the guest has run, sleep included, as /proc/uptime says. Nanoseconds.
  [[nodiscard]] std::int64_t uptime() const;

  // By how much the raw clock is ahead of the monotonic clock, had both begun at once: what NTP has
  // held back. Nothing if there is no raw clock.
  [[nodiscard]] std::optional<std::int64_t> drift() const { return drift_; }

  [[nodiscard]] const GuestClock& clock() const { return clock_; }
  // Whether printk's clock counts as the raw clock or as the monotonic one, and by how much it was
  // ahead of the monotonic one at first: by the log or else by the kernel's variables.
  [[nodiscard]] bool printk_follows_raw() const { return printk_follows_raw_; }
  [[nodiscard]] std::optional<std::int64_t> printk_ahead() const { return printk_ahead_; }

  // Ascending by time stamp.
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }

  // A sentence for each step, and for the sleep, that has no certain place: which times of day are
  // not to be trusted. Of very many, one says how many more there are.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  void compare_clocks(const ClockSigns& signs);
  void add_sleeps(const ClockSigns& signs);
  [[nodiscard]] bool add_idles(const std::vector<ClockSigns::Waking>& wakings, std::int64_t slept);
  void sort_idles();
  [[nodiscard]] std::int64_t idled_since(std::uint64_t ts_nsec) const;
  [[nodiscard]] std::vector<ClockSigns::Reading> without_old(
      const std::vector<ClockSigns::Reading>& readings) const;
  void add_settings(const ClockSigns& signs, const std::vector<ClockSigns::Reading>& readings);
  void add_contradictions(const ClockSigns& signs,
                          const std::vector<ClockSigns::Reading>& readings);
  void leave_out_beginning();
  void add(const Step& step);
  [[nodiscard]] std::vector<Step> possible(std::vector<Step> told, std::int64_t later) const;
  // When the clock was set by what the log does not say, ascending by time stamp.
  struct Settings {
    std::vector<std::uint64_t> any;
    std::vector<std::uint64_t> either_way;  // without those that only go backwards
  };
  [[nodiscard]] Step place(std::int64_t nsec, std::uint64_t after,
                           std::optional<std::uint64_t> until, const Settings& settings) const;
  void sort_steps();
  [[nodiscard]] std::int64_t slewed_since(std::int64_t before_stop) const;
  [[nodiscard]] std::int64_t realtime_offset(std::uint64_t ts_nsec) const;
  [[nodiscard]] std::int64_t counted_back(std::uint64_t ts_nsec) const;
  // By how much what is computed is later, by the steps that are known so far.
  [[nodiscard]] std::int64_t off_by(const ClockSigns::Reading& reading) const;

  GuestClock clock_;
  bool printk_follows_raw_;
  std::optional<std::int64_t> drift_;
  std::optional<std::int64_t> printk_ahead_;
  std::int64_t printk_at_stop_ = 0;  // what local_clock() was then
  std::int64_t slewed_ = 0;  // by how much it has gone on farther than the monotonic clock since
  std::int64_t unplaced_sleep_ = 0;  // that no record tells of
  // Sleeps in which printk's clock went on; the newest first.
  struct Idle {
    std::uint64_t ts_nsec = 0;  // when the guest woke up
    std::int64_t nsec = 0;
    std::int64_t since = 0;  // how long this and the newer ones lasted
  };
  std::vector<Idle> idles_;
  std::vector<Step> steps_;
  // No honest log tells of as many; the oldest are left out.
  Budget steps_budget_{"changes of the guest's clock", 16384};
  std::vector<std::int64_t> later_;  // for each step: the sum of it and of those behind it
};

}  // namespace photon_dmesg
