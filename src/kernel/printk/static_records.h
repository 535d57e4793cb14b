#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/diagnostics.h"
#include "kernel/printk/stored_log.h"

namespace photon_dmesg {

// A kernel that takes a larger log early in boot copies its records there; the buffer it used until
// then stays behind with them.
struct EarlyBuffer {
  std::string name;  // "static ring at 0x..."
  // The log in it; throws an Error that says why if there is none.
  std::function<std::unique_ptr<StoredLog>()> open;
};

// `log` with those records before its own that it has lost and `buffer` still has, marked. What is
// wrong with these is reported as of all others. Records that both have must be the same; if not,
// the buffer is not what it seems, and nothing is taken from it. It is opened only if `log` does
// not begin with the kernel's first record; that it gives nothing then is a lack.
[[nodiscard]] std::unique_ptr<StoredLog> with_beginning(std::unique_ptr<StoredLog> log,
                                                        const EarlyBuffer& buffer,
                                                        Diagnostics& diagnostics);

}  // namespace photon_dmesg
