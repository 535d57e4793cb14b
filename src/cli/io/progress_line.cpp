#include "cli/io/progress_line.h"

#include <fmt/format.h>

#include <cmath>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

constexpr double mebibyte = 1024.0 * 1024.0;

// "45 s", "12 min": nobody can use more, and it is a guess.
std::string rough_time(double seconds) {
  constexpr double seconds_in_minute = 60;
  constexpr double most_seconds = 90;
  return seconds < most_seconds ? fmt::format("{:.0f} s", std::ceil(seconds))
                                : fmt::format("{:.0f} min", std::ceil(seconds / seconds_in_minute));
}

std::string amount(const Progress& progress) {
  const double done = static_cast<double>(progress.done) / mebibyte;
  const double total = static_cast<double>(progress.total) / mebibyte;
  return progress.total == 0 ? fmt::format("{:.0f} MiB", done)
                             : fmt::format("{:.0f} of {:.0f} MiB", done, total);
}

}  // namespace

std::string ProgressLine::update(const Progress& progress, Clock::time_point now) {
  if (progress.what != what_ || progress.done < done_at_begin_) {
    what_ = progress.what;
    began_ = now;
    done_at_begin_ = progress.done;
  }
  const double seconds = std::chrono::duration<double>(now - began_).count();
  std::string line = printable(progress.what) + ": ";
  if (progress.done == 0 && progress.total == 0) return line + rough_time(seconds);
  line += amount(progress);
  // At its beginning the rate is anything.
  constexpr double least_seconds = 0.5;
  const auto done = static_cast<double>(progress.done - done_at_begin_);
  if (seconds < least_seconds || done == 0) return line;
  const double rate = done / seconds;
  line += fmt::format(", {:.0f} MiB/s", rate / mebibyte);
  if (progress.total <= progress.done) return line;
  return line + fmt::format(", {} left",
                            rough_time(static_cast<double>(progress.total - progress.done) / rate));
}

}  // namespace photon_dmesg
