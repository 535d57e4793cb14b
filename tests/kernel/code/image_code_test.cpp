#include "kernel/code/image_code.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t text = 0xffffffff81000000;

std::string describe(const ImageCode& code, std::uint64_t address) {
  const auto place = code.place({address});
  return place ? photon_dmesg::describe(*place) : "none";
}

// Symbols in this order.
MadeSymbols& add(MadeSymbols& symbols,
                 std::initializer_list<std::pair<const char*, std::uint64_t>> list) {
  for (const auto& [name, offset] : list) symbols.add(name, {text + offset});
  return symbols;
}

}  // namespace

TEST_CASE("image code: a function from its first byte to the next symbol") {
  MadeSymbols symbols;
  const ImageCode code(
      add(symbols, {{"_stext", 0}, {"one", 0x10}, {"two", 0x40}, {"_etext", 0x100}}));
  CHECK(describe(code, text + 0x10) == "one+0x0/0x30");
  CHECK(describe(code, text + 0x3f) == "one+0x2f/0x30");
  CHECK(describe(code, text + 0x40) == "two+0x0/0xc0");
  CHECK(describe(code, text + 0x100) == "none");
  CHECK(describe(code, text - 1) == "none");
}

TEST_CASE("image code: init code counts, what lies between does not") {
  MadeSymbols symbols;
  const ImageCode code(add(symbols, {{"_stext", 0},
                                     {"run", 0x10},
                                     {"_etext", 0x100},
                                     {"variable", 0x180},
                                     {"_sinittext", 0x200},
                                     {"boot", 0x210},
                                     {"_einittext", 0x300}}));
  CHECK(code.is_text({text + 0x210}));
  CHECK_FALSE(code.is_text({text + 0x180}));
  CHECK_FALSE(code.is_text({text + 0x300}));
  CHECK(describe(code, text + 0x215) == "boot+0x5/0xf0");
  CHECK(describe(code, text + 0x180) == "none");
}

TEST_CASE("image code: of names at one place the kernel's own table has the first") {
  MadeSymbols symbols;
  const ImageCode code(
      add(symbols, {{"_stext", 0}, {"zebra", 0x10}, {"alias", 0x10}, {"_etext", 0x100}}));
  CHECK(describe(code, text + 0x18) == "zebra+0x8/0xf0");
}

TEST_CASE("image code: symbols in no order are put into that of the kernel's table") {
  MadeSymbols symbols;
  const ImageCode code(add(symbols, {{"_etext", 0x100},
                                     {"__noinstr_text_end", 0x40},
                                     {"__rest", 0x40},
                                     {"rest_init", 0x40},
                                     {"one", 0x10},
                                     {"_stext", 0}}));
  CHECK(describe(code, text + 0x50) == "rest_init+0x10/0xc0");
  CHECK(describe(code, text + 0x1f) == "one+0xf/0x30");
}

TEST_CASE("image code: local labels are no functions") {
  MadeSymbols symbols;
  const ImageCode code(add(symbols, {{"_stext", 0},
                                     {"one", 0x10},
                                     {".Lloop", 0x20},
                                     {"$x", 0x28},
                                     {"", 0x30},
                                     {"_etext", 0x100}}));
  CHECK(describe(code, text + 0x35) == "one+0x25/0xf0");
}

TEST_CASE("image code: without the borders all of the image may be code") {
  MadeSymbols symbols;
  const ImageCode code(add(symbols, {{"one", 0x10}, {"two", 0x40}}));
  CHECK(code.is_text({text + 0x900000}));
  CHECK(describe(code, text + 0x20) == "one+0x10/0x30");
  CHECK(describe(code, text + 0x50) == "two+0x10/0x11");
  CHECK(describe(code, text) == "none");
}

TEST_CASE("image code: borders that make no sense are none") {
  MadeSymbols symbols;
  const ImageCode code(add(symbols, {{"_stext", 0x100}, {"one", 0x10}, {"_etext", 0}}));
  CHECK(describe(code, text + 0x20) == "one+0x10/0xf0");
}

TEST_CASE("image code: without symbols there is no place") {
  const MadeSymbols symbols;
  const ImageCode code(symbols);
  CHECK(describe(code, text) == "none");
}

}  // namespace photon_dmesg::test
