#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "checkpoint/guest_memory.h"

namespace photon_dmesg {

// A run of guest-physical pages and where it stands in the memory image, in pages of 4096 bytes.
struct MemoryRegion {
  std::uint64_t first_ppn = 0;   // first guest-physical page
  std::uint64_t image_page = 0;  // first page in the image
  std::uint64_t pages = 0;
};

// Which byte of the memory image holds which guest-physical address. The image has no holes; the
// physical address space has (the PCI hole below 4 GiB).
class MemoryLayout {
 public:
  // A layout of `regions` in any order, or, without any, of one region that maps the whole image of
  // `image_size` bytes 1:1 from address 0, as a VM whose RAM ends below the PCI hole has it. Throws
  // Error(UnusableInput) when regions overlap or overflow.
  MemoryLayout(std::vector<MemoryRegion> regions, std::uint64_t image_size);

  struct Run {
    std::uint64_t image_offset = 0;  // bytes
    std::uint64_t length = 0;        // bytes from there to the end of the region
  };

  // Where `address` lies in the image, and how far the region goes on; nothing in a hole.
  [[nodiscard]] std::optional<Run> find(GuestPhysical address) const;

  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const { return ranges_; }

  // How long an image must be to hold every region, in bytes.
  [[nodiscard]] std::uint64_t image_size() const { return image_size_; }

 private:
  std::vector<PhysicalRange> ranges_;         // ascending
  std::vector<std::uint64_t> image_offsets_;  // of each range
  std::uint64_t image_size_ = 0;
};

}  // namespace photon_dmesg
