#include "cli/batch_summary.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "batch/ticket_result.h"
#include "cli/exit_status.h"
#include "support/as_nobody.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

// A folder of results, of which a summary is made.
class Results {
 public:
  explicit Results(const std::vector<std::string>& names) {
    fs::permissions(folder_.path(), fs::perms(0755));
    fs::permissions(gathered_.path(), fs::perms(0777));
    for (const std::string& name : names) add(name);
  }

  void add(const std::string& name) const {
    TicketResult result;
    result.name = name;
    fs::create_directories(folder_.path() / name);
    std::ofstream(folder_.path() / name / ticket_file) << to_json(result);
  }

  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

  struct Gathered {
    int status = 0;
    std::vector<std::string> warnings;
  };

  [[nodiscard]] Gathered gather() const {
    Options options;
    options.files = {path()};
    options.output = gathered_.path();
    options.verbosity = TerminalDiagnostics::Level::Quiet;
    TerminalDiagnostics diagnostics(options.verbosity);
    const int status = gather_results(options, diagnostics);
    return {status, diagnostics.warnings()};
  }

 private:
  TemporaryFolder folder_;
  TemporaryFolder gathered_;
};

using Warnings = std::vector<std::string>;

}  // namespace

TEST_CASE("batch --gather: results that can't be read are named, and are a lack") {
  const Results results({"a", "b"});
  fs::create_directory(results.path() / "no-result");
  CHECK(results.gather().status == exit_complete);
  const std::string name = (results.path() / "b" / ticket_file).string();
  SECTION("of a folder that nobody may look into") {
    fs::permissions(results.path() / "b", fs::perms::none);
    const AsNobody nobody;
    const auto [status, warnings] = results.gather();
    CHECK(status == exit_incomplete);
    CHECK(warnings == Warnings{"a result is not counted: " + name + ": Permission denied"});
  }
  SECTION("that are damaged") {
    std::ofstream(results.path() / "b" / ticket_file) << "{";
    const auto [status, warnings] = results.gather();
    CHECK(status == exit_incomplete);
    CHECK(warnings == Warnings{"a result is not counted: " + name +
                               ": it can't be read, or is not of photon-dmesg batch"});
  }
}

}  // namespace photon_dmesg::test
