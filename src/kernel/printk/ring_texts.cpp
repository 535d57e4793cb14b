#include "kernel/printk/ring_texts.h"

namespace photon_dmesg {
namespace {

// A text block's position when there is no block: odd, since blocks are aligned to 8 bytes.
constexpr std::uint64_t dataless_bit = 1;
constexpr std::uint64_t failed_lpos = 1;  // the block could not be allocated: the text is lost
// The other such value, 3, is a record whose text is empty.

constexpr std::uint64_t block_alignment = 8;
constexpr std::uint64_t block_id_bytes = 8;

// Positions begin one lap below zero.
bool in_first_lap(std::uint64_t lpos, std::uint64_t data_size) {
  return lpos != 0 && std::uint64_t{0} - lpos <= data_size;
}

}  // namespace

bool has_no_block(const Descriptor& descriptor) {
  return (descriptor.begin & dataless_bit) != 0 && (descriptor.next & dataless_bit) != 0;
}

bool block_failed(const Descriptor& descriptor) {
  return descriptor.begin == failed_lpos;
}

std::optional<TextBlock> TextRing::find_block(const Descriptor& descriptor) const {
  const std::uint64_t mask = ring_.data_size - 1;
  const bool in_use = ring_.head_lpos - descriptor.begin <= ring_.data_size &&
                      descriptor.begin - ring_.tail_lpos < ring_.data_size;
  const std::uint64_t span = descriptor.next - descriptor.begin;
  if (!in_use || descriptor.begin % block_alignment != 0 || span <= block_id_bytes ||
      span > ring_.data_size) {
    return std::nullopt;
  }
  // A block that would cross the ring's end starts again at its beginning. Since the last byte
  // decides, a block that ends exactly at the boundary has not wrapped (kernels after 6.18 place
  // such blocks, older ones never do).
  const bool wrapped = (descriptor.begin & ~mask) != ((descriptor.next - 1) & ~mask);
  const std::uint64_t index = wrapped ? 0 : descriptor.begin & mask;
  const std::uint64_t size = wrapped ? descriptor.next & mask : span;
  if (size <= block_id_bytes) {
    return std::nullopt;
  }
  const std::optional<std::uint64_t> owner =
      memory_.read_unsigned(ring_.data + index, block_id_bytes);
  if (owner != descriptor.id) {
    return std::nullopt;  // the block has been given to another record
  }
  return TextBlock{ring_.data + index + block_id_bytes, size - block_id_bytes};
}

bool TextRing::is_in_first_lap(const Descriptor& descriptor) const {
  return in_first_lap(descriptor.begin, ring_.data_size) &&
         in_first_lap(descriptor.next - 1, ring_.data_size);
}

}  // namespace photon_dmesg
