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

TEST_CASE("find_kernel_file: vmlinux where there is one, System.map otherwise") {
  const auto files = [](const std::vector<std::string>& paths) {
    std::vector<RpmPackage::File> result;
    for (const std::string& path : paths) {
      result.push_back({path, 1, "", 0, path.find("link") == std::string::npos});
    }
    return result;
  };
  const std::string vmlinux = "/usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux-6.1.10-1.ph5";
  const auto both = find_kernel_file(files({"/boot/System.map-6.1.10-1.ph5", vmlinux}));
  REQUIRE(both);
  CHECK(both->kind == KernelFile::Kind::Vmlinux);
  CHECK(both->file.path == vmlinux);
  const auto map = find_kernel_file(files({"/boot/System.map-6.1.10-1.ph5-esx", "/boot/vmlinuz"}));
  REQUIRE(map);
  CHECK(map->kind == KernelFile::Kind::SystemMap);
  CHECK(map->release == "6.1.10-1.ph5-esx");
  CHECK_FALSE(find_kernel_file(files({"/boot/vmlinuz-6.1.10", "/boot/link/System.map-6.1.10"})));
}

TEST_CASE("find_kernel_file: a System.map is of the release of the modules beside it") {
  // Photon 1.0 GA names it otherwise.
  const auto map = find_kernel_file({{"/boot/system.map-esx-4.4.8", 1, "", 0, true},
                                     {"/lib/modules/4.4.8-esx/modules.order", 1, "", 0, true}});
  REQUIRE(map);
  CHECK(map->release == "4.4.8-esx");
}

}  // namespace photon_dmesg::test
