#include <catch2/catch.hpp>

#include "checkpoint/guest_files.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

TEST_CASE("open_guest: without libkdumpfile every kdump file is named and refused") {
  const TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  // Flattened, it is put in order first to know what it is: one piece of 8 bytes, and the end.
  const std::string flattened = std::string("makedumpfile\0\0\0\0", 16) + std::string(4095, '\0') +
                                "\x08KDUMP   " + std::string(16, '\xff');
  for (const std::string& begin : {std::string("KDUMP   "), std::string("DISKDUMP"), flattened}) {
    GuestFiles files;
    for (const char* name : {"first", "second"}) {
      files.state.push_back(folder.write_and_open(name, begin + std::string(10000, '\0')));
    }
    files.kind = identify_guest_file(*files.state.front());
    REQUIRE(files.kind == GuestFileKind::Kdump);
    check_fails(Failure::UnusableInput,
                "first: a kdump file, which this photon-dmesg can't read, as it was built without "
                "libkdumpfile",
                [&] { (void)open_guest(std::move(files), diagnostics); });
  }
}

}  // namespace photon_dmesg::test
