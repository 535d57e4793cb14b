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
      : tasks_(tasks), cpus_(cpus) {
    for (const CpuAtStop& cpu : cpus) areas_.push_back(read_per_cpu_area(memory, cpu.area));
  }

  [[nodiscard]] std::map<std::uint32_t, GuestVirtual> run() const {
    std::map<std::vector<std::uint64_t>, std::size_t> found;  // and how many places say so
    for (std::uint64_t place = 0; place + word <= per_cpu_reach; place += word) {
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
  // What stands there on each CPU; empty unless it may be what that was running.
  [[nodiscard]] std::vector<std::uint64_t> at(std::uint64_t place) const {
    std::vector<std::uint64_t> values;
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
      const std::uint64_t value = load_unsigned(std::span(areas_[i]).subspan(place, word));
      if (value == 0 || !may_run(cpus_[i], {value})) return {};
      values.push_back(value);
    }
    return values;
  }

  [[nodiscard]] bool may_run(const CpuAtStop& cpu, GuestVirtual address) const {
    if (cpu.on_stack) return *cpu.on_stack == address;
    const Task* task = tasks_.find(address);
    if (cpu.in_user_mode) return task != nullptr && task->kernel_thread != true;
    if (task != nullptr) return true;
    // No list has the idle tasks.
    const auto idle = tasks_.read(address);
    return idle && idle->pid == 0 && idle->comm.starts_with("swapper/");
  }

  const Tasks& tasks_;
  std::span<const CpuAtStop> cpus_;
  std::vector<std::vector<std::byte>> areas_;
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
