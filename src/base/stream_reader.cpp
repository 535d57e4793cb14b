#include "base/stream_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace photon_dmesg {

std::span<const std::byte> StreamReader::next() {
  if (rest_.empty()) rest_ = stream_->next();
  position_ += rest_.size();
  return std::exchange(rest_, {});
}

std::span<const std::byte> StreamReader::take_some(std::uint64_t limit, const char* what) {
  if (limit == 0) return {};
  if (rest_.empty()) rest_ = stream_->next();
  if (rest_.empty()) {
    throw unusable(fmt::format("truncated: expected {} ({} more bytes) at {:#x}, found the end",
                               what, limit, position_));
  }
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(limit, rest_.size()));
  const std::span<const std::byte> taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  position_ += count;
  return taken;
}

std::span<const std::byte> StreamReader::peek(std::size_t count) {
  if (rest_.size() < count) {
    std::vector<std::byte> bytes(rest_.begin(), rest_.end());
    while (bytes.size() < count) {
      const std::span<const std::byte> more = stream_->next();
      if (more.empty()) break;
      bytes.insert(bytes.end(), more.begin(), more.end());
    }
    peeked_ = std::move(bytes);
    rest_ = peeked_;
  }
  return rest_.first(std::min(count, rest_.size()));
}

std::vector<std::byte> StreamReader::take(std::uint64_t count, const char* what) {
  // A length from a file may be absurd: beyond this, memory grows with what is really there.
  constexpr std::uint64_t most_reserved = 64 * 1024 * 1024;
  std::vector<std::byte> taken;
  taken.reserve(static_cast<std::size_t>(std::min(count, most_reserved)));
  append_to(taken, count, what);
  return taken;
}

void StreamReader::append_to(std::vector<std::byte>& target, std::uint64_t count,
                             const char* what) {
  while (count > 0) {
    const std::span<const std::byte> part = take_some(count, what);
    target.insert(target.end(), part.begin(), part.end());
    count -= part.size();
  }
}

std::string StreamReader::take_text(std::uint64_t count, const char* what) {
  const std::vector<std::byte> bytes = take(count, what);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void StreamReader::skip(std::uint64_t count, const char* what) {
  while (count > 0) count -= take_some(count, what).size();
}

}  // namespace photon_dmesg
