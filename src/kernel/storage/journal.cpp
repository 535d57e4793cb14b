#include "kernel/storage/journal.h"

#include <array>

#include "kernel/arch/release_number.h"
#include "kernel/memory/fields.h"

namespace photon_dmesg {
namespace {

constexpr std::uint64_t aborted = 2;  // JBD2_ABORT, of j_flags

// The states of t_state, since 5.0; before there was no "switch".
constexpr std::array<std::string_view, 9> states = {
    "running",       "locked",        "switch",          "flush",   "commit",
    "commit dflush", "commit jflush", "commit callback", "finished"};
constexpr std::uint64_t switch_state = 2;

std::optional<std::string_view> name_of_state(std::uint64_t state, ReleaseNumber release) {
  if (release < ReleaseNumber{5, 0} && state >= switch_state) ++state;
  return state < states.size() ? std::optional(states[state]) : std::nullopt;
}

std::optional<std::uint64_t> read_jiffies(const GuestKernel& kernel) {
  const auto at = kernel.find_address("jiffies");
  return at ? kernel.memory().read_unsigned(*at, sizeof(std::uint64_t)) : std::nullopt;
}

std::optional<std::int32_t> as_signed(std::optional<std::uint64_t> number) {
  if (!number) return std::nullopt;
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
}

std::optional<Transaction> read_transaction(const GuestKernel& kernel, const KernelTypes& types,
                                            std::optional<GuestVirtual> address) {
  if (!address) return std::nullopt;
  const auto number = [&](std::string_view member) {
    return read_number(kernel.memory(), *address, types.find(member));
  };
  Transaction transaction;
  transaction.address = *address;
  if (const auto id = number("transaction_s.t_tid")) {
    transaction.number = static_cast<std::uint32_t>(*id);
  }
  if (const auto state = number("transaction_s.t_state")) {
    transaction.state = name_of_state(*state, release_number(kernel.banner().release));
  }
  transaction.handles = as_signed(number("transaction_s.t_updates"));
  const auto start = number("transaction_s.t_start");
  const auto now = read_jiffies(kernel);
  if (start && now && *start <= *now) transaction.age_jiffies = *now - *start;
  return transaction;
}

}  // namespace

Journal read_journal(const GuestKernel& kernel, const KernelTypes& types, GuestVirtual journal) {
  const KernelMemory& memory = kernel.memory();
  Journal found;
  found.address = journal;
  found.error = as_signed(read_number(memory, journal, types.find("journal_s.j_errno")));
  if (const auto flags = read_number(memory, journal, types.find("journal_s.j_flags"))) {
    found.is_aborted = (*flags & aborted) != 0;
  }
  found.running = read_transaction(
      kernel, types, read_pointer(memory, journal, types.find("journal_s.j_running_transaction")));
  found.committing = read_transaction(
      kernel, types,
      read_pointer(memory, journal, types.find("journal_s.j_committing_transaction")));
  return found;
}

}  // namespace photon_dmesg
