#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// Where the struct super_block of every file system stands that is mounted, by users or by the
// kernel itself, in the order in which they were.
struct SuperBlocks {
  std::vector<GuestVirtual> all;
  std::optional<std::string> broken;  // why some may be missing
};

// There are none without the symbol super_blocks or its types.
[[nodiscard]] SuperBlocks find_super_blocks(const GuestKernel& kernel, const KernelTypes& types);

// What a file system is called: "dm-0 (ext4)", or by its type alone if its device is called by no
// other name.
[[nodiscard]] std::string name_of_file_system(const std::string& device, const std::string& type);

// The device of a super_block, and the type, as FileSystem has them.
[[nodiscard]] std::string read_device(const KernelMemory& memory, const KernelTypes& types,
                                      GuestVirtual super_block);
[[nodiscard]] std::string read_type(const KernelMemory& memory, const KernelTypes& types,
                                    GuestVirtual super_block);

}  // namespace photon_dmesg
