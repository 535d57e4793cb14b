#include <isa-l/crc64.h>

#include "base/checksum.h"

namespace photon_dmesg {

std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t before) {
  return ::crc64_ecma_refl(before, reinterpret_cast<const unsigned char*>(bytes.data()),
                           bytes.size());
}

}  // namespace photon_dmesg
