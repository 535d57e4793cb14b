#include "session/cache_folder.h"

#include <sys/stat.h>
#include <unistd.h>

namespace photon_dmesg::cache_folder {

namespace fs = std::filesystem;

void make(const fs::path& folder) {
  if (fs::create_directories(folder)) fs::permissions(folder, fs::perms::owner_all);
}

bool is_trustworthy(const fs::path& path) {
  struct stat status {};
  constexpr uid_t root = 0;  // whom everybody has to trust
  return ::lstat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_uid == ::geteuid() || status.st_uid == root) &&
         (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace photon_dmesg::cache_folder
