#include "cli/io/terminal_diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "base/printable.h"
#include "cli/io/standard_streams.h"

namespace photon_dmesg {
namespace {

constexpr auto silence_before_progress = std::chrono::seconds(1);
constexpr auto progress_interval = std::chrono::milliseconds(100);

}  // namespace

std::string describe(const Evidence& evidence) {
  std::string sentence = evidence.where.empty() ? "" : evidence.where + ": ";
  sentence += evidence.what;
  if (!evidence.value.empty()) sentence += " " + evidence.value;
  if (!evidence.how.empty()) sentence += ": " + evidence.how;
  return sentence;
}

TerminalDiagnostics::TerminalDiagnostics(Level level)
    : level_(level), terminal_(::isatty(STDERR_FILENO) == 1) {}

void TerminalDiagnostics::hold(Form form) {
  form_ = std::move(form);
  holds_ = true;
}

void TerminalDiagnostics::release() {
  holds_ = false;
  for (const Held& held : std::exchange(held_, {})) print(held.prefix, held.message);
}

std::string TerminalDiagnostics::said(std::string_view message) const {
  return form_ ? form_(message) : std::string(message);
}

void TerminalDiagnostics::print(std::string_view prefix, std::string_view message) {
  if (holds_) {
    held_.push_back({std::string(prefix), std::string(message)});
    return;
  }
  clear_progress();
  // Messages may quote file names and guest memory: no control byte of theirs reaches a terminal.
  say(fmt::format("photon-dmesg: {}{}\n", prefix, printable(said(message))));
}

void TerminalDiagnostics::warn(std::string message) {
  if (level_ != Level::Quiet) {
    print("warning: ", message);
  }
  warnings_.push_back(std::move(message));
}

void TerminalDiagnostics::warn_of_lack(std::string message) {
  has_lack_ = true;
  warn(std::move(message));
}

void TerminalDiagnostics::found(Evidence evidence) {
  if (level_ == Level::Verbose) print("", describe(evidence));
}

void TerminalDiagnostics::progress(const Progress& progress) {
  if (!terminal_ || level_ == Level::Quiet) return;
  // The line is asked for from the first call on, that it knows when the work began.
  const Clock::time_point now = Clock::now();
  if (now - last_progress_ < progress_interval) return;
  last_progress_ = now;
  const std::string line = said(progress_line_.update(progress, now));
  if (now - started_ < silence_before_progress) return;
  progress_shown_ = true;
  say("\r\033[K" + line);
}

void TerminalDiagnostics::clear_progress() {
  if (progress_shown_) {
    say("\r\033[K");
    progress_shown_ = false;
  }
}

}  // namespace photon_dmesg
