#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/address.h"
#include "kernel/memory/kernel_memory.h"

namespace photon_dmesg {

// The elements of an array in the guest. Some are read at a time, and what lies on a page that
// can't be read is passed over at once, so that one behind the other takes little.
class ArrayReader {
 public:
  // `count` elements of `size` bytes; `memory` must outlive this.
  ArrayReader(const KernelMemory& memory, GuestVirtual begin, std::uint64_t count,
              std::uint64_t size);

  // The bytes of the element `index`, below `count`, valid until the next call; nothing if they
  // can't be read.
  [[nodiscard]] std::optional<std::span<const std::byte>> element(std::uint64_t index) {
    if (index - first_ >= held_ && !read(index)) return std::nullopt;
    return std::span<const std::byte>(bytes_).subspan((index - first_) * size_, size_);
  }

 private:
  // So that `index` is among what is there.
  bool read(std::uint64_t index);
  bool read(std::uint64_t first, std::uint64_t count);
  // Notes those from `index` on that begin on its page, if nothing of that can be read.
  void note_missing(std::uint64_t index);

  const KernelMemory* memory_;
  GuestVirtual begin_;
  std::uint64_t count_;
  std::uint64_t size_;
  // The elements that are there: the first one and how many.
  std::uint64_t first_ = 0;
  std::uint64_t held_ = 0;
  // Of those that can't be read the last that were met: the first one and how many.
  std::uint64_t missing_first_ = 0;
  std::uint64_t missing_ = 0;
  std::vector<std::byte> bytes_;
};

}  // namespace photon_dmesg
