#include "iso/kernel_packages.h"

#include <regex>
#include <string>

namespace photon_dmesg {
namespace {

// Flavors so far: none, -esx, -secure, -rt, -aws, -kvm. Names outside this form, such as
// linux-api-headers or linux-firmware, have a letter where the version must begin.
bool file_name_matches(std::string_view path, const std::regex& pattern) {
  const std::string name(path.substr(path.rfind('/') + 1));
  return std::regex_match(name, pattern);
}

}  // namespace

bool is_kernel_debuginfo_package(std::string_view path) {
  static const std::regex pattern(R"((linux|kernel)(-[a-z0-9]+)*-debuginfo-[0-9][^/]*\.rpm)",
                                  std::regex::icase);
  return file_name_matches(path, pattern);
}

bool is_package_of_release(std::string_view path, std::string_view release) {
  static const std::regex pattern(
      R"((linux|kernel)((-[a-z]+)*?)(-debuginfo)?-([0-9][^/]*)\.[^.]+\.rpm)", std::regex::icase);
  const std::string name(path.substr(path.rfind('/') + 1));
  std::smatch found;
  return std::regex_match(name, found, pattern) && found[5].str() + found[2].str() == release;
}

bool is_kernel_package(std::string_view path) {
  static const std::regex pattern(R"((linux|kernel)(-(esx|secure|rt|aws|kvm))?-[0-9][^/]*\.rpm)",
                                  std::regex::icase);
  return file_name_matches(path, pattern);
}

}  // namespace photon_dmesg
