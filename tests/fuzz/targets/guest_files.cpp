// Files of a stopped guest that are no checkpoint: ELF cores, LiME, debug.guest, bare memory.
#include "checkpoint/guest_files.h"

#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "support/memory_pages.h"

namespace photon_dmesg::fuzz {

void fuzz_guest_files(Bytes bytes) {
  Input input(bytes);
  const std::size_t pages = input.byte() % 32;  // of a memory file beside it; 0: there is none
  const std::string memory = test::numbered_pages(pages);
  GuestFiles files;
  files.completeness = (input.byte() & 1) != 0 ? Completeness::NotRequired : Completeness::Required;
  files.is_alone = true;
  auto file = std::make_shared<BufferSource>("/nowhere/vm", input.rest());
  files.kind = identify_guest_file(*file);
  // These have targets of their own.
  if (files.kind == GuestFileKind::Kdump || files.kind == GuestFileKind::Checkpoint) return;
  if (files.kind == GuestFileKind::Unmarked) {
    files.memory = std::move(file);
  } else {
    files.state.push_back(std::move(file));
    if (pages > 0) {
      files.memory = std::make_shared<BufferSource>("/nowhere/vm.vmem", test::as_bytes(memory));
    }
  }
  SilentDiagnostics diagnostics;
  check_memory(open_guest(std::move(files), diagnostics));
}

}  // namespace photon_dmesg::fuzz
