#include "kernel/kernel_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "kernel/log_positions.h"
#include "kernel/printk_log.h"
#include "kernel/printk_ringbuffer.h"
#include "kernel/unlogged_text.h"

namespace photon_dmesg {
namespace {

struct LogFormat {
  const char* variable;  // a kernel that has it keeps its log in this format
  KernelLog (*read)(const GuestKernel&, Diagnostics&);
};

constexpr std::array log_formats = {
    LogFormat{"prb", read_printk_ringbuffer},  // 5.10 and later, which have log_buf as well
    LogFormat{"log_buf", read_printk_log},     // 3.5 to 5.9
};

}  // namespace

bool has_log(const KernelSymbols& symbols) {
  return std::any_of(log_formats.begin(), log_formats.end(), [&](const LogFormat& format) {
    return symbols.find_symbol(format.variable).has_value();
  });
}

KernelLog read_kernel_log(const GuestKernel& kernel, Diagnostics& diagnostics) {
  for (const LogFormat& format : log_formats) {
    if (kernel.find_address(format.variable)) {
      KernelLog log = format.read(kernel, diagnostics);
      read_unlogged_text(kernel, log, diagnostics);
      log.positions = read_log_positions(kernel, log, diagnostics);
      return log;
    }
  }
  throw unusable(fmt::format(
      "{}: expected the kernel symbol \"prb\" (5.10 and later) or \"log_buf\" (3.5 to 5.9), "
      "found neither",
      kernel.symbols().name()));
}

}  // namespace photon_dmesg
