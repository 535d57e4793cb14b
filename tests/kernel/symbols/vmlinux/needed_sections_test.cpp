#include "kernel/symbols/vmlinux/needed_sections.h"

#include <catch2/catch.hpp>

#include "kernel/symbols/banner.h"
#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/bytes.h"
#include "support/file_content.h"
#include "support/linux_kernel.h"
#include "support/open_vmlinux.h"
#include "support/short_stream.h"

namespace photon_dmesg::test {
namespace {

std::unique_ptr<Vmlinux> load_needed(const std::string& content, std::size_t step = 4096) {
  CollectedDiagnostics diagnostics;
  ShortStream stream(content, step);
  return Vmlinux::load_needed(stream, content.size(), diagnostics);
}

std::string reason(const std::string& content) {
  ShortStream stream(content, 4096);
  std::string why;
  CHECK_FALSE(read_needed_sections(stream, why));
  return why;
}

void check_same(const Vmlinux& found, const Vmlinux& expected) {
  for (const char* symbol : {"prb", "linux_banner", "_stext", "phys_base", "do_syslog", "absent"}) {
    CAPTURE(symbol);
    CHECK(found.find_symbol(symbol) == expected.find_symbol(symbol));
  }
  for (const char* name : {"printk_info", "printk_ringbuffer", "prb_desc", "console"}) {
    CAPTURE(name);
    REQUIRE(found.find_struct(name) != nullptr);
    const StructLayout& layout = *found.find_struct(name);
    const StructLayout& other = *expected.find_struct(name);
    CHECK(layout.size() == other.size());
  }
  CHECK(found.structure("printk_info").member("level").bit_shift ==
        expected.structure("printk_info").member("level").bit_shift);
  CHECK(found.structure("rq").member("parts").type == "only_here");
  CHECK(found.find_struct("only_here") != nullptr);  // of the same unit
  CHECK(found.find_struct("absent") == nullptr);
  CHECK(found.build_id() == expected.build_id());
  CHECK(found.build_id());
  CHECK(banner_of(found)->text == banner_of(expected)->text);
}

}  // namespace

TEST_CASE("needed sections: what they tell is what the whole file tells, in every DWARF version") {
  for (const char* fixture :
       {LINUX_DWARF5_KERNEL, LINUX_DWARF4_KERNEL, LINUX_DWARF2_KERNEL, LINUX_MIXED_KERNEL}) {
    const std::string content = kernel_with_kallsyms(fixture);
    for (const std::size_t step : {std::size_t{1}, std::size_t{61}, std::size_t{100'000}}) {
      CAPTURE(fixture, step);
      ShortStream stream(content, step);
      std::string why;
      const bool recognised = read_needed_sections(stream, why).has_value();
      CAPTURE(why);
      CHECK(recognised);
      const auto found = load_needed(content, step);
      REQUIRE(found);
      check_same(*found, *open_vmlinux(fixture));
    }
  }
}

TEST_CASE("needed sections: the symbols are found at any distance behind the text before them") {
  for (const char* fixture :
       {LINUX_NAME2_KERNEL, LINUX_NAME3_KERNEL, LINUX_NAME4_KERNEL, LINUX_NAME5_KERNEL,
        LINUX_NAME6_KERNEL, LINUX_NAME7_KERNEL, LINUX_NAME8_KERNEL, LINUX_NAME9_KERNEL}) {
    CAPTURE(fixture);
    std::string why;
    ShortStream stream(kernel_with_kallsyms(fixture));
    const bool found = read_needed_sections(stream, why).has_value();
    CHECK(why.empty());
    CHECK(found);
  }
}

TEST_CASE("needed sections: nothing is read behind the symbols' names") {
  const std::string content = kernel_with_kallsyms(LINUX_DWARF5_KERNEL);
  const ElfImage image{std::filesystem::path(LINUX_DWARF5_KERNEL)};
  const FileRange names = image.find_section(".strtab")->range;
  REQUIRE(names.offset + names.size + 1000 < content.size());
  ShortStream stream(content + std::string(4'000'000, 'x'), 1000);
  std::string why;
  const bool found = read_needed_sections(stream, why).has_value();
  CAPTURE(why);
  REQUIRE(found);
  CHECK(stream.position() < 2'000'000);  // it looks ahead, but not far
  CHECK(load_needed(content.substr(0, names.offset + names.size)));
}

TEST_CASE("needed sections: a file that is made differently is left to be read whole") {
  CHECK(reason(file_content(LINUX_DWARF5_KERNEL)) == "kallsyms in its image");
  CHECK(reason(file_content(ONLY_DEBUG_KERNEL)) == "segments one behind the other");
  CHECK(reason("not ELF at all, but long enough for the header of such a file, which has 64") ==
        "an executable of a known machine with program headers behind its header");
  const std::string content = kernel_with_kallsyms(LINUX_DWARF5_KERNEL);
  std::string without_aranges = content;
  const ElfImage image{std::filesystem::path(LINUX_DWARF5_KERNEL)};
  const FileRange aranges = image.find_section(".debug_aranges")->range;
  without_aranges.replace(aranges.offset, aranges.size, aranges.size, '\xee');
  CHECK_THAT(reason(without_aranges), Catch::Contains("expected .debug_aranges"));
}

TEST_CASE("needed sections: symbols that contradict kallsyms are not believed") {
  CHECK(load_needed(kernel_with_kallsyms(LINUX_DWARF5_KERNEL, 0)));
  CHECK_FALSE(load_needed(kernel_with_kallsyms(LINUX_DWARF5_KERNEL, 1)));
}

TEST_CASE("needed sections: a file cut short gives all or nothing, never less") {
  const std::string content = kernel_with_kallsyms(LINUX_DWARF4_KERNEL);
  const auto expected = open_vmlinux(LINUX_DWARF4_KERNEL);
  for (std::size_t length = 0; length < content.size(); length += length < 400 ? 7 : 499) {
    CAPTURE(length);
    if (const auto found = load_needed(content.substr(0, length))) check_same(*found, *expected);
  }
}

TEST_CASE("needed sections: a flipped bit ends in nothing or in a kernel") {
  const std::string content = kernel_with_kallsyms(LINUX_DWARF5_KERNEL);
  std::size_t given_up = 0;
  for (std::size_t at = 0; at < content.size(); at += at < 400 ? 3 : 251) {
    for (const char bit : {'\x01', '\x80'}) {
      CAPTURE(at);
      std::string damaged = content;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      if (!load_needed(damaged)) ++given_up;
    }
  }
  CHECK(given_up > 50);
}

}  // namespace photon_dmesg::test
