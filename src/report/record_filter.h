#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>

#include "kernel/printk/log_record.h"
#include "report/clock_history.h"
#include "report/pattern.h"
#include "report/report_writer.h"

namespace photon_dmesg {

// Which records a user asked for.
struct Selection {
  // By sequence number, [first_seq, end_seq): others are taken as not being there at all.
  std::uint64_t first_seq = 0;
  std::uint64_t end_seq = std::numeric_limits<std::uint64_t>::max();

  std::optional<std::bitset<256>> levels;
  std::optional<std::bitset<256>> facilities;
  // Microseconds since 1970, UTC, by `clock`, which must be there then; exclusive, as in dmesg. A
  // record whose time of day can't be told is not selected by it.
  std::optional<std::int64_t> since_usec;
  std::optional<std::int64_t> until_usec;
  std::optional<ClockHistory> clock;

  std::shared_ptr<const Pattern> pattern;
  std::size_t lines_before = 0;  // records of context around those that match
  std::size_t lines_after = 0;

  std::optional<std::size_t> head;  // only so many of what is left
  std::optional<std::size_t> tail;
};

// Passes on to a writer what a selection selects, as it comes.
class RecordFilter {
 public:
  RecordFilter(Selection selection, ReportWriter& writer)
      : selection_(std::move(selection)), writer_(writer) {}

  // The next record; false: no later one will be selected.
  [[nodiscard]] bool add(LogRecord record);

  // Behind the last record: writes what was held back.
  void finish();

  // How many records were written.
  [[nodiscard]] std::size_t taken() const { return taken_; }

  // Whether what is no record, and newer than all of them, may be selected.
  [[nodiscard]] bool reaches_end() const;

  // Whether text that is no record is selected. It is the newest there is.
  [[nodiscard]] bool accepts(const UnloggedText& text) const;

  // The same of a line that the guest sent to its host.
  [[nodiscard]] bool accepts(const HostLine& line) const;

 private:
  struct Entry {
    LogRecord record;
    std::uint64_t previous_usec = 0;
    bool behind_gap = false;  // of the context around matches
  };

  [[nodiscard]] bool accepts(const LogRecord& record) const;
  void add_accepted(Entry entry);
  void add_matching(Entry entry);
  void write(const Entry& entry);

  Selection selection_;
  ReportWriter& writer_;
  std::uint64_t previous_usec_ = 0;  // what dmesg would count the next difference from
  std::deque<Entry> before_;         // that may be context of a match to come
  std::size_t after_ = 0;            // how many records are still context of the last match
  bool gap_ = false;                 // records were passed over since the last one that was not
  bool any_matched_ = false;
  std::deque<Entry> held_;  // for --tail
  std::size_t taken_ = 0;   // how many were written
};

}  // namespace photon_dmesg
