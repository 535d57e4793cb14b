#include "kernel/kallsyms.h"

#include <catch2/catch.hpp>

#include "support/bytes.h"

namespace photon_dmesg::test {
namespace {

constexpr GuestVirtual base{0xffffffff82000000};
constexpr std::uint64_t text = 0xffffffff9b000000;

// How a version lays out the table.
struct Form {
  const char* versions;
  bool absolute_addresses = false;  // u64 in front, up to 4.5
  bool addresses_behind = false;    // 6.4 and later
  bool own_place = false;           // 7.x
  bool per_cpu = true;              // CONFIG_KALLSYMS_ABSOLUTE_PERCPU
  std::size_t width = 4;            // of num_syms and markers
  bool seqs_of_names = false;       // between markers and tokens: 6.1 stable to 6.3
};

constexpr Form forms[] = {
    {"4.4", true, false, false, false, 8, false},
    {"4.9 to 4.19", false, false, false, true, 8, false},
    {"5.x", false, false, false, true, 4, false},
    {"5.x without per-CPU symbols", false, false, false, false, 4, false},
    {"6.1 stable", false, false, false, true, 4, true},
    {"6.12", false, true, false, true, 4, false},
    {"6.12 without per-CPU symbols", false, true, false, false, 4, false},
    {"7.x", false, true, true, false, 4, false},
};

struct Sample {
  char type;
  std::uint64_t address;
  std::string name;
};

std::vector<Sample> sample_symbols(const Form& form) {
  std::vector<Sample> symbols;
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

// Writes the table as scripts/kallsyms does, with tokens of one character and one of two.
class TableWriter {
 public:
  TableWriter(const Form& form, const std::vector<Sample>& symbols)
      : form_(form), symbols_(symbols) {}

  // `before` is put in front, so that nothing begins where the bytes do.
  std::string write(const std::string& before) {
    bytes_ = before;
    pad();
    if (!form_.addresses_behind) addresses();
    number(symbols_.size(), form_.width);
    pad();
    names();
    for (const std::size_t marker : markers_) number(marker, form_.width);
    pad();
    if (form_.seqs_of_names) {
      for (std::size_t i = 0; i < symbols_.size(); ++i) number(i * 7919 % symbols_.size(), 3);
      pad();
    }
    tokens();
    if (form_.addresses_behind) addresses();
    return bytes_ + std::string(100, '\xee');
  }

 private:
  void pad() {
    while (bytes_.size() % 8 != 0) bytes_ += '\0';
  }
  void number(std::uint64_t value, std::size_t width) { bytes_ += little_endian(value, width); }

  void addresses() {
    const std::uint64_t place = (base + bytes_.size()).value;
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      const std::uint64_t address = symbols_[i].address;
      if (form_.absolute_addresses) {
        number(address, 8);
      } else if (form_.own_place) {
        number(address - (place + i * 4), 4);
      } else if (form_.per_cpu) {
        number(address < text ? address : text - 1 - address, 4);
      } else {
        number(address - text, 4);
      }
    }
    pad();
    if (!form_.absolute_addresses && !form_.own_place) number(text, 8);
  }

  void names() {
    const std::size_t begin = bytes_.size();
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      if (i % 256 == 0) markers_.push_back(bytes_.size() - begin);
      std::string name = symbols_[i].type + symbols_[i].name;
      for (std::size_t at = name.find("fu"); at != std::string::npos; at = name.find("fu")) {
        name.replace(at, 2, "\x01");
      }
      if (name.size() > 127) {
        number((name.size() & 0x7f) | 0x80, 1);
        number(name.size() >> 7, 1);
      } else {
        number(name.size(), 1);
      }
      bytes_ += name;
    }
    pad();
  }

  void tokens() {
    std::vector<std::size_t> index;
    const std::size_t begin = bytes_.size();
    for (unsigned token = 0; token < 256; ++token) {
      index.push_back(bytes_.size() - begin);
      bytes_ += token == 1                     ? "fu"
                : token > 0x20 && token < 0x7f ? std::string(1, static_cast<char>(token))
                                               : "?" + std::to_string(token);
      bytes_ += '\0';
    }
    pad();
    for (const std::size_t offset : index) number(offset, 2);
    pad();
  }

