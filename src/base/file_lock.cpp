#include "base/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

#include "base/error.h"

namespace photon_dmesg {

FileLock::FileLock(std::filesystem::path path, const std::function<void()>& waiting)
    : path_(std::move(path)) {
  constexpr mode_t owner_only = S_IRUSR | S_IWUSR;
  while (true) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, owner_only);
    if (descriptor_ < 0) fail(errno);
    wait(waiting);
    if (is_in_place()) return;
    ::close(descriptor_);  // whoever held it has removed it: who waits has to begin anew
  }
}

FileLock::~FileLock() {
  ::unlink(path_.c_str());
  ::flock(descriptor_, LOCK_UN);  // for a child process that has the descriptor as well
  ::close(descriptor_);
}

// Whether the file that is locked is still the one that others would open.
bool FileLock::is_in_place() const {
  struct stat locked {};
  struct stat there {};
  return ::fstat(descriptor_, &locked) == 0 && ::lstat(path_.c_str(), &there) == 0 &&
         locked.st_ino == there.st_ino && locked.st_dev == there.st_dev;
}

void FileLock::wait(const std::function<void()>& waiting) const {
  // Who waits for long asks less often: there may be a thousand of them.
  constexpr auto longest_pause = std::chrono::milliseconds(1000);
  auto pause = std::chrono::milliseconds(50);
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error == EINTR) continue;
    if (error != EWOULDBLOCK) {
      ::close(descriptor_);
      fail(error);
    }
    try {
      waiting();
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 5 / 4, longest_pause);
  }
}

void FileLock::fail(int error) const {
  throw Error(Failure::Incomplete, fmt::format("{}: can't be locked: {}", path_.string(),
                                               std::generic_category().message(error)));
}

}  // namespace photon_dmesg
