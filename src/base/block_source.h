#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <vector>

#include "base/byte_source.h"

namespace photon_dmesg {

// Bytes that come in blocks of equal size (the last may be shorter), each of which costs work to
// get at, such as decompression. The blocks used last are kept. Several threads may read at once.
class BlockSource : public ByteSource {
 public:
  [[nodiscard]] std::uint64_t size() const override { return size_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

 protected:
  BlockSource(std::string name, std::uint64_t size, std::size_t block_bytes)
      : name_(std::move(name)), size_(size), block_bytes_(block_bytes) {}

  // For constructors that learn the size by reading.
  void set_size(std::uint64_t size) { size_ = size; }

  // The bytes of block `index`, which exists. One call runs at a time. Throws Error(UnusableInput)
  // when the block is damaged.
  [[nodiscard]] virtual std::vector<std::byte> load_block(std::uint64_t index) const = 0;

 private:
  struct Block {
    std::uint64_t index = 0;
    std::vector<std::byte> bytes;
  };

  void read_checked(std::uint64_t offset, std::span<std::byte> target) const override;
  const std::vector<std::byte>& block(std::uint64_t index) const;

  std::string name_;
  std::uint64_t size_;
  std::size_t block_bytes_;
  mutable std::mutex mutex_;
  mutable std::list<Block> recent_;  // the one used last in front
};

}  // namespace photon_dmesg
