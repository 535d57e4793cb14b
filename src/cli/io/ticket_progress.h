#pragma once

#include <chrono>
#include <cstddef>

namespace photon_dmesg {

// Shows on stderr, if it is a terminal, how far work of many pieces has come: one line, only once
// it has taken longer than a second.
class TicketProgress {
 public:
  TicketProgress(std::size_t total, bool quiet);
  ~TicketProgress() { clear(); }
  TicketProgress(const TicketProgress&) = delete;
  TicketProgress& operator=(const TicketProgress&) = delete;

  // Another one is done; `failed`: without a result.
  void add(bool failed);

  // Shows "37 of 200 tickets, 12 a second, 14 s left, 2 failed".
  void show(std::size_t running);

  // Takes the line off the terminal; called before anything else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t total_;
  bool is_watched_;
  bool is_shown_ = false;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  Clock::time_point began_ = Clock::now();
};

}  // namespace photon_dmesg
