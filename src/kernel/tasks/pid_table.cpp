#include "kernel/tasks/pid_table.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

#include "base/budget.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/radix_tree.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t most_pids = std::uint64_t{1} << 22;  // PID_MAX_LIMIT

class PidTable {
 public:
  PidTable(const GuestKernel& kernel, const KernelTypes& types)
      : kernel_(kernel), memory_(kernel.memory()), types_(types) {
    first_task_ = types.find("pid.tasks");
    link_ = types.find_any({"task_struct.pid_links", "task_struct.pids"});  // since 4.19, before
  }

  std::optional<std::vector<GuestVirtual>> read() {
    if (!first_task_ || !link_) return std::nullopt;
    if (!read_tree() && !read_hash()) return std::nullopt;
    return std::move(tasks_);
  }

 private:
  // Whether an entry is met for the first time: one that is damaged may lead back to another.
  bool is_new(std::uint64_t entry) { return budget_.take() && seen_.insert(entry).second; }

  // The task whose own pid `pid`, a struct pid, is; the thread that no longer has one has left it.
  void add(GuestVirtual pid) {
    const auto node = read_pointer(memory_, pid + first_task_->offset);
    if (node) tasks_.push_back({node->value - link_->offset});
  }

  bool read_tree() {
    const auto space = kernel_.find_address("init_pid_ns");
    if (!space) return false;
    const auto pids =
        read_radix_tree(memory_, types_, *space, "pid_namespace.idr.idr_rt", most_pids);
    if (!pids) return false;
    for (const GuestVirtual pid : *pids) add(pid);
    return true;
  }

  bool read_hash() {
    const auto table = kernel_.find_address("pid_hash");
    const auto shift = kernel_.find_address("pidhash_shift");
    const auto chain = types_.find("upid.pid_chain");
    const auto numbers = types_.find("pid.numbers");
    const auto space = kernel_.find_address("init_pid_ns");
    if (!table || !shift || !chain || !numbers || !space) return false;
    const auto begin = read_pointer(memory_, *table);
    const auto bits = memory_.read_unsigned(*shift, sizeof(std::uint32_t));
    constexpr std::uint64_t most_bits = 20;
    if (!begin || !bits || *bits > most_bits) return false;
    for (std::uint64_t i = 0; i < std::uint64_t{1} << *bits; ++i) {
      auto node = read_pointer(memory_, *begin + i * word);
      for (; node && is_new(node->value); node = read_pointer(memory_, *node)) {
        const GuestVirtual upid{node->value - chain->offset};
        // A process in a container has a number in each namespace; the outermost one counts.
        if (read_pointer(memory_, upid, types_.find("upid.ns")) != space) continue;
        add({upid.value - numbers->offset});
      }
    }
    return true;
  }

  const GuestKernel& kernel_;
  const KernelMemory& memory_;
  const KernelTypes& types_;
  std::optional<Field> first_task_;
  std::optional<Field> link_;
  std::unordered_set<std::uint64_t> seen_;
  Budget budget_{"entries of the table of pids", most_pids};
  std::vector<GuestVirtual> tasks_;
};

}  // namespace

std::optional<std::vector<GuestVirtual>> read_pid_table(const GuestKernel& kernel,
                                                        const KernelTypes& types) {
  return PidTable(kernel, types).read();
}

}  // namespace photon_dmesg
