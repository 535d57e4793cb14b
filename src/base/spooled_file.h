#pragma once

#include <cstdint>
#include <future>
#include <span>
#include <vector>

namespace photon_dmesg {

// A part of a file, in bytes.
struct FileRange {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// A file that comes as a stream, kept in memory in compressed blocks until it is known which parts
// of it are needed: an ELF file says so only at its end, and nothing may go to disk. Blocks are
// compressed on other threads while the stream goes on. A part that is asked for is expanded at its
// place in bytes(), and costs memory from then on; the rest of bytes() costs address space only.
class SpooledFile {
 public:
  static constexpr std::size_t block_bytes = std::size_t{1024} * 1024;

  SpooledFile() = default;
  ~SpooledFile();
  SpooledFile(const SpooledFile&) = delete;
  SpooledFile& operator=(const SpooledFile&) = delete;

  // Appends to the end.
  void append(std::span<const std::byte> bytes);

  // Ends the stream; append() must not be called again.
  void finish();

  // Bytes appended.
  [[nodiscard]] std::uint64_t size() const { return size_; }

  // After finish(): makes `range` readable at its place in bytes() and returns it. Throws
  // Error(UnusableInput) when it leaves the file or has been dropped.
  std::span<const std::byte> expand(FileRange range);

  // After finish(): the bytes of block `index` (the last one may be shorter), which stays
  // compressed. Throws Error(UnusableInput) when it has been dropped.
  [[nodiscard]] std::vector<std::byte> read_block(std::size_t index) const;

  // After finish(): the whole file. What has not been expanded reads as zeros.
  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }

  // Frees every block that holds nothing of `ranges`.
  void keep_only(std::span<const FileRange> ranges);

 private:
  struct Block {
    std::vector<std::byte> compressed;  // empty once expanded or dropped
    bool expanded = false;
  };

  void store_pending_block();
  void wait_for_blocks(std::size_t running);
  void expand_block(std::size_t index);
  void unpack_block(std::size_t index, std::span<std::byte> target) const;

  std::uint64_t size_ = 0;
  std::vector<std::byte> pending_;
  std::vector<Block> blocks_;
  std::vector<std::future<std::vector<std::byte>>> running_;  // behind blocks_, in order
  std::span<std::byte> bytes_;                                // mapped by finish()
};

}  // namespace photon_dmesg
