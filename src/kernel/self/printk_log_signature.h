#pragma once

#include <optional>

#include "base/diagnostics.h"
#include "kernel/memory/kernel_image.h"
#include "kernel/memory/kernel_memory.h"
#include "kernel/self/kallsyms.h"

namespace photon_dmesg {

// Run-time addresses of the variables of a log of kernels 3.5 to 5.9.
struct PrintkLogVariables {
  GuestVirtual log_buf;
  GuestVirtual log_buf_len;

  // Those that say where in the buffer the log begins and ends.
  struct Range {
    GuestVirtual log_first_seq;
    GuestVirtual log_first_idx;
    GuestVirtual log_next_seq;
    GuestVirtual log_next_idx;
  };
  std::optional<Range> range;  // if they could be told apart
};

// The variables by the machine code that uses them, for kernels whose kallsyms hold functions only
// (linux-esx): log_buf_addr_get() and log_buf_len_get() return two of them, and the kmsg_dump
// functions read the others. Which are which shows in what they say of the buffer. Nothing if the
// functions are missing (before 3.17, or not in `kallsyms`) or the code is none of the known forms.
[[nodiscard]] std::optional<PrintkLogVariables> find_printk_log_by_code(const KernelMemory& memory,
                                                                        const Kallsyms& kallsyms,
                                                                        Diagnostics& diagnostics);

// The variables by their form in the kernel image, for when no function is known either: a pointer
// to memory that is a chain of records, and a buffer length close to it. Where very much looks like
// that, the rest is left out with a warning.
[[nodiscard]] std::optional<PrintkLogVariables> find_printk_log_by_form(const KernelImage& image,
                                                                        Diagnostics& diagnostics);

// Where in the image the first record of all still stands: the beginning of the static buffer
// __log_buf, if the kernel has left it behind for a larger one.
[[nodiscard]] std::optional<GuestVirtual> find_static_log_buf(const KernelImage& image);

}  // namespace photon_dmesg
