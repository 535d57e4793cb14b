#include "iso/kernel_packages.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace photon_dmesg {
namespace {

// Flavors so far. Names outside this form, such as linux-api-headers or linux-firmware, have a
// letter where the version must begin.
constexpr std::array<std::string_view, 6> flavors = {"", "-esx", "-secure", "-rt", "-aws", "-kvm"};
constexpr std::string_view debuginfo = "-debuginfo";
constexpr std::string_view ending = ".rpm";

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

std::string lower_case(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

// A file name of the form (linux|kernel)MIDDLE-VERSION.rpm, in any case.
struct PackageName {
  std::string_view middle;   // "", "-esx", "-esx-debuginfo"
  std::string_view version;  // "6.1.10-1.ph5.x86_64", with its architecture
};

std::optional<PackageName> parse(std::string_view path) {
  std::string_view name = path.substr(path.rfind('/') + 1);
  const std::string lower = lower_case(name);
  if (!lower.ends_with(ending)) return std::nullopt;
  name.remove_suffix(ending.size());
  for (const std::string_view base : {"linux", "kernel"}) {
    if (!lower.starts_with(base)) continue;
    name.remove_prefix(base.size());
    for (std::size_t at = name.find('-'); at < name.size(); at = name.find('-', at + 1)) {
      if (at + 1 < name.size() && is_digit(name[at + 1])) {
        return PackageName{name.substr(0, at), name.substr(at + 1)};
      }
    }
  }
  return std::nullopt;
}

// Whether `text` is words, each behind a hyphen.
bool is_hyphenated(std::string_view text, int (*belongs)(int)) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_word = text[at] == '-' && at + 1 < text.size() && text[at + 1] != '-';
    const bool inside = at > 0 && belongs(static_cast<unsigned char>(text[at])) != 0;
    if (!begins_word && !inside) return false;
  }
  return true;
}

}  // namespace

bool is_kernel_debuginfo_package(std::string_view path) {
  const std::optional<PackageName> name = parse(path);
  return name && lower_case(name->middle).ends_with(debuginfo) &&
         is_hyphenated(name->middle, std::isalnum);
}

bool is_package_of_release(std::string_view path, std::string_view release) {
  const std::optional<PackageName> name = parse(path);
  if (!name || !is_hyphenated(name->middle, std::isalpha)) return false;
  std::string_view flavor = name->middle;
  if (lower_case(flavor).ends_with(debuginfo)) flavor.remove_suffix(debuginfo.size());
  const std::size_t architecture = name->version.rfind('.');
  if (architecture == std::string_view::npos || architecture + 1 == name->version.size()) {
    return false;
  }
  return std::string(name->version.substr(0, architecture)) + std::string(flavor) == release;
}

bool is_kernel_package(std::string_view path) {
  const std::optional<PackageName> name = parse(path);
  return name &&
         std::find(flavors.begin(), flavors.end(), lower_case(name->middle)) != flavors.end();
}

}  // namespace photon_dmesg
