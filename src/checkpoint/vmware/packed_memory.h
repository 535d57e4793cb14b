#pragma once

#include <memory>
#include <vector>

#include "base/block_source.h"
#include "base/diagnostics.h"
#include "checkpoint/vmware/block_tails.h"

namespace photon_dmesg {

// `memory` itself, or what it holds if it is packed in blocks; of one that was cut short, as far as
// its blocks are whole, with a warning. Throws Error(UnusableInput) when a block is damaged.
[[nodiscard]] std::shared_ptr<const ByteSource> unpack_memory(
    std::shared_ptr<const ByteSource> memory, Diagnostics& diagnostics);

// Whether `source` begins as the memory file of an encrypted VM does once it is decrypted: blocks
// of 4 MiB, each packed on its own.
[[nodiscard]] bool is_packed_memory(const ByteSource& source);

// The flat memory that such a file holds. A block: u32 unpacked size (0x400000, the last one may be
// less), u32 0, u32 packed size, u32 0, data. Equal sizes mean that it is stored as it is. The data
// is FastLZ level 2, whose references may reach into the block before (known from vmem-decrypt's
// description only).
class PackedMemory final : public BlockSource {
 public:
  // Reads the header of each block. Throws Error(UnusableInput) that names the block when the file
  // is damaged. If it is cut short, the memory ends with the last block that is whole.
  explicit PackedMemory(std::shared_ptr<const ByteSource> packed);

  [[nodiscard]] bool is_cut() const { return is_cut_; }

 private:
  struct Block {
    std::uint64_t offset = 0;  // of its data in the packed file
    std::uint32_t packed_size = 0;
    std::uint32_t size = 0;
  };

  [[nodiscard]] std::vector<std::byte> load_block(std::uint64_t index) const override;
  [[nodiscard]] std::vector<std::byte> unpack(std::uint64_t index,
                                              std::span<const std::byte> before) const;
  [[nodiscard]] std::vector<std::byte> bytes_before(std::uint64_t index) const;

  std::shared_ptr<const ByteSource> packed_;
  std::vector<Block> blocks_;
  bool is_cut_ = false;
  mutable BlockTails tails_;
};

}  // namespace photon_dmesg
