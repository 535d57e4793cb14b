#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/diagnostics.h"

namespace photon_dmesg {

// How much a piece of work may take of what input counts: steps, bytes, pages. A file or a guest
// may name any number; what is really there, or what an honest one can need, is the budget. Beyond
// it the work stops and keeps what it has: a loss that is said, no Error.
class Budget {
 public:
  // `what`: what is counted, in the plural, as the warning has it ("groups of tags").
  Budget(std::string what, std::uint64_t most) : what_(std::move(what)), most_(most) {}

  // Takes `count`, if all of it is left. Otherwise false, and so from then on, however little is
  // asked for: what is left out is all that comes behind, not the larger pieces.
  [[nodiscard]] bool take(std::uint64_t count = 1) {
    if (exceeded_ || count > most_ - taken_) {
      exceeded_ = true;
      return false;
    }
    taken_ += count;
    return true;
  }

  [[nodiscard]] bool exceeded() const { return exceeded_; }
  [[nodiscard]] std::uint64_t taken() const { return taken_; }

  // Says of `where`, such as a file, that it has more than was taken, if that is so.
  void warn_if_exceeded(const std::string& where, Diagnostics& diagnostics) const;

 private:
  std::string what_;
  std::uint64_t most_;
  std::uint64_t taken_ = 0;
  bool exceeded_ = false;
};

}  // namespace photon_dmesg
