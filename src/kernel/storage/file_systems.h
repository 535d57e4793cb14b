#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/storage/journal.h"
#include "kernel/symbols/kernel_types.h"

namespace photon_dmesg {

// An error that ext4 has noted.
struct FileSystemError {
  std::string function;               // of ext4, that found it
  std::optional<std::uint64_t> line;  // in its source
  std::optional<std::uint64_t> time;  // seconds since 1970, by the guest's clock
};

// A file system that is mounted, by users or, as "bdev", by the kernel itself. What is not known is
// absent.
struct FileSystem {
  GuestVirtual address;  // of its super_block
  std::string device;    // s_id: "dm-0"; of one that has none mostly its type again
  std::string type;      // "ext4"
  std::optional<GuestVirtual> block_device;
  std::optional<bool> is_read_only;

  // How far it is frozen: 0 not at all, to 4 (SB_FREEZE_COMPLETE).
  std::optional<std::uint32_t> frozen;
  // The percpu_rw_semaphores that writers wait in while it is: for writes, page faults, and of the
  // file system's own.
  std::vector<GuestVirtual> freeze_locks;
  std::uint64_t freeze_lock_size = 0;  // bytes of each

  // Of ext4: it is marked as one with errors, how many it has noted, the first and the last.
  std::optional<bool> has_errors;
  std::optional<std::uint64_t> error_count;
  std::optional<FileSystemError> first_error;
  std::optional<FileSystemError> last_error;
  // Of ext4 and XFS: it was told to stop, or has stopped itself; of ext4 since 6.14 also that it
  // takes no more writes after an error.
  std::optional<bool> is_shut_down;
  std::optional<Journal> journal;  // of ext4, if it has one
};

// "dm-0 (ext4)".
[[nodiscard]] std::string name_of(const FileSystem& file_system);

// Whether an error has made it take no more writes: it has stopped, or it is read-only and errors
// are noted, which may be older than this mount where a user wanted it read-only.
[[nodiscard]] bool is_stopped_by_error(const FileSystem& file_system);

// All of them, in the order in which they were mounted. A list that is damaged is a warning.
[[nodiscard]] std::vector<FileSystem> read_file_systems(const GuestKernel& kernel,
                                                        const KernelTypes& types,
                                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
