#include "checkpoint/vmware/fastlz.h"

#include <algorithm>
#include <cstdint>

namespace photon_dmesg {
namespace {

constexpr std::uint32_t level_shift = 5;  // the top three bits of the first byte: level - 1
constexpr std::uint32_t level_2 = 1;
constexpr std::size_t longest_coded_match = 7;
constexpr std::size_t farthest_near_reference = 8191;
constexpr std::uint32_t extended = 0xff;

class Unpacker {
 public:
  Unpacker(std::span<const std::byte> packed, std::span<const std::byte> before,
           bool zeros_in_front, std::span<std::byte> target)
      : packed_(packed), before_(before), zeros_in_front_(zeros_in_front), target_(target) {}

  FastlzResult run() {
    if (packed_.empty() || peek() >> level_shift != level_2) return FastlzResult::Damaged;
    // The level stands where the first instruction's kind would be: that one is a literal run.
    std::uint32_t control = next() & 31U;
    while (result_ == FastlzResult::Complete) {
      if (control >= 32) {
        copy_match(control);
      } else {
        copy_literals(control + 1);
      }
      if (in_ == packed_.size()) break;
      control = next();
    }
    const bool whole = in_ == packed_.size() && out_ == target_.size();
    if (result_ == FastlzResult::Complete && !whole) return FastlzResult::Damaged;
    return result_;
  }

 private:
  [[nodiscard]] std::uint32_t peek() const { return std::to_integer<std::uint32_t>(packed_[in_]); }
  std::uint32_t next() {
    if (in_ == packed_.size()) {
      result_ = FastlzResult::Damaged;
      return 0;
    }
    const std::uint32_t byte = peek();
    ++in_;
    return byte;
  }

  void copy_literals(std::size_t count) {
    if (count > packed_.size() - in_ || count > target_.size() - out_) {
      result_ = FastlzResult::Damaged;
      return;
    }
    std::copy_n(packed_.begin() + static_cast<std::ptrdiff_t>(in_), count,
                target_.begin() + static_cast<std::ptrdiff_t>(out_));
    in_ += count;
    out_ += count;
  }

  void copy_match(std::uint32_t control) {
    std::size_t length = (control >> level_shift) + 2;
    if (control >> level_shift == longest_coded_match) {
      std::uint32_t more = extended;
      while (more == extended && result_ == FastlzResult::Complete) {
        more = next();
        length += more;
      }
    }
    std::size_t distance = ((control & 31U) << 8U) + next();
    if (distance == farthest_near_reference) {
      const std::uint32_t high = next();
      distance += (high << 8U) + next();
    }
    ++distance;
    if (result_ != FastlzResult::Complete || length > target_.size() - out_) {
      result_ = FastlzResult::Damaged;
      return;
    }
    for (; length > 0; --length, ++out_) {
      target_[out_] = byte_back(distance);
      if (result_ != FastlzResult::Complete) return;
    }
  }

  std::byte byte_back(std::size_t distance) {
    if (distance <= out_) return target_[out_ - distance];
    const std::size_t beyond = distance - out_;
    if (beyond <= before_.size()) return before_[before_.size() - beyond];
    if (!zeros_in_front_) result_ = FastlzResult::NeedsBefore;
    return std::byte{0};
  }

  std::span<const std::byte> packed_;
  std::span<const std::byte> before_;
  bool zeros_in_front_;
  std::span<std::byte> target_;
  std::size_t in_ = 0;
  std::size_t out_ = 0;
  FastlzResult result_ = FastlzResult::Complete;
};

}  // namespace

FastlzResult unpack_fastlz(std::span<const std::byte> packed, std::span<const std::byte> before,
                           bool zeros_in_front, std::span<std::byte> target) {
  return Unpacker(packed, before, zeros_in_front, target).run();
}

}  // namespace photon_dmesg
