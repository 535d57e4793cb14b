#include "base/printable.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("utf8_length: well-formed characters of every length") {
  CHECK(utf8_length("a") == 1);
  CHECK(utf8_length("\xc3\xa9") == 2);
  CHECK(utf8_length("\xe2\x82\xac") == 3);
  CHECK(utf8_length("\xf0\x9f\x98\x80") == 4);
  CHECK(utf8_length("\xf4\x8f\xbf\xbf") == 4);  // U+10FFFF
  CHECK(utf8_length(std::string_view("\0", 1)) == 1);
  CHECK(utf8_length("\xc3\xa9 and more") == 2);
}

TEST_CASE("utf8_length: what RFC 3629 forbids is no character") {
  CHECK(utf8_length("") == 0);
  CHECK(utf8_length("\x80") == 0);              // a continuation byte alone
  CHECK(utf8_length("\xc0\xaf") == 0);          // overlong
  CHECK(utf8_length("\xc1\xbf") == 0);          // overlong
  CHECK(utf8_length("\xe0\x9f\xbf") == 0);      // overlong
  CHECK(utf8_length("\xf0\x8f\xbf\xbf") == 0);  // overlong
  CHECK(utf8_length("\xed\xa0\x80") == 0);      // a surrogate
  CHECK(utf8_length("\xf4\x90\x80\x80") == 0);  // above U+10FFFF
  CHECK(utf8_length("\xf5\x80\x80\x80") == 0);
  CHECK(utf8_length("\xff") == 0);
}

TEST_CASE("utf8_length: a character that is cut short is none") {
  CHECK(utf8_length("\xc3") == 0);
  CHECK(utf8_length("\xe2\x82") == 0);
  CHECK(utf8_length("\xf0\x9f\x98") == 0);
  CHECK(utf8_length("\xe2\x82x") == 0);
  CHECK(utf8_length("\xf0\x9f\x98x") == 0);
}

TEST_CASE("printable: no byte that steers a terminal is left") {
  CHECK(printable("plain caf\xc3\xa9") == "plain caf\xc3\xa9");
  CHECK(printable("\x1b[31mred") == "\\x1b[31mred");
  CHECK(printable("a\nb\x7f") == "a\\x0ab\\x7f");
  CHECK(printable("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");  // U+009B is CSI
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
}

TEST_CASE("printable: nothing ends a line or turns the direction of text") {
  CHECK(printable("a\xe2\x80\xa8z") == "a\\xe2\\x80\\xa8z");                   // U+2028
  CHECK(printable("\xe2\x80\xae") == "\\xe2\\x80\\xae");                       // U+202E
  CHECK(printable("\xd8\x9c") == "\\xd8\\x9c");                                // U+061C
  CHECK(printable("\xe2\x81\xa6") == "\\xe2\\x81\\xa6");                       // U+2066
  CHECK(printable("\xe2\x80\xa7\xe2\x80\xaf") == "\xe2\x80\xa7\xe2\x80\xaf");  // U+2027, U+202F
}

TEST_CASE("code_point: of each length") {
  CHECK(code_point("a") == U'a');
  CHECK(code_point("\xc3\xa9") == U'\u00e9');
  CHECK(code_point("\xe2\x82\xac") == U'\u20ac');
  CHECK(code_point("\xf0\x9f\x98\x80") == U'\U0001f600');
}

}  // namespace photon_dmesg::test
