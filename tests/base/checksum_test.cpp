#include "base/checksum.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"

namespace photon_dmesg::test {

TEST_CASE("checksum: that of the catalogue of CRCs, in one piece or in several") {
  constexpr std::uint64_t check = 0x995dc9bbdf1939fa;  // CRC-64/XZ of "123456789"
  CHECK(checksum(as_bytes("123456789")) == check);
  CHECK(checksum(as_bytes("56789"), checksum(as_bytes("1234"))) == check);
  CHECK(checksum({}) == 0);
}

}  // namespace photon_dmesg::test
