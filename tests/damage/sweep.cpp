#include "damage/sweep.h"

#include <fmt/format.h>

#include <array>

#include "base/error.h"

namespace photon_dmesg::test {
namespace {

Answer read(FixtureGuest& guest) {
  const std::size_t before = guest.diagnostics().warnings().size();
  Answer answer;
  try {
    const CollectedLog log = guest.read_log();
    answer.records = log.records;
    // An empty log is exit 1 as well.
    answer.said = !log.losses.empty() || !log.doubts.empty() || log.records.empty() ||
                  guest.diagnostics().warnings().size() > before;
  } catch (const Error&) {
    answer.refused = true;
  }
  return answer;
}

bool same_values(const LogRecord& left, const LogRecord& right) {
  const auto caller = [](const LogRecord& record) {
    const LogCaller known = record.caller.value_or(LogCaller{});
    return std::pair(known.kind, known.id);
  };
  return left.ts_nsec == right.ts_nsec && left.facility == right.facility &&
         left.level == right.level && caller(left) == caller(right) && left.text == right.text &&
         left.dictionary == right.dictionary && left.continues == right.continues;
}

// In how many records they differ; nothing if they are not the same records.
std::optional<std::size_t> differing_values(const Answer& left, const Answer& right) {
  if (left.records.size() != right.records.size()) return std::nullopt;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < left.records.size(); ++i) {
    if (left.records[i].seq != right.records[i].seq) return std::nullopt;
    if (!same_values(left.records[i], right.records[i])) ++differing;
  }
  return differing;
}

}  // namespace

void judge(const Answer& right, const Answer& found, bool holds_values, Outcome& outcome) {
  ++outcome.bits;
  const auto differing = differing_values(right, found);
  if (found.refused) {
    ++outcome.refused;
  } else if (found.said) {
    ++outcome.said;
  } else if (differing == 0U) {
    ++outcome.identical;
  } else if (holds_values && differing == 1U) {
    ++outcome.value;
  } else {
    ++outcome.silent;
  }
}

std::vector<Outcome> sweep(FixtureGuest& guest, const std::vector<Target>& regions) {
  const Answer right = read(guest);
  std::vector<Outcome> outcomes;
  for (const Target& region : regions) {
    Outcome& outcome = outcomes.emplace_back();
    outcome.what = region.what;
    for (const PhysicalRange& range : region.ranges) {
      for (std::uint64_t bit = 0; bit < range.size * 8; ++bit) {
        const GuestPhysical place = range.begin + bit / 8;
        std::array<std::byte, 1> byte{};
        if (!guest.memory().read(place, byte)) continue;
        guest.memory().write_value(place, byte[0] ^ std::byte{1} << static_cast<int>(bit % 8));
        judge(right, read(guest), region.holds_values, outcome);
        guest.memory().write_value(place, byte[0]);
      }
    }
  }
  return outcomes;
}

std::string to_table(const std::vector<Outcome>& outcomes) {
  std::string table =
      "| damaged | bits | same log | said | refused | one value is wrong | wrong in silence |\n"
      "|---|---:|---:|---:|---:|---:|---:|\n";
  for (const Outcome& row : outcomes) {
    table += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", row.what, row.bits,
                         row.identical, row.said, row.refused, row.value, row.silent);
  }
  return table;
}

}  // namespace photon_dmesg::test
