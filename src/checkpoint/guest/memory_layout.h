#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"
#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg {

// A run of guest-physical pages and where it stands in the memory image, in pages.
struct MemoryRegion {
  static constexpr std::uint64_t page_bytes = 4096;

  std::uint64_t first_ppn = 0;   // first guest-physical page
  std::uint64_t image_page = 0;  // first page in the image
  std::uint64_t pages = 0;
};

// A run of guest-physical memory and where its bytes stand in the image.
struct MemoryRun {
  GuestPhysical begin;
  std::uint64_t image_offset = 0;
  std::uint64_t size = 0;  // bytes
};

// Which byte of the memory image holds which guest-physical address. The physical address space has
// holes (the PCI hole below 4 GiB), and what is in none of the runs is nowhere in the image.
class MemoryLayout {
 public:
  // A layout of `regions` in any order, or, without any, of one region that maps the whole image of
  // `image_size` bytes 1:1 from address 0, as a VM whose RAM ends below the PCI hole has it. Throws
  // Error(UnusableInput) when regions overlap or overflow.
  MemoryLayout(std::vector<MemoryRegion> regions, std::uint64_t image_size);

  // A layout of `runs` in any order, as dump files list them. Runs may hold the same memory twice
  // (the kernel's text in a kdump is listed on its own): the first one listed counts. Throws
  // Error(UnusableInput) when a run overflows, or bytes of the image are listed as memory in
  // several places.
  explicit MemoryLayout(const std::vector<MemoryRun>& runs);

  struct Place {
    std::uint64_t image_offset = 0;  // bytes
    std::uint64_t length = 0;        // bytes from there to the end of the run
  };

  // Where `address` lies in the image, and how far the run goes on; nothing in a hole.
  [[nodiscard]] std::optional<Place> find(GuestPhysical address) const;

  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const { return ranges_; }

  // Leaves out what lies beyond the first `image_size` bytes of the image, and returns it.
  std::vector<PhysicalRange> cut(std::uint64_t image_size);

  // How long an image must be to hold every run, in bytes.
  [[nodiscard]] std::uint64_t image_size() const { return image_size_; }

 private:
  void add(const MemoryRun& run);

  std::vector<PhysicalRange> ranges_;         // ascending
  std::vector<std::uint64_t> image_offsets_;  // of each range
  std::uint64_t image_size_ = 0;
};

}  // namespace photon_dmesg
