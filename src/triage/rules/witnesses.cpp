#include "triage/rules/witnesses.h"

#include <fmt/format.h>

#include <utility>

namespace photon_dmesg {

Witness witness_of(const Reading& reading) {
  return {
      .what = reading.name, .value = fmt::format("{}", reading.value), .address = reading.address};
}

Witness witness_of(const Waiting& waiting, const Task& task) {
  std::string what =
      fmt::format("{} waits for {}", name_and_pid(task), describe_object(waiting.wait));
  if (waiting.owner) {
    what += fmt::format(", whose {} is {}",
                        waiting.wait.owner_is_certain ? "owner" : "last known reader",
                        name_and_pid(*waiting.owner));
  }
  return {.what = std::move(what), .address = waiting.wait.object};
}

TaskName name_of_task(const Task& task) {
  return {task.pid, task.comm};
}

std::string seconds(std::uint64_t nsec) {
  constexpr std::uint64_t tenth = nsec_per_second / 10;
  const std::uint64_t tenths = (nsec + tenth / 2) / tenth;
  return fmt::format("{}.{} s", tenths / 10, tenths % 10);
}

std::optional<std::uint64_t> begin_of(std::uint64_t now_nsec, std::optional<std::uint64_t> age) {
  if (!age || *age > now_nsec) return std::nullopt;
  return now_nsec - *age;
}

}  // namespace photon_dmesg
