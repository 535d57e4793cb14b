#include "iso/kernel_packages.h"

#include <catch2/catch.hpp>

namespace photon_dmesg::test {

TEST_CASE("is_kernel_debuginfo_package: every name that Photon's releases have used") {
  for (const char* path : {
           "RPMS/x86_64/linux-debuginfo-4.4.8-6.ph1.x86_64.rpm",
           "DEBUGRPMS/x86_64/linux-esx-debuginfo-4.19.325-1.ph3.x86_64.rpm",
           "DEBUGRPMS/linux-secure-debuginfo-5.10.1-1.ph4.x86_64.rpm",
           "linux-rt-debuginfo-6.1.10-1.ph5.x86_64.rpm",
           "x/linux-aws-debuginfo-4.19.1-1.ph3.x86_64.rpm",
           "x/LINUX-DEBUGINFO-6.12.1-1.PH5.X86_64.RPM",
       }) {
    CAPTURE(path);
    CHECK(is_kernel_debuginfo_package(path));
    CHECK_FALSE(is_kernel_package(path));
  }
}

TEST_CASE("is_kernel_package: kernels of every flavor") {
  for (const char* path : {
           "RPMS/x86_64/linux-4.4.8-6.ph1.x86_64.rpm",
           "RPMS/x86_64/linux-esx-4.19.325-1.ph3.x86_64.rpm",
           "linux-secure-5.10.1-1.ph4.x86_64.rpm",
       }) {
    CAPTURE(path);
    CHECK(is_kernel_package(path));
    CHECK_FALSE(is_kernel_debuginfo_package(path));
  }
}

TEST_CASE("packages beside the kernel are neither") {
  for (const char* path : {
           "RPMS/noarch/linux-api-headers-4.4.8-1.ph1.noarch.rpm",
           "RPMS/x86_64/linux-docs-4.4.8-6.ph1.x86_64.rpm",
           "RPMS/x86_64/linux-tools-debuginfo.txt",
           "RPMS/x86_64/linux-debuginfo.rpm",
           "RPMS/noarch/linux-firmware-20190205-1.ph3.noarch.rpm",
           "RPMS/x86_64/util-linux-2.36-1.ph4.x86_64.rpm",
           "RPMS/x86_64/util-linux-debuginfo-2.36-1.ph4.x86_64.rpm",
           "linux-4.4.8/README",
           "",
       }) {
    CAPTURE(path);
    CHECK_FALSE(is_kernel_debuginfo_package(path));
    CHECK_FALSE(is_kernel_package(path));
  }
}

TEST_CASE("is_package_of_release: version, release and flavor must be the kernel's") {
  CHECK(is_package_of_release("RPMS/linux-debuginfo-6.1.10-1.ph5.x86_64.rpm", "6.1.10-1.ph5"));
  CHECK(is_package_of_release("linux-6.1.10-1.ph5.x86_64.rpm", "6.1.10-1.ph5"));
  CHECK(is_package_of_release("x/linux-esx-debuginfo-4.19.325-1.ph3.x86_64.rpm",
                              "4.19.325-1.ph3-esx"));
  for (const char* path :
       {"linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm", "linux-debuginfo-6.1.10-2.ph5.x86_64.rpm",
        "linux-debuginfo-6.1.1-1.ph5.x86_64.rpm", "linux-docs-6.1.10-1.ph5.x86_64.rpm", ""}) {
    CAPTURE(path);
    CHECK_FALSE(is_package_of_release(path, "6.1.10-1.ph5"));
  }
}

}  // namespace photon_dmesg::test
