#include "base/byte_source.h"

#include <fmt/format.h>

#include <cstring>

#include "base/error.h"

namespace photon_dmesg {

void ByteSource::read_at(std::uint64_t offset, std::span<std::byte> target) const {
  if (!contains(offset, target.size())) {
    throw unusable(fmt::format("truncated: expected {} bytes at offset {:#x}, but it ends at {:#x}",
                               target.size(), offset, size()));
  }
  if (!target.empty()) {
    read_checked(offset, target);
  }
}

void BufferSource::read_checked(std::uint64_t offset, std::span<std::byte> target) const {
  std::memcpy(target.data(), bytes_.data() + offset, target.size());
}

}  // namespace photon_dmesg
