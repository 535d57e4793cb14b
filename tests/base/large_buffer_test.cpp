#include "base/large_buffer.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

namespace photon_dmesg::test {

TEST_CASE("LargeBuffer: all of its bytes can be written, whatever its size") {
  constexpr std::size_t mib = 1024 * 1024;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, 2 * mib - 1, 2 * mib, 5 * mib + 3}) {
    CAPTURE(size);
    LargeBuffer buffer(size);
    CHECK(buffer.bytes().size() == size);
    std::fill(buffer.bytes().begin(), buffer.bytes().end(), std::byte{7});
    const LargeBuffer moved = std::move(buffer);
    const auto bytes = moved.bytes();
    CHECK(static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), std::byte{7})) == size);
  }
}

TEST_CASE("LargeBuffer: one without a size is empty") {
  CHECK(LargeBuffer().bytes().empty());
}

}  // namespace photon_dmesg::test
