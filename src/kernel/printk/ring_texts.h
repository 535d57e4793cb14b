#pragma once

#include <cstdint>
#include <optional>

#include "kernel/memory/kernel_memory.h"
#include "kernel/printk/ring_descriptors.h"

namespace photon_dmesg {

// Where a block's text lies in the guest, and the bytes there are for it.
struct TextBlock {
  GuestVirtual address;
  std::uint64_t size = 0;
};

// Whether the descriptor says that its record has no text block: its text is empty, or was lost.
[[nodiscard]] bool has_no_block(const Descriptor& descriptor);

// Of these: whether the block could not be allocated, so that the text is lost.
[[nodiscard]] bool block_failed(const Descriptor& descriptor);

// The ring of text blocks. A block's place is given as logical positions, which go on counting
// from lap to lap, and it begins with the id of the descriptor that it belongs to.
class TextRing {
 public:
  // `memory` must outlive this.
  TextRing(const KernelMemory& memory, const Ring& ring) : memory_(memory), ring_(ring) {}

  // The text's place, or nothing if the block can't be one of this ring's.
  [[nodiscard]] std::optional<TextBlock> find_block(const Descriptor& descriptor) const;

  // Whether what lies behind an unfinished text is still zeros.
  [[nodiscard]] bool is_in_first_lap(const Descriptor& descriptor) const;

 private:
  const KernelMemory& memory_;
  Ring ring_;
};

}  // namespace photon_dmesg
