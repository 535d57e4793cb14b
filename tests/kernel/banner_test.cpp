#include "kernel/banner.h"

#include <catch2/catch.hpp>

#include "support/page_table_builder.h"

namespace photon_dmesg::test {
namespace {

const std::string photon =
    "Linux version 4.4.8 (root@photon) (gcc version 5.3.0 (GCC) ) #1-photon SMP Fri Apr 22 2016\n";

std::optional<KernelBanner> parse(const std::string& text) {
  return parse_banner(text + '\0');
}

}  // namespace

TEST_CASE("parse_banner: text and release of a build") {
  const std::optional<KernelBanner> banner = parse(photon);
  REQUIRE(banner);
  CHECK(banner->text + '\n' == photon);
  CHECK(banner->release == "4.4.8");
  CHECK(parse("Linux version 4.19.325-1.ph3-esx (root@photon) #1\n")->release ==
        "4.19.325-1.ph3-esx");
}

TEST_CASE("parse_banner: what begins alike is none") {
  CHECK_FALSE(parse("Linux version %s (%s)\n"));                    // the format string
  CHECK_FALSE(parse("Linux version 4.4.8 (root@photon) #1"));       // a log record: no newline
  CHECK_FALSE(parse_banner("Linux version 4.4.8 (r@p) #1\nmore"));  // text that goes on
  CHECK_FALSE(parse_banner("Linux version 4.4.8 (r@p) #1\n"));      // cut off before its NUL
  CHECK_FALSE(parse("Linux version 4.4.8\n"));
  CHECK_FALSE(parse("Linux version  (root@photon)\n"));
  CHECK_FALSE(parse("Linux version 4.4.8 (root\x01@photon) #1\n"));
  CHECK_FALSE(parse("linux version 4.4.8 (root@photon) #1\n"));
  CHECK_FALSE(parse("Linux version 4.4.8 (" + std::string(banner_bytes_limit, 'x') + ")\n"));
  CHECK_FALSE(parse_banner(""));
}

TEST_CASE("find_banners: in the read-only data first, across pages, all of them") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  constexpr std::uint64_t base = 0xffffffff81000000;
  const std::uint64_t read_only = pte_present | pte_no_execute;
  builder.map({base}, {0x2000});  // writable: not to be looked at while there are others
  builder.map({base + 0x1000}, {0x5000}, 1, read_only);
  builder.map({base + 0x2000}, {0x3000}, 1, read_only);
  const std::string text = photon + '\0';
  memory.write_text({0x2100}, "Linux version 9.9.9 (copy@writable) #1\n" + std::string(1, '\0'));
  memory.write_text({0x5000 + 0x1000 - 20}, text.substr(0, 20));
  memory.write_text({0x3000}, text.substr(20));
  memory.write_text({0x3800}, "Linux version 4.4.8 (root@photon) # SMP\n" + std::string(1, '\0'));
  const std::vector<FoundBanner> found = find_banners(memory, builder.tables());
  REQUIRE(found.size() == 2);
  CHECK(found[0].address == GuestVirtual{base + 0x2000 - 20});
  CHECK(found[0].banner.release == "4.4.8");
  CHECK(found[1].address == GuestVirtual{base + 0x2800});
}

TEST_CASE("find_banners: in a kernel that does not protect its memory, anywhere in the image") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  builder.map({0xffffffff81000000}, {0x2000});
  memory.write_text({0x2100}, photon + '\0');
  CHECK(find_banners(memory, builder.tables()).size() == 1);
}

TEST_CASE("find_banners: a page that leads to no RAM hides nothing behind it") {
  FakeMemory memory(0x80000);
  PageTableBuilder builder(memory, {0x10000}, PagingLevels::Four);
  builder.map({0xffffffff81000000}, {0x70000000});
  builder.map({0xffffffff81800000}, {0x2000});
  memory.write_text({0x2100}, photon + '\0');
  CHECK(find_banners(memory, builder.tables()).size() == 1);
}

TEST_CASE("build_time: the time that a banner ends with, in any spacing") {
  const auto time = [](const char* end) {
    return build_time(
        {std::string("Linux version 4.4.8 (root@photon) (gcc 5.3.0) ") + end, "4.4.8"});
  };
  CHECK(time("#1-photon SMP Thu Jun 9 21:51:19 UTC 2016") == 1465509079);
  CHECK(time("#1-photon SMP Thu Jun  9 21:51:19 UTC 2016") == 1465509079);
  CHECK(time("#1 SMP PREEMPT_DYNAMIC Tue Dec 31 23:59:59 UTC 2024") == 1735689599);
  CHECK_FALSE(time("#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-17)"));
  CHECK_FALSE(time("#1 SMP Thu Jan 99 21:51:19 UTC 2016"));
  CHECK_FALSE(time(""));
}

}  // namespace photon_dmesg::test
