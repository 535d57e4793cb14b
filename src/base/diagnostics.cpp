#include "base/diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/printable.h"

namespace photon_dmesg {
namespace {

constexpr auto silence_before_progress = std::chrono::seconds(1);
constexpr auto progress_interval = std::chrono::milliseconds(100);
constexpr double mebibyte = 1024.0 * 1024.0;

}  // namespace

Diagnostics::Diagnostics(Level level) : level_(level), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Diagnostics::print(std::string_view prefix, std::string_view message) {
  clear_progress();
  // Messages may quote file names and guest memory: no control byte of theirs reaches a terminal.
  fmt::print(stderr, "photon-dmesg: {}{}\n", prefix, printable(message));
}

void Diagnostics::warn(std::string message) {
  if (level_ != Level::Quiet) {
    print("warning: ", message);
  }
  warnings_.push_back(std::move(message));
}

void Diagnostics::note(std::string_view message) {
  if (level_ == Level::Verbose) {
    print("", message);
  }
}

void Diagnostics::progress(std::string_view what, std::uint64_t done, std::uint64_t total) {
  const Clock::time_point now = Clock::now();
  if (!terminal_ || level_ == Level::Quiet || now - started_ < silence_before_progress ||
      now - last_progress_ < progress_interval) {
    return;
  }
  last_progress_ = now;
  progress_shown_ = true;
  const std::string amount =
      total == 0 ? fmt::format("{:.0f} MiB", static_cast<double>(done) / mebibyte)
                 : fmt::format("{:.0f} of {:.0f} MiB", static_cast<double>(done) / mebibyte,
                               static_cast<double>(total) / mebibyte);
  fmt::print(stderr, "\r\033[K{}: {}", printable(what), amount);
  std::fflush(stderr);
}

void Diagnostics::clear_progress() {
  if (progress_shown_) {
    std::fputs("\r\033[K", stderr);
    progress_shown_ = false;
  }
}

}  // namespace photon_dmesg
