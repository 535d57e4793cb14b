#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "base/printable.h"
#include "checkpoint/guest/guest_state.h"
#include "fuzz/targets.h"

// What several targets hold their results against.
namespace photon_dmesg::fuzz {

// Goes on behind what ends with an Error.
template <typename Work>
void run_part(Work&& work) {
  try {
    std::forward<Work>(work)();
  } catch (const Error&) {
    // What the program says of damaged files.
  }
}

// Whether one record's number is behind another's.
inline bool is_behind(std::uint64_t earlier, std::uint64_t later) {
  return earlier < later;
}

// Whether `text` is lines that steer no terminal.
inline bool is_harmless(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char first = text.front();
    if (length == 0) return false;
    if (first != '\n' && first != '\t' && is_control(text.substr(0, length))) return false;
    text.remove_prefix(length);
  }
  return true;
}

// Ranges are what they are said to be: ascending, disjoint, RAM at both ends, unless what the file
// has of it is damaged and the memory says so, and none behind.
inline void check_memory(const GuestMemory& memory) {
  const PhysicalRange* before = nullptr;
  std::array<std::byte, 16> bytes{};
  for (const PhysicalRange& range : memory.ranges()) {
    require(range.size > 0, "no range is empty");
    require(range.size - 1 <= ~range.begin.value, "no range wraps");
    require(before == nullptr || range.begin - before->begin >= before->size,
            "ranges are disjoint");
    require(before == nullptr || range.begin > before->begin, "ranges ascend");
    const std::size_t size = std::min<std::uint64_t>(bytes.size(), range.size);
    const auto part = std::span(bytes).first(size);
    const auto is_ram = [&](GuestPhysical at) {
      return memory.read(at, part) || memory.unreadable();
    };
    require(is_ram(range.begin), "a range's beginning is RAM");
    require(is_ram(range.begin + (range.size - size)), "a range's end is RAM");
    (void)memory.find_in_file(range.begin);
    before = &range;
  }
  if (before != nullptr) {
    require(!memory.read(before->begin + before->size, std::span(bytes).first(1)),
            "behind the last range is no RAM");
  }
}

inline void check_memory(const GuestState& state) {
  if (state.memory) check_memory(*state.memory);
  for (const auto& other : state.other_readings) check_memory(*other);
}

}  // namespace photon_dmesg::fuzz
