// The log in both formats, what is beside it, and the clock that its times count by, in arbitrary
// memory.
#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "fuzz/small_guest.h"
#include "kernel/facts/guest_clock.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/kernel_log.h"
#include "report/clock_history.h"

namespace photon_dmesg::fuzz {
namespace {

SmallSymbols::Known take_known(Input& input) {
  const unsigned bits = input.byte();
  const auto bit = [&](unsigned number) { return (bits >> number & 1) != 0; };
  return {bit(0), bit(1), bit(2), bit(3), bit(4), bit(5), bit(6), input.byte()};
}

// The times of day of what has been read.
void tell_times(const GuestKernel& kernel, const ClockSigns& signs, std::uint64_t newest,
                Diagnostics& diagnostics) {
  const std::optional<GuestClock> clock = read_guest_clock(kernel, diagnostics);
  if (!clock) return;
  const ClockHistory history(*clock, signs);
  (void)history.warnings();
  (void)history.time_of_day(newest);
  (void)history.before_stop(newest);
  (void)history.uptime();
}

}  // namespace

void fuzz_log(Bytes bytes) {
  Input input(bytes);
  const SmallSymbols::Known known = take_known(input);
  const SmallSymbols symbols(known);
  const SmallGuest guest(input.rest());
  SilentDiagnostics diagnostics;
  const GuestKernel kernel = GuestKernel::attach(guest.running(), symbols, diagnostics);
  const KernelLogReader reader(kernel, diagnostics);
  std::optional<std::uint64_t> last;
  std::uint64_t newest = 0;
  ClockSigns signs;
  const KernelLog log = reader.read([&](const LogRecord& record) {
    require(!last || is_behind(*last, record.seq), "records come in the order of their numbers");
    require(record.level < 8, "there are eight levels");
    last = record.seq;
    newest = record.ts_nsec;
    signs.add(record);
    return true;
  });
  for (const UnloggedText& text : log.unlogged) {
    require(!text.text.empty() || text.source == UnloggedText::Source::Reserved,
            "there is no unlogged text without text");
  }
  if (known.timekeeper) tell_times(kernel, signs, newest, diagnostics);
}

}  // namespace photon_dmesg::fuzz
