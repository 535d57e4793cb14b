#pragma once

#include <sys/types.h>

#include <array>
#include <csignal>

namespace photon_dmesg {

// Shows what the program prints on stdout page by page, as dmesg -H does: through $PAGER, or less,
// which is told to leave colors in and to end at once if all fits on one page. Interrupts from the
// keyboard are the pager's meanwhile: one ends a search in it, and not the program that it shows.
class Pager {
 public:
  // Starts it, if there is one to start.
  Pager();
  // Waits until the user is through with it.
  ~Pager();
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  static constexpr std::array keyboard_signals = {SIGINT, SIGQUIT};

  pid_t process_ = -1;
  std::array<struct sigaction, keyboard_signals.size()> before_{};  // what they did
  int stdout_ = -1;                                                 // what stdout was before
};

}  // namespace photon_dmesg
