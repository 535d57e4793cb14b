#include "kernel/symbols/kallsyms_parser.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"
#include "support/kallsyms_writer.h"

namespace photon_dmesg::test {
namespace {

constexpr GuestVirtual base{0xffffffff82000000};
constexpr std::uint64_t text = kernel_begin;

std::vector<KallsymsSample> sample_symbols(const KallsymsForm& form) {
  std::vector<KallsymsSample> symbols;
  if (form.per_cpu) symbols.push_back({'A', 0x1000, "a_per_cpu_variable"});
  symbols.push_back({'T', text, "_text"});
  for (unsigned i = 0; i < 700; ++i) {
    symbols.push_back({'t', text + 0x100 + i * 0x40, "function_" + std::to_string(i)});
  }
  // Longer than 127 tokens: its length takes two bytes since 6.1.
  if (form.addresses_behind || form.seqs_of_names) {
    symbols.push_back({'t', text + 0x100000, std::string(200, 'y')});
  }
  symbols.push_back({'T', text + 0x200000, "_etext"});
  symbols.push_back({'d', text + 0x1000000, "prb"});
  return symbols;
}

// What tells the right reading here: _text and _etext are where they are.
bool is_right(const KallsymsTable& table) {
  return table.find("_text") == GuestVirtual{text} &&
         table.find("_etext") == GuestVirtual{text + 0x200000};
}

std::optional<KallsymsTable> parse(std::span<const std::byte> bytes, GuestVirtual address,
                                   const std::function<bool(const KallsymsTable&)>& right) {
  Budget budget = kallsyms_budget();
  auto table = parse_kallsyms(bytes, address, budget, right);
  CHECK_FALSE(budget.exceeded());
  return table;
}

// With two of one name, of which one is global, and two that leave a doubt.
std::vector<KallsymsSample> with_twins(const KallsymsForm& form) {
  std::vector<KallsymsSample> symbols = sample_symbols(form);
  symbols.push_back({'d', text + 0x1000100, "prevailing"});
  symbols.push_back({'D', text + 0x1000200, "prevailing"});
  symbols.push_back({'d', text + 0x1000300, "twice"});
  symbols.push_back({'d', text + 0x1000400, "twice"});
  symbols.push_back({'d', text + 0x1000500, "buffer.17"});
  return symbols;
}

void check_names(const KallsymsTable& table, const std::vector<KallsymsSample>& expected) {
  REQUIRE(table.size() == expected.size());
  for (const KallsymsSample& symbol : expected) {
    CAPTURE(symbol.name);
    const auto found = table.find(symbol.name);
    if (symbol.name == "twice") {
      REQUIRE_FALSE(found);
    } else if (symbol.name == "prevailing") {
      REQUIRE(found == GuestVirtual{text + 0x1000200});
    } else {
      REQUIRE(found == GuestVirtual{symbol.address});
    }
    for (const std::string& other : {symbol.name + "x", "x" + symbol.name, symbol.name.substr(1)}) {
      REQUIRE_FALSE(table.find(other));
    }
  }
  CHECK(table.find_static("buffer") == GuestVirtual{text + 0x1000500});
  CHECK_FALSE(table.find("buffer"));
  CHECK_FALSE(table.find(""));
  CHECK_FALSE(table.find("~"));
  CHECK_FALSE(table.find(std::string(600, 'y')));
}

// Where the order of names stands in a table that was written with nothing in front.
std::size_t find_order(const std::string& bytes, const KallsymsForm& form,
                       const std::vector<KallsymsSample>& symbols) {
  const std::size_t size = symbols.size() * 3;
  const std::size_t padded = (size + form.alignment - 1) / form.alignment * form.alignment;
  const std::size_t behind = bytes.size() - 100;
  return (form.addresses_behind ? behind : bytes.find(std::string("?0\0fu\0", 6))) - padded;
}

// The tokens of a real table.
std::string some_tokens() {
  const std::string whole =
      KallsymsWriter(kallsyms_forms[1], sample_symbols(kallsyms_forms[1]), base).write("");
  return whole.substr(whole.find(std::string("?0\0fu\0", 6)));
}

// What begins as a table at every eighth byte of `size`, each time with names up to its end:
// numbers of symbols between names of six characters, and the tokens of a real one.
std::string tables_within_tables(std::size_t size) {
  std::string bytes;
  while (bytes.size() < size) bytes += "\x07Tsymbol";
  for (std::size_t at = 0; at + 800 < size; at += 800) {
    bytes.replace(at, 8, little_endian(size / 8 * 2, 8));
  }
  return bytes + some_tokens();
}

}  // namespace

TEST_CASE("kallsyms: every version's table gives every symbol") {
  for (const KallsymsForm& form : kallsyms_forms) {
    CAPTURE(form.versions);
    const std::vector<KallsymsSample> expected = sample_symbols(form);
    for (const std::size_t before : {0U, 8U, 4096U}) {
      const std::string bytes =
          KallsymsWriter(form, expected, base).write(std::string(before, '\x5a'));
      const auto found = parse(as_bytes(bytes), base, is_right);
      REQUIRE(found);
      REQUIRE(found->size() == expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(found->symbol(i).name == expected[i].name);
        REQUIRE(found->symbol(i).type == expected[i].type);
        REQUIRE(found->symbol(i).address.value == expected[i].address);
      }
    }
  }
}

TEST_CASE("kallsyms: every version's table finds every name, and no other") {
  for (const KallsymsForm& form : kallsyms_forms) {
    CAPTURE(form.versions);
    const std::vector<KallsymsSample> expected = with_twins(form);
    const std::string bytes = KallsymsWriter(form, expected, base).write("");
    const auto found = parse(as_bytes(bytes), base, is_right);
    REQUIRE(found);
    check_names(*found, expected);
  }
}

TEST_CASE("kallsyms: a table that was kept no longer needs the bytes it was parsed from") {
  for (const KallsymsForm& form : kallsyms_forms) {
    CAPTURE(form.versions);
    const std::vector<KallsymsSample> expected = with_twins(form);
    std::string bytes = KallsymsWriter(form, expected, base).write("");
    auto found = parse(as_bytes(bytes), base, is_right);
    REQUIRE(found);
    found->keep();
    bytes.assign(bytes.size(), '\xee');
    check_names(*found, expected);
  }
}

TEST_CASE("kallsyms: an order of names that lost a page is not used") {
  for (const KallsymsForm& form : kallsyms_forms) {
    if (!form.seqs_of_names && !form.addresses_behind) continue;
    CAPTURE(form.versions);
    const std::vector<KallsymsSample> expected = with_twins(form);
    const std::string whole = KallsymsWriter(form, expected, base).write("");
    const std::size_t size = expected.size() * 3;
    const std::size_t order = find_order(whole, form, expected);
    for (const char damage : {'\0', '\xff'}) {
      for (std::size_t at = order; at + size / 2 <= order + size; at += size / 4) {
        CAPTURE(at - order, damage);
        std::string bytes = whole;
        bytes.replace(at, size / 2, std::string(size / 2, damage));
        const auto found = parse(as_bytes(bytes), base, is_right);
        REQUIRE(found);
        check_names(*found, expected);
      }
    }
  }
}

TEST_CASE("kallsyms: damage to the order of names can hide a name, but shows no wrong one") {
  const KallsymsForm& form = kallsyms_forms[5];
  const std::vector<KallsymsSample> expected = sample_symbols(form);
  const std::string whole = KallsymsWriter(form, expected, base).write("");
  const std::size_t order = find_order(whole, form, expected);
  for (std::size_t at = order; at < order + expected.size() * 3; at += 17) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x15);
    const auto found = parse(as_bytes(bytes), base, [](const KallsymsTable&) { return true; });
    REQUIRE(found);
    for (const KallsymsSample& symbol : expected) {
      const auto address = found->find(symbol.name);
      if (address) REQUIRE(address->value == symbol.address);
    }
  }
}

