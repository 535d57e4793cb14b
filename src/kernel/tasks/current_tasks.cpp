#include "kernel/tasks/current_tasks.h"

#include <algorithm>
#include <vector>

#include "base/little_endian.h"
#include "kernel/tasks/per_cpu_areas.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

class CurrentSearch {
 public:
  CurrentSearch(const KernelMemory& memory, const Tasks& tasks, std::span<const CpuAtStop> cpus)
      : memory_(memory), tasks_(tasks), cpus_(cpus) {}

  [[nodiscard]] std::map<std::uint32_t, GuestVirtual> run() const {
    std::map<std::vector<std::uint64_t>, std::size_t> found;  // and how many places say so
    for (const std::uint64_t place : places_of_first()) {
      const std::vector<std::uint64_t> current = at(place);
      if (!current.empty()) ++found[current];
    }
    std::map<std::uint32_t, GuestVirtual> result;
    if (found.size() != 1 || found.begin()->second < 2) return result;
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
      result[cpus_[i].number] = {found.begin()->first[i]};
    }
    return result;
  }

 private:
  // Where the first CPU has what it may have been running; nothing if that is nearly everywhere.
  [[nodiscard]] std::vector<std::uint64_t> places_of_first() const {
    constexpr std::size_t most = 256;
    const std::vector<std::byte> area = read_per_cpu_area(memory_, cpus_.front().area);
    std::vector<std::uint64_t> places;
    for (std::uint64_t place = 0; place + word <= area.size(); place += word) {
      const std::uint64_t value = load_unsigned(std::span(area).subspan(place, word));
      if (value == 0 || !may_run(cpus_.front(), {value})) continue;
      if (places.size() == most) return {};
      places.push_back(place);
    }
    return places;
  }

  // What stands there on each CPU; empty unless it may be what that was running.
  [[nodiscard]] std::vector<std::uint64_t> at(std::uint64_t place) const {
    std::vector<std::uint64_t> values;
    for (const CpuAtStop& cpu : cpus_) {
      const auto value = memory_.read_unsigned(cpu.area + place, word);
      if (value.value_or(0) == 0 || !may_run(cpu, {*value})) return {};
      values.push_back(*value);
    }
    return values;
  }

  [[nodiscard]] bool may_run(const CpuAtStop& cpu, GuestVirtual address) const {
    if (cpu.on_stack) return *cpu.on_stack == address;
    const Task* task = tasks_.find(address);
    if (cpu.in_user_mode) return task != nullptr && task->kernel_thread != true;
    if (task != nullptr) return true;
    // No list has the idle tasks; all begin where a cache line does.
    constexpr std::uint64_t cache_line = 64;
    if (address.value % cache_line != 0) return false;
    const auto idle = tasks_.read(address);
    return idle && idle->pid == 0 && idle->comm.starts_with("swapper/");
  }

  const KernelMemory& memory_;
  const Tasks& tasks_;
  std::span<const CpuAtStop> cpus_;
};

}  // namespace

std::map<std::uint32_t, GuestVirtual> find_current_tasks(const KernelMemory& memory,
                                                         const Tasks& tasks,
                                                         std::span<const CpuAtStop> cpus) {
  const bool all_known = std::all_of(cpus.begin(), cpus.end(),
                                     [](const CpuAtStop& cpu) { return cpu.on_stack.has_value(); });
  if (cpus.empty() || all_known) return {};
  return CurrentSearch(memory, tasks, cpus).run();
}

}  // namespace photon_dmesg
