// What is done with libkdumpfile's reading of makedumpfile's dumps: flattened files, notes, pages.
#include "checkpoint/dumps/flattened_file.h"
#include "checkpoint/dumps/kdump_file.h"
#include "checkpoint/dumps/kdump_magic.h"
#include "fuzz/input.h"
#include "fuzz/readable.h"

namespace photon_dmesg::fuzz {

void fuzz_kdump(Bytes bytes) {
  constexpr std::size_t most_ranges = 16;
  std::shared_ptr<const ByteSource> file = std::make_shared<BufferSource>("/nowhere/dump", bytes);
  if (!is_kdump_file(*file)) return;
  SilentDiagnostics diagnostics;
  if (is_flattened_kdump_file(*file)) file = put_in_order(*file, diagnostics);
  const GuestState state = open_kdump_files({file}, diagnostics);
  // Whether a page that the dump lists can be unpacked, only reading it tells.
  std::array<std::byte, 16> beginning{};
  std::size_t seen = 0;
  for (const PhysicalRange& range : state.memory->ranges()) {
    if (++seen > most_ranges) break;
    run_part([&] { (void)state.memory->read(range.begin, beginning); });
  }
}

}  // namespace photon_dmesg::fuzz
