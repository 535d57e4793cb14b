#pragma once

#include "kernel/find/guest_kernel.h"
#include "kernel/storage/file_systems.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// Adds to an ext4 file system what ext4 itself knows of it, in the ext4_sb_info at `info`.
void read_ext4(const GuestKernel& kernel, const KernelTypes& types, GuestVirtual info,
               FileSystem& file_system);

}  // namespace photon_dmesg
