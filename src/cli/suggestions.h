#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// How many letters have to be put in, left out or replaced to make one word of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

// The one of `names` that who typed `typed` most likely meant: the nearest one of which no more
// than half the letters (dashes do not count) and no more than three differ, or one that it begins.
// The first of several; nothing if none is near.
[[nodiscard]] std::optional<std::string> nearest(const std::string& typed,
                                                 const std::vector<std::string>& names);

}  // namespace photon_dmesg
