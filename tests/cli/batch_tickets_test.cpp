#include "cli/batch_tickets.h"

#include <catch2/catch.hpp>

#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {

TEST_CASE("batch --list: what can't be read is no list, and is said to be none") {
  const TemporaryFolder folder;
  const auto find_with = [&](const std::filesystem::path& list) {
    Options options;
    options.output = folder.path() / "results";
    options.batch.list = list;
    SilentDiagnostics diagnostics;
    (void)find_batch_tickets(options, diagnostics);
  };
  check_fails(Failure::Usage,
              "expected a list of tickets, found what can't be read: Is a directory",
              [&] { find_with(folder.path()); });
  check_fails(Failure::Usage, "absent: can't be opened",
              [&] { find_with(folder.path() / "absent"); });
}

}  // namespace photon_dmesg::test
