#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/storage/requests.h"
#include "kernel/storage/scsi.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/cpus.h"

namespace photon_dmesg {

// A disk and what it was asked for. What is not known is absent.
struct Disk {
  GuestVirtual address;  // of its gendisk
  std::string name;      // "sda", "dm-0"
  std::optional<GuestVirtual> queue;

  // Those that it has, and those that wait to be given to it, the oldest first. A disk that only
  // passes on what it is asked for, as dm and md do, has none.
  std::vector<Request> requests;
  // Reads and writes that have begun and not ended, as the kernel counts them; of such a disk too.
  // Not of one that is suspended: what waits for that has not begun. Absent too where the kernel
  // does not count them, as 5.10 of disks that have requests.
  std::optional<std::int64_t> reads_begun;
  std::optional<std::int64_t> writes_begun;

  // How many times it was stopped by its driver, as in a reset, and by who changes its queue.
  std::optional<std::int32_t> quiesced;
  std::optional<std::int32_t> queue_frozen;
  std::optional<bool> is_suspended;  // of dm, if its types are known
  std::optional<ScsiHost> scsi_host;
};

// How many of a disk's requests are in `state`.
[[nodiscard]] std::size_t count(const Disk& disk, RequestState state);

// Nanoseconds for which the disk has not answered `request`, or nobody has given it to the disk, at
// `now_nsec` since boot, by the clock that its own times are by. Nothing if either is not known.
[[nodiscard]] std::optional<std::uint64_t> age_of(const Request& request,
                                                  std::optional<std::uint64_t> now_nsec);

// All disks that the kernel has open; since 5.11 the others too. Nothing if they can't be listed:
// without the symbols and types that tell, or as the list is damaged. That is a warning, and so is
// it that some may be missing or that not all requests could be looked at.
[[nodiscard]] std::optional<std::vector<Disk>> read_disks(const GuestKernel& kernel,
                                                          const KernelTypes& types,
                                                          const Cpus& cpus,
                                                          Diagnostics& diagnostics);

}  // namespace photon_dmesg
