#include "base/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <mutex>
#include <span>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/read_files.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t page_bytes = 16 * 1024;
constexpr std::size_t page_slots = 256;
constexpr std::uint64_t no_page = std::numeric_limits<std::uint64_t>::max();

std::string system_reason(int error) {
  return std::generic_category().message(error);
}

}  // namespace

// Direct-mapped: slot = page number modulo the number of slots.
struct InputFile::Cache {
  using Page = std::array<std::byte, page_bytes>;
  struct Slot {
    std::uint64_t page = no_page;
    std::unique_ptr<Page> bytes;  // null: never used
  };
  std::array<Slot, page_slots> slots;
  std::mutex mutex;
};

InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), name_(path_.string()), cache_(std::make_unique<Cache>()) {
  // Of a pipe it would wait for whoever writes to it. It makes no difference to files and disks.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) {
    throw unusable(fmt::format("{}: can't be opened: {}", name_, system_reason(errno)));
  }
  struct stat status {};
  const bool known = ::fstat(descriptor_, &status) == 0;
  const bool seekable = known && (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode));
  const off_t end = seekable ? ::lseek(descriptor_, 0, SEEK_END) : -1;
  if (end < 0) {
    ::close(descriptor_);
    throw unusable(
        fmt::format("{}: expected a regular file, found {}", name_,
                    known && S_ISDIR(status.st_mode) ? "a directory" : "something else"));
  }
  size_ = static_cast<std::uint64_t>(end);
  read_files::add(descriptor_);
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

std::uint64_t InputFile::next_data(std::uint64_t offset) const {
  if (offset >= size_) return size_;
  const off_t found = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_DATA);
  // ENXIO: nothing but a hole is left. Other errors: the file system does not know holes.
  if (found < 0) return errno == ENXIO ? size_ : offset;
  return std::min(size_, static_cast<std::uint64_t>(found));
}

std::uint64_t InputFile::data_end(std::uint64_t offset) const {
  const off_t found = ::lseek(descriptor_, static_cast<off_t>(offset), SEEK_HOLE);
  return found < 0 ? size_ : std::min(size_, static_cast<std::uint64_t>(found));
}

void InputFile::read_from_disk(std::uint64_t offset, std::span<std::byte> target) const {
  while (!target.empty()) {
    const ssize_t count =
        ::pread(descriptor_, target.data(), target.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      throw unusable(fmt::format("{}: reading {} bytes at offset {:#x} failed: {}", name_,
                                 target.size(), offset,
                                 count < 0 ? system_reason(errno) : "the file became shorter"));
    }
    offset += static_cast<std::uint64_t>(count);
    target = target.subspan(static_cast<std::size_t>(count));
  }
}

void InputFile::read_checked(std::uint64_t offset, std::span<std::byte> target) const {
  if (target.size() >= page_bytes) {
    read_from_disk(offset, target);
    return;
  }
  const std::lock_guard lock(cache_->mutex);
  while (!target.empty()) {
    const std::uint64_t page = offset / page_bytes;
    const auto inside = static_cast<std::size_t>(offset % page_bytes);
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(page_bytes, size_ - page * page_bytes));
    Cache::Slot& slot = cache_->slots[page % page_slots];
    if (slot.page != page) {
      slot.page = no_page;  // stays so when the read throws
      // What is read into is not filled with zeros before.
      if (!slot.bytes) slot.bytes = std::make_unique_for_overwrite<Cache::Page>();
      read_from_disk(page * page_bytes, std::span(*slot.bytes).first(size));
      slot.page = page;
    }
    const std::size_t count = std::min(target.size(), size - inside);
    std::memcpy(target.data(), slot.bytes->data() + inside, count);
    offset += count;
    target = target.subspan(count);
  }
}

}  // namespace photon_dmesg
