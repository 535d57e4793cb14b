#include "cli/options/suggestions.h"

#include <algorithm>

namespace photon_dmesg {

// The table of distances between beginnings of both, row by row (optimal string alignment).
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::vector<std::size_t>> table(left.size() + 1,
                                              std::vector<std::size_t>(right.size() + 1));
  for (std::size_t i = 0; i <= left.size(); ++i) {
    for (std::size_t j = 0; j <= right.size(); ++j) {
      std::size_t& least = table[i][j];
      least = i + j;
      if (i > 0) least = std::min(least, table[i - 1][j] + 1);
      if (j > 0) least = std::min(least, table[i][j - 1] + 1);
      if (i == 0 || j == 0) continue;
      const bool same = left[i - 1] == right[j - 1];
      least = std::min(least, table[i - 1][j - 1] + (same ? 0 : 1));
      if (i == 1 || j == 1) continue;
      const bool swapped = left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) least = std::min(least, table[i - 2][j - 2] + 1);
    }
  }
  return table.back().back();
}

std::optional<std::string> nearest(const std::string& typed,
                                   const std::vector<std::string>& names) {
  const auto dashes = static_cast<std::size_t>(std::count(typed.begin(), typed.end(), '-'));
  const std::size_t letters = typed.size() - dashes;
  std::size_t least = std::max<std::size_t>(1, letters / 3) + 1;
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
