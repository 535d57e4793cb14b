#pragma once

#include <memory>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/file_tree.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// A suspended guest: its vCPUs and its memory, from a .vmss or .vmsn and, unless the checkpoint is
// monolithic, the memory file that belongs to it. `memory_file` is the file the user named, or
// null: then the one beside the checkpoint, in `tree`, is looked for if it is needed. Throws
// Error(UnusableInput) when the checkpoint is damaged or no memory can be found, Error(Mismatch)
// when the memory file has another size than the checkpoint describes; where completeness is not
// required, one that is shorter is read as far as it goes, and so are the registers, with a
// warning.
[[nodiscard]] GuestState open_checkpoint(std::shared_ptr<const ByteSource> file,
                                         std::shared_ptr<const ByteSource> memory_file,
                                         const FileTree& tree, Completeness completeness,
                                         Diagnostics& diagnostics);

}  // namespace photon_dmesg
