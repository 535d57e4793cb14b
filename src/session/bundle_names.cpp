#include "session/bundle_names.h"

#include <algorithm>
#include <array>

#include "session/other_files.h"

namespace photon_dmesg {
namespace {

constexpr std::array bundle_endings = {".tgz",     ".tar.gz",  ".tar",    ".tzst",
                                       ".tar.zst", ".txz",     ".tar.xz", ".tbz",
                                       ".tbz2",    ".tar.bz2", ".zip",    ".7z"};

}  // namespace

std::optional<std::string> path_in_bundle(std::string_view stored) {
  constexpr std::size_t longest = 4096;  // PATH_MAX
  if (stored.size() > longest) return std::nullopt;
  std::string path;
  while (!stored.empty()) {
    const std::string_view name = stored.substr(0, stored.find('/'));
    stored.remove_prefix(std::min(stored.size(), name.size() + 1));
    if (name == "..") return std::nullopt;
    if (name.empty() || name == ".") continue;
    if (!path.empty()) path += '/';
    path += name;
  }
  return path.empty() ? std::nullopt : std::optional(path);
}

bool may_be_bundle(const std::string& path) {
  return std::any_of(bundle_endings.begin(), bundle_endings.end(),
                     [&](const char* ending) { return has_ending(path, ending); });
}

}  // namespace photon_dmesg
