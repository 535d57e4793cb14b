#include "base/decompression.h"

#include <lzma.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "support/archive_writer.h"
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

std::string xz(const std::string& text) {
  return pack(text, "xz");
}

// In the older format, which has no mark and no checksum.
std::string lzma(const std::string& text) {
  lzma_options_lzma options;
  lzma_stream stream = LZMA_STREAM_INIT;
  REQUIRE_FALSE(lzma_lzma_preset(&options, 0));
  REQUIRE(lzma_alone_encoder(&stream, &options) == LZMA_OK);
  std::string packed(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<const std::uint8_t*>(text.data());
  stream.avail_in = text.size();
  stream.next_out = reinterpret_cast<std::uint8_t*>(packed.data());
  stream.avail_out = packed.size();
  REQUIRE(lzma_code(&stream, LZMA_FINISH) == LZMA_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  lzma_end(&stream);
  return packed;
}

}  // namespace

TEST_CASE("decompress: the first bytes say how it is packed, whatever it is named") {
  const std::string text = long_text();
  for (const char* named : {"gzip", "zstd", "none", "xz"}) {
    CAPTURE(named);
    CHECK(unpack(gzip(text), named) == text);
    CHECK(unpack(zstd(text), named) == text);
    CHECK(unpack(xz(text), named) == text);
    CHECK(unpack("070701 as cpio begins", named) == "070701 as cpio begins");
  }
}

TEST_CASE("decompress: what comes in small pieces is the same") {
  for (const std::string& packed : {gzip("a short text"), zstd("a short text")}) {
    CHECK(unpack(packed, "none", 4) == "a short text");
  }
}

TEST_CASE("decompress: what lzma's older format packed has no mark: it is what it is named") {
  CHECK(unpack(lzma(long_text()), "lzma") == long_text());
  CHECK(unpack(lzma("a short text"), "lzma", 1) == "a short text");
}

TEST_CASE("decompress: several streams of xz, and what pads them, are one") {
  CHECK(unpack(xz("one, ") + xz("two") + std::string(8, '\0'), "none", 100) == "one, two");
}

TEST_CASE("decompress: of damaged xz data all is given that comes before") {
  const std::string packed = xz(long_text());
  ShortStream cut(packed.substr(0, packed.size() / 2), 1000);
  const auto stream = decompress(cut, "none");
  std::string given;
  check_fails(Failure::UnusableInput, "truncated: the xz data does not end", [&] {
    for (auto bytes = stream->next(); !bytes.empty(); bytes = stream->next()) {
      given.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  });
  CHECK(given.size() > long_text().size() / 4);
  CHECK(long_text().starts_with(given));
  check_fails(Failure::UnusableInput, "truncated: the xz data does not end",
              [&] { (void)stream->next(); });
  check_fails(Failure::UnusableInput, "damaged: invalid xz data",
              [&] { (void)unpack(packed + "and what is no xz", "none"); });
  check_fails(Failure::UnusableInput, "damaged: not xz",
              [&] { (void)unpack("what is no xz", "xz"); });
}

TEST_CASE("decompress: other bytes are what the package names") {
  CHECK(unpack("plain", "none") == "plain");
  check_fails(Failure::UnusableInput, "found \"lzip\"", [] { (void)unpack("plain", "lzip"); });
}

TEST_CASE("decompress: damage and an early end are errors") {
  for (std::string packed : {gzip(long_text()), zstd(long_text()), xz(long_text())}) {
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

TEST_CASE("decompress: a dictionary too large to be held is no damage") {
  // The dictionary's size: 2^32 - 1 bytes (xz-file-format 1.1.0, 5.3.1), then the header's CRC32.
  constexpr std::size_t header = 12;
  constexpr std::size_t dictionary = header + 4;
  std::string packed = xz("a short text");
  const std::size_t check = header + (static_cast<std::size_t>(packed[header]) + 1) * 4 - 4;
  const auto said_to_need = [&](char size) {
    packed[dictionary] = size;
    const std::uint32_t crc =
        lzma_crc32(reinterpret_cast<const std::uint8_t*>(&packed[header]), check - header, 0);
    for (unsigned i = 0; i < 4; ++i) packed[check + i] = static_cast<char>(crc >> 8 * i);
    return packed;
  };
  CHECK(unpack(said_to_need(30), "none") == "a short text");  // 128 MiB
  check_fails(Failure::UnusableInput, "packed with a larger window than can be unpacked here",
              [&] { (void)unpack(said_to_need(40), "none"); });

  std::string older = lzma("a short text");
  older.replace(1, 4, "\xff\xff\xff\xff");  // behind the properties
  check_fails(Failure::UnusableInput, "packed with a larger window than can be unpacked here",
              [&] { (void)unpack(older, "lzma"); });
}

}  // namespace photon_dmesg::test
