#include "session/bundle_tree.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/input_file.h"
#include "session/bundle_names.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

// What of `path` lies behind `bundle`, which it begins with, as members are called.
std::string part_inside(const fs::path& path, const fs::path& bundle) {
  const fs::path inside = path.lexically_relative(bundle);
  if (inside == ".") return "";
  return path_in_bundle(inside.string()).value_or("..");  // which no member is called
}

const std::string& path_of(const std::string& path) {
  return path;
}

const std::string& path_of(const std::pair<const std::string, BundledFile>& file) {
  return file.first;
}

// The paths through `bundle` of those of `members`, which are sorted by path, that lie below
// `folder`, a path in it.
template <typename Members>
std::vector<fs::path> paths_below(const fs::path& bundle, const std::string& folder,
                                  const Members& members) {
  const std::string begin = folder.empty() ? "" : folder + '/';
  std::vector<fs::path> found;
  for (auto member = members.lower_bound(begin); member != members.end(); ++member) {
    if (!path_of(*member).starts_with(begin)) break;
    found.push_back(bundle / path_of(*member));
  }
  return found;
}

}  // namespace

std::optional<fs::path> file_on_the_way(const fs::path& path) {
  fs::path part = path;
  while (true) {
    std::error_code error;
    const fs::file_status status = fs::status(part, error);
    if (fs::is_regular_file(status)) return part;
    if (fs::exists(status) || !part.has_relative_path() || !part.has_parent_path()) {
      return std::nullopt;
    }
    fs::path parent = part.parent_path();
    if (parent == part) return std::nullopt;
    part = std::move(parent);
  }
}

void BundleTree::enter(const fs::path& path, Diagnostics& diagnostics) {
  const std::optional<fs::path> file = file_on_the_way(path);
  if (!file || bundles_.contains(*file)) return;
  auto source = std::make_shared<InputFile>(*file);
  if (!is_bundle(*source)) return;
  bundles_.emplace(*file, std::make_unique<Bundle>(std::move(source), part_inside(path, *file),
                                                   ahead_, limits_, diagnostics));
}

std::optional<BundleTree::Place> BundleTree::find_place(const fs::path& path) const {
  for (const auto& [bundle, content] : bundles_) {
    const auto [end, rest] = std::mismatch(bundle.begin(), bundle.end(), path.begin(), path.end());
    if (end == bundle.end()) return Place{bundle, content.get(), part_inside(path, bundle)};
  }
  return std::nullopt;
}

bool BundleTree::is_bundled(const fs::path& path) const {
  return find_place(path).has_value();
}

bool BundleTree::is_folder(const fs::path& path) const {
  std::error_code ignored;
  const std::optional<Place> place = find_place(path);
  if (!place) return fs::is_directory(path, ignored);
  return place->inside.empty() || !files_below(path).empty();
}

std::vector<fs::path> BundleTree::files_below(const fs::path& folder) const {
  const std::optional<Place> place = find_place(folder);
  if (!place) return {};
  return paths_below(place->path, place->inside, place->bundle->files());
}

FirstBytes BundleTree::first_bytes(const fs::path& file) const {
  const std::optional<Place> place = find_place(file);
  if (!place) return FirstBytes::Unknown;
  const auto found = place->bundle->files().find(place->inside);
  return found == place->bundle->files().end() ? FirstBytes::Unknown : found->second.first_bytes;
}

std::vector<fs::path> BundleTree::links_below(const fs::path& folder) const {
  const std::optional<Place> place = find_place(folder);
  if (!place) return {};
  return paths_below(place->path, place->inside, place->bundle->links());
}

std::vector<fs::path> BundleTree::too_deep(const fs::path& path) const {
  std::vector<fs::path> found;
  if (const std::optional<Place> place = find_place(path)) {
    for (const std::string& deep : place->bundle->too_deep()) found.push_back(place->path / deep);
  }
  return found;
}

std::vector<fs::path> BundleTree::files(const fs::path& folder) const {
  const std::optional<Place> place = find_place(folder);
  if (!place) return disk_tree().files(folder);
  std::vector<fs::path> found = files_below(folder);
  const fs::path wanted = place->inside.empty() ? place->path : place->path / place->inside;
  std::erase_if(found, [&](const fs::path& file) { return file.parent_path() != wanted; });
  return found;
}

std::shared_ptr<const ByteSource> BundleTree::open(const fs::path& file,
                                                   Diagnostics& diagnostics) const {
  const std::optional<Place> place = find_place(file);
  if (!place) return disk_tree().open(file, diagnostics);
  return place->bundle->open(place->inside, diagnostics);
}

std::optional<std::time_t> BundleTree::changed(const fs::path& file) const {
  const std::optional<Place> place = find_place(file);
  if (!place) return disk_tree().changed(file);
  const auto found = place->bundle->files().find(place->inside);
  return found == place->bundle->files().end() ? std::nullopt : found->second.changed;
}

std::optional<fs::path> BundleTree::behind_links(const fs::path& file) const {
  // No link in a bundle is followed.
  return is_bundled(file) ? std::nullopt : disk_tree().behind_links(file);
}

bool BundleTree::are_same(const fs::path& left, const fs::path& right) const {
  const std::optional<Place> first = find_place(left);
  const std::optional<Place> second = find_place(right);
  if (!first && !second) return disk_tree().are_same(left, right);
  return first && second && first->inside == second->inside &&
         disk_tree().are_same(first->path, second->path);
}

}  // namespace photon_dmesg
