#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace photon_dmesg {

// Where a member stands in its structure.
struct MemberLayout {
  std::string name;
  std::uint64_t offset = 0;  // bytes from the structure's beginning
  std::uint64_t size = 0;    // bytes that hold it
  unsigned bit_shift = 0;    // bit fields: lowest bit in those bytes, read little-endian
  unsigned bit_width = 0;    // bit fields: bits; 0 for an ordinary member
  // The structure that it is, or that it is an array of; empty: neither, or not known.
  std::string type{};
};

// A structure as one compiler laid it out.
class StructLayout {
 public:
  StructLayout() = default;
  // `size` in bytes. One larger than 1 MiB, a member that leaves the structure and bits that leave
  // their member are refused with Error(UnusableInput).
  StructLayout(std::string name, std::uint64_t size, std::vector<MemberLayout> members);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::vector<MemberLayout>& members() const { return members_; }

  [[nodiscard]] const MemberLayout* find(std::string_view member) const;
  // Throws Error(UnusableInput) that names structure and member if there is none.
  [[nodiscard]] const MemberLayout& member(std::string_view member) const;

 private:
  std::string name_;
  std::uint64_t size_ = 0;
  std::vector<MemberLayout> members_;
};

}  // namespace photon_dmesg
