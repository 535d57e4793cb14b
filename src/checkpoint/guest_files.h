#pragma once

#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/diagnostics.h"
#include "base/file_tree.h"
#include "checkpoint/guest/guest_state.h"

namespace photon_dmesg {

// What a file of a stopped guest is, by its content.
enum class GuestFileKind {
  Unmarked,    // none of the others: memory has no mark of its own
  Checkpoint,  // .vmss, .vmsn
  DebugGuest,  // debug.guest
  ElfCore,
  Kdump,
  Lime,
};

// Throws Error(UnusableInput) that says what to do for a file of an encrypted VM.
[[nodiscard]] GuestFileKind identify_guest_file(const ByteSource& file);

// What messages and reports call such a file.
[[nodiscard]] std::string_view name_of(GuestFileKind kind);

// The files that a guest was given by.
struct GuestFiles {
  GuestFileKind kind = GuestFileKind::Unmarked;          // of `state`
  std::vector<std::shared_ptr<const ByteSource>> state;  // more than one: parts of a split dump
  std::shared_ptr<const ByteSource> memory;              // null if none was named
  std::shared_ptr<const FileTree> tree;  // that they lie in, among others; null: the system's
  bool is_alone = false;                 // no checkpoint is looked for beside the memory
  // Whether memory that is shorter than the checkpoint says is read as far as it is there.
  Completeness completeness = Completeness::Required;

  [[nodiscard]] bool empty() const { return state.empty() && !memory; }
  [[nodiscard]] const FileTree& surroundings() const { return tree ? *tree : disk_tree(); }
};

// Adds the checkpoint of that name that lies beside the memory of `files`, which have none, if
// there is one. Throws Error(UnusableInput) when it can't be read or is none, Error(Usage) when it
// is not clear which one is meant.
void find_checkpoint_beside(GuestFiles& files, Diagnostics& diagnostics);

// Reads them. Memory without a checkpoint is looked at alone, unless a checkpoint of that name lies
// beside it. Throws Error(UnusableInput) when a file is damaged or missing, Error(Mismatch) when
// they don't belong together, Error(Usage) when it is not clear which checkpoint is meant.
[[nodiscard]] GuestState open_guest(GuestFiles files, Diagnostics& diagnostics);

}  // namespace photon_dmesg
