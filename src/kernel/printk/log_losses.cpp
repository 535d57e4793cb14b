#include "kernel/printk/log_losses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace photon_dmesg {
namespace {

// "1, 2, 4 to 9": numbers that follow each other are one range, if that is shorter.
std::vector<std::string> list_ranges(const std::vector<std::uint64_t>& seqs) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin < seqs.size();) {
    std::size_t end = begin + 1;
    while (end < seqs.size() && seqs[end] == seqs[end - 1] + 1) ++end;
    if (end - begin > 2) {
      parts.push_back(fmt::format("{} to {}", seqs[begin], seqs[end - 1]));
      begin = end;
    } else {
      parts.push_back(std::to_string(seqs[begin]));
      ++begin;
    }
  }
  return parts;
}

}  // namespace

std::string describe_loss(const std::vector<std::uint64_t>& seqs, std::string_view what) {
  constexpr std::size_t listed_at_most = 8;
  std::vector<std::string> parts = list_ranges(seqs);
  if (parts.size() > listed_at_most) {
    parts[listed_at_most - 1] = fmt::format("... {}", seqs.back());
    parts.resize(listed_at_most);
  }
  return fmt::format("{} record{} {} (sequence number{} {})", seqs.size(),
                     seqs.size() == 1 ? "" : "s", what, seqs.size() == 1 ? "" : "s",
                     fmt::join(parts, ", "));
}

}  // namespace photon_dmesg
