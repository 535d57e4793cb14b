#include "cli/batch_summary.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "batch/ticket_result.h"
#include "cli/exit_status.h"
#include "report/formats/json_text.h"
#include "support/as_nobody.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const fs::path& summary) {
  std::vector<std::string> names;
  std::ifstream file(summary);
  for (std::string line; std::getline(file, line);) {
    names.push_back(Json::parse(line)["ticket"].get<std::string>());
  }
  return names;
}

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
    add(name, result);
  }
  void add(const std::string& folder, const TicketResult& result) const {
    fs::create_directories(folder_.path() / folder);
    std::ofstream(folder_.path() / folder / ticket_file) << to_json(result);
  }

  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

  struct Gathered {
    int status = 0;
    std::vector<std::string> warnings;
    std::vector<std::string> names;  // in the summary
  };

  // With `list`, as --list.
  [[nodiscard]] Gathered gather(const std::string& list = "") const {
    Options options;
    if (!list.empty()) options.batch.list = gathered_.write("list", list);
    options.files = {path()};
    options.output = gathered_.path();
    options.verbosity = TerminalDiagnostics::Level::Quiet;
    TerminalDiagnostics diagnostics(options.verbosity);
    const int status = gather_results(options, diagnostics);
    return {status, diagnostics.warnings(), names_in(gathered_.path() / "summary.ndjson")};
  }

 private:
  TemporaryFolder folder_;
  TemporaryFolder gathered_;
};

using Warnings = std::vector<std::string>;
using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("batch --gather: results that can't be read are named, and are a lack") {
  const Results results({"a", "b"});
  fs::create_directory(results.path() / "no-result");
  CHECK(results.gather().status == exit_complete);
  const std::string name = (results.path() / "b" / ticket_file).string();
  SECTION("of a folder that nobody may look into") {
    fs::permissions(results.path() / "b", fs::perms::none);
    const AsNobody nobody;
    const auto [status, warnings, names] = results.gather();
    CHECK(status == exit_incomplete);
    CHECK(warnings == Warnings{"a result is not counted: " + name + ": Permission denied"});
  }
  SECTION("that are damaged") {
    std::ofstream(results.path() / "b" / ticket_file) << "{";
    const auto [status, warnings, names] = results.gather();
    CHECK(status == exit_incomplete);
    CHECK(warnings == Warnings{"a result is not counted: " + name +
                               ": it can't be read, or is not of photon-dmesg batch"});
  }
}

TEST_CASE("batch --gather: what could not be read, and was done again, counts once") {
  const Results results({});
  TicketResult done;
  done.name = "web01";
  done.files = {"/cases/web01.vmss"};
  done.key = "abc";
  TicketResult failed = done;
  failed.error = "/cases/web01.vmss: it is damaged";
  failed.key = "def";
  failed.status = 3;
  TicketResult kept = done;
  kept.key = "";
  kept.status = 1;
  results.add("0", failed);
  CHECK(results.gather().names == Names{"web01"});
  results.add("1", done);
  results.add("2", kept);
  CHECK(results.gather().names == Names{"web01"});
  CHECK(results.gather().status == exit_complete);
  SECTION("but not what others call so") {
    failed.files = {"/others/web01.vmss"};
    results.add("3", failed);
    CHECK(results.gather().names == Names{"web01", "web01"});
  }
}

TEST_CASE("batch --gather --list: results count that are of the list's tickets") {
  const Results results({"a", "b", "web"});
  CHECK(results.gather().names == Names{"a", "b", "web"});
  SECTION("what others there are is said") {
    const auto [status, warnings, names] = results.gather("a\t/a.vmss\nb\t/b.vmss\n");
    CHECK(names == Names{"a", "b"});
    CHECK(status == exit_complete);
    CHECK(warnings == Warnings{"1 result of no ticket of the list is not counted: web"});
  }
  SECTION("and which tickets have none") {
    const auto [status, warnings, names] = results.gather("a\t/a.vmss\nc\t/c.vmss\n");
    CHECK(names == Names{"a"});
    CHECK(status == exit_incomplete);
    CHECK(warnings == Warnings{"1 ticket of the list has no result: c",
                               "2 results of no ticket of the list are not counted: b, web"});
  }
}

}  // namespace photon_dmesg::test
