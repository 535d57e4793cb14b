#include "kernel/arch/aarch64/ram_shifts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <tuple>

#include "base/little_endian.h"
#include "kernel/arch/aarch64/page_tables.h"

namespace photon_dmesg::aarch64 {
namespace {

// Tables are looked at by pieces of the smallest page's size, of which larger pages have several.
constexpr std::uint64_t piece_bytes = 4096;
constexpr std::uint64_t entry_bytes = 8;
constexpr std::array<std::uint64_t, 3> page_sizes = {piece_bytes, 0x4000, 0x10000};

// RAM begins with the largest page that there is.
constexpr std::uint64_t ram_alignment = page_sizes.back();

// Tables, and their entries that lead to others: an image has some tens of each, user programs
// whose tables lie near it some hundreds.
constexpr std::size_t most = 1024;

// What may be tables, and what they lead to.
class TableSet {
 public:
  // Takes the entries at `at`, if these may be some: nothing, or what is present.
  void take(GuestPhysical at, std::span<const std::byte> bytes) {
    std::vector<Link> links;
    bool is_empty = true;
    for (std::size_t i = 0; i < bytes.size(); i += entry_bytes) {
      const std::uint64_t entry = load_unsigned(bytes.subspan(i, entry_bytes));
      if (entry == 0) continue;
      if (!is_present(entry)) return;
      is_empty = false;
      if (const auto target = next_table(entry)) links.push_back({at, *target});
    }
    if (is_empty) return;
    tables_.insert(at);
    if (links_.size() < most) links_.insert(links_.end(), links.begin(), links.end());
  }
  [[nodiscard]] bool is_full() const { return tables_.size() >= most; }

  // The same if each table takes a page of that size.
  [[nodiscard]] TableSet with_pages_of(std::uint64_t page) const {
    const auto begin = [page](GuestPhysical at) { return GuestPhysical{at.value / page * page}; };
    TableSet result;
    for (const GuestPhysical table : tables_) result.tables_.insert(begin(table));
    for (const Link& link : links_) {
      if (link.target.value % page == 0) result.links_.push_back({begin(link.from), link.target});
    }
    return result;
  }

  // Each distance between a table and what another one leads to, as often as there are such pairs:
  // ascending.
  [[nodiscard]] std::vector<std::uint64_t> shifts() const {
    std::set<GuestPhysical> targets;
    for (const Link& link : links_) targets.insert(link.target);
    std::vector<std::uint64_t> found;
    for (const GuestPhysical target : targets) {
      for (const GuestPhysical table : tables_) {
        const std::uint64_t shift = target - table;
        if (shift % ram_alignment == 0) found.push_back(shift);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  // How often a table leads to a second one and that to a third, if all lie higher by `shift`.
  [[nodiscard]] std::size_t chains(std::uint64_t shift) const {
    std::vector<Link> links;
    std::set<GuestPhysical> inner;
    for (const Link& link : links_) {
      const GuestPhysical table = link.target + (0 - shift);
      if (table == link.from || !tables_.contains(table)) continue;
      links.push_back({link.from, table});
      inner.insert(link.from);
    }
    const auto goes_on = [&](const Link& link) { return inner.contains(link.target); };
    return static_cast<std::size_t>(std::count_if(links.begin(), links.end(), goes_on));
  }

 private:
  struct Link {
    GuestPhysical from;    // a table, where the memory was read
    GuestPhysical target;  // what an entry of it holds
  };

  std::set<GuestPhysical> tables_;
  std::vector<Link> links_;
};

TableSet find_tables(const GuestMemory& memory, const PhysicalRange& range) {
  TableSet found;
  std::array<std::byte, piece_bytes> bytes{};
  const GuestPhysical first{range.begin.value / piece_bytes * piece_bytes};
  for (GuestPhysical at = first; at - first < range.size && !found.is_full();
       at = at + piece_bytes) {
    if (memory.read(at, bytes)) found.take(at, bytes);
  }
  return found;
}

struct Candidate {
  std::uint64_t shift = 0;
  std::size_t pairs = 0;   // of a table and what leads to it
  std::size_t chains = 0;  // of three tables

  // With chains, which chance hardly makes; or else with more pairs, or a rounder number.
  [[nodiscard]] bool is_likelier(const Candidate& other) const {
    return std::tuple(chains, pairs, std::countr_zero(shift)) >
           std::tuple(other.chains, other.pairs, std::countr_zero(other.shift));
  }
};

void keep_likeliest(std::vector<Candidate>& candidates, std::size_t count) {
  std::stable_sort(
      candidates.begin(), candidates.end(),
      [](const Candidate& left, const Candidate& right) { return left.is_likelier(right); });
  candidates.resize(std::min(candidates.size(), count));
}

// The distances on which more than one pair agrees.
std::vector<Candidate> find_candidates(const TableSet& tables) {
  const std::vector<std::uint64_t> shifts = tables.shifts();
  std::vector<Candidate> candidates;
  for (auto at = shifts.begin(); at != shifts.end();) {
    const auto end = std::upper_bound(at, shifts.end(), *at);
    if (end - at > 1) candidates.push_back({*at, static_cast<std::size_t>(end - at)});
    at = end;
  }
  constexpr std::size_t most_followed = 256;
  keep_likeliest(candidates, most_followed);
  for (Candidate& candidate : candidates) candidate.chains = tables.chains(candidate.shift);
  return candidates;
}

}  // namespace

std::vector<std::uint64_t> possible_ram_shifts(const GuestMemory& memory,
                                               const PhysicalRange& range) {
  const TableSet tables = find_tables(memory, range);
  std::vector<Candidate> candidates;
  for (const std::uint64_t page : page_sizes) {
    const std::vector<Candidate> found = find_candidates(tables.with_pages_of(page));
    candidates.insert(candidates.end(), found.begin(), found.end());
  }
  keep_likeliest(candidates, candidates.size());
  constexpr std::size_t most_tried = 4;
  std::vector<std::uint64_t> best;
  for (const Candidate& candidate : candidates) {
    const bool is_new = std::find(best.begin(), best.end(), candidate.shift) == best.end();
    if (is_new && best.size() < most_tried) best.push_back(candidate.shift);
  }
  return best;
}

}  // namespace photon_dmesg::aarch64
