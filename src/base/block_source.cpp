#include "base/block_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t most_recent_blocks = 16;

}  // namespace

const std::vector<std::byte>& BlockSource::block(std::uint64_t index) const {
  const auto found = std::find_if(recent_.begin(), recent_.end(),
                                  [&](const Block& block) { return block.index == index; });
  if (found != recent_.end()) {
    recent_.splice(recent_.begin(), recent_, found);
    return recent_.front().bytes;
  }
  Block loaded{index, load_block(index)};
  const std::uint64_t expected =
      std::min<std::uint64_t>(block_bytes_, size_ - index * block_bytes_);
  if (loaded.bytes.size() != expected) {
    throw unusable(fmt::format("{}: block {}: expected {} bytes, found {}", name_, index, expected,
                               loaded.bytes.size()));
  }
  if (recent_.size() >= most_recent_blocks) recent_.pop_back();
  recent_.push_front(std::move(loaded));
  return recent_.front().bytes;
}

void BlockSource::read_checked(std::uint64_t offset, std::span<std::byte> target) const {
  const std::lock_guard lock(mutex_);
  while (!target.empty()) {
    const std::vector<std::byte>& bytes = block(offset / block_bytes_);
    const auto inside = static_cast<std::size_t>(offset % block_bytes_);
    const std::size_t count = std::min(target.size(), bytes.size() - inside);
    std::memcpy(target.data(), bytes.data() + inside, count);
    offset += count;
    target = target.subspan(count);
  }
}

}  // namespace photon_dmesg
