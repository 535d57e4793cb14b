#include "session/profile_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <sstream>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/input_file.h"

namespace photon_dmesg {

namespace fs = std::filesystem;

namespace {

constexpr mode_t owner_only = S_IRUSR | S_IWUSR;

// A file that somebody else could have written proves nothing.
bool is_trustworthy(const fs::path& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         status.st_uid == ::geteuid() && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

[[noreturn]] void fail(const fs::path& path) {
  throw std::system_error(errno, std::generic_category(), path.string());
}

void write_all(int descriptor, std::string_view text, const fs::path& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(descriptor, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(path);
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// Writes a new file beside `path` and gives it that name when it is whole.
void write_whole(const fs::path& path, std::string_view text) {
  std::string temporary = path.string() + ".XXXXXX";
  const int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);  // makes it 0600
  if (descriptor < 0) fail(temporary);
  try {
    if (::fchmod(descriptor, owner_only) != 0) fail(temporary);
    write_all(descriptor, text, temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail(path);
  } catch (...) {
    ::close(descriptor);
    ::unlink(temporary.c_str());
    throw;
  }
  ::close(descriptor);
}

}  // namespace

std::optional<fs::path> ProfileCache::default_folder() {
  // As the XDG Base Directory Specification has it: a relative path is to be ignored.
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && fs::path(cache).is_absolute()) return fs::path(cache) / "photon-dmesg";
  const char* home = std::getenv("HOME");
  if (home != nullptr && fs::path(home).is_absolute()) {
    return fs::path(home) / ".cache" / "photon-dmesg";
  }
  return std::nullopt;
}

fs::path ProfileCache::path_of(const std::string& digest) const {
  return folder_ / fmt::format("{}-v{}.json", digest, profile_version);
}

std::unique_ptr<Profile> ProfileCache::find(const std::string& digest,
                                            Diagnostics& diagnostics) const {
  const fs::path path = path_of(digest);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    return nullptr;
  }
  if (!is_trustworthy(path)) {
    diagnostics.found(
        {.what = fmt::format("cache: {}: not used: others could have written it", path.string())});
    return nullptr;
  }
  try {
    auto profile = Profile::read(InputFile(path));
    diagnostics.found(
        {.what = fmt::format("cache: {}: the package need not be unpacked", path.string())});
    return profile;
  } catch (const Error& error) {
    diagnostics.found({.what = fmt::format("cache: {}", error.what())});
    return nullptr;
  }
}

void ProfileCache::store(const std::string& digest, const KernelSymbols& symbols,
                         const std::string& release, const std::string& origin,
                         Diagnostics& diagnostics) const {
  try {
    std::ostringstream profile;
    write_profile(symbols, release, origin, profile);
    if (fs::create_directories(folder_)) fs::permissions(folder_, fs::perms::owner_all);
    write_whole(path_of(digest), profile.str());
    diagnostics.found({.what = fmt::format("cache: stored in {}", path_of(digest).string())});
  } catch (const std::exception& error) {
    diagnostics.found({.what = fmt::format("cache: not stored: {}", error.what())});
  }
}

}  // namespace photon_dmesg
