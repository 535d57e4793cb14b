#include "cli/suggestions.h"

#include <algorithm>
#include <numeric>

namespace photon_dmesg {

// Row by row of the table of distances between beginnings of both (Wagner and Fischer).
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t before = row[0];  // of the row above, one to the left
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t replaced = before + (left[i] == right[j] ? 0 : 1);
      before = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::optional<std::string> nearest(const std::string& typed,
                                   const std::vector<std::string>& names) {
  constexpr std::size_t most = 3;
  const auto dashes = static_cast<std::size_t>(std::count(typed.begin(), typed.end(), '-'));
  const std::size_t letters = typed.size() - dashes;
  std::size_t least = std::min(most, letters / 2) + 1;
  std::optional<std::string> found;
  for (const std::string& name : names) {
    const bool is_begun = letters > 1 && name.starts_with(typed);
    const std::size_t distance = is_begun ? 1 : edit_distance(typed, name);
    if (distance >= least) continue;
    least = distance;
    found = name;
  }
  return found;
}

}  // namespace photon_dmesg
