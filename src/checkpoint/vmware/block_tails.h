#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace photon_dmesg {

// The ends of packed blocks, as far back as a later block may refer to. Of however many blocks, a
// bounded number is kept, some 75 MB: those that came last, and of the others each that is a
// multiple of some power of two, so that from any block it is not far to one that is known.
class BlockTails {
 public:
  static constexpr std::size_t most = 1024;  // beside those that came last
  static constexpr std::size_t recent = 16;

  // Keeps the end of `block`, the bytes of block `index`.
  void keep(std::uint64_t index, std::span<const std::byte> block);

  // That of block `index`, or null. Valid until the next keep().
  [[nodiscard]] const std::vector<std::byte>* find(std::uint64_t index) const;

  // How many are kept.
  [[nodiscard]] std::size_t count() const;

 private:
  struct Tail {
    std::uint64_t index = 0;
    std::vector<std::byte> bytes;
  };

  std::array<Tail, recent> recent_;
  std::size_t next_recent_ = 0;
  std::map<std::uint64_t, std::vector<std::byte>> spread_;
  std::uint64_t distance_ = 1;  // of those in spread_
};

}  // namespace photon_dmesg
