#pragma once

#include <vector>

namespace photon_dmesg {

// What may stand before a record's text to say when it was logged; in the order of dmesg(1).
enum class TimeFormat {
  None,            // -t
  SinceBoot,       // "[    1.234567] "
  SinceBootDelta,  // "[    1.234567 <    0.000012>] " (-d)
  Delta,           // "[<    0.000012>] "
  Ctime,           // "[Mon Nov 23 17:00:00 2026] ", local time (-T)
  CtimeDelta,      // "[Mon Nov 23 17:00:00 2026 <    0.000012>] " (-T -d)
  Reltime,         // "[Nov23 17:00] " once a minute, between those "[  +0.000012] " (-e)
  Iso,             // "2026-11-23T17:00:00,123456+00:00 ", local time
  BeforeSuspend,   // "[  3 min 12 s before suspend] "
};

// Whether a format needs the guest's clock.
[[nodiscard]] constexpr bool needs_clock(TimeFormat format) {
  return format >= TimeFormat::Ctime;
}

// Whether it shows the time of day, which the guest's clock has to be right for.
[[nodiscard]] constexpr bool shows_time_of_day(TimeFormat format) {
  return needs_clock(format) && format != TimeFormat::BeforeSuspend;
}

// How text looks; everything but BeforeSuspend as an option of dmesg(1) has it.
struct TextStyle {
  std::vector<TimeFormat> times = {TimeFormat::SinceBoot};
  bool decode = false;        // -x: facility and level first
  bool raw = false;           // -r: "<6>[    1.234567] text"
  bool force_prefix = false;  // -p: on every line of a record
  bool escape = true;         // unprintable bytes as \xNN; not with --noescape
  bool color = false;
  bool for_terminal = false;  // what moves a cursor is unprintable too, as it is not to dmesg
};

// What dmesg makes of the time formats asked for, in that order, and of -d (`show_delta`): the
// difference joins the time since boot or else the time of day, or stands for itself; -t drops all
// but a difference. None asked for: SinceBoot.
[[nodiscard]] std::vector<TimeFormat> combine(const std::vector<TimeFormat>& asked,
                                              bool show_delta = false);

}  // namespace photon_dmesg
