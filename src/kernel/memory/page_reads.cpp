#include "kernel/memory/page_reads.h"

#include <algorithm>

namespace photon_dmesg {

void read_by_pages(const KernelMemory& memory, GuestVirtual begin, std::span<std::byte> target) {
  constexpr std::size_t page = 4096;
  while (!target.empty()) {
    const std::size_t rest_of_page = page - begin.value % page;
    const std::span<std::byte> part = target.first(std::min(rest_of_page, target.size()));
    if (!memory.read(begin, part)) std::fill(part.begin(), part.end(), std::byte{0});
    begin = begin + part.size();
    target = target.subspan(part.size());
  }
}

}  // namespace photon_dmesg
