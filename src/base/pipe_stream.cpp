#include "base/pipe_stream.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/read_files.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t read_bytes = std::size_t{256} * 1024;
constexpr const char* standard_input = "-";

}  // namespace

bool is_pipe(const std::filesystem::path& path) {
  struct stat status {};
  if (path == standard_input) return true;
  return ::stat(path.c_str(), &status) == 0 &&
         (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
}

PipeStream::PipeStream(const std::filesystem::path& path)
    : name_(path == standard_input ? "standard input" : path.string()), buffer_(read_bytes) {
  descriptor_ = path == standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                       : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) {
    throw unusable(
        fmt::format("{}: can't be opened: {}", name_, std::generic_category().message(errno)));
  }
  read_files::add(descriptor_);  // stdin may be a file
}

PipeStream::~PipeStream() {
  ::close(descriptor_);
}

std::size_t PipeStream::read(std::span<std::byte> target) {
  while (true) {
    const ssize_t count = ::read(descriptor_, target.data(), target.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) {
      throw unusable(
          fmt::format("{}: reading failed: {}", name_, std::generic_category().message(errno)));
    }
  }
}

std::span<const std::byte> PipeStream::peek(std::size_t count) {
  std::size_t have = first_.size();
  first_.resize(std::max(have, count));
  while (have < count) {
    const std::size_t part = read(std::span(first_).subspan(have));
    if (part == 0) break;
    have += part;
  }
  first_.resize(have);
  first_pending_ = true;
  return first_;
}

std::span<const std::byte> PipeStream::next() {
  if (std::exchange(first_pending_, false) && !first_.empty()) return first_;
  return std::span(buffer_).first(read(buffer_));
}

}  // namespace photon_dmesg
