#include "cli/io/output_target.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

constexpr int most_links = 40;  // Linux follows no more either

std::string descriptor_folder() {
  return fmt::format("/proc/{}/fd", ::getpid());
}

// The path with nothing but folders before its last name. As it is, if that can't be told.
fs::path with_real_folder(const fs::path& path) {
  std::error_code error;
  const fs::path folder =
      fs::weakly_canonical(path.has_parent_path() ? path.parent_path() : ".", error);
  return error ? path : folder / path.filename();
}

// The number of this process's descriptor that `path` is.
std::optional<int> descriptor_of(const fs::path& path) {
  if (path.parent_path() != descriptor_folder()) return std::nullopt;
  const std::string name = path.filename().string();
  int number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool is_number = error == std::errc() && end == name.data() + name.size();
  return is_number ? std::optional(number) : std::nullopt;
}

bool is_special(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_regular_file(path, ignored);
}

// Of another process. What such a link says is no path, or one that has become another file's.
bool is_others_descriptor(const fs::path& path) {
  return path.native().starts_with("/proc/") && path.parent_path().filename() == "fd";
}

}  // namespace

OutputTarget find_output_target(const fs::path& named) {
  OutputTarget target;
  target.named = named;
  if (named == standard_output) {
    target.descriptor = STDOUT_FILENO;
    target.named = "the output";
    target.path = fs::path(descriptor_folder()) / std::to_string(STDOUT_FILENO);
    return target;
  }
  target.path = with_real_folder(named);
  for (int link = 0; link < most_links; ++link) {
    target.names.push_back(target.path.filename().string());
    // Before its link is read: a file behind a descriptor would be replaced, and what it holds
    // already be lost.
    target.descriptor = descriptor_of(target.path);
    std::error_code error;
    const fs::path next = fs::read_symlink(target.path, error);
    if (error || target.descriptor || is_others_descriptor(target.path)) break;
    target.path = with_real_folder(target.path.parent_path() / next);
  }
  target.is_special =
      !target.descriptor && (is_special(target.path) || is_others_descriptor(target.path));
  return target;
}

}  // namespace photon_dmesg
