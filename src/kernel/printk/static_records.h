#pragma once

#include <memory>
#include <vector>

#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// A kernel that takes a larger log early in boot copies its records there; the buffer it used until
// then stays behind with them. Those of `static_buffer` that `log` has lost, marked. Records that
// both have must be the same; if not, the buffer is not what it seems and there are none.
[[nodiscard]] std::vector<LogRecord> lost_records(std::vector<LogRecord> static_buffer,
                                                  const StoredLog& log);

// `log` with `records`, which it has lost, before its own.
[[nodiscard]] std::unique_ptr<StoredLog> put_before(std::vector<LogRecord> records,
                                                    std::unique_ptr<StoredLog> log);

}  // namespace photon_dmesg
