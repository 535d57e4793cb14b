#pragma once

#include <cstdint>
#include <optional>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// How far the log's readers had come, as sequence numbers of the record that comes next. Absent
// where the symbols don't tell, or what is found there can't be such a number.
// `next_seq`: of the record that comes behind the newest one.
[[nodiscard]] LogPositions read_log_positions(const GuestKernel& kernel, std::uint64_t next_seq,
                                              Diagnostics& diagnostics);

}  // namespace photon_dmesg
