#include "session/bundled_content.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t zero_bytes = 4096;

}  // namespace

void PassedBytes::unpacked(std::uint64_t count) {
  unpacked_ += count;
  if (unpacked_ > read_ && unpacked_ - read_ > most_) {
    throw unusable(
        fmt::format("more than {} bytes that are not needed: the rest is left out", most_));
  }
}

std::span<const std::byte> CountedStream::next() {
  const std::span<const std::byte> bytes = stream_->next();
  passed_.unpacked(bytes.size());
  return bytes;
}

std::optional<ArchiveReader::Part> MemberContent::next() {
  if (!first_.empty()) {
    taken_ = std::exchange(first_, {});
    return ArchiveReader::Part{0, taken_};
  }
  if (held_) return std::exchange(held_, std::nullopt);
  return next_of_reader();
}

std::span<const std::byte> MemberContent::peek(std::size_t count) {
  while (first_.size() < count && !held_) {
    auto part = next_of_reader();
    if (!part) break;
    if (part->zeros > 0) {
      held_ = part;
    } else {
      first_.insert(first_.end(), part->bytes.begin(), part->bytes.end());
    }
  }
  return first_;
}

std::optional<ArchiveReader::Part> MemberContent::next_of_reader() {
  try {
    auto part = reader_.next_part();
    if (!part) return part;
    given_ += part->zeros + part->bytes.size();
    passed_.read(part->zeros + part->bytes.size());
    return part;
  } catch (const Error& error) {
    damage_.push_back(fmt::format("{}: {}", path_, error.what()));
    return std::nullopt;
  }
}

ContentStream::ContentStream(BundledContent& content, std::string name)
    : content_(content), name_(std::move(name)), zeros_(zero_bytes) {}

std::span<const std::byte> ContentStream::next() {
  if (zeros_left_ == 0 && bytes_.empty()) {
    const auto part = content_.next();
    if (!part) return {};
    zeros_left_ = part->zeros;
    bytes_ = part->bytes;
  }
  if (zeros_left_ == 0) return std::exchange(bytes_, {});
  const std::uint64_t count = std::min<std::uint64_t>(zeros_left_, zeros_.size());
  zeros_left_ -= count;
  return std::span(zeros_).first(static_cast<std::size_t>(count));
}

}  // namespace photon_dmesg
