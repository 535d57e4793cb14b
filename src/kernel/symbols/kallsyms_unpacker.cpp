#include "kernel/symbols/kallsyms_unpacker.h"

#include <algorithm>
#include <cstring>

namespace photon_dmesg {

KallsymsUnpacker::KallsymsUnpacker(const KallsymsTokens& tokens, std::size_t longest)
    : tokens_(tokens), longest_(longest), name_(longest + short_bytes) {
  for (std::size_t token = 0; token < tokens.size(); ++token) {
    sizes_[token] = tokens[token].size();
    std::copy_n(tokens[token].begin(), std::min(sizes_[token], short_bytes), short_[token].begin());
  }
}

std::string_view KallsymsUnpacker::unpack(std::span<const std::byte> compressed) {
  std::size_t end = 0;
  for (const std::byte byte : compressed) {
    const auto token = std::to_integer<std::size_t>(byte);
    const std::size_t size = sizes_[token];
    if (size > longest_ - end) return {};
    const std::span<char> target = std::span(name_).subspan(end);
    if (size <= short_bytes) {
      std::memcpy(target.data(), short_[token].data(), short_bytes);
    } else {
      std::memcpy(target.data(), tokens_[token].data(), size);
    }
    end += size;
  }
  return {name_.data(), end};
}

}  // namespace photon_dmesg
