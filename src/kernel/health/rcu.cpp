#include "kernel/health/rcu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/budget.h"
#include "kernel/memory/fields.h"
#include "kernel/memory/linked_list.h"

namespace photon_dmesg {
namespace {

// In the lists of all nodes of all states.
constexpr std::size_t most_readers = 65536;

// Reads one rcu_state.
class RcuReader {
 public:
  RcuReader(const GuestKernel& kernel, const KernelTypes& types, const GuestTime& time,
            std::string_view name, GuestVirtual state, Budget& readers)
      : kernel_(kernel),
        types_(types),
        time_(time),
        name_(name),
        state_(state),
        readers_(readers) {}

  // The grace period that is open, with what can be read of it.
  [[nodiscard]] std::optional<RcuGracePeriod> read() {
    auto sequence = read_open_sequence();
    if (!sequence) return std::nullopt;
    RcuGracePeriod period{std::move(*sequence), since("gp_start"), since("gp_activity"), {}, {}};
    read_nodes(period);
    return period;
  }

  // Whether that is all of it: symbols and types told where it is, and nothing was damaged.
  [[nodiscard]] bool is_whole() const { return is_known_ && !damage_; }
  // The first that was.
  [[nodiscard]] const std::optional<std::string>& damage() const { return damage_; }

 private:
  // Where the nodes are that report CPUs: the leaves of a tree, which are its last level.
  struct Leaves {
    GuestVirtual begin;
    GuestVirtual end;
    std::uint64_t size = 0;  // of each
  };

  [[nodiscard]] std::optional<Field> field(std::string_view member) const {
    return types_.find("rcu_state." + std::string(member));
  }
  [[nodiscard]] std::optional<std::uint64_t> number(std::string_view member) const {
    return read_number(kernel_.memory(), state_, field(member));
  }
  void note_damage(std::string what) {
    if (!damage_) damage_ = std::move(what);
  }

  // The number of the grace period, if one is open.
  [[nodiscard]] std::optional<Reading> read_open_sequence() {
    constexpr std::uint64_t state_bits = 3;  // RCU_SEQ_STATE_MASK
    if (const auto at = field("gp_seq")) {   // 4.18 and later
      const auto sequence = number("gp_seq");
      if (!sequence) note_damage(name_ + ".gp_seq can't be read");
      if (!sequence || (*sequence & state_bits) == 0) return std::nullopt;
      return Reading{name_ + ".gp_seq", state_ + at->offset, *sequence};
    }
    const auto at = field("gpnum");
    const auto completed_at = field("completed");
    if (!at || !completed_at) {
      is_known_ = false;
      return std::nullopt;
    }
    const auto begun = number("gpnum");
    const auto completed = number("completed");
    if (!begun || !completed) note_damage(name_ + ".gpnum can't be read");
    if (!begun || !completed || *begun == *completed) return std::nullopt;
    return Reading{name_ + ".gpnum", state_ + at->offset, *begun};
  }

  [[nodiscard]] std::optional<std::uint64_t> since(std::string_view member) const {
    const auto then = number(member);
    return then ? time_.nsec_since_jiffies(*then) : std::nullopt;
  }

  [[nodiscard]] std::optional<Leaves> find_leaves() {
    constexpr std::uint64_t most_levels = 4;              // RCU_NUM_LVLS
    constexpr std::uint64_t most_nodes = 8192 / 16 + 64;  // CPUs by the smallest RCU_FANOUT_LEAF
    const auto levels = read_variable(kernel_, "rcu_num_lvls", sizeof(std::uint32_t));
    const auto count = read_variable(kernel_, "rcu_num_nodes", sizeof(std::uint32_t));
    const auto first_level = field("level");
    const auto nodes = field("node");
    const auto size = types_.size_of("rcu_node");
    if (!levels || !count || !first_level || !nodes || !size || *size == 0) {
      is_known_ = false;
      return std::nullopt;
    }
    if (levels->value == 0 || levels->value > most_levels || count->value > most_nodes) {
      note_damage(
          fmt::format("rcu_num_lvls is {}, and rcu_num_nodes {}", levels->value, count->value));
      return std::nullopt;
    }
    const GuestVirtual level =
        state_ + first_level->offset + (levels->value - 1) * sizeof(std::uint64_t);
    const GuestVirtual first = state_ + nodes->offset;
    const GuestVirtual end = first + count->value * *size;
    const auto leaf = read_pointer(kernel_.memory(), level);
    if (!leaf || *leaf < first || *leaf >= end || (leaf->value - first.value) % *size != 0) {
      note_damage(fmt::format("{}.level at {} leads to none of its nodes", name_, level));
      return std::nullopt;
    }
    return Leaves{*leaf, end, *size};
  }

