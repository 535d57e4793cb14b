#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/guest/guest_state.h"
#include "checkpoint/guest/memory_layout.h"
#include "checkpoint/vmware/tag_file.h"

namespace photon_dmesg {

// What a checkpoint says of the guest's memory.
struct MemoryDescription {
  std::vector<MemoryRegion> regions;  // empty: the image maps 1:1 from address 0

  struct Block {
    std::uint64_t offset = 0;  // bytes, in the checkpoint
    std::uint64_t size = 0;    // bytes
  };
  std::optional<Block> block;  // the memory itself, if the checkpoint is monolithic

  // Boundary that images are padded to, in bytes; a .vmem may be longer than its regions by less.
  std::uint64_t alignment = 64 * 1024;

  std::optional<std::uint64_t> configured_mib;  // memSize
  std::optional<std::uint64_t> platform;        // what processors the machine has
};

// Reads the memory and Checkpoint groups. Where completeness is not required, a memory group that
// is cut off serves as far as it is there: its block may then end beyond the end of the file.
// Throws Error(UnusableInput) when a region lacks one of its tags, when the memory block is
// compressed, or when a group is damaged.
[[nodiscard]] MemoryDescription read_memory_description(
    const TagFile& file, Completeness completeness = Completeness::Required);

}  // namespace photon_dmesg
