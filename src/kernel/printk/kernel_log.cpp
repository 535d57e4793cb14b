#include "kernel/printk/kernel_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "kernel/printk/log_positions.h"
#include "kernel/printk/printk_log.h"
#include "kernel/printk/printk_ringbuffer.h"
#include "kernel/printk/record_checks.h"
#include "kernel/printk/unlogged_text.h"

namespace photon_dmesg {
namespace {

struct LogFormat {
  // Where the variable is that a kernel of this format has.
  std::optional<GuestVirtual> (*find)(const KernelSymbols&);
  std::unique_ptr<StoredLog> (*open)(const GuestKernel&, Diagnostics&);
};

std::optional<GuestVirtual> find_prb(const KernelSymbols& symbols) {
  return symbols.find_symbol("prb");
}

constexpr std::array log_formats = {
    LogFormat{find_prb, open_printk_ringbuffer},  // 5.10 and later, which have log_buf as well
    LogFormat{find_log_buf, open_printk_log},     // 3.5 to 5.9
};

std::unique_ptr<StoredLog> open_log(const GuestKernel& kernel, Diagnostics& diagnostics) {
  for (const LogFormat& format : log_formats) {
    if (format.find(kernel.symbols())) return format.open(kernel, diagnostics);
  }
  throw unusable(fmt::format(
      "{}: expected the kernel symbol \"prb\" (5.10 and later) or \"log_buf\" (3.5 to 5.9), "
      "found neither",
      kernel.symbols().name()));
}

}  // namespace

bool has_log(const KernelSymbols& symbols) {
  return std::any_of(log_formats.begin(), log_formats.end(),
                     [&](const LogFormat& format) { return format.find(symbols).has_value(); });
}

void require_log(const KernelSymbols& symbols) {
  if (has_log(symbols)) return;
  throw unusable(fmt::format(
      R"({}: holds neither "prb" nor "log_buf", so no log can be found by it)", symbols.name()));
}

KernelLogReader::KernelLogReader(const GuestKernel& kernel, Diagnostics& diagnostics)
    : kernel_(kernel),
      diagnostics_(diagnostics),
      log_(open_log(kernel, diagnostics)),
      positions_(read_log_positions(kernel, log_->next_seq(), diagnostics)) {}

void KernelLogReader::read_records(const RecordSink& sink) const {
  KernelLog losses;
  log_->read(sink, losses);
}

KernelLog KernelLogReader::read(const RecordSink& sink) const {
  KernelLog result;
  std::optional<std::string> last_text;
  RecordChecks checks;
  log_->read(
      [&](LogRecord record) {
        last_text = record.text;
        checks.add(record);
        return sink(std::move(record));
      },
      result);
  checks.report(result.doubts);
  read_unlogged_text(kernel_, last_text, result, diagnostics_);
  return result;
}

}  // namespace photon_dmesg
