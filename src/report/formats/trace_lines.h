#pragma once

#include <functional>
#include <string>
#include <vector>

#include "kernel/symbols/source_line.h"
#include "kernel/unwind/trace.h"

namespace photon_dmesg {

using LinesOfFrame = std::function<std::vector<SourceLine>(const Frame&)>;

// A trace as the kernel prints it, each line printable: "<TASK>", " schedule+0x5e/0xd0", "</TASK>",
// and how it ends. With `lines_of`, the source of each frame below it.
[[nodiscard]] std::vector<std::string> trace_lines(const Trace& trace,
                                                   const LinesOfFrame& lines_of = {});

}  // namespace photon_dmesg
