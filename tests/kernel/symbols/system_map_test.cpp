#include "kernel/symbols/system_map.h"

#include <catch2/catch.hpp>

#include "base/file_stream.h"
#include "support/bytes.h"
#include "support/errors.h"

namespace photon_dmesg::test {
namespace {

std::unique_ptr<SystemMap> load(const std::string& text) {
  const BufferSource source("System.map", as_bytes(text));
  FileStream stream(source);
  return SystemMap::load(stream);
}

const std::string sample =
    "0000000000000000 D __per_cpu_start\n"
    "ffffffff81000000 T _text\n"
    "ffffffff81000040 t twice\n"
    "ffffffff81000080 t twice\n"
    "ffffffff81000100 d prevailing\n"
    "ffffffff81000200 D prevailing\n"
    "ffffffff81000300 b same\n"
    "ffffffff81000300 b same\n"
    "ffffffff82000000 b log_first_idx";

}  // namespace

TEST_CASE("SystemMap: arm64's mapping symbols are no names of places") {
  const auto map = load(
      "ffff800008010000 t vectors\n"
      "ffff800008010000 t $x\n"
      "ffff800008010800 t $d\n"
      "ffff800008010900 T _text\n");
  const auto place = map->find_place({0xffff800008010804});
  REQUIRE(place);
  CHECK(place->name == "vectors");
  CHECK(place->offset == 0x804);
}

TEST_CASE("SystemMap: symbols by name, the first and the last line among them") {
  const auto map = load(sample);
  CHECK(map->find_symbol("__per_cpu_start") == GuestVirtual{0});
  CHECK(map->find_symbol("_text") == GuestVirtual{0xffffffff81000000});
  CHECK(map->find_symbol("log_first_idx") == GuestVirtual{0xffffffff82000000});
  CHECK_FALSE(map->find_symbol("text"));
  CHECK_FALSE(map->find_symbol("_tex"));
  CHECK_FALSE(map->find_symbol("T _text"));
  CHECK_FALSE(map->find_symbol(""));
}

TEST_CASE("SystemMap: a global symbol prevails, static ones must agree") {
  const auto map = load(sample);
  CHECK_FALSE(map->find_symbol("twice"));
  CHECK(map->find_symbol("prevailing") == GuestVirtual{0xffffffff81000200});
  CHECK(map->find_symbol("same") == GuestVirtual{0xffffffff81000300});
}

TEST_CASE("SystemMap: a line that is none is refused with its number") {
  check_fails(Failure::UnusableInput, "System.map: line 2: expected an address",
              [] { (void)load("ffffffff81000000 T _text\nffffffff8100004 t short\n"); });
  check_fails(Failure::UnusableInput, "System.map: line 2",
              [] { (void)load("ffffffff81000000 T _text\n\n"); });
  check_fails(Failure::UnusableInput, "System.map: line 1",
              [] { (void)load("fffffffg81000000 T _text\n"); });
}

TEST_CASE("SystemMap: one that went through an editor on Windows") {
  std::string windows = "\xef\xbb\xbf";
  for (const char c : std::string(sample)) windows += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(is_system_map(BufferSource("file", as_bytes(windows))));
  CHECK(load(windows)->find_symbol("_text") == load(sample)->find_symbol("_text"));
  CHECK(load(windows)->find_place({0xffffffff8100003f})->name == "_text");
}

TEST_CASE("SystemMap: an address by the symbol in front of it") {
  const auto map = load(sample);
  const auto place = [&](std::uint64_t address) { return map->find_place({address}); };
  CHECK(place(0xffffffff81000000)->name == "_text");
  CHECK(place(0xffffffff8100003f)->offset == 0x3f);
  CHECK(place(0xffffffff810002ff)->name == "prevailing");
  CHECK(place(0xffffffff82000004)->name == "log_first_idx");
  // So far behind a symbol that it can't be its own.
  CHECK_FALSE(place(0xffffffff80000000));
  CHECK_FALSE(place(0xffffffff81800000));
}

TEST_CASE("is_system_map: by the form of the first line") {
  const auto is_map = [](const std::string& text) {
    return is_system_map(BufferSource("file", as_bytes(text)));
  };
  CHECK(is_map(sample));
  CHECK(is_map("0000000000000000 A fixed_percpu_data"));
  CHECK_FALSE(is_map("ffffffff81000000 T "));
  CHECK_FALSE(is_map("ffffffff81000000  T _text"));
  CHECK_FALSE(is_map("0xffffffff810000 T _text"));
  CHECK_FALSE(is_map(std::string(4096, '\0')));
}

TEST_CASE("SystemMap: a line of very many parts that look like a name is gone through once") {
  std::string text = "ffffffff81000000 T _text\nffffffff81000010 d a";
  for (unsigned i = 0; i < 1'000'000; ++i) text += " textbuf.1";
  text += "\nffffffff81000020 d textbuf.1\n";
  const auto map = load(text);
  CHECK(map->find_static("textbuf") == GuestVirtual{0xffffffff81000020});
}

}  // namespace photon_dmesg::test
