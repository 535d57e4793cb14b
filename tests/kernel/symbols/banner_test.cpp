#include "kernel/symbols/banner.h"

#include <catch2/catch.hpp>
#include <string>

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

TEST_CASE("has_build_number: a number behind the compiler, and no other") {
  const auto has = [](const std::string& behind_release) {
    return has_build_number({"Linux version 6.1.10 (root@photon) " + behind_release, "6.1.10"});
  };
  CHECK(has("(gcc (GCC) 12.2.0, GNU ld 2.40) #1 SMP PREEMPT_DYNAMIC Thu Jan  1 00:00:00 UTC 2023"));
  CHECK(has("(gcc version 5.3.0 (GCC) ) #1-photon SMP Fri Apr 22 2016"));
  CHECK(has("(gcc (built) #me) #42"));
  CHECK_FALSE(has("(gcc (GCC) 12.2.0, GNU ld 2.40) # SMP PREEMPT_DYNAMIC"));
  CHECK_FALSE(has("(gcc #1) #"));
  CHECK_FALSE(has("(gcc)"));
}

TEST_CASE("find_banner_prefix: wherever it stands, at both ends too") {
  const std::string text = "Linux version 6.1 xLinux version x Linux versionx Linux version ";
  CHECK(find_banner_prefix(text, 0) == 0);
  CHECK(find_banner_prefix(text, 1) == text.find("Linux version x"));
  CHECK(find_banner_prefix(text, text.find("Linux version x") + 1) == text.size() - 14);
  CHECK(find_banner_prefix(text, text.size() - 13) == std::string_view::npos);
  for (const std::string_view none : {"", "x", "nux version ", "Linux version", "xxxxx"}) {
    CAPTURE(none);
    CHECK(find_banner_prefix(none, 0) == std::string_view::npos);
  }
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

TEST_CASE("build_time: no banner is too long, and what is no time is none") {
  const auto time = [](const std::string& text) { return build_time({text, "4.4.8"}); };
  const std::string end = "Thu Jun 9 21:51:19 UTC 2016";
  constexpr std::size_t many = 1 << 20;
  CHECK(time(std::string(many, 'x') + " " + end) == 1465509079);
  CHECK(time(std::string(many, ' ') + end) == 1465509079);
  CHECK(time("Thu" + std::string(many, ' ') + end.substr(4)) == 1465509079);
  CHECK_FALSE(time(std::string(many, ' ')));
  CHECK_FALSE(time(std::string(many, '1') + " UTC 2016"));
  CHECK_FALSE(time("Thu Jun 9 21:51:" + std::string(many, '1') + " UTC 2016"));
  CHECK_FALSE(time("Thu Jun 9 21" + std::string(many, ':') + "51:19 UTC 2016"));
  CHECK_FALSE(time(end + " "));
  CHECK_FALSE(time(end + "0"));
  CHECK_FALSE(time(end.substr(4)));
  CHECK_FALSE(time("Thu Jun 9 24:51:19 UTC 2016"));
  CHECK_FALSE(time("Thu Jun 0 21:51:19 UTC 2016"));
  CHECK_FALSE(time("Thu June 9 21:51:19 UTC 2016"));
  CHECK_FALSE(time("Thu Jun 9 21:51:19 CET 2016"));
}

}  // namespace photon_dmesg::test
