#include "kernel/printk/log_losses.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace photon_dmesg {
namespace {

constexpr std::size_t listed_at_most = 8;

}  // namespace

void LossCounter::add(std::uint64_t first, std::uint64_t count) {
  if (count == 0) return;
  const bool follows = count_ > 0 && first == last_ + 1;
  last_ = first + count - 1;
  count_ += count;
  if (follows && ranges_.back().last + 1 == first) {
    ranges_.back().last = last_;
  } else if (ranges_.size() <= listed_at_most) {
    ranges_.push_back({first, last_});
  }
}

// "1", "2", "4 to 9": numbers that follow each other are one range, if that is shorter.
std::vector<std::string> LossCounter::list() const {
  std::vector<std::string> parts;
  for (const Range& range : ranges_) {
    if (range.last - range.first > 1) {
      parts.push_back(fmt::format("{} to {}", range.first, range.last));
      continue;
    }
    parts.push_back(std::to_string(range.first));
    if (range.last != range.first) parts.push_back(std::to_string(range.last));
  }
  return parts;
}

std::string LossCounter::describe(std::string_view what) const {
  std::vector<std::string> parts = list();
  if (parts.size() > listed_at_most) {
    parts[listed_at_most - 1] = fmt::format("... {}", last_);
    parts.resize(listed_at_most);
  }
  return fmt::format("{} record{} {} (sequence number{} {})", count_, count_ == 1 ? "" : "s", what,
                     count_ == 1 ? "" : "s", fmt::join(parts, ", "));
}

void LossCounter::report(std::string_view what, std::vector<std::string>& losses) const {
  if (!empty()) losses.push_back(describe(what));
}

}  // namespace photon_dmesg
