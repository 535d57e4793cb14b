#include "base/decompression.h"

#include <zstd.h>

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/gzip_writer.h"
#include "support/short_stream.h"

namespace photon_dmesg::test {
namespace {

std::string zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
  return packed;
}

std::string unpack(const std::string& packed, const std::string& named, std::size_t step = 4096) {
  ShortStream stream(packed, step);
  const auto unpacked = decompress(stream, named);
  return read_all(*unpacked);
}

std::string long_text() {
  std::string text;
  while (text.size() < 2'000'000) text += std::to_string(text.size() * 7919) + ' ';
  return text;
}

}  // namespace

TEST_CASE("decompress: the first bytes say how it is packed, whatever it is named") {
  const std::string text = long_text();
  for (const char* named : {"gzip", "zstd", "none", "xz"}) {
    CAPTURE(named);
    CHECK(unpack(gzip(text), named) == text);
    CHECK(unpack(zstd(text), named) == text);
    CHECK(unpack("070701 as cpio begins", named) == "070701 as cpio begins");
  }
}

TEST_CASE("decompress: what comes in small pieces is the same") {
  for (const std::string& packed : {gzip("a short text"), zstd("a short text")}) {
    CHECK(unpack(packed, "none", 4) == "a short text");
  }
}

TEST_CASE("decompress: other bytes are what the package names") {
  CHECK(unpack("plain", "none") == "plain");
  check_fails(Failure::UnusableInput, "found \"lzip\"", [] { (void)unpack("plain", "lzip"); });
}

TEST_CASE("decompress: damage and an early end are errors") {
  for (std::string packed : {gzip(long_text()), zstd(long_text())}) {
    CHECK_THROWS_AS(unpack(packed.substr(0, packed.size() / 2), "none"), Error);
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    packed[packed.size() / 2 + 1] = static_cast<char>(packed[packed.size() / 2 + 1] ^ 0x55);
    bool same = false;
    try {
      same = unpack(packed, "none") == long_text();
    } catch (const Error& error) {
      CHECK(error.failure() == Failure::UnusableInput);
    }
    CHECK_FALSE(same);
  }
}

TEST_CASE("decompress: what the source throws comes through") {
  ShortStream stream(zstd(long_text()).substr(0, 1000), 100, true);
  check_fails(Failure::UnusableInput, "the stream failed",
              [&] { (void)read_all(*decompress(stream, "none")); });
}

TEST_CASE("decompress: a window too large to be unpacked is no damage") {
  // One raw block of one byte (RFC 8878, 3.1.1), in a frame whose window is 2^31 bytes.
  const std::string frame("\x28\xb5\x2f\xfd\0\xa8\x09\0\0x", 10);
  check_fails(Failure::UnusableInput, "packed with a larger window than can be unpacked here",
              [&] { (void)unpack(frame, "zstd"); });
}

}  // namespace photon_dmesg::test
