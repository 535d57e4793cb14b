#include "base/read_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <tuple>

namespace photon_dmesg::read_files {
namespace {

// Device (major, minor), inode, birth (seconds, nanoseconds; 0 where the file system knows none).
using Identity =
    std::tuple<std::uint32_t, std::uint32_t, std::uint64_t, std::int64_t, std::uint32_t>;

std::optional<Identity> identify(int folder, const char* path, int flags) {
  struct statx status {};
  if (::statx(folder, path, flags, STATX_INO | STATX_BTIME, &status) != 0) return std::nullopt;
  return Identity{status.stx_dev_major, status.stx_dev_minor, status.stx_ino,
                  status.stx_btime.tv_sec, status.stx_btime.tv_nsec};
}

class Register {
 public:
  void add(const Identity& identity) {
    const std::lock_guard lock(mutex_);
    identities_.insert(identity);
  }

  [[nodiscard]] bool contains(const std::optional<Identity>& identity) {
    const std::lock_guard lock(mutex_);
    return identity && identities_.contains(*identity);
  }

 private:
  std::mutex mutex_;
  std::set<Identity> identities_;
};

Register& all() {
  static Register all;
  return all;
}

}  // namespace

void add(int descriptor) {
  if (const std::optional<Identity> identity = identify(descriptor, "", AT_EMPTY_PATH)) {
    all().add(*identity);
  }
}

bool contains(const std::filesystem::path& path) {
  return all().contains(identify(AT_FDCWD, path.c_str(), 0));
}

Error would_be_replaced(const std::filesystem::path& path) {
  return {Failure::Usage,
          fmt::format("{}: this is one of the inputs, and would be overwritten", path.string())};
}

}  // namespace photon_dmesg::read_files
