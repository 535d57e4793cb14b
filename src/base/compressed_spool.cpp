#include "base/compressed_spool.h"

#include <fmt/format.h>
#include <zstd.h>

#include <algorithm>
#include <thread>

#include "base/error.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t block_bytes = 4 * 1024 * 1024;
// Faster levels need more memory, slower ones gain little on debug information.
constexpr int compression_level = 1;

std::vector<std::byte> compress(const std::vector<std::byte>& bytes) {
  std::vector<std::byte> packed(ZSTD_compressBound(bytes.size()));
  const std::size_t size =
      ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), compression_level);
  if (ZSTD_isError(size) != 0) {
    throw unusable(fmt::format("zstd: {}", ZSTD_getErrorName(size)));
  }
  return {packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace

void CompressedSpool::append(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    pending_.reserve(block_bytes);
    const std::size_t count = std::min(bytes.size(), block_bytes - pending_.size());
    pending_.insert(pending_.end(), bytes.begin(),
                    bytes.begin() + static_cast<std::ptrdiff_t>(count));
    bytes = bytes.subspan(count);
    if (pending_.size() == block_bytes) {
      store_pending_block();
    }
  }
}

void CompressedSpool::finish() {
  if (!pending_.empty()) {
    store_pending_block();
  }
  wait_for_blocks(0);
}

void CompressedSpool::store_pending_block() {
  wait_for_blocks(std::max(1U, std::thread::hardware_concurrency()) - 1);
  running_.push_back(
      std::async(std::launch::async, [block = std::move(pending_)] { return compress(block); }));
  pending_ = Block();
}

void CompressedSpool::wait_for_blocks(std::size_t running) {
  while (running_.size() > running) {
    blocks_.push_back(running_.front().get());
    running_.erase(running_.begin());
  }
}

void CompressedSpool::read_at(std::uint64_t offset, std::span<std::byte> target) const {
  if (offset > size_ || target.size() > size_ - offset) {
    throw unusable(fmt::format("truncated: expected {} bytes at offset {:#x}, but it ends at {:#x}",
                               target.size(), offset, size_));
  }
  std::vector<std::byte> plain(block_bytes);
  while (!target.empty()) {
    const Block& block = blocks_[offset / block_bytes];
    const std::size_t size =
        ZSTD_decompress(plain.data(), plain.size(), block.data(), block.size());
    const std::size_t inside = offset % block_bytes;
    if (ZSTD_isError(size) != 0 || size <= inside) {
      throw unusable(fmt::format("nothing was kept of offset {:#x}", offset));
    }
    const std::size_t count = std::min(target.size(), size - inside);
    std::copy_n(plain.begin() + static_cast<std::ptrdiff_t>(inside), count, target.begin());
    offset += count;
    target = target.subspan(count);
  }
}

void CompressedSpool::keep_only(std::span<const Range> ranges) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const std::uint64_t begin = std::uint64_t{i} * block_bytes;
    const bool needed = std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
      return range.offset < begin + block_bytes && begin < range.offset + range.size;
    });
    if (!needed) {
      blocks_[i] = Block();
    }
  }
}

}  // namespace photon_dmesg
