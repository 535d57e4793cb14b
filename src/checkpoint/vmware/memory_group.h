#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/guest/guest_state.h"
#include "checkpoint/guest/memory_layout.h"
#include "checkpoint/guest/vcpu.h"
#include "checkpoint/vmware/tag_file.h"
#include "checkpoint/vmware/vmware_format.h"

namespace photon_dmesg {

// What a checkpoint says of the guest's memory.
struct MemoryDescription {
  std::vector<MemoryRegion> regions;  // empty: the image is one, from where RAM begins

  struct Block {
    std::uint64_t offset = 0;  // bytes, in the checkpoint
    std::uint64_t size = 0;    // bytes
  };
  std::optional<Block> block;  // the memory itself, if the checkpoint is monolithic

  // Boundary that images are padded to, in bytes; a .vmem may be longer than its regions by less.
  std::uint64_t alignment = 64 * 1024;

  std::optional<std::uint64_t> configured_mib;  // memSize
  std::optional<std::uint64_t> platform;        // what processors the machine has

  [[nodiscard]] Machine machine() const {
    return platform == vmware::platform_arm64 ? Machine::Aarch64 : Machine::X86_64;
  }
  // Where RAM begins, if no regions say so.
  [[nodiscard]] GuestPhysical ram_begin() const {
    return {machine() == Machine::Aarch64 ? vmware::arm64_memory_begin : 0};
  }
  // The layout of an image of `image_size` bytes.
  [[nodiscard]] MemoryLayout layout(std::uint64_t image_size) const {
    if (!regions.empty()) return {regions, image_size};
    return MemoryLayout({{ram_begin(), 0, image_size}});
  }
};

// Reads the memory and Checkpoint groups. Where completeness is not required, a memory group that
// is cut off serves as far as it is there: its block may then end beyond the end of the file.
// Throws Error(UnusableInput) when a region lacks one of its tags, when the memory block is
// compressed, or when a group is damaged.
[[nodiscard]] MemoryDescription read_memory_description(
    const TagFile& file, Completeness completeness = Completeness::Required);

}  // namespace photon_dmesg
