#include "base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/error.h"

namespace photon_dmesg {

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto fail = [&](int error) {
    throw unusable(fmt::format("{}: can't be opened: {}", path.string(),
                               std::generic_category().message(error)));
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(errno);
  struct stat status {};
  int error = ::fstat(descriptor, &status) == 0 ? 0 : errno;
  if (error == 0 && (!S_ISREG(status.st_mode) || status.st_size == 0)) error = EINVAL;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* address = MAP_FAILED;
  if (error == 0) {
    // All of it is read at once to see that it is sound: one fault instead of one a page.
    address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, descriptor, 0);
    if (address == MAP_FAILED) error = errno;
  }
  ::close(descriptor);
  if (error != 0) fail(error);
  bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::~MappedFile() {
  ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace photon_dmesg
