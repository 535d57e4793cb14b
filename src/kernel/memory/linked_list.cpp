#include "kernel/memory/linked_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <unordered_set>

#include "base/little_endian.h"

namespace photon_dmesg {
namespace {

// The two pointers of a node, next and prev.
using Links = std::array<GuestVirtual, 2>;
enum Direction : std::size_t { Forward = 0, Backward = 1 };

std::optional<Links> read_links(const KernelMemory& memory, GuestVirtual node) {
  constexpr std::size_t word = sizeof(std::uint64_t);
  std::array<std::byte, 2 * word> bytes{};
  if (node.value % word != 0 || !memory.read(node, bytes)) return std::nullopt;
  const std::span<const std::byte> links(bytes);
  return Links{GuestVirtual{load_unsigned(links.first(word))},
               GuestVirtual{load_unsigned(links.subspan(word))}};
}

class Walk {
 public:
  Walk(const KernelMemory& memory, GuestVirtual head, std::size_t most)
      : memory_(memory), head_(head), most_(most) {}

  // The nodes in one direction, until the head or what is no sound node; false then.
  bool follow(Direction direction, std::vector<GuestVirtual>& nodes, std::string& why) {
    GuestVirtual before = head_;
    std::optional<Links> links = read_links(memory_, head_);
    while (true) {
      if (!links) {
        why = fmt::format("{} can't be read", before);
        return false;
      }
      const GuestVirtual node = (*links)[direction];
      const std::optional<Links> found = read_links(memory_, node);
      if (!found || (*found)[1 - direction] != before) {
        why = fmt::format("{} leads to {}, which does not lead back", before, node);
        return false;
      }
      if (node == head_) return true;
      if (!seen_.insert(node.value).second || seen_.size() > most_) {
        why = fmt::format("at {} it comes back or has no end", node);
        return false;
      }
      nodes.push_back(node);
      before = node;
      links = found;
    }
  }

 private:
  const KernelMemory& memory_;
  GuestVirtual head_;
  std::size_t most_;
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace

ListNodes walk_list(const KernelMemory& memory, GuestVirtual head, std::size_t most) {
  Walk walk(memory, head, most);
  ListNodes list;
  std::string why;
  if (walk.follow(Forward, list.nodes, why)) return list;
  std::vector<GuestVirtual> from_end;
  std::string ignored;
  (void)walk.follow(Backward, from_end, ignored);
  list.nodes.insert(list.nodes.end(), from_end.rbegin(), from_end.rend());
  list.broken = why;
  return list;
}

void DamagedLists::add(const std::string& whose, const std::string& why) {
  if (count_++ == 0) first_ = fmt::format("of {}: {}", whose, why);
}

void DamagedLists::warn(Diagnostics& diagnostics) const {
  if (count_ == 0) return;
  diagnostics.warn_of_lack(
      fmt::format("a list of {} is damaged, {}: some may be missing", what_, first_));
  if (count_ == 1) return;
  diagnostics.warn_of_lack(fmt::format("{} more lists of {} are damaged", count_ - 1, what_));
}

}  // namespace photon_dmesg
