#include "kernel/self/task_schedule.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);
constexpr std::uint64_t half = sizeof(std::uint32_t);
constexpr std::uint64_t task_bytes = 2 * task_reach;

// Whether one is the inverse of the other: 2^32 divided by it, rounded.
bool are_inverse(std::uint64_t weight, std::uint64_t inverse) {
  constexpr std::uint64_t least = 3;  // of a task that is to run when nothing else does
  constexpr std::uint64_t most = 88761;
  constexpr std::uint64_t one = std::uint64_t{1} << 32;
  if (weight < least || weight > most) return false;
  const std::uint64_t product = weight * inverse;
  return product <= one + weight && product + weight >= one;
}

// A struct load_weight. Since 4.7 weights are kept with ten more bits than their inverse knows of.
bool is_load_weight(const TaskBytes& task, TaskPlace place) {
  constexpr unsigned more_bits = 10;
  const std::uint64_t weight = task.at(place);
  const std::uint64_t inverse = task.at(place + word, half);
  return are_inverse(weight, inverse) || are_inverse(weight >> more_bits, inverse);
}

// A list node, a flag or some of a byte each, and two times of which the second is not larger.
bool are_times(const TaskBytes& task, TaskPlace place) {
  constexpr std::uint64_t only_flags = 0x0101010101010101;
  constexpr std::uint64_t longest = std::uint64_t{1} << 62;
  constexpr std::uint64_t high_half = std::uint64_t{1} << 63;
  const bool has_node =
      task.at(place - 3 * word) >= high_half && task.at(place - 2 * word) >= high_half;
  const std::uint64_t start = task.at(place);
  return has_node && (task.at(place - word) & ~only_flags) == 0 && start < longest &&
         task.at(place + word) <= start;
}

std::vector<TaskPlace> load_weights(std::span<const TaskBytes> tasks) {
  return places_that_fit(tasks, 0, task_bytes - word, word, is_load_weight);
}

// How far from the weight the times may be, what has been put between them over the years included.
constexpr std::uint64_t nearest = 5 * word;
constexpr std::uint64_t farthest = 24 * word;

std::vector<TaskPlace> exec_starts(std::span<const TaskBytes> tasks, TaskPlace weight) {
  const TaskPlace end = std::min(weight + farthest, task_bytes - 4 * word) + word;
  return places_that_fit(tasks, weight + nearest, end, word, are_times);
}

// prev_sum_exec_runtime stands behind sum_exec_runtime since 6.6, and behind vruntime before.
std::optional<TaskPlace> find_picked(std::span<const TaskBytes> tasks, TaskPlace exec_start) {
  const TaskPlace sum = exec_start + word;
  return only(places_that_fit(
      tasks, sum + word, sum + 3 * word, word,
      [&](const TaskBytes& task, TaskPlace place) { return task.at(place) <= task.at(sum); }));
}

// The CPU to which a task belongs by its name; nothing if it belongs to none.
std::optional<std::uint64_t> cpu_in_name(const TaskBytes& task, TaskPlace comm) {
  const auto* text = reinterpret_cast<const char*>(task.bytes.data() + comm);
  const std::string_view name(text, std::find(text, text + comm_bytes, '\0'));
  for (const std::string_view begin : {"migration/", "ksoftirqd/", "cpuhp/"}) {
    if (!name.starts_with(begin)) continue;
    std::uint64_t number = 0;
    const std::string_view digits = name.substr(begin.size());
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size()) return number;
  }
  return std::nullopt;
}

}  // namespace

std::optional<TaskPlace> find_task_cpu(std::span<const TaskBytes> tasks, TaskPlace begin,
                                       TaskPlace comm) {
  constexpr std::uint64_t thread_info_size = 24;
  constexpr std::uint64_t most_cpus = 8192;
  const bool has_several = std::any_of(tasks.begin(), tasks.end(), [&](const TaskBytes& task) {
    return cpu_in_name(task, comm).value_or(0) != 0;
  });
  if (!has_several) return std::nullopt;
  return only(places_that_fit(
      tasks, begin, begin + thread_info_size, half, [&](const TaskBytes& task, TaskPlace place) {
        const std::uint64_t cpu = task.at(place, half);
        return cpu < most_cpus && cpu_in_name(task, comm).value_or(cpu) == cpu;
      }));
}

std::optional<TaskSchedule> find_task_schedule(std::span<const TaskBytes> tasks) {
  std::optional<TaskSchedule> found;
  for (const TaskPlace weight : load_weights(tasks)) {
    for (const TaskPlace start : exec_starts(tasks, weight)) {
      if (found) return std::nullopt;
      found = TaskSchedule{weight, start, find_picked(tasks, start)};
    }
  }
  return found;
}

}  // namespace photon_dmesg
