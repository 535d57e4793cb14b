#include "base/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/read_files.h"
#include "base/unfinished_files.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t step = std::uint64_t{8} << 20;
constexpr std::size_t block = 4096;
constexpr mode_t public_mode = 0666;  // as far as the umask lets
constexpr mode_t private_mode = 0600;

off_t as_offset(std::uint64_t value) {
  return static_cast<off_t>(value);
}

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

// A name beside `path` that no other thread or process takes: not even its number need be its own,
// where several containers write to one folder. The name of `path` may be as long as names can be.
std::filesystem::path temporary_name(const std::filesystem::path& path) {
  std::random_device random;
  return path.parent_path() / fmt::format(".photon-dmesg-{:08x}{:08x}", random(), random());
}

}  // namespace

OutputFile::OutputFile(std::filesystem::path path, Access access) : path_(std::move(path)) {
  refuse_input();
  const bool is_secret = access == Access::Private || access == Access::OwnerOnly;
  open(is_secret ? private_mode : public_mode);
  struct stat replaced {};
  if (::stat(path_.c_str(), &replaced) != 0 || !S_ISREG(replaced.st_mode)) return;
  // What is secret, or is run, is not handed to whoever may have put a file there.
  const bool is_own = access != Access::OwnerOnly && replaced.st_uid == ::geteuid();
  if (is_own || access == Access::Public) take_over(replaced);
}

// Gives the file the owner, the group and the mode of another, as far as the system lets it.
void OutputFile::take_over(const struct stat& replaced) const {
  mode_t mode = replaced.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
  struct stat own {};
  if (::fstat(descriptor_, &own) != 0) return;
  const auto change = [&](uid_t user, gid_t group) {
    return ::fchown(descriptor_, user, group) == 0;
  };
  const bool is_same = own.st_uid == replaced.st_uid && own.st_gid == replaced.st_gid;
  if (!is_same && !change(replaced.st_uid, replaced.st_gid) &&
      !change(own.st_uid, replaced.st_gid)) {
    mode &= ~static_cast<mode_t>(S_IRWXG) | (mode & S_IRWXO) << 3U;
  }
  ::fchmod(descriptor_, mode);
}

// Opens a file without a name, or one with a name that nobody else has.
void OutputFile::open(mode_t mode) {
  const std::filesystem::path folder = path_.has_parent_path() ? path_.parent_path() : ".";
  // It is by /proc that it gets its name in the end, which not every chroot has.
  const bool can_be_named = ::access("/proc/self/fd", X_OK) == 0;
  if (can_be_named) {
    descriptor_ = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
  }
  if (descriptor_ < 0) {
    // Not every file system has files without a name.
    temporary_ = temporary_name(path_);
    unfinished_files::add(temporary_);
    descriptor_ =
        ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
  }
  if (descriptor_ >= 0) return;
  const int error = errno;
  unfinished_files::forget(temporary_);
  fail("can't be created", error);
}

OutputFile::~OutputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (temporary_.empty()) return;
  ::unlink(temporary_.c_str());
  unfinished_files::forget(temporary_);
}

void OutputFile::fail(const char* doing, int error) const {
  throw Error(Failure::Incomplete, fmt::format("{}: {}: {}", path_.string(), doing,
                                               std::generic_category().message(error)));
}

void OutputFile::refuse_input() const {
  if (read_files::contains(path_)) throw read_files::would_be_replaced(path_);
}

void OutputFile::write(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(descriptor_, bytes.data(), bytes.size(), as_offset(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("can't be written", errno);
    offset += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void OutputFile::write(std::uint64_t offset, std::string_view text) {
  write(offset, std::as_bytes(std::span(text)));
}

void OutputFile::write_sparse(std::uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const bool hole = is_zero(bytes.first(std::min(block, bytes.size())));
    std::size_t end = 0;  // of the blocks that are alike
    while (end < bytes.size()) {
      const auto rest = bytes.subspan(end);
      const auto next = rest.first(std::min(block, rest.size()));
      if (is_zero(next) != hole) break;
      end += next.size();
    }
    if (!hole) write(offset, bytes.first(end));
    offset += end;
    bytes = bytes.subspan(end);
  }
}

void OutputFile::copy(const ByteSource& source, std::uint64_t from, std::uint64_t size,
                      std::uint64_t offset, const std::function<void(std::uint64_t)>& progress) {
  std::uint64_t done = 0;
  while (done < size) {
    done = source.next_data(from + done) - from;
    if (done >= size) break;
    const std::uint64_t end = std::min(size, source.data_end(from + done) - from);
    while (done < end) {
      const std::uint64_t count = std::min(step, end - done);
      copy_data(source, from + done, count, offset + done);
      done += count;
      progress(done);
    }
  }
  progress(size);
}

void OutputFile::copy_data(const ByteSource& source, std::uint64_t from, std::uint64_t size,
                           std::uint64_t offset) {
  off_t in = as_offset(from);
  off_t out = as_offset(offset);
  while (size > 0 && system_copies_ && source.descriptor()) {
    const ssize_t count = ::copy_file_range(*source.descriptor(), &in, descriptor_, &out, size, 0);
    if (count < 0 && errno == ENOSPC) fail("can't be written", errno);
    // Other file systems, or a file that became shorter: reading says which.
    if (count <= 0) {
      system_copies_ = false;
    } else {
      size -= static_cast<std::uint64_t>(count);
    }
  }
  if (size == 0) return;
  std::vector<std::byte> buffer(size);
  source.read_at(static_cast<std::uint64_t>(in), buffer);
  write_sparse(static_cast<std::uint64_t>(out), buffer);
}

void OutputFile::finish(std::uint64_t size) {
  if (::ftruncate(descriptor_, as_offset(size)) != 0) fail("can't be written", errno);
  if (temporary_.empty()) link();
  refuse_input();
  // A network file system may say only now that there is no room.
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0 && errno != EINTR) fail("can't be written", errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail("can't get its name", errno);
  unfinished_files::forget(temporary_);
  temporary_.clear();
}

// Gives the file without a name one that it can be renamed from.
void OutputFile::link() {
  temporary_ = temporary_name(path_);
  unfinished_files::add(temporary_);
  const std::string itself = fmt::format("/proc/self/fd/{}", descriptor_);
  if (::linkat(AT_FDCWD, itself.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    const int error = errno;
    unfinished_files::forget(temporary_);
    temporary_.clear();
    fail("can't get its name", error);
  }
}

void write_file(const std::filesystem::path& path, Access access,
                std::span<const std::byte> content) {
  OutputFile file(path, access);
  file.write(0, content);
  file.finish(content.size());
}

}  // namespace photon_dmesg
