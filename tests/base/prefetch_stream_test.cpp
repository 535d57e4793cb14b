#include "base/prefetch_stream.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/short_stream.h"

namespace photon_dmesg::test {

namespace {

constexpr std::size_t most_ahead = 1'000'000;

}  // namespace

TEST_CASE("PrefetchStream: gives what its stream gives, to the end and again nothing") {
  std::string text;
  while (text.size() < 300'000) text += std::to_string(text.size()) + ' ';
  ShortStream stream(text, 1000);
  PrefetchStream ahead(stream, most_ahead);
  CHECK(read_all(ahead) == text);
  CHECK(ahead.next().empty());
  CHECK(ahead.name() == "stream");
}

TEST_CASE("PrefetchStream: a failure comes behind what came before it") {
  ShortStream stream("abcdef", 2, true);
  PrefetchStream ahead(stream, most_ahead);
  std::string text;
  check_fails(Failure::UnusableInput, "the stream failed", [&] {
    for (auto bytes = ahead.next(); !bytes.empty(); bytes = ahead.next()) text += as_text(bytes);
  });
  CHECK(text == "abcdef");
}

TEST_CASE("PrefetchStream: drained, its stream has been read to the end") {
  ShortStream stream(std::string(1'000'000, 'x'), 1000);
  PrefetchStream ahead(stream, most_ahead);
  (void)ahead.next();
  ahead.drain();
  CHECK(stream.position() == 1'000'000);
}

TEST_CASE("PrefetchStream: drained, its stream's failure is not lost") {
  ShortStream stream("abc", 1, true);
  PrefetchStream ahead(stream, most_ahead);
  check_fails(Failure::UnusableInput, "the stream failed", [&] { ahead.drain(); });
}

TEST_CASE(
    "PrefetchStream: what it was left in the middle of fails again when it is drained again") {
  ShortStream stream("abc", 1, true);
  PrefetchStream ahead(stream, most_ahead);
  for (int i = 0; i < 2; ++i) {
    check_fails(Failure::UnusableInput, "the stream failed", [&] { ahead.drain(); });
  }
}

TEST_CASE(
    "PrefetchStream: one may read ahead of another, which is drained when the first is gone") {
  ShortStream stream(std::string(50'000'000, 'x'), 100'000);
  PrefetchStream packed(stream, most_ahead);
  {
    PrefetchStream unpacked(packed, most_ahead);
    for (int i = 0; i < 20; ++i) CHECK_FALSE(unpacked.next().empty());
  }
  packed.drain();
  CHECK(stream.position() == 50'000'000);
}

TEST_CASE("PrefetchStream: a failure goes through two of them") {
  ShortStream stream("abcdef", 2, true);
  PrefetchStream packed(stream, most_ahead);
  PrefetchStream unpacked(packed, most_ahead);
  std::string text;
  check_fails(Failure::UnusableInput, "the stream failed", [&] {
    for (auto bytes = unpacked.next(); !bytes.empty(); bytes = unpacked.next()) {
      text += as_text(bytes);
    }
  });
  CHECK(text == "abcdef");
}

TEST_CASE("PrefetchStream: may be left at any time") {
  ShortStream stream(std::string(100'000'000, 'x'), 1'000'000);
  {
    PrefetchStream ahead(stream, most_ahead);
    (void)ahead.next();
  }
  // What was given, what may be ahead, and what was under way when there was still room.
  CHECK(stream.position() <= 3 * most_ahead);
}

}  // namespace photon_dmesg::test
