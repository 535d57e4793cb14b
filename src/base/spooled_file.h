#pragma once

#include <cstdint>
#include <future>
#include <span>
#include <vector>

#include "base/expandable_file.h"

namespace photon_dmesg {

// A file that comes as a stream, kept in memory in compressed blocks until it is known which parts
// of it are needed: an ELF file says so only at its end, and nothing may go to disk. Blocks are
// compressed on other threads while the stream goes on; of those that are zero, nothing is kept.
class SpooledFile final : public ExpandableFile {
 public:
  static constexpr std::size_t block_bytes = std::size_t{1024} * 1024;

  SpooledFile() = default;
  ~SpooledFile() override;

  // Appends to the end.
  void append(std::span<const std::byte> bytes);

  // Appends zeros; whole blocks of them cost next to nothing.
  void append_zeros(std::uint64_t count);

  // Ends the stream; append() must not be called again.
  void finish();

  // Bytes appended.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  // How many bytes of memory hold what has been compressed so far.
  [[nodiscard]] std::uint64_t kept() const { return kept_; }

  // After finish(): whether block `index` is nothing but zeros.
  [[nodiscard]] bool is_zero(std::size_t index) const { return blocks_[index].zeros; }

  // After finish(). Throws as well when the range has been dropped.
  std::span<const std::byte> expand(FileRange range) override;

  // After finish(): the bytes of block `index` (the last one may be shorter), which stays
  // compressed. Throws Error(UnusableInput) when it has been dropped.
  [[nodiscard]] std::vector<std::byte> read_block(std::size_t index) const;

  // After finish().
  [[nodiscard]] std::span<std::byte> bytes() const override { return bytes_; }

  // Frees every block that holds nothing of `ranges`.
  void keep_only(std::span<const FileRange> ranges);

 private:
  struct Block {
    std::vector<std::byte> compressed;  // empty once expanded or dropped
    bool expanded = false;
    bool zeros = false;
  };

  void store_pending_block();
  void wait_for_blocks(std::size_t running);
  void expand_block(std::size_t index);
  void unpack_block(std::size_t index, std::span<std::byte> target) const;

  std::uint64_t size_ = 0;
  std::uint64_t kept_ = 0;
  std::vector<std::byte> pending_;
  std::vector<Block> blocks_;
  std::vector<std::future<std::vector<std::byte>>> running_;  // behind blocks_, in order
  std::span<std::byte> bytes_;                                // mapped by finish()
};

}  // namespace photon_dmesg
