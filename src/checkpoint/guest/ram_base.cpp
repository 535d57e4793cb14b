#include "checkpoint/guest/ram_base.h"

#include <array>

#include "checkpoint/guest/memory_image.h"
#include "checkpoint/guest/memory_layout.h"

namespace photon_dmesg {
namespace {

// Of x86; arm64 by VMware's firmware; arm64 on QEMU's machine "virt" and most boards.
constexpr std::array<GuestPhysical, 3> bases = {GuestPhysical{0}, GuestPhysical{0x80000000},
                                                GuestPhysical{0x40000000}};

}  // namespace

void add_other_bases(GuestState& state, const ByteSource& file, std::uint64_t offset,
                     std::uint64_t size) {
  const auto& ranges = state.memory->ranges();
  for (const GuestPhysical base : bases) {
    if (!ranges.empty() && ranges.front().begin == base) continue;
    MemoryLayout layout({MemoryRun{base, 0, size}});
    state.other_bases.push_back(std::make_unique<MemoryImage>(file, offset, std::move(layout)));
  }
}

}  // namespace photon_dmesg
