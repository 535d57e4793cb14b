#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernel/printk/log_losses.h"
#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// Looks for values in a log's records that no kernel writes, so that damage is said where it shows.
class RecordChecks {
 public:
  // Every record, ascending.
  void add(const LogRecord& record);

  // What was found, one sentence for each kind.
  void report(std::vector<std::string>& doubts) const;

 private:
  struct Stamp {
    std::uint64_t seq = 0;
    std::uint64_t nsec = 0;
  };
  // Whether `waiting_` is out of turn, now that `next` is known. Of the last record nothing tells:
  // a clock that was set back looks the same.
  void judge(const Stamp& next);

  std::optional<Stamp> before_;   // the last one that is in turn
  std::optional<Stamp> waiting_;  // for the one behind it
  LossCounter out_of_turn_;
  LossCounter callers_;
  LossCounter zeroed_;
};

}  // namespace photon_dmesg
