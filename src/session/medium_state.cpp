#include "session/medium_state.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace photon_dmesg {
namespace {

// Those that keep the time of a file's last change themselves, where no user can set it (statfs(2)
// has their numbers). A server's clock and what of it is seen here are its own affair, and others
// make up inodes or take that time from the one that anybody can set.
constexpr std::array<std::uint32_t, 7> trusted_file_systems = {
    0xef53,      // ext2, ext3, ext4
    0x58465342,  // XFS
    0x9123683e,  // Btrfs
    0x2fc12fc1,  // ZFS
    0xf2f52010,  // F2FS
    0xca451a4e,  // bcachefs
    0x01021994,  // tmpfs
};

bool is_trusted(const struct statfs& file_system) {
  const auto* const end = trusted_file_systems.end();
  return std::find(trusted_file_systems.begin(), end,
                   static_cast<std::uint32_t>(file_system.f_type)) != end;
}

// Two changes within a tick of the kernel's clock, on some file systems within a second, are not
// told apart.
bool may_change_unseen(const struct stat& status, std::chrono::system_clock::time_point now) {
  constexpr std::int64_t settled = 2;  // seconds
  const auto today = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return status.st_ctim.tv_sec >= today.count() - settled;
}

}  // namespace

std::optional<MediumState> lasting_state(const std::filesystem::path& path,
                                         std::chrono::system_clock::time_point now) {
  struct stat status {};
  struct statfs file_system {};
  if (::stat(path.c_str(), &status) != 0 || ::statfs(path.c_str(), &file_system) != 0) return {};
  if (!S_ISREG(status.st_mode) || !is_trusted(file_system) || may_change_unseen(status, now)) {
    return {};
  }
  return MediumState{
      fmt::format("{}:{} {}", major(status.st_dev), minor(status.st_dev), status.st_ino),
      fmt::format("{} {}.{:09} {}.{:09}", status.st_size, status.st_mtim.tv_sec,
                  status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec)};
}

}  // namespace photon_dmesg
