#include "checkpoint/dumps/memory_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"

namespace photon_dmesg {

MemoryFile::MemoryFile(std::string name)
    : name_(std::move(name)), descriptor_(::memfd_create("photon-dmesg", MFD_CLOEXEC)) {
  if (descriptor_ < 0) fail();
}

MemoryFile::~MemoryFile() {
  ::close(descriptor_);
}

void MemoryFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  size_ = std::max(size_, offset + bytes.size());
  while (!bytes.empty()) {
    const ssize_t count =
        ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count <= 0) fail();
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void MemoryFile::copy(const ByteSource& source, std::uint64_t from, std::uint64_t size,
                      std::uint64_t to) {
  std::vector<std::byte> buffer(std::min<std::uint64_t>(size, std::uint64_t{1} << 20));
  for (std::uint64_t done = 0; done < size; done += buffer.size()) {
    buffer.resize(std::min<std::uint64_t>(buffer.size(), size - done));
    source.read_at(from + done, buffer);
    write(to + done, buffer);
  }
}

void MemoryFile::extend(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) fail();
  size_ = size;
}

void MemoryFile::fail() const {
  throw unusable(fmt::format("{}: no memory for putting it in order", name_));
}

void MemoryFile::read_checked(std::uint64_t offset, std::span<std::byte> target) const {
  while (!target.empty()) {
    const ssize_t count =
        ::pread(descriptor_, target.data(), target.size(), static_cast<off_t>(offset));
    if (count <= 0) fail();
    offset += static_cast<std::uint64_t>(count);
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

}  // namespace photon_dmesg
