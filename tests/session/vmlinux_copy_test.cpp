#include "session/vmlinux_copy.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

struct Copy {
  TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  PackageUse use;
  PackageFile file =
      package_on({SymbolKind::Package, PACKAGE_FOLDER "/w3.zstdio.rpm", nullptr, nullptr},
                 PACKAGE_FOLDER "/w3.zstdio.rpm");
  std::string header_digest = open_package(file.open(), use, diagnostics)->header_digest();

  // What is written of the package when symbols were taken from one of this header.
  std::string vmlinux_of(const std::string& digest) {
    SymbolSource source;
    source.open_package = file.open;
    source.header_digest = digest;
    const auto path = folder.path() / "vmlinux";
    OutputFile target(path, Access::OwnerOnly);
    copy_vmlinux(source, use, target, diagnostics);
    return file_content(path);
  }
};

}  // namespace

TEST_CASE("copy_vmlinux: what a package has, as it is in it") {
  Copy copy;
  const bool same = copy.vmlinux_of(copy.header_digest) == file_content(PRINTK_RINGBUFFER_KERNEL);
  CHECK(same);
}

TEST_CASE("copy_vmlinux: not of another package than the symbols are of") {
  Copy copy;
  check_fails(Failure::UnusableInput, "expected the package that the symbols are of, found another",
              [&] { (void)copy.vmlinux_of(std::string(64, '0')); });
  CHECK_FALSE(std::filesystem::exists(copy.folder.path() / "vmlinux"));
}

}  // namespace photon_dmesg::test