  void read_nodes(RcuGracePeriod& period) {
    const auto leaves = find_leaves();
    if (!leaves) return;
    for (GuestVirtual node = leaves->begin; node < leaves->end; node = node + leaves->size) {
      read_node(node, period);
    }
  }

  void read_node(GuestVirtual node, RcuGracePeriod& period) {
    const auto mask = types_.find("rcu_node.qsmask");
    const auto low = types_.find("rcu_node.grplo");
    const auto tasks = types_.find("rcu_node.gp_tasks");
    if (!mask || !low || !tasks) {
      is_known_ = false;
      return;
    }
    const KernelMemory& memory = kernel_.memory();
    const auto waiting = read_number(memory, node, mask);
    const auto first = read_number(memory, node, low);
    const auto gp_tasks = read_number(memory, node, tasks);
    if (!waiting || !first || !gp_tasks) note_damage(fmt::format("{} can't be read", node));
    constexpr unsigned bits = 64;
    for (unsigned bit = 0; waiting && first && bit < bits; ++bit) {
      if ((*waiting >> bit & 1U) != 0) {
        period.cpus.push_back(static_cast<std::uint32_t>(*first + bit));
      }
    }
    if (gp_tasks.value_or(0) != 0) read_preempted(node, GuestVirtual{*gp_tasks}, period);
  }

  // `gp_tasks` is the first in the node's list of those that hold up this grace period; who comes
  // before it came later.
  void read_preempted(GuestVirtual node, GuestVirtual gp_tasks, RcuGracePeriod& period) {
    const auto head = types_.find("rcu_node.blkd_tasks");
    const auto entry = types_.find("task_struct.rcu_node_entry");
    if (!head || !entry) {
      is_known_ = false;
      return;
    }
    if (readers_.exceeded()) return;
    const ListNodes list = walk_list(kernel_.memory(), node + head->offset, most_readers);
    if (!readers_.take(list.nodes.size())) return;
    const auto first = std::find(list.nodes.begin(), list.nodes.end(), gp_tasks);
    for (auto at = first; at != list.nodes.end(); ++at) {
      period.readers.push_back(GuestVirtual{at->value - entry->offset});
    }
    if (list.broken) {
      note_damage("the list of readers: " + *list.broken);
    } else if (first == list.nodes.end()) {
      note_damage(fmt::format("the list of readers at {} lacks {}", node + head->offset, gp_tasks));
    }
  }

  const GuestKernel& kernel_;
  const KernelTypes& types_;
  const GuestTime& time_;
  std::string name_;
  GuestVirtual state_;
  Budget& readers_;
  bool is_known_ = true;
  std::optional<std::string> damage_;
};

// Until 4.19 there was one for each kind of reader.
constexpr std::array states = {"rcu_state", "rcu_sched_state", "rcu_bh_state", "rcu_preempt_state"};

}  // namespace

RcuState read_rcu(const GuestKernel& kernel, const KernelTypes& types, const GuestTime& time,
                  Diagnostics& diagnostics) {
  RcuState found;
  if (!types.find_any({"rcu_state.gp_seq", "rcu_state.gpnum"})) return found;
  std::size_t count = 0;
  std::size_t whole = 0;
  std::optional<std::string> damage;
  Budget readers("readers", most_readers);
  for (const char* name : states) {
    const auto state = kernel.find_address(name);
    if (!state) continue;
    RcuReader reader(kernel, types, time, name, *state, readers);
    auto period = reader.read();
    if (period && (!found.open || period->age_nsec > found.open->age_nsec)) {
      found.open = std::move(period);
    }
    ++count;
    if (reader.is_whole()) ++whole;
    if (!damage) damage = reader.damage();
  }
  found.is_read = count > 0 && whole == count && !readers.exceeded();
  readers.warn_if_exceeded("RCU", diagnostics);
  if (damage) {
    diagnostics.warn_of_lack(fmt::format(
        "the state of RCU is damaged: {}: what a grace period waits for may be missing", *damage));
  }
  return found;
}

}  // namespace photon_dmesg
