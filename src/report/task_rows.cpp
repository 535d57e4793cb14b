#include "report/task_rows.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>

namespace photon_dmesg {
namespace {

using Row = TaskReport::Row;
using Before = bool (*)(const Task& left, const Task& right);

struct Order {
  std::string_view name;
  Before before;
};

// Those of which it is not known come last. When they ran tells their order without the time now,
// which is not known of every guest.
std::uint64_t last_ran_or_never(const Task& task) {
  const std::uint64_t last = task.last_ran_nsec.value_or(0);
  return last == 0 ? std::numeric_limits<std::uint64_t>::max() : last;
}

constexpr std::array orders = {
    Order{"pid", [](const Task& left, const Task& right) { return left.pid < right.pid; }},
    Order{"time",
          [](const Task& left, const Task& right) {
            return last_ran_or_never(left) < last_ran_or_never(right);
          }},
    Order{"state", [](const Task& left, const Task& right) { return left.state < right.state; }},
    Order{"cpu", [](const Task& left, const Task& right) { return left.cpu < right.cpu; }},
    Order{"comm", [](const Task& left, const Task& right) { return left.comm < right.comm; }},
};

// Two traces are the same if all addresses and kinds of their frames are. Who waits for a lock that
// somebody has is told from who waits for another one: they may be a circle.
std::string key_of(const Row& row) {
  std::string key(1, row.task.state);
  if (row.waiting && row.waiting->owner) key += fmt::format("{} ", row.waiting->wait.object);
  key += row.trace->why;
  for (const Frame& frame : row.trace->frames) {
    key += fmt::format(" {}{}{}", frame.address, static_cast<int>(frame.kind), frame.is_reliable);
  }
  return key;
}

// Puts the rows that `parent` has among `children` behind each other, each with its own below.
void add_below(std::int32_t parent, std::map<std::int32_t, std::vector<Row>>& children,
               std::vector<Row>& rows) {
  std::vector<Row> waiting;  // the next one at the back: a chain of parents may be of any length
  const auto take_children = [&](std::int32_t of, unsigned depth) {
    const auto found = children.find(of);
    if (found == children.end()) return;
    std::reverse(found->second.begin(), found->second.end());
    for (Row& row : found->second) {
      row.depth = depth;
      waiting.push_back(std::move(row));
    }
    children.erase(found);  // so that parents that are each other's children come to an end
  };
  take_children(parent, 0);
  while (!waiting.empty()) {
    rows.push_back(std::move(waiting.back()));
    waiting.pop_back();
    const Task& task = rows.back().task;
    if (task.pid == task.tgid) take_children(task.pid, rows.back().depth + 1);
  }
}

}  // namespace

void sort_rows(TaskReport& report, std::string_view by) {
  const auto* order = std::find_if(orders.begin(), orders.end(),
                                   [&](const Order& line) { return line.name == by; });
  if (order == orders.end()) return;
  std::stable_sort(
      report.tasks.begin(), report.tasks.end(),
      [&](const Row& left, const Row& right) { return order->before(left.task, right.task); });
}

void make_tree(TaskReport& report) {
  std::set<std::int32_t> processes;
  for (const Row& row : report.tasks) {
    if (row.task.pid == row.task.tgid) processes.insert(row.task.pid);
  }
  // A thread belongs below its process, a process below its parent if that is shown.
  constexpr std::int32_t nobody = -1;
  std::map<std::int32_t, std::vector<Row>> children;
  for (Row& row : report.tasks) {
    std::int32_t parent = row.task.tgid;
    if (row.task.pid == row.task.tgid) parent = row.task.ppid.value_or(nobody);
    if (!processes.contains(parent) || parent == row.task.pid) parent = nobody;
    children[parent].push_back(std::move(row));
  }
  std::vector<Row> rows;
  add_below(nobody, children, rows);
  while (!children.empty()) add_below(children.begin()->first, children, rows);
  report.tasks = std::move(rows);
}

void fold_same_traces(TaskReport& report) {
  std::map<std::string, std::size_t> first;
  std::vector<Row> rows;
  for (Row& row : report.tasks) {
    const bool may_fold = row.trace && !row.trace->frames.empty();
    const auto [known, is_new] =
        may_fold ? first.emplace(key_of(row), rows.size()) : std::pair(first.end(), true);
    if (is_new) {
      rows.push_back(std::move(row));
    } else {
      rows[known->second].folded.push_back(std::move(row.task));
    }
  }
  report.tasks = std::move(rows);
}

}  // namespace photon_dmesg
