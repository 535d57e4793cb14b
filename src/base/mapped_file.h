#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace photon_dmesg {

// A whole file mapped for reading. Only for files that nobody changes while they are open, such as
// those that OutputFile replaces as a whole: bytes that go away from under a mapping are a signal
// and no Error. What users name is an InputFile. Not among read_files, so that what is kept of
// packages can be made anew.
class MappedFile {
 public:
  // Throws Error(UnusableInput) with the system's reason when `path` is no regular file with
  // something in it, or can't be read.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace photon_dmesg
