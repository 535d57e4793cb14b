#include "base/stream_reader.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/errors.h"
#include "support/short_stream.h"

namespace photon_dmesg::test {

TEST_CASE("StreamReader: takes exact numbers of bytes, whatever the stream gives at once") {
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{100}}) {
    CAPTURE(step);
    ShortStream stream("0123456789", step);
    StreamReader reader(stream);
    CHECK(reader.take_text(4, "four") == "0123");
    reader.skip(2, "two");
    CHECK(reader.position() == 6);
    CHECK(as_text(reader.peek(3)) == "678");
    CHECK(reader.position() == 6);
    CHECK(as_text(reader.peek(100)) == "6789");
    CHECK(reader.take_text(4, "four") == "6789");
    CHECK(reader.next().empty());
    CHECK(reader.peek(1).empty());
  }
}

TEST_CASE("StreamReader: an early end says what was wanted and where") {
  ShortStream stream("abc", 2);
  StreamReader reader(stream);
  check_fails(Failure::UnusableInput, "truncated: expected a header (1 more bytes) at 0x3",
              [&] { (void)reader.take(4, "a header"); });
}

TEST_CASE("StreamReader: an absurd length takes no memory for what is not there") {
  ShortStream stream("abc", 2);
  StreamReader reader(stream);
  check_fails(Failure::UnusableInput, "truncated",
              [&] { (void)reader.take(std::uint64_t{1} << 60, "everything"); });
}

}  // namespace photon_dmesg::test
