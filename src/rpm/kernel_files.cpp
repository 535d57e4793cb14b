#include "rpm/kernel_files.h"

#include <string_view>

namespace photon_dmesg {
namespace {

// `path` without `end`, if it ends with that as whole components.
std::optional<std::string_view> without_end(std::string_view path, std::string_view end) {
  if (!path.ends_with(end)) return std::nullopt;
  path.remove_suffix(end.size());
  if (!path.empty() && path.back() != '/') return std::nullopt;
  return path;
}

struct SplitPath {
  std::string_view folder;  // without the slash behind it
  std::string_view name;
};

std::optional<SplitPath> split(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || slash + 1 == path.size()) return std::nullopt;
  return SplitPath{path.substr(0, slash), path.substr(slash + 1)};
}

// The release in a System.map's name: boot/System.map-RELEASE.
std::optional<std::string> release_of_system_map_path(std::string_view path) {
  const std::optional<SplitPath> file = split(path);
  if (!file || !without_end(file->folder, "boot")) return std::nullopt;
  for (const std::string_view begin : {"System.map-", "system.map-"}) {
    if (file->name.starts_with(begin) && file->name.size() > begin.size()) {
      return std::string(file->name.substr(begin.size()));
    }
  }
  return std::nullopt;
}

// lib/modules/RELEASE, and whatever is behind it.
std::optional<std::string> release_of_module_path(std::string_view path) {
  constexpr std::string_view folder = "lib/modules/";
  for (std::size_t at = path.rfind(folder); at != std::string_view::npos;
       at = at == 0 ? std::string_view::npos : path.rfind(folder, at - 1)) {
    if (at > 0 && path[at - 1] != '/') continue;
    const std::string_view rest = path.substr(at + folder.size());
    const std::string_view release = rest.substr(0, rest.find('/'));
    if (!release.empty()) return std::string(release);
  }
  return std::nullopt;
}

std::optional<std::string> release_of_modules(const std::vector<RpmPackage::File>& files) {
  for (const RpmPackage::File& file : files) {
    if (std::optional<std::string> release = release_of_module_path(file.path)) return release;
  }
  return std::nullopt;
}

}  // namespace

// usr/lib/debug/[usr/]lib/modules/RELEASE/vmlinux[-...][.debug]; some packages have two slashes.
std::optional<std::string> release_of_vmlinux_path(std::string_view path) {
  constexpr std::string_view begin = "vmlinux";
  const std::optional<SplitPath> file = split(path);
  if (!file || !file->name.starts_with(begin)) return std::nullopt;
  const std::string_view rest = file->name.substr(begin.size());
  if (!rest.empty() && rest != ".debug" && (rest[0] != '-' || rest.size() == 1)) {
    return std::nullopt;
  }
  const std::optional<SplitPath> modules = split(file->folder);
  std::optional<std::string_view> above =
      modules ? without_end(modules->folder, "lib/modules") : std::nullopt;
  if (!above) return std::nullopt;
  if (const auto shorter = without_end(*above, "usr/")) {
    if (shorter->ends_with('/')) above = shorter;
  }
  if (!above->ends_with('/')) return std::nullopt;
  above = above->substr(0, above->find_last_not_of('/') + 1);
  if (!without_end(*above, "usr/lib/debug")) return std::nullopt;
  return std::string(modules->name);
}

std::optional<KernelFile> find_kernel_file(const std::vector<RpmPackage::File>& files) {
  std::optional<KernelFile> system_map;
  for (const RpmPackage::File& file : files) {
    // Some packages also have a link "vmlinux" to the file.
    if (!file.regular_file) continue;
    if (auto release = release_of_vmlinux_path(file.path)) {
      return KernelFile{KernelFile::Kind::Vmlinux, file, std::move(*release)};
    }
    if (auto release = release_of_system_map_path(file.path)) {
      system_map = KernelFile{KernelFile::Kind::SystemMap, file, std::move(*release)};
    }
  }
  if (system_map) {
    system_map->release = release_of_modules(files).value_or(system_map->release);
  }
  return system_map;
}

}  // namespace photon_dmesg
