#include "kernel/memory/radix_tree.h"

#include <unordered_set>
#include <utility>

#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// Where a node has its entries, and what marks an entry as a node.
struct NodeForm {
  Field slots;
  std::uint64_t mark = 0;
};

class RadixTree {
 public:
  RadixTree(const KernelMemory& memory, const NodeForm& form, std::uint64_t most)
      : memory_(memory), form_(form), most_(most) {}

  void add(std::uint64_t entry, int depth = 0) {
    constexpr std::uint64_t mark_bits = 3;
    constexpr int deepest = 12;
    if (entry == 0 || depth > deepest || !is_new(entry)) return;
    if ((entry & mark_bits) != form_.mark) {
      if ((entry & mark_bits) == 0) items_.push_back({entry});
      return;
    }
    const GuestVirtual slots{entry - form_.mark + form_.slots.offset};
    for (std::uint64_t i = 0; i < form_.slots.size / word; ++i) {
      if (const auto child = read_pointer(memory_, slots + i * word)) add(child->value, depth + 1);
    }
  }

  [[nodiscard]] std::vector<GuestVirtual> take() { return std::move(items_); }

 private:
  // Whether an entry is met for the first time: one that is damaged may lead back to another.
  bool is_new(std::uint64_t entry) { return seen_.size() < most_ && seen_.insert(entry).second; }

  const KernelMemory& memory_;
  const NodeForm& form_;
  std::uint64_t most_;
  std::unordered_set<std::uint64_t> seen_;
  std::vector<GuestVirtual> items_;
};

}  // namespace

std::optional<std::vector<GuestVirtual>> read_radix_tree(const KernelMemory& memory,
                                                         const KernelTypes& types,
                                                         GuestVirtual object,
                                                         const std::string& path,
                                                         std::uint64_t most) {
  const auto slots = types.find_any({"xa_node.slots", "radix_tree_node.slots"});
  // Since 4.20, and before.
  auto root = types.find(path + ".xa_head");
  std::uint64_t mark = 2;
  if (!root) {
    root = types.find(path + ".rnode");
    mark = 1;
  }
  if (!root || !slots) return std::nullopt;
  const NodeForm form{*slots, mark};
  RadixTree tree(memory, form, most);
  if (const auto entry = read_pointer(memory, object, root)) tree.add(entry->value);
  return tree.take();
}

}  // namespace photon_dmesg
