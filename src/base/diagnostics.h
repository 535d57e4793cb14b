#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// Where the program talks to its user, all of it on stderr: warnings (kept for the report as well),
// notes on how each value was found (only with --verbose), and one progress line, only on a
// terminal and only once the work has taken longer than a second.
class Diagnostics {
 public:
  enum class Level { Quiet, Normal, Verbose };

  explicit Diagnostics(Level level);

  // Something the user must know to trust or to complete what is printed.
  void warn(std::string message);

  // How a value was found, and the evidence for it.
  void note(std::string_view message);

  // Replaces the progress line by "`what`: `done` of `total`" (both in bytes); a total of 0 is
  // unknown.
  void progress(std::string_view what, std::uint64_t done, std::uint64_t total);

  // Everything said through warn(), in order.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  // Takes the progress line off the terminal; called before anything else is printed.
  void clear_progress();

 private:
  using Clock = std::chrono::steady_clock;

  void print(std::string_view prefix, std::string_view message);

  Level level_;
  bool terminal_;
  bool progress_shown_ = false;
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_progress_{};
  std::vector<std::string> warnings_;
};

}  // namespace photon_dmesg
