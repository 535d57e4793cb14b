#include "kernel/printk/log_positions.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/optional_fact.h"
#include "kernel/memory/known_layouts.h"
#include "kernel/memory/struct_view.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t word = sizeof(std::uint64_t);

// Since 5.13, when logbuf_lock went, clear_seq is a struct latched_seq: a counter, padded to 8
// bytes, whose lowest bit says which of the two values behind it counts.
std::optional<std::uint64_t> read_clear_seq(const GuestKernel& kernel) {
  const std::optional<GuestVirtual> address = kernel.find_address("clear_seq");
  if (!address) return std::nullopt;
  if (kernel.find_address("logbuf_lock")) {
    const auto seq = kernel.memory().read_unsigned(*address, word);
    const auto first = kernel.find_address("log_first_seq");
    // Until 5.9 the kernel moved clear_seq along with the records that it overwrote, so that this
    // is no trace of dmesg -C.
    const bool moved_along = seq && first && kernel.memory().read_unsigned(*first, word) == seq;
    return moved_along ? 0 : seq;
  }
  const std::optional<std::uint64_t> counter = kernel.memory().read_unsigned(*address, 4);
  if (!counter) return std::nullopt;
  return kernel.memory().read_unsigned(*address + word + (*counter & 1) * word, word);
}

// One console's position; nothing if it is not in use.
std::optional<std::uint64_t> console_position(const StructView& console, bool has_own_thread) {
  constexpr std::uint64_t enabled = 4;        // CON_ENABLED
  constexpr std::uint64_t atomic = 1U << 8U;  // CON_NBCON: keeps its position elsewhere
  const std::uint64_t flags = console.number("flags");
  if ((flags & enabled) == 0) return std::nullopt;
  if ((flags & atomic) == 0) return console.number("seq");
  return has_own_thread ? std::optional(console.number("nbcon_seq")) : std::nullopt;
}

// Each console has a position of its own since 5.19. The furthest counts: what it has not come to,
// none has printed.
std::optional<std::uint64_t> read_console_positions(const GuestKernel& kernel, GuestVirtual list) {
  const StructLayout* typed = kernel.symbols().find_struct("console");
  const StructLayout& layout = typed != nullptr ? *typed : known_console_layout();
  const MemberLayout* node = layout.find("node");
  const MemberLayout& link = node != nullptr ? *node : layout.member("next");
  // Where the list leads to the node inside of the console (6.4 and later), not to its beginning.
  const bool by_node = kernel.find_address("console_list").has_value();
  std::optional<std::uint64_t> furthest;
  std::uint64_t next = kernel.memory().read_unsigned(list, word).value_or(0);
  constexpr int most_consoles = 64;
  for (int i = 0; next != 0 && i < most_consoles; ++i) {
    std::vector<std::byte> bytes(layout.size());
    const GuestVirtual console{by_node ? next - link.offset : next};
    if (!kernel.memory().read(console, bytes)) return std::nullopt;
    const StructView view(layout, bytes);
    const auto position = console_position(view, layout.find("nbcon_seq") != nullptr);
    if (position) furthest = std::max(furthest.value_or(0), *position);
    next = kernel.memory().read_unsigned(console + link.offset, word).value_or(0);
  }
  return furthest;
}

std::optional<std::uint64_t> read_console_seq(const GuestKernel& kernel) {
  if (const auto address = kernel.find_address("console_seq")) {
    return kernel.memory().read_unsigned(*address, word);
  }
  for (const char* name : {"console_list", "console_drivers"}) {
    if (const auto list = kernel.find_address(name)) return read_console_positions(kernel, *list);
  }
  return std::nullopt;
}

}  // namespace

LogPositions read_log_positions(const GuestKernel& kernel, std::uint64_t next_seq,
                                Diagnostics& diagnostics) {
  const auto check = [&](std::optional<std::uint64_t> position, const char* reader) {
    // A record that is being written may have been counted already.
    constexpr std::uint64_t unfinished = 64;
    if (position && *position > next_seq + unfinished) position.reset();
    diagnostics.found({.what = "next record",
                       .value = position ? fmt::format("{}", *position) : "not known",
                       .where = reader});
    return position;
  };
  // Each for itself: what keeps one from being read says nothing of the other.
  return {check(optional_fact("what had been cleared", diagnostics,
                              [&] { return read_clear_seq(kernel); }),
                "dmesg -C (clear_seq)"),
          check(optional_fact("what had been printed", diagnostics,
                              [&] { return read_console_seq(kernel); }),
                "consoles")};
}

}  // namespace photon_dmesg
