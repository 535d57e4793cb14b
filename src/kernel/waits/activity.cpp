#include "kernel/waits/activity.h"

#include <fmt/format.h>

#include <algorithm>

namespace photon_dmesg {
namespace {

// As people write it: "rw semaphore".
std::string words_of(WaitKind kind) {
  std::string name(name_of(kind));
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

std::string describe_object(const Wait& wait) {
  std::string text = wait.name.value_or(fmt::format("{}", wait.object));
  return wait.name_says_what ? text : fmt::format("{} {}", words_of(wait.kind), text);
}

std::string describe_holder(const Waiting& waiting) {
  if (!waiting.owner) return {};
  return fmt::format(
      "{} {}",
      waiting.wait.owner_is_certain ? "held by" : "held by readers, of whom the last may be",
      name_and_pid(*waiting.owner));
}

std::string describe(const Waiting& waiting) {
  std::string text = describe_object(waiting.wait);
  if (waiting.owner) text += ", " + describe_holder(waiting);
  if (!waiting.cycle.empty()) {
    text += ": deadlock of";
    for (const Task& task : waiting.cycle) text += ' ' + name_and_pid(task);
  }
  return text;
}

}  // namespace photon_dmesg
