#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace photon_dmesg {

// One line of a trace that the kernel printed.
struct TraceFrame {
  std::string symbol;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // of the function; 0 if the log does not say it
  std::string module;
  bool reliable = true;  // false: marked `?`, an address that was found on the stack
  std::string stack;     // "IRQ", "NMI"...; empty for the task's own
};

// Takes a line of a trace apart: "foo+0x12/0x30 [mod]", with or without an address in front (until
// 4.9), `?`, and what stands behind. Nothing if it is none. ARM's "from [<addr>] (foo+0x12/0x30)"
// and PowerPC's "[addr] [addr] foo+0x12/0x30" are taken too.
[[nodiscard]] std::optional<TraceFrame> parse_trace_frame(std::string_view line);

// "foo+0x12/0x30 [mod]".
[[nodiscard]] std::string describe(const TraceFrame& frame);

// Takes "<IRQ>", "</TASK>" off the beginning of a trace's line and says on which stack the lines
// behind it are: "IRQ", or empty for the task's own. Nothing if there is no such mark.
[[nodiscard]] std::optional<std::string> take_stack_mark(std::string_view& line);

}  // namespace photon_dmesg
