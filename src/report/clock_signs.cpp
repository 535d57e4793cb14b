#include "report/clock_signs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

namespace photon_dmesg {
namespace {

constexpr std::int64_t nsec_per_second = 1'000'000'000;
constexpr std::uint64_t longest_sleep = std::uint64_t{1} << 61;  // 73 years, and no sum overflows

// What stands behind `mark`; nothing if the text has no such mark.
std::optional<std::string_view> behind(std::string_view text, std::string_view mark) {
  const std::size_t at = text.find(mark);
  if (at == std::string_view::npos) return std::nullopt;
  return text.substr(at + mark.size());
}

// A number of seconds, with or without a fraction, as nanoseconds.
std::optional<std::int64_t> seconds_behind(std::string_view text, std::string_view mark) {
  constexpr double most = 4e9;  // seconds; what is no time, but could not be counted
  const std::optional<std::string_view> rest = behind(text, mark);
  if (!rest) return std::nullopt;
  std::int64_t whole = 0;
  const char* const end = rest->data() + rest->size();
  const bool negative = rest->starts_with('-');
  auto [at, error] = std::from_chars(rest->data(), end, whole);
  if (error != std::errc() || static_cast<double>(whole) > most ||
      static_cast<double>(whole) < -most) {
    return std::nullopt;
  }
  std::int64_t fraction = 0;
  if (at != end && *at == '.') {
    std::int64_t place = nsec_per_second;
    for (++at; at != end && *at >= '0' && *at <= '9'; ++at) {
      place /= 10;
      fraction += (*at - '0') * place;
    }
  }
  return whole * nsec_per_second + (negative ? -fraction : fraction);
}

struct SettingText {
  std::string_view text;
  bool backwards = false;
};

// What programs say that have just set the clock, or have noticed it, wherever they log to the
// kernel's log: systemd before journald runs, journald itself, others by configuration.
constexpr std::array setting_texts = {
    SettingText{"Time jumped backwards, rotating", true},
    SettingText{"System time advanced to "},
    SettingText{"System time before build time, advancing clock"},
    SettingText{"RTC configured in localtime, applying delta of "},
    SettingText{"Initial clock synchronization to "},
    SettingText{"Initial synchronization to time server "},
    SettingText{"systemd[1]: Time has been changed"},
};

}  // namespace

void ClockSigns::add(const LogRecord& record) {
  has_all_ = has_all_ && record.seq == next_seq_;
  next_seq_ = record.seq + 1;
  // Programs can't log as the kernel does.
  if (record.facility != 0) {
    add_setting(record);
    return;
  }
  add_reading(record);
  add_leap_second(record);
  add_sleep(record);
  add_beginning(record);
  add_printk_clock(record);
}

void ClockSigns::add_reading(const LogRecord& record) {
  constexpr std::int64_t half_a_second = nsec_per_second / 2;
  const std::string_view text = record.text;
  if (const auto clock = behind(text, "setting system clock to ")) {
    if (const auto time = seconds_behind(*clock, " UTC (")) {
      for (; coarse_ < readings_.size(); ++coarse_) readings_[coarse_].coarse = true;
      readings_.push_back({record.ts_nsec, *time + half_a_second});
      settings_.push_back({record.ts_nsec, std::nullopt, false});
    }
  } else if (text.starts_with("audit: type=")) {
    if (const auto time = seconds_behind(text, " audit(")) {
      readings_.push_back({record.ts_nsec, *time, false, true});
    }
  }
}

void ClockSigns::add_setting(const LogRecord& record) {
  const std::string_view text = record.text;
  if (const auto step = seconds_behind(text, "System clock was stepped by ")) {
    settings_.push_back({record.ts_nsec, step, *step < 0});
    return;
  }
  for (const SettingText& known : setting_texts) {
    if (text.find(known.text) != std::string_view::npos) {
      settings_.push_back({record.ts_nsec, std::nullopt, known.backwards});
      return;
    }
  }
}

// second_overflow() of kernel/time/ntp.c.
void ClockSigns::add_leap_second(const LogRecord& record) {
  if (record.text == "Clock: inserting leap second 23:59:60 UTC") {
    settings_.push_back({record.ts_nsec, -nsec_per_second, true});
  } else if (record.text == "Clock: deleting leap second 23:59:59 UTC") {
    settings_.push_back({record.ts_nsec, nsec_per_second, false});
  }
}

ClockSigns::Waking& ClockSigns::waking_at(std::uint64_t ts_nsec) {
  if (!awake_) {
    Waking& waking = wakings_.emplace_back();
    waking.ts_nsec = ts_nsec;
    if (idle_since_ && *idle_since_ < ts_nsec) {
      waking.idled = static_cast<std::int64_t>(std::min(ts_nsec - *idle_since_, longest_sleep));
    }
  }
  awake_ = true;
  return wakings_.back();
}

// kernel/power/suspend.c, and of S3 drivers/acpi/sleep.c, which is the first to speak again. A
// guest may sleep several times before it is really up (s2idle).
void ClockSigns::add_sleep(const LogRecord& record) {
  const std::string_view text = record.text;
  if (text.starts_with("PM: suspend entry") || text.starts_with("PM: hibernation entry") ||
      text.starts_with("PM: hibernation: hibernation entry")) {
    awake_ = false;
    const bool is_idle = text.ends_with("(s2idle)");
    idle_since_ = is_idle ? std::optional(record.ts_nsec) : std::nullopt;
  } else if (const auto slept = seconds_behind(text, "uspended for ");
             slept && text.ends_with(" seconds")) {
    Waking& waking = waking_at(record.ts_nsec);
    constexpr auto longest = static_cast<std::int64_t>(longest_sleep);
    waking.slept = std::min(longest, waking.slept.value_or(0) + std::min(longest, *slept));
  } else if (text.ends_with("Low-level resume complete") || text.starts_with("PM: suspend exit") ||
             text.starts_with("PM: hibernation exit") ||
             text.starts_with("PM: hibernation: hibernation exit")) {
    waking_at(record.ts_nsec);
  }
}

void ClockSigns::add_beginning(const LogRecord& record) {
  if (began_before_) return;
  const std::string_view text = record.text;
  if (text.starts_with("NR_IRQS:") || text.starts_with("rcu: srcu_init:")) {
    began_after_ = record.ts_nsec;
  } else if (began_after_ &&
             (text.starts_with("clocksource: jiffies:") || text.starts_with("Console: "))) {
    began_before_ = record.ts_nsec;
  }
}

void ClockSigns::add_printk_clock(const LogRecord& record) {
  const std::string_view text = record.text;
  const auto stable = behind(text, "sched_clock: Marking stable (");
  const auto unstable = behind(text, "sched_clock: Marking unstable (");
  if (stable || unstable) {
    printk_follows_raw_ = stable.has_value();
    // The clock that it follows, and local_clock() less that, in nanoseconds.
    if (const auto number = behind(stable ? *stable : *unstable, ", ")) {
      std::int64_t ahead = 0;
      const auto [end, error] =
          std::from_chars(number->data(), number->data() + number->size(), ahead);
      if (error == std::errc()) printk_ahead_nsec_ = ahead;
    }
  } else if (text.starts_with("tsc: Marking TSC unstable") && !printk_follows_raw_) {
    printk_follows_raw_ = false;  // and nothing says "stable" later
  }
}

}  // namespace photon_dmesg
