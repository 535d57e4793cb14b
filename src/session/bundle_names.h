#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace photon_dmesg {

// The path of a member of a bundle that stored it as `stored`, from the bundle's top: "./a//b" and
// "/a/b" are "a/b". Nothing if it leads out of the bundle, is none, or is longer than any path.
[[nodiscard]] std::optional<std::string> path_in_bundle(std::string_view stored);

// Whether a member called `path` may be a bundle itself, by how its name ends.
[[nodiscard]] bool may_be_bundle(const std::string& path);

}  // namespace photon_dmesg
