#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// A disk, or a part of one, that the kernel has open; since 5.11 also those that nobody has.
struct BlockDevice {
  GuestVirtual address;              // of its block_device
  GuestVirtual inode;                // by which its pages are kept
  std::optional<GuestVirtual> disk;  // its gendisk
  std::string name;                  // "nvme0n1", "sda3"; empty if it is not known
};

struct BlockDevices {
  std::vector<BlockDevice> all;
  std::optional<std::string> broken;  // why some may be missing
};

// All of them, which are the inodes of the file system "bdev". Nothing without the symbols and
// types that tell.
[[nodiscard]] std::optional<BlockDevices> find_block_devices(const GuestKernel& kernel,
                                                             const KernelTypes& types);

}  // namespace photon_dmesg
