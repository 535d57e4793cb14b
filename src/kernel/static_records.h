#pragma once

#include <vector>

#include "kernel/log_record.h"

namespace photon_dmesg {

// A kernel that takes a larger log early in boot copies its records there; the buffer it used until
// then stays behind with them. Puts those of `from_static_buffer` that `log` has lost before its
// records, marked. Records that both have must be the same; if not, the buffer is not what it seems
// and nothing is taken. Returns how many were.
std::size_t recover_records(std::vector<LogRecord> from_static_buffer, KernelLog& log);

}  // namespace photon_dmesg
