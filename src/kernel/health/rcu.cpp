#include "kernel/health/rcu.h"

#include <algorithm>
#include <array>
#include <string>

#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {
namespace {

// Reads one rcu_state.
class RcuReader {
 public:
  RcuReader(const GuestKernel& kernel, const KernelTypes& types, const GuestTime& time,
            std::string_view name, GuestVirtual state)
      : kernel_(kernel), types_(types), time_(time), name_(name), state_(state) {}

  [[nodiscard]] std::optional<RcuGracePeriod> read() const {
    auto sequence = read_open_sequence();
    if (!sequence) return std::nullopt;
    RcuGracePeriod period{std::move(*sequence), since("gp_start"), since("gp_activity"), {}, {}};
    read_nodes(period);
    return period;
  }

 private:
  [[nodiscard]] std::optional<Field> field(std::string_view member) const {
    return types_.find("rcu_state." + std::string(member));
  }
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view member) const {
    return read_number(kernel_.memory(), state_, field(member));
  }

  // The number of the grace period, if one is open.
  [[nodiscard]] std::optional<Reading> read_open_sequence() const {
    constexpr std::uint64_t state_bits = 3;  // RCU_SEQ_STATE_MASK
    if (const auto at = field("gp_seq")) {   // 4.18 and later
      const auto sequence = number("gp_seq");
      if (!sequence || (*sequence & state_bits) == 0) return std::nullopt;
      return Reading{name_ + ".gp_seq", state_ + at->offset, *sequence};
    }
    const auto at = field("gpnum");
    const auto begun = number("gpnum");
    const auto completed = number("completed");
    if (!at || !begun || !completed || *begun == *completed) return std::nullopt;
    return Reading{name_ + ".gpnum", state_ + at->offset, *begun};
  }

  [[nodiscard]] std::optional<std::uint64_t> since(std::string_view member) const {
    const auto then = number(member);
    return then ? time_.nsec_since_jiffies(*then) : std::nullopt;
  }

  // CPUs are reported at the leaves of a tree: the last level.
  void read_nodes(RcuGracePeriod& period) const {
    constexpr std::uint64_t most_nodes = 8192 / 16 + 64;  // CPUs by the smallest RCU_FANOUT_LEAF
    const auto levels = read_variable(kernel_, "rcu_num_lvls", sizeof(std::uint32_t));
    const auto count = read_variable(kernel_, "rcu_num_nodes", sizeof(std::uint32_t));
    const auto first_level = field("level");
    const auto nodes = field("node");
    const auto size = types_.size_of("rcu_node");
    if (!levels || !count || !first_level || !nodes || !size || levels->value == 0 ||
        levels->value > 4 || count->value > most_nodes) {
      return;
    }
    const GuestVirtual level =
        state_ + first_level->offset + (levels->value - 1) * sizeof(std::uint64_t);
    const auto leaf = read_pointer(kernel_.memory(), level);
    const GuestVirtual end = state_ + nodes->offset + count->value * *size;
    if (!leaf || *leaf < state_ + nodes->offset) return;
    for (GuestVirtual node = *leaf; node < end; node = node + *size) read_node(node, period);
  }

  void read_node(GuestVirtual node, RcuGracePeriod& period) const {
    const KernelMemory& memory = kernel_.memory();
    const auto waiting = read_number(memory, node, types_.find("rcu_node.qsmask"));
    const auto first = read_number(memory, node, types_.find("rcu_node.grplo"));
    constexpr unsigned bits = 64;
    for (unsigned bit = 0; waiting && first && bit < bits; ++bit) {
      if ((*waiting >> bit & 1U) != 0) {
        period.cpus.push_back(static_cast<std::uint32_t>(*first + bit));
      }
    }
    read_preempted(node, period);
  }

  // gp_tasks is the first in the node's list of those that hold up this grace period; who comes
  // before it came later.
  void read_preempted(GuestVirtual node, RcuGracePeriod& period) const {
    constexpr std::size_t most = 65536;
    const auto gp_tasks = read_pointer(kernel_.memory(), node, types_.find("rcu_node.gp_tasks"));
    const auto list = types_.find("rcu_node.blkd_tasks");
    const auto entry = types_.find("task_struct.rcu_node_entry");
    if (!gp_tasks || !list || !entry) return;
    const ListNodes listed = walk_list(kernel_.memory(), node + list->offset, most);
    const auto first = std::find(listed.nodes.begin(), listed.nodes.end(), *gp_tasks);
    for (auto at = first; at != listed.nodes.end(); ++at) {
      period.readers.push_back(GuestVirtual{at->value - entry->offset});
    }
  }

  const GuestKernel& kernel_;
  const KernelTypes& types_;
  const GuestTime& time_;
  std::string name_;
  GuestVirtual state_;
};

// Until 4.19 there was one for each kind of reader.
constexpr std::array states = {"rcu_state", "rcu_sched_state", "rcu_bh_state", "rcu_preempt_state"};

}  // namespace

bool can_read_rcu(const GuestKernel& kernel, const KernelTypes& types) {
  return types.find_any({"rcu_state.gp_seq", "rcu_state.gpnum"}) &&
         std::any_of(states.begin(), states.end(),
                     [&](const char* name) { return kernel.find_address(name).has_value(); });
}

std::optional<RcuGracePeriod> read_rcu(const GuestKernel& kernel, const KernelTypes& types,
                                       const GuestTime& time) {
  std::optional<RcuGracePeriod> oldest;
  for (const char* name : states) {
    const auto state = kernel.find_address(name);
    if (!state) continue;
    auto period = RcuReader(kernel, types, time, name, *state).read();
    if (period && (!oldest || period->age_nsec > oldest->age_nsec)) oldest = std::move(period);
  }
  return oldest;
}

}  // namespace photon_dmesg
