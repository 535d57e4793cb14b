#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "support/fixture_guest.h"

namespace photon_dmesg::test {

// Bytes of a guest of which every bit is flipped, one after the other.
struct Target {
  std::string what;
  std::vector<PhysicalRange> ranges;
  // Bits of which nothing else tells: none but the value itself is wrong then.
  bool holds_values = false;
};

// What became of the flipped bits of a region.
struct Outcome {
  std::string what;
  std::uint64_t bits = 0;
  std::uint64_t identical = 0;  // the log is the same, and nothing is said
  std::uint64_t said = 0;       // printed, with a warning: exit 1
  std::uint64_t refused = 0;    // no log, an error: exit 3
  std::uint64_t value = 0;      // a value of one record is another, which can't be known
  std::uint64_t silent = 0;     // records are missing, too many or renumbered, and nothing is said
};

// What the program tells of a guest.
struct Answer {
  bool refused = false;
  bool said = false;
  std::vector<LogRecord> records;
};

// Adds to `outcome` what `found` is, where `right` is the answer without the damage.
void judge(const Answer& right, const Answer& found, bool holds_values, Outcome& outcome);

// Flips each bit of the regions in the memory of `guest`, reads its log and puts the bit back.
[[nodiscard]] std::vector<Outcome> sweep(FixtureGuest& guest, const std::vector<Target>& regions);

// As a table in Markdown.
[[nodiscard]] std::string to_table(const std::vector<Outcome>& outcomes);

}  // namespace photon_dmesg::test
