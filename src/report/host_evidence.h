#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "report/clock_history.h"
#include "report/host_line.h"

namespace photon_dmesg {

// Lines that the guest's kernel sent at one time: its log, as far as it had that then. In
// [begin, end) of those that were sent.
struct HostDump {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The dumps among `lines`, of which only the kernel's are left: a new one begins where printk's
// clock goes back, or where the host heard nothing for a while.
[[nodiscard]] std::vector<HostDump> dumps_of(const std::vector<HostLine>& lines);

// What of the lines that a guest sent to its host tells of the boot whose log is in its memory.
struct HostTestimony {
  // Those of this boot, as they were sent, none twice; and for each whether the log has it.
  std::vector<HostLine> lines;
  std::vector<bool> is_logged;
  std::size_t logged = 0;  // how many are

  // Sentences on the others: those of another boot, and those of which more must be known.
  std::vector<std::string> elsewhere;
  std::vector<std::string> doubts;

  // The lines that the log does not have.
  [[nodiscard]] std::vector<HostLine> missing() const;
};

// Holds what a guest sent to its host against the log that is in its memory. A dump is of this boot
// if the log has most of its lines, as far as it goes: by the time stamp, to the microsecond, and
// the text. Where the log can't tell, the host's time must be what the guest's clock showed at that
// time stamp, but for less than how long the guest had run by then: an earlier boot's is farther
// off. What was sent only after the guest was stopped is left out.
class HostEvidence {
 public:
  // Lines that are not the kernel's are left out.
  explicit HostEvidence(std::vector<HostLine> lines);

  [[nodiscard]] bool empty() const { return lines_.empty(); }
  [[nodiscard]] const std::vector<HostLine>& lines() const { return lines_; }

  // To be called of every record of the log.
  void add(const LogRecord& record);

  [[nodiscard]] HostTestimony finish(const std::optional<ClockHistory>& clock) const;

 private:
  enum class Boot { This, Earlier, Later, Unknown };

  void find(std::uint64_t usec, std::string_view logged);
  void mark(std::uint64_t usec, std::string_view sent, std::uint64_t hash);
  [[nodiscard]] Boot boot_of(const HostDump& dump, const std::optional<ClockHistory>& clock) const;
  [[nodiscard]] std::optional<bool> is_by_log(const HostDump& dump) const;
  [[nodiscard]] std::uint64_t stopped(const std::optional<ClockHistory>& clock) const;

  std::vector<HostLine> lines_;
  std::vector<bool> is_logged_;
  // Indices of those of lines_ that the log was not seen to have, by time stamp and text.
  std::unordered_map<std::uint64_t, std::vector<std::size_t>> by_hash_;
  std::vector<std::string> plain_;  // the text of each, as far as host and log write it alike
  // How far the log goes.
  std::optional<std::uint64_t> first_nsec_;
  std::uint64_t last_nsec_ = 0;
};

}  // namespace photon_dmesg
