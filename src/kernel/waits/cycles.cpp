#include "kernel/waits/cycles.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/budget.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t longest = 64;
// Each member of a circle has all of them.
constexpr std::uint64_t most_members = 16384;

// Tasks by their places among all: who has what each waits for.
using Owners = std::vector<std::optional<std::size_t>>;

Owners owners_of(const std::vector<TaskActivity>& activities) {
  std::unordered_map<std::uint64_t, std::size_t> places;
  for (std::size_t i = 0; i < activities.size(); ++i) {
    places.emplace(activities[i].task.address.value, i);
  }
  Owners owners(activities.size());
  for (std::size_t i = 0; i < activities.size(); ++i) {
    const auto& waiting = activities[i].waiting;
    if (!waiting || !waiting->wait.owner || !waiting->wait.owner_is_certain) continue;
    const auto found = places.find(waiting->wait.owner->value);
    if (found != places.end()) owners[i] = found->second;
  }
  return owners;
}

// All circles, each once: no task is passed twice on the way to them.
std::vector<std::vector<std::size_t>> circles_of(const Owners& owners) {
  std::vector<std::vector<std::size_t>> circles;
  std::vector<std::optional<std::size_t>> seen_from(owners.size());
  for (std::size_t start = 0; start < owners.size(); ++start) {
    std::optional<std::size_t> at = start;
    while (at && !seen_from[*at]) {
      seen_from[*at] = start;
      at = owners[*at];
    }
    if (!at || seen_from[*at] != start) continue;
    std::vector<std::size_t>& circle = circles.emplace_back();
    for (std::optional<std::size_t> next = at; circle.empty() || next != at; next = owners[*next]) {
      circle.push_back(*next);
    }
  }
  return circles;
}

}  // namespace

void find_cycles(std::vector<TaskActivity>& activities, Diagnostics& diagnostics) {
  Budget members("tasks of circles", most_members);
  std::size_t left_out = 0;
  for (const std::vector<std::size_t>& circle : circles_of(owners_of(activities))) {
    if (circle.size() > longest || !members.take(circle.size() * circle.size())) {
      ++left_out;
      continue;
    }
    for (std::size_t first = 0; first < circle.size(); ++first) {
      std::vector<Task>& cycle = activities[circle[first]].waiting->cycle;
      for (std::size_t i = 0; i < circle.size(); ++i) {
        cycle.push_back(activities[circle[(first + i) % circle.size()]].task);
      }
    }
  }
  if (left_out == 0) return;
  diagnostics.warn_of_lack(
      fmt::format("{} of the circles in which tasks wait for each other {} not judged: no sound "
                  "guest has so many, or circles of more than {} tasks",
                  left_out, left_out == 1 ? "is" : "are", longest));
}

}  // namespace photon_dmesg