TEST_CASE("kallsyms: a table cut anywhere is none, and never read past its end") {
  const KallsymsForm& form = kallsyms_forms[5];
  const std::vector<KallsymsSample> symbols = sample_symbols(form);
  const std::string whole = KallsymsWriter(form, symbols, base).write("");
  const std::size_t end = find_order(whole, form, symbols);  // which can be done without
  for (std::size_t length = 0; length < end; length += 61) {
    CAPTURE(length);
    const std::string cut = whole.substr(0, length);
    CHECK_FALSE(parse(as_bytes(cut), base, is_right));
  }
}

TEST_CASE("kallsyms: a table in which a name is empty is none") {
  const KallsymsForm& form = kallsyms_forms[2];
  std::string bytes = KallsymsWriter(form, sample_symbols(form), base).write("");
  const std::string two_names = "\x0ct\x01nction_300\x0ct\x01nction_301";
  const std::size_t place = bytes.find(two_names);
  REQUIRE(place != std::string::npos);
  // In their place an empty one, with a length of two bytes, and one that takes the rest.
  const std::string empty("\x80\x00", 2);
  const std::size_t rest = two_names.size() - empty.size() - 1;
  bytes.replace(place, two_names.size(),
                empty + static_cast<char>(rest) + 't' + std::string(rest - 1, 'y'));
  CHECK_FALSE(parse(as_bytes(bytes), base, is_right));
}

