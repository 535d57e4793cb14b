#include "kernel/log_losses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <span>

namespace photon_dmesg {

std::string describe_loss(const std::vector<std::uint64_t>& seqs, std::string_view what) {
  constexpr std::size_t listed_at_most = 8;
  const bool all = seqs.size() <= listed_at_most;
  const std::span<const std::uint64_t> listed =
      std::span(seqs).first(all ? seqs.size() : listed_at_most - 1);
  return fmt::format("{} record{} {} (sequence number{} {}{})", seqs.size(),
                     seqs.size() == 1 ? "" : "s", what, seqs.size() == 1 ? "" : "s",
                     fmt::join(listed, ", "), all ? "" : fmt::format(", ... {}", seqs.back()));
}

}  // namespace photon_dmesg
