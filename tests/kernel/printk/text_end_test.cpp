#include "kernel/printk/text_end.h"

#include <catch2/catch.hpp>
#include <string>

namespace photon_dmesg::test {
namespace {

using namespace std::string_literals;

// A block as printk_sprint() leaves it: `earlier` pieces of the line, then one more with its prefix
// and newline, of which prefix and newline have been cut off.
struct Printed {
  std::string block;
  std::size_t length;
};

Printed print(const std::string& prefix, const std::string& piece, bool newline,
              const std::string& earlier = "") {
  std::string written = prefix + piece + (newline ? "\n" : "") + '\0';
  written.replace(0, piece.size(), piece);  // memmove
  Printed result{earlier + written, earlier.size() + piece.size()};
  result.block.resize((result.block.size() + 7) / 8 * 8, 'x');  // alignment: anything
  return result;
}

}  // namespace

TEST_CASE("text end: a text that was formatted in its block is known to the byte") {
  const std::string prefix = GENERATE(""s,
                                      "\1"s
                                      "6"s,
                                      "\1"s
                                      "c\1"s
                                      "4"s);
  const bool newline = GENERATE(true, false);
  const Printed printed = print(prefix, "usb 1-1: new device", newline);
  CAPTURE(prefix.size(), newline);
  CHECK(judge_text_end(printed.block, printed.length, newline, false) == TextEnd::Printed);
  // But for one that would end where the prefix's copy does, which looks as if it had had none.
  for (const std::size_t wrong : {printed.length - 1, printed.length + 1, printed.length - 3}) {
    CAPTURE(wrong);
    CHECK(judge_text_end(printed.block, wrong, newline, false) != TextEnd::Printed);
  }
}

TEST_CASE("text end: a piece shorter than its prefix") {
  for (const char* piece : {"", ".", "ok"}) {
    CAPTURE(piece);
    const Printed printed = print("\1c", piece, true, "starting: ");
    CHECK(judge_text_end(printed.block, printed.length, true, false) == TextEnd::Printed);
  }
}

TEST_CASE("text end: of a text that was copied, only alignment stands behind it") {
  CHECK(judge_text_end("text....", 4, true, false) == TextEnd::Copied);
  CHECK(judge_text_end("12345678", 8, true, true) == TextEnd::Copied);
  CHECK(judge_text_end("text\0\0\0\0"s, 4, true, true) == TextEnd::Copied);
  CHECK(judge_text_end("text....", 4, true, true) == TextEnd::Contradicted);
  CHECK(judge_text_end("text............", 4, true, false) == TextEnd::Contradicted);
}

TEST_CASE("text end: no text ends with a NUL or behind its block") {
  CHECK(judge_text_end("text\0\0\0\0"s, 5, true, true) == TextEnd::Contradicted);
  CHECK(judge_text_end("text", 5, true, true) == TextEnd::Contradicted);
}

TEST_CASE("text end: zeros are no text, whether its line was ended or not") {
  const std::string zeros(32, '\0');
  for (const std::size_t length : {1U, 7U, 24U, 31U}) {
    CAPTURE(length);
    CHECK(judge_text_end(zeros, length, false, true) == TextEnd::Contradicted);
    CHECK(judge_text_end(zeros, length, true, true) == TextEnd::Contradicted);
  }
}

TEST_CASE("text end: what the kernel cut off itself says so") {
  CHECK(judge_text_end("too long<truncated>of an older record", 19, true, false) ==
        TextEnd::Printed);
}

}  // namespace photon_dmesg::test
