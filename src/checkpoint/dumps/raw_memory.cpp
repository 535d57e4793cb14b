#include "checkpoint/dumps/raw_memory.h"

#include <fmt/format.h>

#include "checkpoint/guest/memory_image.h"
#include "checkpoint/guest/ram_base.h"
#include "checkpoint/vmware/packed_memory.h"
#include "checkpoint/vmware/vmware_format.h"

namespace photon_dmesg {

GuestState open_raw_memory(std::shared_ptr<const ByteSource> file, Diagnostics& diagnostics) {
  file = unpack_memory(std::move(file), diagnostics);
  GuestState state;
  state.path = file->name();
  state.memory_path = file->name();
  const std::uint64_t size = file->size();
  const auto read_as = [&](const std::vector<MemoryRun>& runs) {
    return std::make_unique<MemoryImage>(*file, 0, MemoryLayout(runs));
  };
  const std::vector<MemoryRun> flat = {{{0}, 0, size}};
  constexpr std::uint64_t low = vmware::low_memory_end;
  if (size <= low) {
    state.memory = read_as(flat);
  } else {
    state.memory = read_as({{{0}, 0, low}, {{vmware::high_memory_begin}, low, size - low}});
    state.other_readings.push_back(read_as(flat));
  }
  add_other_bases(state, *file, 0, size);
  diagnostics.found({.what = "memory",
                     .value = fmt::format("{} bytes", size),
                     .where = state.path,
                     .how = "it has no mark of any format"});
  state.files.push_back(std::move(file));
  return state;
}

}  // namespace photon_dmesg
