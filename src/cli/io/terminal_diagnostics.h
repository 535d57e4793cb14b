#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostics.h"
#include "cli/io/progress_line.h"

namespace photon_dmesg {

// The sentence that a person reads of a piece of evidence: "vCPU 0: CR3 0x1000: 5-level...".
[[nodiscard]] std::string describe(const Evidence& evidence);

// Talks to the user on stderr: warnings (kept for the report as well), evidence (only with
// --verbose), and one progress line, only on a terminal and only once the work has taken longer
// than a second.
class TerminalDiagnostics final : public Diagnostics {
 public:
  enum class Level { Quiet, Normal, Verbose };

  explicit TerminalDiagnostics(Level level);

  void warn(std::string message) override;
  void warn_of_lack(std::string message) override;
  void found(Evidence evidence) override;
  void progress(const Progress& progress) override;

  // What a message is said as: without what is to be left out of it.
  using Form = std::function<std::string(std::string_view message)>;

  // From now on messages are said as `form` has them, and not before release(): what is to be left
  // out may be known only then.
  void hold(Form form);
  void release();

  // A message as it is to be said.
  [[nodiscard]] std::string said(std::string_view message) const;

  // Everything said through warn(), in order, and as it was handed over.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  // Whether anything was said through warn_of_lack().
  [[nodiscard]] bool has_lack() const { return has_lack_; }

  // Takes the progress line off the terminal; called before anything else is printed.
  void clear_progress();

 private:
  using Clock = std::chrono::steady_clock;

  void print(std::string_view prefix, std::string_view message);

  struct Held {
    std::string prefix;
    std::string message;
  };

  Level level_;
  bool terminal_;
  bool progress_shown_ = false;
  bool has_lack_ = false;
  bool holds_ = false;
  Form form_;  // empty: as they are
  std::vector<Held> held_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point last_progress_{};
  ProgressLine progress_line_;
  std::vector<std::string> warnings_;
};

}  // namespace photon_dmesg
