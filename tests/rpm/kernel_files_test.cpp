#include "rpm/kernel_files.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("release_of_vmlinux_path: every path that Photon's releases have used") {
  struct Case {
    const char* path;
    const char* release;
  };
  for (const Case& sample : {
           Case{"/usr/lib/debug/lib/modules/4.4.8/vmlinux-4.4.8.debug", "4.4.8"},
           Case{"/usr/lib/debug/lib/modules/4.4.8-esx/vmlinux-4.4.8-esx", "4.4.8-esx"},
           Case{"./usr/lib/debug/lib/modules/4.19.325-1.ph3-esx/vmlinux-4.19.325-1.ph3-esx",
                "4.19.325-1.ph3-esx"},
           Case{"/usr/lib/debug//lib/modules/5.10.1-1.ph4/vmlinux-5.10.1-1.ph4", "5.10.1-1.ph4"},
           Case{"/usr/lib/debug/usr/lib/modules/6.1.10-1.ph5/vmlinux-6.1.10-1.ph5.debug",
                "6.1.10-1.ph5"},
           Case{"usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux", "6.1.10-1.ph5"},
       }) {
    CAPTURE(sample.path);
    CHECK(release_of_vmlinux_path(sample.path) == std::string(sample.release));
  }
}

TEST_CASE("release_of_vmlinux_path: other files of the package are none") {
  for (const char* path : {
           "/usr/lib/debug/lib/modules/4.4.8/kernel/drivers/net/vmxnet3.ko.debug",
           "/usr/lib/debug/lib/modules/4.4.8",
           "/usr/lib/debug/lib/modules/vmlinux-4.4.8",
           "/usr/lib/debug/lib/modules/4.4.8/kernel/vmlinux-4.4.8",
           "/boot/vmlinuz-4.4.8",
           "",
       }) {
    CAPTURE(path);
    CHECK_FALSE(release_of_vmlinux_path(path));
  }
}

}  // namespace photon_dmesg::test
