#pragma once

#include <cstdint>
#include <future>
#include <span>
#include <vector>

namespace photon_dmesg {

// Bytes that come as a stream, kept in memory in compressed blocks until it is known which of them
// are needed: an ELF file says so only at its end, and nothing may go to disk. Blocks are
// compressed on other threads while the stream goes on.
class CompressedSpool {
 public:
  // Appends to the end.
  void append(std::span<const std::byte> bytes);

  // Ends the stream; append() must not be called again.
  void finish();

  // Bytes appended.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  // Fills `target` from `offset`, after finish(). Throws Error(UnusableInput) when the range leaves
  // the stream or its blocks have been dropped.
  void read_at(std::uint64_t offset, std::span<std::byte> target) const;

  struct Range {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
  };

  // Frees every block that holds nothing of `ranges`.
  void keep_only(std::span<const Range> ranges);

 private:
  using Block = std::vector<std::byte>;

  void store_pending_block();
  void wait_for_blocks(std::size_t running);

  std::uint64_t size_ = 0;
  Block pending_;
  std::vector<Block> blocks_;
  std::vector<std::future<Block>> running_;  // behind blocks_, in order
};

}  // namespace photon_dmesg
