#include "kernel/symbols/kallsyms_table.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t text = 0xffffffff81000000;

// Tokens of one and of several characters: 1 is a type and more, 2 nothing at all, 3 as long as a
// name may be.
KallsymsTokens sample_tokens() {
  KallsymsTokens tokens;
  for (std::size_t byte = 'A'; byte <= 'z'; ++byte) {
    tokens[byte] = std::string(1, static_cast<char>(byte));
  }
  tokens[1] = "Tlinux_";
  tokens[2] = "";
  tokens[3] = std::string(KallsymsTable::longest_name, 'l');
  tokens[4] = "Tprb";
  tokens[5] = "banner";
  return tokens;
}

// Names as they are compressed, at ascending addresses.
struct Written {
  std::string names;
  std::vector<std::uint32_t> begins;
  std::string addresses;

  explicit Written(const std::vector<std::string>& compressed) {
    for (const std::string& name : compressed) {
      begins.push_back(static_cast<std::uint32_t>(names.size()));
      names += static_cast<char>(name.size());
      names += name;
      addresses += little_endian(text + begins.size() * 0x10, 8);
    }
  }

  [[nodiscard]] KallsymsTable table(const std::string& order = {}) const {
    const std::vector<KallsymsOrder> orders = {KallsymsOrder(as_bytes(order))};
    KallsymsTable table(sample_tokens(), as_bytes(names), begins, orders);
    table.set_addresses({KallsymsAddresses::Form::Absolute, as_bytes(addresses), {}, 0});
    return table;
  }
};

GuestVirtual place(std::uint64_t index) {
  return {text + (index + 1) * 0x10};
}

}  // namespace

TEST_CASE("KallsymsTable: names of one token, of empty ones and of many are found") {
  const Written written({"\x04", "\x01\x05",
                         "\x02T\x02"
                         "ab\x02",
                         "Tprba",
                         "\x01"
                         "banne"});
  const KallsymsTable table = written.table();
  CHECK(table.find("prb") == place(0));
  CHECK(table.find("linux_banner") == place(1));
  CHECK(table.find("ab") == place(2));
  CHECK(table.find("prba") == place(3));
  CHECK(table.find("linux_banne") == place(4));
  for (const char* absent : {"pr", "rb", "linux_", "banner", "a", "b", "inux_banner", "Tprb"}) {
    CAPTURE(absent);
    CHECK_FALSE(table.find(absent));
  }
}

TEST_CASE("KallsymsTable: a name that is longer than any is none, with an order and without") {
  const Written written({"Ta", "T\x03", "T\x03\x03", "Tz"});
  const std::string order("\0\0\0\0\0\1\0\0\2\0\0\3", 12);
  for (const std::string& used : {std::string(), order}) {
    const KallsymsTable table = written.table(used);
    CHECK(table.find("a") == place(0));
    CHECK(table.find("z") == place(3));
    CHECK(table.find(std::string(512, 'l')) == place(1));
    CHECK(table.symbol(2).name.empty());
    CHECK(table.symbol(2).address == place(2));
  }
}

TEST_CASE("KallsymsTable: an order that names what is no symbol is none") {
  const Written written({"Ta", "Tb", "Tc"});
  const std::string beyond("\0\0\0\xff\xff\xff\0\0\2", 9);
  const KallsymsTable table = written.table(beyond);
  CHECK(table.find("a") == place(0));
  CHECK(table.find("b") == place(1));
  CHECK_FALSE(table.find("d"));
}

TEST_CASE("KallsymsTable: each symbol in turn is what it is by itself") {
  const Written written({"\x04", "\x01\x05", "Tab", "\x02", "t\x03", "T\x03\x03",
                         std::string(100, 'A'),
                         "T\x03"
                         "a",
                         "dz"});
  const KallsymsTable table = written.table();
  std::size_t index = 0;
  table.for_each([&](std::string_view name, GuestVirtual address, SymbolBinding binding) {
    CAPTURE(index);
    const KallsymsTable::Symbol symbol = table.symbol(index++);
    CHECK(name == symbol.name);
    CHECK(address == symbol.address);
    CHECK((binding == SymbolBinding::Global) == (symbol.type >= 'A' && symbol.type <= 'Z'));
  });
  CHECK(index == table.size());
}

TEST_CASE("KallsymsTable: what is a type alone has no name") {
  const Written written({"T", "\x02", "Ta"});
  const KallsymsTable table = written.table();
  CHECK(table.find("a") == place(2));
  CHECK(table.symbol(0).name.empty());
  CHECK(table.symbol(0).type == 'T');
  CHECK(table.symbol(1).type == '?');
}

}  // namespace photon_dmesg::test
