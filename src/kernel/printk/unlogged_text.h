#pragma once

#include <optional>
#include <string>

#include "base/diagnostics.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/log_record.h"

namespace photon_dmesg {

// Adds to `log` what printk was given and had not yet put there, from its buffers outside of it:
// the line that waits for its end (`cont`), the message being formatted (`textbuf`), and each CPU's
// buffers for printk within printk and in NMIs. Which of them a kernel has, its symbols tell; what
// can't be read is noted, and among the losses is what a buffer should hold beside its text.
// `last_text` is the newest record's, if there is one.
void read_unlogged_text(const GuestKernel& kernel, const std::optional<std::string>& last_text,
                        KernelLog& log, Diagnostics& diagnostics);

}  // namespace photon_dmesg
