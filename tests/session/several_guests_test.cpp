#include "session/several_guests.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "support/errors.h"
#include "support/file_content.h"
#include "support/guest_on_disk.h"
#include "support/iso_builder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

const session::Options without_cache{
    .use_cache = false, .verify_packages = true, .strict = false, .keys = {}};

// Of two kernels: that of PRINTK_LOG_KERNEL, and then that of PRINTK_RINGBUFFER_KERNEL.
struct TwoGuests {
  TemporaryFolder folder;
  GuestGroups groups;

  explicit TwoGuests(std::vector<fs::path> shared) {
    for (const fs::path& kernel :
         {fs::path(PRINTK_LOG_KERNEL), fs::path(PRINTK_RINGBUFFER_KERNEL)}) {
      FixtureGuest guest(kernel);
      const GuestOnDisk files = write_guest(folder, kernel.stem(), guest);
      groups.guests.push_back({files.checkpoint.string(), {files.checkpoint, files.memory}});
    }
    groups.shared = std::move(shared);
  }
};

}  // namespace

TEST_CASE("several guests: of all vmlinux that were named, each has its own kernel's") {
  const TwoGuests two({PRINTK_RINGBUFFER_KERNEL, PRINTK_LOG_KERNEL});
  CollectedDiagnostics diagnostics;
  session::SeveralGuests guests(two.groups, nullptr, without_cache, diagnostics);
  CHECK(guests.open(0, diagnostics).symbols().provenance.vmlinux == PRINTK_LOG_KERNEL);
  CHECK(guests.open(1, diagnostics).symbols().provenance.vmlinux == PRINTK_RINGBUFFER_KERNEL);
  // That there are other kernels' beside it is no lack of a guest's.
  for (const std::string& warning : diagnostics.warnings()) {
    CHECK_THAT(warning, !Catch::StartsWith("not used"));
  }
}

TEST_CASE("several guests: symbols that can't be read are not called those of other kernels") {
  const TemporaryFolder folder;
  const fs::path cut = folder.write("vmlinux", file_content(PRINTK_LOG_KERNEL).substr(0, 10'000));
  const TwoGuests two({cut});
  CollectedDiagnostics diagnostics;
  session::SeveralGuests guests(two.groups, nullptr, without_cache, diagnostics);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings().front(), Catch::StartsWith("not used: " + cut.string()));
  check_fails(Failure::UnusableInput, diagnostics.warnings().front().substr(10),
              [&] { (void)guests.open(0, diagnostics); });
}

TEST_CASE("several guests: of an ISO through a pipe, every guest has the packages of its kernel") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  const fs::path pipe = folder.path() / "pipe";
  write_iso(iso, {{"linux-debuginfo-6.1.10-1.ph5.x86_64.rpm",
                   file_content(PACKAGE_FOLDER "/w3.zstdio.rpm")}});
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] {
    std::ofstream(pipe, std::ios::binary) << std::ifstream(iso, std::ios::binary).rdbuf();
  });
  const TwoGuests two({pipe});
  CollectedDiagnostics diagnostics;
  session::SeveralGuests guests(two.groups, nullptr, without_cache, diagnostics);
  writer.join();
  check_fails(Failure::Mismatch, "found kernels of 6.1.10-1.ph5",
              [&] { (void)guests.open(0, diagnostics); });
  CHECK(guests.open(1, diagnostics).symbols().provenance.iso == pipe.string());
}

}  // namespace photon_dmesg::test
