#pragma once

#include <sys/types.h>

namespace photon_dmesg {

// Shows what the program prints on stdout page by page, as dmesg -H does: through $PAGER, or less,
// which is told to leave colors in and to end at once if all fits on one page.
class Pager {
 public:
  // Starts it, if there is one to start.
  Pager();
  // Waits until the user is through with it.
  ~Pager();
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;

 private:
  pid_t process_ = -1;
  int stdout_ = -1;  // what stdout was before
};

}  // namespace photon_dmesg
