#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/guest/guest_memory.h"

namespace photon_dmesg::test {

// Guest RAM in a test: from 0 to `size`, or the ranges given.
class FakeMemory final : public GuestMemory {
 public:
  explicit FakeMemory(std::uint64_t size) : FakeMemory({{GuestPhysical{0}, size}}) {}
  explicit FakeMemory(std::vector<PhysicalRange> ranges) : ranges_(std::move(ranges)) {
    for (const PhysicalRange& range : ranges_) {
      contents_[range.begin.value].resize(range.size);
    }
  }

  [[nodiscard]] bool read(GuestPhysical address, std::span<std::byte> target) const override {
    const std::byte* place = const_cast<FakeMemory*>(this)->find(address, target.size());
    if (place == nullptr) return false;
    std::copy_n(place, target.size(), target.begin());
    return true;
  }
  [[nodiscard]] const std::vector<PhysicalRange>& ranges() const override { return ranges_; }
  [[nodiscard]] const std::string& name() const override { return name_; }

  void write(GuestPhysical address, std::span<const std::byte> bytes) {
    std::byte* place = find(address, bytes.size());
    if (place == nullptr) throw std::logic_error("the test writes outside its RAM");
    std::ranges::copy(bytes, place);
  }
  template <typename Value>
  void write_value(GuestPhysical address, const Value& value) {
    write(address, std::as_bytes(std::span(&value, 1)));
  }
  void write_text(GuestPhysical address, std::string_view text) {
    write(address, std::as_bytes(std::span(text)));
  }

 private:
  std::byte* find(GuestPhysical address, std::size_t size) {
    const auto after = contents_.upper_bound(address.value);
    if (after == contents_.begin()) return nullptr;
    auto& [begin, bytes] = *std::prev(after);
    const std::uint64_t inside = address.value - begin;
    const bool holds = inside < bytes.size() && size <= bytes.size() - inside;
    return holds ? bytes.data() + inside : nullptr;
  }

  std::string name_ = "test memory";
  std::vector<PhysicalRange> ranges_;
  std::map<std::uint64_t, std::vector<std::byte>> contents_;
};

}  // namespace photon_dmesg::test
