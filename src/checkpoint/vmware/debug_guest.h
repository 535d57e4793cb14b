#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/file_tree.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// Whether `source` is VMware's debug.guest. It has no magic: the version is a known one, the memory
// and its holes add up, and the file is exactly as long as its vCPUs need.
[[nodiscard]] bool is_debug_guest(const ByteSource& source);

// A guest that VMware stopped as it crashed: its vCPUs from debug.guest, its memory from debug.vmem
// (`memory_file`, or null: the one beside it in `tree`). Throws Error(UnusableInput) when there is
// none or a file is damaged, Error(Mismatch) when the memory has another size; where completeness
// is not required, memory that is shorter is read as far as it goes, with a warning.
[[nodiscard]] GuestState open_debug_guest(std::shared_ptr<const ByteSource> file,
                                          std::shared_ptr<const ByteSource> memory_file,
                                          const FileTree& tree, Completeness completeness,
                                          Diagnostics& diagnostics);

}  // namespace photon_dmesg