  const Form& form_;
  const std::vector<Sample>& symbols_;
  std::string bytes_;
  std::vector<std::size_t> markers_;
};

// What tells the right reading here: _text and _etext are where they are.
bool is_right(const KallsymsTable& table) {
  return table.find("_text") == GuestVirtual{text} &&
         table.find("_etext") == GuestVirtual{text + 0x200000};
}

}  // namespace

TEST_CASE("kallsyms: every version's table gives every symbol") {
  for (const Form& form : forms) {
    CAPTURE(form.versions);
    const std::vector<Sample> expected = sample_symbols(form);
    for (const std::size_t before : {0U, 8U, 4096U}) {
      const std::string bytes = TableWriter(form, expected).write(std::string(before, '\x5a'));
      const auto found = parse_kallsyms(as_bytes(bytes), base, is_right);
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

TEST_CASE("kallsyms: a table cut anywhere is none, and never read past its end") {
  const Form& form = forms[5];
  const std::vector<Sample> symbols = sample_symbols(form);
  const std::string whole = TableWriter(form, symbols).write("");
  const std::size_t end = whole.size() - 100;
  for (std::size_t length = 0; length < end; length += 61) {
    CAPTURE(length);
    const std::string cut = whole.substr(0, length);
    CHECK_FALSE(parse_kallsyms(as_bytes(cut), base, is_right));
  }
}

TEST_CASE("kallsyms: digits that are no token table, and zeros, are none") {
  std::string digits;
  for (char digit = '0'; digit <= '9'; ++digit) digits += std::string(1, digit) + '\0';
  CHECK_FALSE(parse_kallsyms(as_bytes(digits), base, is_right));
  CHECK_FALSE(parse_kallsyms(as_bytes(digits + std::string(100'000, 'x')), base, is_right));
  CHECK_FALSE(parse_kallsyms(as_bytes(std::string(100'000, '\0')), base, is_right));
  CHECK_FALSE(parse_kallsyms({}, base, is_right));
}

TEST_CASE("Kallsyms: symbols as linked, by the place of _text") {
  const Kallsyms kallsyms(KallsymsTable({{'T', {text}, "_text"},
                                         {'t', {text + 0x10}, "twice"},
                                         {'t', {text + 0x20}, "twice"},
                                         {'d', {text + 0x30}, "prevailing"},
                                         {'D', {text + 0x40}, "prevailing"},
                                         {'A', {0x18000}, "per_cpu"},
                                         {'b', {text + 0x50}, "buffer.7"}}));
  CHECK(kallsyms.kaslr_offset() == text - 0xffffffff81000000);
  CHECK(kallsyms.find_symbol("_text") == GuestVirtual{0xffffffff81000000});
  CHECK_FALSE(kallsyms.find_symbol("twice"));
  CHECK(kallsyms.find_symbol("prevailing") == GuestVirtual{0xffffffff81000040});
  CHECK_FALSE(kallsyms.find_symbol("absent"));
  CHECK_FALSE(kallsyms.find_symbol(""));
  // Only what is in the image moves with it.
  CHECK(kallsyms.find_symbol("per_cpu") == GuestVirtual{0x18000});
  CHECK_FALSE(kallsyms.find_symbol("buffer"));
  CHECK(kallsyms.find_static("buffer") == GuestVirtual{0xffffffff81000050});
  const auto function = kallsyms.find_function("prevailing");
  REQUIRE(function);
  CHECK(function->begin == GuestVirtual{text + 0x40});
  CHECK(function->size == 0x10);
}

TEST_CASE("Kallsyms: of functions only, where _stext does not begin the image") {
  const Kallsyms kallsyms(KallsymsTable({{'T', {text + 0x1c0}, "_stext"}}));
  CHECK(kallsyms.kaslr_offset() == text - 0xffffffff81000000);
}

}  // namespace photon_dmesg::test
