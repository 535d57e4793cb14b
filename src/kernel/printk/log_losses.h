#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// What is said of records whose text is not as long as what stands behind it says, in any format.
inline constexpr std::string_view contradicted_length =
    "whose text may end too early or too late: its length contradicts its block";

// The sequence numbers of the records that the same thing is wrong with. Takes little memory,
// however many there are: a damaged ring may lose millions.
class LossCounter {
 public:
  // Ascending from call to call.
  void add(std::uint64_t seq) { add(seq, 1); }
  void add(std::uint64_t first, std::uint64_t count);

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint64_t count() const { return count_; }

  // "5 records WHAT (sequence numbers 3, 7 to 10)"; a long list is cut short with its last number.
  [[nodiscard]] std::string describe(std::string_view what) const;

  // Appends the description to `losses`, if there is anything to describe.
  void report(std::string_view what, std::vector<std::string>& losses) const;

 private:
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  [[nodiscard]] std::vector<std::string> list() const;

  std::vector<Range> ranges_;  // the first few
  std::uint64_t last_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace photon_dmesg
