#include "checkpoint/vmware/block_tails.h"

#include <algorithm>

#include "checkpoint/vmware/fastlz.h"

namespace photon_dmesg {

void BlockTails::keep(std::uint64_t index, std::span<const std::byte> block) {
  if (find(index) != nullptr) return;
  const auto end = block.last(std::min(block.size(), fastlz_reach));
  recent_[next_recent_] = {index, {end.begin(), end.end()}};
  next_recent_ = (next_recent_ + 1) % recent;
  if (index % distance_ != 0) return;
  spread_[index] = {end.begin(), end.end()};
  while (spread_.size() > most) {
    distance_ *= 2;
    std::erase_if(spread_, [&](const auto& tail) { return tail.first % distance_ != 0; });
  }
}

const std::vector<std::byte>* BlockTails::find(std::uint64_t index) const {
  const auto spread = spread_.find(index);
  if (spread != spread_.end()) return &spread->second;
  const auto* last = std::find_if(recent_.begin(), recent_.end(), [&](const Tail& tail) {
    return tail.index == index && !tail.bytes.empty();
  });
  return last == recent_.end() ? nullptr : &last->bytes;
}

std::size_t BlockTails::count() const {
  const auto is_used = [](const Tail& tail) { return !tail.bytes.empty(); };
  return spread_.size() +
         static_cast<std::size_t>(std::count_if(recent_.begin(), recent_.end(), is_used));
}

}  // namespace photon_dmesg
