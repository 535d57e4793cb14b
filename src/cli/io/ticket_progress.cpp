#include "cli/io/ticket_progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>

#include "cli/io/standard_streams.h"

namespace photon_dmesg {

TicketProgress::TicketProgress(std::size_t total, bool quiet)
    : total_(total), is_watched_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

void TicketProgress::add(bool failed) {
  ++done_;
  if (failed) ++failed_;
}

void TicketProgress::show(std::size_t running) {
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  if (!is_watched_ || seconds < 1) return;
  std::string line = fmt::format("{} of {} tickets", done_, total_);
  if (done_ > 0) {
    const double rate = static_cast<double>(done_) / seconds;
    line += fmt::format(", {:.1f} a second, {:.0f} s left", rate,
                        std::ceil(static_cast<double>(total_ - done_) / rate));
  }
  line += fmt::format(", {} running", running);
  if (failed_ > 0) line += fmt::format(", {} failed", failed_);
  is_shown_ = true;
  say("\r\033[K" + line);
}

void TicketProgress::clear() {
  if (!is_shown_) return;
  say("\r\033[K");
  is_shown_ = false;
}

}  // namespace photon_dmesg
