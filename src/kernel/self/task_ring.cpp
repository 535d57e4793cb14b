#include "kernel/self/task_ring.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include "base/budget.h"
#include "base/little_endian.h"
#include "kernel/arch/architecture.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// What a list node holds.
struct Links {
  GuestVirtual next;
  GuestVirtual previous;
};

class RingSearch {
 public:
  RingSearch(const KernelImage& image, Diagnostics& diagnostics)
      : image_(image), memory_(image.memory()), diagnostics_(diagnostics) {}

  std::optional<TaskRing> run() {
    // The idle task is written to: in a kernel that protects its data it lies with what may be.
    for (const ImageRange& range : image_.other()) search_names(range);
    idle_tasks_.warn_if_exceeded("the kernel image", diagnostics_);
    nodes_.warn_if_exceeded("the kernel image", diagnostics_);
    if (found_.size() != 1 || idle_tasks_.exceeded() || nodes_.exceeded()) return std::nullopt;
    return std::move(found_.front());
  }

 private:
  void search_names(const ImageRange& range) {
    constexpr std::string_view idle = "swapper";
    const std::span<const std::byte> content = image_.bytes(range);
    const std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
    for (std::size_t at = text.find(idle); at != std::string_view::npos;
         at = text.find(idle, at + 1)) {
      if (!is_idle_name(text.substr(at, comm_bytes))) continue;
      if (!idle_tasks_.take()) return;
      search_nodes(range.begin + at);
    }
  }

  // "swapper" or, with more than one CPU possible, "swapper/0"; zeros fill the rest.
  static bool is_idle_name(std::string_view comm) {
    if (comm.size() < comm_bytes) return false;
    const std::string_view name = comm.substr(0, comm.find_last_not_of('\0') + 1);
    return name == "swapper" || name == "swapper/0";
  }

  // All places that a node could be at, by the idle task's name, all of which it reaches.
  void search_nodes(GuestVirtual comm) {
    constexpr std::uint64_t farthest = task_reach - comm_bytes;
    const std::uint64_t first = (comm.value - farthest + word - 1) / word * word;
    for (std::uint64_t at = first; at < comm.value + task_reach; at += word) {
      const std::uint64_t distance = comm.value - at;
      if (!begins_ring({at}, distance)) continue;
      if (auto nodes = walk({at}, distance)) found_.push_back({std::move(*nodes), distance});
    }
  }

  [[nodiscard]] std::optional<Links> links(GuestVirtual node) const {
    std::array<std::byte, 2 * word> bytes{};
    if (node.value % word != 0 || !memory_.read(node, bytes)) return std::nullopt;
    const std::span<const std::byte> all(bytes);
    const Links found{{load_unsigned(all.first(word))}, {load_unsigned(all.subspan(word))}};
    const auto is_pointer = [&](GuestVirtual address) {
      return memory_.tables().architecture().is_kernel_pointer(address.value);
    };
    return is_pointer(found.next) && is_pointer(found.previous) ? std::optional(found)
                                                                : std::nullopt;
  }

  // Whether a task called `name` may be among the first behind `head`.
  [[nodiscard]] bool begins_ring(GuestVirtual head, std::uint64_t comm) const {
    constexpr int first_ones = 3;
    GuestVirtual node = head;
    for (int i = 0; i < first_ones; ++i) {
      const std::optional<Links> here = links(node);
      if (!here || here->next == head) return false;
      node = here->next;
      if (memory_.read_text(node + comm, comm_bytes) == "kthreadd") return true;
    }
    return false;
  }

  // All nodes, if they lead around both ways, and each belongs to something with a name.
  [[nodiscard]] std::optional<std::vector<GuestVirtual>> walk(GuestVirtual head,
                                                              std::uint64_t comm) {
    std::vector<GuestVirtual> nodes;
    GuestVirtual node = head;
    do {
      const std::optional<Links> here = links(node);
      const auto name = memory_.read_text(node + comm, comm_bytes);
      if (!here || !name || name->size() == comm_bytes || !nodes_.take()) return std::nullopt;
      const std::optional<Links> next = links(here->next);
      if (!next || next->previous != node) return std::nullopt;
      nodes.push_back(node);
      node = here->next;
    } while (node != head);
    return nodes;
  }

  const KernelImage& image_;
  const KernelMemory& memory_;
  Diagnostics& diagnostics_;
  Budget idle_tasks_{"names of idle tasks", 1024};
  // No task takes less than a page, with its stack; what is no ring of tasks ends soon.
  Budget nodes_{"nodes of lists of tasks", image_.memory().ram_size() / 1024};
  std::vector<TaskRing> found_;
};

}  // namespace

std::optional<TaskRing> find_task_ring(const KernelImage& image, Diagnostics& diagnostics) {
  return RingSearch(image, diagnostics).run();
}

}  // namespace photon_dmesg
