#include "base/spooled_file.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <thread>

#include "base/error.h"
#include "base/libzstd.h"

namespace photon_dmesg {
namespace {

// Faster levels need more memory, slower ones more time than decompressing the package takes.
constexpr int compression_level = 1;

bool is_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](std::byte byte) { return byte == std::byte{}; });
}

// Nothing for zeros.
std::vector<std::byte> compress(const std::vector<std::byte>& bytes) {
  if (is_zero(bytes)) return {};
  std::vector<std::byte> packed(libzstd().ZSTD_compressBound(bytes.size()));
  const std::size_t size = libzstd().ZSTD_compress(packed.data(), packed.size(), bytes.data(),
                                                   bytes.size(), compression_level);
  if (libzstd().ZSTD_isError(size) != 0) {
    throw unusable(fmt::format("zstd: {}", libzstd().ZSTD_getErrorName(size)));
  }
  return {packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size)};
}

}  // namespace

SpooledFile::~SpooledFile() {
  if (!bytes_.empty()) ::munmap(bytes_.data(), bytes_.size());
}

void SpooledFile::append(std::span<const std::byte> bytes) {
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

void SpooledFile::append_zeros(std::uint64_t count) {
  static const std::vector<std::byte> zeros(block_bytes);
  const auto append_part = [&](std::uint64_t most) {
    const auto part = static_cast<std::size_t>(std::min(count, most));
    append(std::span(zeros).first(part));
    count -= part;
  };
  if (!pending_.empty()) append_part(block_bytes - pending_.size());
  if (count >= block_bytes) wait_for_blocks(0);  // they come before
  for (; count >= block_bytes; count -= block_bytes) {
    blocks_.push_back({{}, false, true});
    kept_ += sizeof(Block);
    size_ += block_bytes;
  }
  append_part(block_bytes);
}

void SpooledFile::store_pending_block() {
  wait_for_blocks(std::max(1U, std::thread::hardware_concurrency()) - 1);
  running_.push_back(
      std::async(std::launch::async, [block = std::move(pending_)] { return compress(block); }));
  pending_ = {};
}

void SpooledFile::wait_for_blocks(std::size_t running) {
  while (running_.size() > running) {
    std::vector<std::byte> packed = running_.front().get();
    kept_ += sizeof(Block) + packed.capacity();
    const bool zeros = packed.empty();
    blocks_.push_back({std::move(packed), false, zeros});
    running_.erase(running_.begin());
  }
}

void SpooledFile::finish() {
  if (!pending_.empty()) {
    store_pending_block();
  }
  wait_for_blocks(0);
  if (size_ == 0) {
    return;
  }
  void* memory = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) {
    throw unusable(fmt::format("no address space for {} bytes: {}", size_,
                               std::generic_category().message(errno)));
  }
  bytes_ = {static_cast<std::byte*>(memory), size_};
}

std::span<const std::byte> SpooledFile::expand(FileRange range) {
  if (range.offset > size_ || range.size > size_ - range.offset) {
    throw unusable(fmt::format("truncated: expected {} bytes at offset {:#x}, but it ends at {:#x}",
                               range.size, range.offset, size_));
  }
  for (std::size_t i = range.offset / block_bytes; i * block_bytes < range.offset + range.size;
       ++i) {
    expand_block(i);
  }
  return bytes_.subspan(range.offset, range.size);
}

void SpooledFile::expand_block(std::size_t index) {
  Block& block = blocks_[index];
  if (block.expanded) {
    return;
  }
  const std::size_t begin = index * block_bytes;
  // What is mapped is zero by itself.
  if (!block.zeros) {
    unpack_block(index, bytes_.subspan(begin, std::min(block_bytes, bytes_.size() - begin)));
  }
  block.compressed = {};
  block.expanded = true;
}

std::vector<std::byte> SpooledFile::read_block(std::size_t index) const {
  const std::size_t begin = index * block_bytes;
  std::vector<std::byte> bytes(std::min<std::size_t>(block_bytes, size_ - begin));
  unpack_block(index, bytes);
  return bytes;
}

void SpooledFile::unpack_block(std::size_t index, std::span<std::byte> target) const {
  if (blocks_[index].zeros) {
    std::fill(target.begin(), target.end(), std::byte{});
    return;
  }
  const std::vector<std::byte>& packed = blocks_[index].compressed;
  const std::size_t size =
      libzstd().ZSTD_decompress(target.data(), target.size(), packed.data(), packed.size());
  if (size != target.size()) {
    throw unusable(fmt::format("nothing was kept of offset {:#x}", index * block_bytes));
  }
}

void SpooledFile::keep_only(std::span<const FileRange> ranges) {
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    const std::uint64_t begin = std::uint64_t{i} * block_bytes;
    const bool needed = std::any_of(ranges.begin(), ranges.end(), [&](const FileRange& range) {
      return range.offset < begin + block_bytes && begin < range.offset + range.size;
    });
    if (!needed) {
      blocks_[i].compressed = {};
      blocks_[i].zeros = false;
    }
  }
}

}  // namespace photon_dmesg
