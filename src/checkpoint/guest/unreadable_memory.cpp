#include "checkpoint/guest/unreadable_memory.h"

#include <fmt/format.h>

#include <algorithm>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::size_t most_noted = 1 << 16;  // so that a file that is gone takes no memory

}  // namespace

std::optional<std::string> UnreadableMemory::describe() const {
  const std::lock_guard lock(mutex_);
  if (pages_.empty()) return std::nullopt;
  const auto& [page, reason] = *pages_.begin();
  const std::string others = pages_.size() == 1
                                 ? ""
                                 : fmt::format(" and {}{} more", pages_.size() - 1,
                                               pages_.size() == most_noted ? " or" : "");
  return fmt::format("the page at physical {}{}: {}", GuestPhysical{page * page_bytes}, others,
                     reason);
}

bool UnreadableMemory::is_noted(GuestPhysical address, std::uint64_t size) const {
  const std::lock_guard lock(mutex_);
  const auto first = pages_.lower_bound(address.value / page_bytes);
  return first != pages_.end() && first->first * page_bytes < address.value + size;
}

// A read of many pages fails for one of them: they are tried one by one.
void UnreadableMemory::note(GuestPhysical address, std::span<std::byte> target,
                            const ReadPart& read) const {
  while (!target.empty()) {
    const std::uint64_t page = address.value / page_bytes;
    const auto count = static_cast<std::size_t>(
        std::min<std::uint64_t>(target.size(), page_bytes - address.value % page_bytes));
    std::optional<std::string> reason;
    try {
      (void)read(address, target.first(count));
    } catch (const Error& again) {
      reason = again.what();
    }
    if (reason) {
      const std::lock_guard lock(mutex_);
      if (pages_.size() < most_noted) pages_.emplace(page, *reason);
      any_ = true;
    }
    address = address + count;
    target = target.subspan(count);
  }
}

}  // namespace photon_dmesg
