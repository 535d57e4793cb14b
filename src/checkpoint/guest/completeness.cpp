#include "checkpoint/guest/completeness.h"

#include <fmt/format.h>

#include "base/error.h"

namespace photon_dmesg {

void cut_to_file(GuestState& state, MemoryLayout& layout, const ByteSource& file,
                 Completeness completeness, Diagnostics& diagnostics) {
  const std::uint64_t expected = layout.image_size();
  if (file.size() >= expected) return;
  if (completeness == Completeness::Required) {
    throw unusable(
        fmt::format("truncated: expected memory up to offset {:#x}, but it ends at {:#x}", expected,
                    file.size()));
  }
  diagnostics.warn_of_lack(
      fmt::format("{}: incomplete: it describes memory up to offset {:#x}, but it ends at {:#x}: "
                  "what lies in the rest is missing (copy it again)",
                  file.name(), expected, file.size()));
  state.missing = layout.cut(file.size());
}

}  // namespace photon_dmesg
