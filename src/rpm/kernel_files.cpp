#include "rpm/kernel_files.h"

#include <regex>

namespace photon_dmesg {
namespace {

// The group `group` of `pattern`, if all of `path` matches it.
std::optional<std::string> match(std::string_view path, const std::regex& pattern,
                                 std::size_t group) {
  std::match_results<std::string_view::const_iterator> found;
  if (!std::regex_match(path.begin(), path.end(), found, pattern)) {
    return std::nullopt;
  }
  return found[group].str();
}

// The release in a System.map's name.
std::optional<std::string> release_of_system_map_path(std::string_view path) {
  static const std::regex pattern(R"((.*/)?boot/[Ss]ystem\.map-([^/]+))");
  return match(path, pattern, 2);
}

std::optional<std::string> release_of_module_path(std::string_view path) {
  static const std::regex pattern(R"((.*/)?lib/modules/([^/]+)(/.*)?)");
  return match(path, pattern, 2);
}

std::optional<std::string> release_of_modules(const std::vector<RpmPackage::File>& files) {
  for (const RpmPackage::File& file : files) {
    if (std::optional<std::string> release = release_of_module_path(file.path)) return release;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> release_of_vmlinux_path(std::string_view path) {
  static const std::regex pattern(
      R"((^|.*/)usr/lib/debug/+(usr/)?lib/modules/([^/]+)/vmlinux(-[^/]+)?(\.debug)?)");
  return match(path, pattern, 3);
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
