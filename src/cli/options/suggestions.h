#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// How many letters have to be put in, left out or replaced, or swapped with the next one, to make
// one word of the other.
[[nodiscard]] std::size_t edit_distance(std::string_view left, std::string_view right);

// The one of `names` that who typed `typed` most likely meant: the nearest one that differs in one
// letter, or in a third of them (dashes do not count), or one that it begins. The first of several;
// nothing if none is near.
[[nodiscard]] std::optional<std::string> nearest(const std::string& typed,
                                                 const std::vector<std::string>& names);

}  // namespace photon_dmesg
