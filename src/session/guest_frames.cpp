#include "session/guest_frames.h"

#include <fmt/format.h>

#include "base/optional_fact.h"
#include "kernel/symbols/vmlinux/debug_frame.h"
#include "session/vmlinux_file.h"

namespace photon_dmesg {

std::unique_ptr<CallFrames> open_call_frames(const Guest& guest, Diagnostics& diagnostics) {
  const auto path = vmlinux_file(guest.symbols());
  if (!path) return nullptr;
  auto frames = optional_fact("what vmlinux tells of the kernel's frames", diagnostics,
                              [&] { return DebugFrame::open(*path); });
  if (frames) {
    diagnostics.found({.what = "call frames",
                       .value = fmt::format("of {} functions", frames->count()),
                       .where = path->string(),
                       .how = ".debug_frame"});
  }
  return frames;
}

}  // namespace photon_dmesg
