#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernel/symbols/kallsyms_index.h"

namespace photon_dmesg {

// Unpacks compressed names one after the other, for whoever wants all of them.
class KallsymsUnpacker {
 public:
  // `tokens` must outlive this. `longest`: of a name with its type, in bytes.
  KallsymsUnpacker(const KallsymsTokens& tokens, std::size_t longest);

  // The name that `compressed` stands for, its type in front, valid until the next call; empty if
  // it is longer than any.
  [[nodiscard]] std::string_view unpack(std::span<const std::byte> compressed);

 private:
  // Almost all tokens are short: to copy so many bytes, whatever their length, takes less than to
  // copy as many as they have.
  static constexpr std::size_t short_bytes = 16;

  const KallsymsTokens& tokens_;
  std::size_t longest_;
  std::array<std::array<char, short_bytes>, std::tuple_size_v<KallsymsTokens>> short_{};
  std::array<std::size_t, std::tuple_size_v<KallsymsTokens>> sizes_{};
  std::vector<char> name_;  // with room for the end of a short token behind it
};

}  // namespace photon_dmesg
