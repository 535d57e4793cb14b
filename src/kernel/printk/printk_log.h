#pragma once

#include <memory>
#include <optional>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// The address that the variable log_buf was linked at. Before 4.15 the BPF verifier had a static
// one of that name as well: printk's is the one beside log_buf_len.
[[nodiscard]] std::optional<GuestVirtual> find_log_buf(const KernelSymbols& symbols);

// Finds the log of Linux 3.5 to 5.9 (kernel/printk/printk.c): records of `struct printk_log` (until
// 3.10: `struct log`) one behind the other in a buffer that wraps between records. Damaged
// stretches are passed over up to the next sound run of records and reported as losses. Throws
// Error(UnusableInput) when the buffer or its indices can't be read or are not sane.
// `kernel` must outlive the result.
[[nodiscard]] std::unique_ptr<StoredLog> open_printk_log(const GuestKernel& kernel,
                                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
