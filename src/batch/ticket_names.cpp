#include "batch/ticket_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace photon_dmesg {
namespace {

constexpr std::size_t longest_name = 100;

bool is_safe(unsigned char c) {
  return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-';
}

std::string folded(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

// Whether a summary of all tickets may be called so, which lies beside their folders; of a folded
// name.
bool is_of_summary(std::string_view name) {
  return name.starts_with("summary") &&
         (name.ends_with(".txt") || name.ends_with(".csv") || name.ends_with(".ndjson"));
}

}  // namespace

std::string safe_name(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, longest_name)) {
    const bool is_ascii = static_cast<unsigned char>(c) < 0x80;
    name += is_ascii && is_safe(static_cast<unsigned char>(c)) ? c : '_';
  }
  name.erase(0, name.find_first_not_of(".-"));
  return name.empty() ? "ticket" : name;
}

std::uint64_t hash_of(const Ticket& ticket) {
  // FNV-1a.
  constexpr std::uint64_t basis = 0xcbf29ce484222325;
  constexpr std::uint64_t prime = 0x100000001b3;
  std::uint64_t hash = basis;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
    hash *= prime;  // as of a zero, that no path has
  };
  add(ticket.name);
  for (const auto& file : ticket.files) add(file.lexically_normal().string());
  return hash;
}

void settle_names(std::vector<Ticket>& tickets) {
  std::map<std::string, int> uses;
  const auto key = [](const Ticket& ticket) { return folded(safe_name(ticket.name)); };
  for (const Ticket& ticket : tickets) ++uses[key(ticket)];
  std::map<std::string, int> given;
  for (Ticket& ticket : tickets) {
    const std::uint64_t hash = hash_of(ticket);
    const bool is_free = uses[key(ticket)] == 1 && !is_of_summary(key(ticket));
    ticket.name = safe_name(ticket.name);
    if (!is_free) ticket.name += fmt::format("-{:08x}", hash >> 32U);
    // The same files twice, or a name that looks like one of those that were made.
    const int count = ++given[folded(ticket.name)];
    if (count > 1) ticket.name += fmt::format("-{}", count);
  }
}

void hide_names(std::vector<Ticket>& tickets) {
  for (Ticket& ticket : tickets) ticket.name = fmt::format("ticket-{:016x}", hash_of(ticket));
  settle_names(tickets);
}

}  // namespace photon_dmesg