TEST_CASE("kallsyms: digits that are no token table, and zeros, are none") {
  std::string digits;
  for (char digit = '0'; digit <= '9'; ++digit) digits += std::string(1, digit) + '\0';
  CHECK_FALSE(parse(as_bytes(digits), base, is_right));
  CHECK_FALSE(parse(as_bytes(digits + std::string(100'000, 'x')), base, is_right));
  CHECK_FALSE(parse(as_bytes(std::string(100'000, '\0')), base, is_right));
  CHECK_FALSE(parse({}, base, is_right));
}

TEST_CASE("kallsyms: what looks like a table at very many places is given up") {
  Budget budget("bytes that may be symbols' names", 1'000'000);
  const std::string bytes = tables_within_tables(std::size_t{4} << 20);
  CHECK_FALSE(parse_kallsyms(as_bytes(bytes), base, budget, is_right));
  CHECK(budget.exceeded());
}

TEST_CASE("kallsyms: what looks like tokens at very many places is given up") {
  Budget budget("bytes that may be symbols' names", 1'000'000);
  std::string bytes;
  while (bytes.size() < std::size_t{1} << 16) {
    for (char digit = '0'; digit <= '9'; ++digit) bytes += std::string(1, digit) + '\0';
  }
  CHECK_FALSE(parse_kallsyms(as_bytes(bytes), base, budget, is_right));
  CHECK(budget.exceeded());
}

TEST_CASE("kallsyms: what very many small tables claim to hold takes nothing until it is read") {
  const std::string table =
      little_endian(2'000'000, 4) + std::string(20, '\1') + std::string(8, '\0');
  std::string bytes;
  while (bytes.size() < std::size_t{5} << 20) bytes += table;
  CHECK_FALSE(parse(as_bytes(bytes + some_tokens()), base, is_right));
}

TEST_CASE("kallsyms: a token longer than any name makes none of them") {
  const KallsymsForm& form = kallsyms_forms[5];
  std::string bytes = KallsymsWriter(form, sample_symbols(form), base).write("");
  const std::size_t token = bytes.find(std::string("?255\0", 5));
  REQUIRE(token != std::string::npos);
  bytes.insert(token, std::string(800, 'x'));
  CHECK_FALSE(parse(as_bytes(bytes), base, is_right));
}

}  // namespace photon_dmesg::test
