#include "kernel/memory/array_reader.h"

#include <algorithm>

namespace photon_dmesg {

ArrayReader::ArrayReader(const KernelMemory& memory, GuestVirtual begin, std::uint64_t count,
                         std::uint64_t size)
    : memory_(&memory), begin_(begin), count_(count), size_(std::max<std::uint64_t>(1, size)) {}

bool ArrayReader::read(std::uint64_t index) {
  constexpr std::uint64_t read_at_once = 4096;  // bytes
  if (index - missing_first_ < missing_) return false;
  const std::uint64_t most = std::max<std::uint64_t>(1, read_at_once / size_);
  const std::uint64_t first = index / most * most;
  // Of what can't be read as a whole, single ones may be.
  if (read(first, std::min(most, count_ - first)) || read(index, 1)) return true;
  note_missing(index);
  return false;
}

void ArrayReader::note_missing(std::uint64_t index) {
  constexpr std::uint64_t page = 4096;  // no machine has smaller ones
  const GuestVirtual begin = begin_ + index * size_;
  if (memory_->read_unsigned(begin, 1)) return;
  const std::uint64_t rest = page - begin.value % page;
  missing_first_ = index;
  missing_ = (rest + size_ - 1) / size_;
}

bool ArrayReader::read(std::uint64_t first, std::uint64_t count) {
  bytes_.resize(count * size_);
  first_ = first;
  const bool is_read = memory_->read(begin_ + first * size_, bytes_);
  held_ = is_read ? count : 0;
  return is_read;
}

}  // namespace photon_dmesg
