#include "report/formats/syslog_names.h"

#include <catch2/catch.hpp>

#include "report/formats/base64.h"

namespace photon_dmesg::test {

TEST_CASE("names of levels and facilities are those of syslog(3)") {
  CHECK(level_name(0) == "emerg");
  CHECK(level_name(4) == "warn");
  CHECK(level_name(7) == "debug");
  CHECK(facility_name(0) == "kern");
  CHECK(facility_name(1) == "user");
  CHECK(facility_name(10) == "authpriv");
  CHECK(facility_name(23) == "local7");
}

TEST_CASE("numbers of names, and of digits that have a name") {
  CHECK(level_number("emerg") == 0);
  CHECK(level_number("WARN") == 4);
  CHECK(level_number("7") == 7);
  CHECK(facility_number("local7") == 23);
  CHECK(facility_number("0") == 0);
  for (const char* none : {"", "8", "warnings", "war", "warn ", "-1", "07"}) {
    CAPTURE(none);
    CHECK_FALSE(level_number(none));
  }
  CHECK_FALSE(facility_number("24"));
  CHECK(has_facility_name(23));
  CHECK_FALSE(has_facility_name(24));
}

TEST_CASE("a number that has no name stays a number") {
  CHECK(level_name(8) == "8");
  CHECK(facility_name(24) == "24");
  CHECK(facility_name(255) == "255");
}

TEST_CASE("priority: facility * 8 + level") {
  LogRecord record;
  record.facility = 255;
  record.level = 7;
  CHECK(priority(record) == 2047);
}

TEST_CASE("base64: the test vectors of RFC 4648") {
  CHECK(base64("").empty());
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string_view("\x00\xff\xfb", 3)) == "AP/7");
}

}  // namespace photon_dmesg::test
