#pragma once

#include <filesystem>
#include <functional>

namespace photon_dmesg {

// A lock that one process, or one thread, holds at a time: an empty file that lies there while it
// is held. The system releases it should its holder die, and whoever comes next takes over what
// file was left.
class FileLock {
 public:
  // Takes the lock. While another holds it, calls `waiting` every now and then, which may
  // throw to wait no longer. Throws
  // Error(Incomplete) where there can be no such file or no lock on it.
  FileLock(std::filesystem::path path, const std::function<void()>& waiting);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  [[nodiscard]] bool is_in_place() const;
  void wait(const std::function<void()>& waiting) const;
  [[noreturn]] void fail(int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace photon_dmesg
