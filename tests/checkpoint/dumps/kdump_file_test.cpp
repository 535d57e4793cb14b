#include "checkpoint/dumps/kdump_file.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

TEST_CASE("open_kdump_files: a file that only begins like a kdump file says what is wrong") {
  const TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  const auto open = [&](const std::string& content) {
    (void)open_kdump_files({folder.write_and_open("dump", content)}, diagnostics);
  };
  check_fails(Failure::UnusableInput,
              "dump: ", [&] { open("KDUMP   " + std::string(10000, '\0')); });
}

}  // namespace photon_dmesg::test
