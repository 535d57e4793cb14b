#pragma once

#include <cstdint>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/printk_log_buffer.h"

namespace photon_dmesg {

// Where a log of 3.5 to 5.9 begins and ends in its buffer, by index and by sequence number.
struct LogRange {
  std::uint64_t first_seq = 0;
  std::uint64_t next_seq = 0;
  std::uint64_t first_index = 0;
  std::uint64_t next_index = 0;
  bool last_is_unindexed = false;  // the kernel had stored it and not yet counted it
  bool ends_in_damage = false;     // of a buffer without numbers: there were records behind it
};

// The range by the kernel's variables and by the records themselves, which must agree: as many
// records have to lead from one index to the other as the numbers say. Where they don't, what the
// others and the records contradict is put right, and said. Where the kernel's variables are not
// known, the records alone show the range. Throws Error(UnusableInput) if the variables make no
// sense, nor do the records.
[[nodiscard]] LogRange find_log_range(const GuestKernel& kernel, const PrintkLogBuffer& buffer,
                                      Diagnostics& diagnostics);

}  // namespace photon_dmesg
