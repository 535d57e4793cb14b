#include "checkpoint/guest/completeness.h"

#include <fmt/format.h>

#include "base/error.h"

namespace photon_dmesg {

void cut_to(std::uint64_t there, const std::string& what, GuestState& state, MemoryLayout& layout,
            Diagnostics& diagnostics) {
  if (there >= layout.image_size()) return;
  diagnostics.warn_of_lack(what + ": what lies in the rest is missing (copy it again)");
  state.missing = layout.cut(there);
}

void cut_to_file(GuestState& state, MemoryLayout& layout, const ByteSource& file,
                 Completeness completeness, Diagnostics& diagnostics) {
  const std::uint64_t expected = layout.image_size();
  if (file.size() >= expected) return;
  if (completeness == Completeness::Required) {
    throw unusable(
        fmt::format("truncated: expected memory up to offset {:#x}, but it ends at {:#x}", expected,
                    file.size()));
  }
  cut_to(file.size(),
         fmt::format("{}: incomplete: it describes memory up to offset {:#x}, but it ends at {:#x}",
                     file.name(), expected, file.size()),
         state, layout, diagnostics);
}

}  // namespace photon_dmesg
