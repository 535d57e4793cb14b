#include "base/address_ranges.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace photon_dmesg {
namespace {

// Where a range begins or ends.
struct Edge {
  GuestVirtual at;
  std::size_t range = 0;
  bool begins = false;
};

std::vector<Edge> edges_of(const std::vector<AddressRange>& ranges) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto& [begin, size] = ranges[i];
    if (size == 0) continue;
    edges.push_back({begin, i, true});
    if (begin + size > begin) edges.push_back({begin + size, i, false});
  }
  std::sort(edges.begin(), edges.end(),
            [](const Edge& left, const Edge& right) { return left.at < right.at; });
  return edges;
}

}  // namespace

AddressRanges::AddressRanges(const std::vector<AddressRange>& ranges) {
  const std::vector<Edge> edges = edges_of(ranges);
  std::set<std::size_t> open;
  for (auto edge = edges.begin(); edge != edges.end();) {
    const GuestVirtual at = edge->at;
    for (; edge != edges.end() && edge->at == at; ++edge) {
      if (edge->begins) {
        open.insert(edge->range);
      } else {
        open.erase(edge->range);
      }
    }
    pieces_.push_back({at, open.empty() ? std::nullopt : std::optional(*open.begin())});
  }
}

std::optional<std::size_t> AddressRanges::find(GuestVirtual address) const {
  const auto above = std::upper_bound(
      pieces_.begin(), pieces_.end(), address,
      [](GuestVirtual wanted, const Piece& piece) { return wanted < piece.begin; });
  return above == pieces_.begin() ? std::nullopt : std::prev(above)->range;
}

}  // namespace photon_dmesg
