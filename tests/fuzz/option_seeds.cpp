#include "fuzz/seeds.h"
#include "support/bytes.h"

namespace photon_dmesg::fuzz {
namespace {

using test::little_endian;

std::string text(const std::string& content, std::size_t length_width = 1) {
  return little_endian(content.size(), length_width) + content;
}

void make_options(const PutSeed& put) {
  // As targets/options.cpp takes them.
  put("options", "pattern", little_endian(0, 2) + text("^usb [0-9]+(-[0-9]|x)*:") + "usb 1-1: new");
  const std::string time = little_endian(1, 1) + little_endian(1'795'455'252'404'972, 6);
  int number = 0;
  for (const char* sample :
       {"yesterday", "@1000.5", "-1h 30min", "1.5h ago", "2026-11-23 17:00:30.25", "26-11-23 17:00",
        "17:00", "20261123170030", "monday 2026-11-23 17:00"}) {
    put("options", "time-" + std::to_string(number++), time + sample);
  }
  put("options", "written-time", little_endian(2, 1) + little_endian(1'795'455'252, 5));
  put("options", "levels", little_endian(3, 1) + "err,+warn,notice+");
  put("options", "facilities", little_endian(4, 1) + "kern,daemon,local7");
  put("options", "time-format", little_endian(5, 1) + "suspend");
}

// A record as targets/reports.cpp takes it.
std::string record(unsigned bits, unsigned facility, std::uint64_t ts_nsec,
                   const std::string& content, const std::string& dictionary = "") {
  return little_endian(bits, 1) + little_endian(facility, 1) + little_endian(ts_nsec, 8) +
         ((bits & 0x80) != 0 ? little_endian(1, 1) + little_endian(7, 4) : "") + text(content, 2) +
         (dictionary.empty() ? little_endian(0, 1)
                             : little_endian(1, 1) + text("SUBSYSTEM") + text(dictionary));
}

void make_reports(const PutSeed& put) {
  const std::string records =
      record(6, 0, 0, "Linux version 6.1.10") +
      record(0x85, 3, 1'234'567'891, "app[12]: one\ntwo") +
      record(0x0c, 0, 2'000'000'000, "continues \xc3\xa9 \x1b[2J \xff", "usb") +
      record(0x36, 0, 3'000'000'000, "lost") + record(0x14, 99, 4'000'000'000, "");
  const std::string selection = little_endian(0, 3);
  const std::string clock = little_endian(1'795'455'252'404'972'809, 8) + little_endian(0, 1) +
                            little_endian(1'795'455'312'404'972'809, 8) +
                            little_endian(1'000'000, 8) + little_endian(0, 2) +
                            little_endian(128, 1);
  const std::string names = text("6.1.10-1.ph5") + text("Linux version 6.1.10");
  for (unsigned format = 0; format < 9; ++format) {
    const std::string style = little_endian(format % 2 == 0 ? 17 : 4, 1) + little_endian(format, 1);
    put("reports", "style-" + std::to_string(format),
        selection + style + little_endian(0x3f, 1) + names + text("web-1") + text("Photon (old)") +
            clock + text("dir/vm.vmss") + text("linux.rpm") + text("a warning") +
            text("not yet logged") + records);
  }
  put("reports", "no-clock",
      little_endian(0x0f, 1) + little_endian(3, 1) + little_endian(2, 1) + little_endian(0xff, 1) +
          little_endian(1, 2) + little_endian(2, 1) + little_endian(0, 1) + names +
          text("vm.vmss") + records);
}

}  // namespace

void make_option_seeds(const PutSeed& put) {
  make_options(put);
  make_reports(put);
}

}  // namespace photon_dmesg::fuzz
