#include "batch/ticket_result.h"

#include <catch2/catch.hpp>
#include <sstream>

#include "base/input_file.h"
#include "batch/content_id.h"
#include "batch/result_folder.h"
#include "batch/summary.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

TicketResult sample(const std::string& name, const std::string& kind = "") {
  TicketResult result;
  result.name = name;
  result.files = {name + ".vmss"};
  result.generator = "photon-dmesg 1.2.3";
  result.warnings = {"part of it is missing"};
  result.key = "abc";
  result.release = "6.1.10-1.ph5";
  result.vm = "web";
  result.stopped = "2026-11-25T02:10:01.000000Z";
  result.records = 17;
  result.last_message = "the end\nof it";
  result.last_nsec = 8'936'664'000;
  result.judged = true;
  if (!kind.empty()) result.findings = {{kind, "certain", "TITLE (certain)  what it is"}};
  result.seconds = 0.25;
  return result;
}

TicketResult failed(const std::string& name) {
  TicketResult result;
  result.name = name;
  result.status = 3;
  result.error = name + ".vmss: it is damaged";
  return result;
}

std::string written(const Summary& summary, void (Summary::*write)(std::ostream&) const) {
  std::ostringstream out;
  (summary.*write)(out);
  return out.str();
}

std::vector<std::string> order(std::vector<TicketResult> results) {
  std::vector<std::string> names;
  const Summary summary(std::move(results));
  for (const TicketResult& result : summary.results()) names.push_back(result.name);
  return names;
}

// A result of "web01" that has a log called `log`.
void finish_sample(const fs::path& results, const std::string& log) {
  const fs::path unfinished = begin_result(results, "web01");
  std::ofstream(unfinished / log) << "booted\n";
  TicketResult result = sample("web01");
  finish_result(unfinished, results, result);
}

}  // namespace

TEST_CASE("ticket result: what is written is read again") {
  const TemporaryFolder folder;
  TicketResult result = sample("web01", "panic");
  result.outputs = {{"log.txt", 5, "00ff"}};
  folder.write(ticket_file, to_json(result));
  const auto read = read_ticket_result(folder.path());
  REQUIRE(read);
  CHECK(to_json(*read) == to_json(result));
  CHECK(read->outputs.size() == 1);
}

TEST_CASE("ticket result: what is not ours is not read") {
  const TemporaryFolder folder;
  CHECK_FALSE(read_ticket_result(folder.path()));
  for (const char* other : {"", "{}", "[1]", "{\"schema\":99,\"ticket\":\"x\"}", "{\"schema\":1}",
                            "not json", "{\"schema\":1,\"ticket\":5}"}) {
    CAPTURE(other);
    folder.write(ticket_file, other);
    CHECK_FALSE(read_ticket_result(folder.path()));
  }
}

TEST_CASE("result folder: a result appears when it is whole, and is proved by content") {
  const TemporaryFolder results;
  const fs::path unfinished = begin_result(results.path(), "web01");
  std::ofstream(unfinished / "log.txt") << "booted\n";
  CHECK_FALSE(fs::exists(results.path() / "web01"));
  TicketResult result = sample("web01");
  finish_result(unfinished, results.path(), result);
  const fs::path folder = results.path() / "web01";
  CHECK_FALSE(fs::exists(unfinished));
  CHECK(test::file_content(folder / "log.txt") == "booted\n");
  CHECK(is_whole(folder, *read_ticket_result(folder)));
  SECTION("not if it was changed") {
    std::ofstream(folder / "log.txt") << "Booted\n";
    CHECK_FALSE(is_whole(folder, *read_ticket_result(folder)));
  }
  SECTION("not if a part is gone") {
    fs::remove(folder / "log.txt");
    CHECK_FALSE(is_whole(folder, *read_ticket_result(folder)));
  }
  SECTION("another one takes its place, and leaves what others have put there") {
    std::ofstream(folder / "my-notes.txt") << "mine";
    const fs::path again = begin_result(results.path(), "web01");
    std::ofstream(again / "log.json") << "{}";
    finish_result(again, results.path(), result);
    CHECK_FALSE(fs::exists(folder / "log.txt"));
    CHECK(fs::exists(folder / "log.json"));
    CHECK(test::file_content(folder / "my-notes.txt") == "mine");
    CHECK(is_whole(folder, *read_ticket_result(folder)));
  }
}

TEST_CASE("result folder: only files that this program writes are taken from an earlier result") {
  const TemporaryFolder results;
  const fs::path folder = results.path() / "web01";
  fs::create_directory(folder);
  TicketResult earlier = sample("web01");
  for (const char* name : {"vm.core", "notes.txt", "log.txt", "../outside", "log./../../outside"}) {
    earlier.outputs.push_back({name, 1, "00"});
  }
  for (const char* name : {"vm.core", "notes.txt", "log.txt"}) {
    std::ofstream(folder / name) << "x";
  }
  std::ofstream(results.path() / "outside") << "x";
  std::ofstream(folder / ticket_file) << to_json(earlier);
  finish_sample(results.path(), "log.json");
  CHECK_FALSE(fs::exists(folder / "log.txt"));
  CHECK(fs::exists(folder / "log.json"));
  CHECK(fs::exists(folder / "vm.core"));
  CHECK(fs::exists(folder / "notes.txt"));
  CHECK(fs::exists(results.path() / "outside"));
}

TEST_CASE("result folder: what can't be read again leaves what was, and says so, once") {
  const TemporaryFolder results;
  finish_sample(results.path(), "log.txt");
  const fs::path folder = results.path() / "web01";
  std::string named = sample("web01").files.front();
  const auto fail = [&] {
    const fs::path unfinished = begin_result(results.path(), "web01");
    std::ofstream(unfinished / "triage.txt") << "judged all the same\n";
    TicketResult result = failed("web01");
    result.files = {named};
    result.key = "of what can't be read";
    const Finished finished = finish_result(unfinished, results.path(), result);
    CHECK_FALSE(fs::exists(unfinished));
    CHECK(to_json(result) == to_json(read_ticket_result(folder).value()));
    return finished;
  };
  SECTION("as long as it is whole") {
    CHECK(fail() == Finished::EarlierKept);
    CHECK(fail() == Finished::EarlierKept);
    CHECK(test::file_content(folder / "log.txt") == "booted\n");
    CHECK_FALSE(fs::exists(folder / "triage.txt"));
    const TicketResult kept = read_ticket_result(folder).value();
    CHECK(is_whole(folder, kept));
    CHECK(kept.error.empty());
    CHECK(kept.status == 1);
    CHECK(kept.key.empty());
    CHECK(kept.warnings ==
          std::vector<std::string>{"this is the result of an earlier run, as the ticket could not "
                                   "be read again: web01.vmss: it is damaged",
                                   "part of it is missing"});
    finish_sample(results.path(), "log.txt");
    CHECK(to_json_line(read_ticket_result(folder).value()) == to_json_line(sample("web01")));
  }
  SECTION("not if it is of other files of that name") {
    named = "another/web01.vmss";
    CHECK(fail() == Finished::Replaced);
    CHECK_FALSE(fs::exists(folder / "log.txt"));
  }
  SECTION("not if it was changed, nor what could not be read then either") {
    std::ofstream(folder / "log.txt") << "Booted\n";
    CHECK(fail() == Finished::Replaced);
    CHECK(fail() == Finished::Replaced);
    CHECK_FALSE(fs::exists(folder / "log.txt"));
    CHECK(read_ticket_result(folder)->error == failed("web01").error);
  }
}

TEST_CASE("result folder: a file that no earlier result lists is not overwritten") {
  const TemporaryFolder results;
  finish_sample(results.path(), "log.txt");
  const fs::path folder = results.path() / "web01";
  const std::string before = test::file_content(folder / ticket_file);
  std::ofstream(folder / "log.json") << "mine";
  test::check_fails(Failure::Incomplete, "log.json: the file that is there is not overwritten",
                    [&] { finish_sample(results.path(), "log.json"); });
  CHECK(test::file_content(folder / "log.json") == "mine");
  CHECK(fs::exists(folder / "log.txt"));
  CHECK(test::file_content(folder / ticket_file) == before);
}

TEST_CASE("result folder: what was read is not overwritten, whatever an earlier result says") {
  const TemporaryFolder results;
  finish_sample(results.path(), "log.txt");
  const fs::path log = results.path() / "web01" / "log.txt";
  const InputFile input(log);
  for (const char* name : {"log.txt", "log.json"}) {
    test::check_fails(Failure::Usage, "log.txt: this is one of the inputs",
                      [&] { finish_sample(results.path(), name); });
    CHECK(test::file_content(log) == "booted\n");
  }
}

TEST_CASE(
    "result folder: a result whose replacement was interrupted is not done, and is replaced") {
  const TemporaryFolder results;
  finish_sample(results.path(), "log.txt");
  const fs::path folder = results.path() / "web01";
  fs::remove(folder / "log.txt");
  fs::create_directories(folder / "log.txt" / "in the way");
  CHECK_THROWS_AS(finish_sample(results.path(), "log.json"), Error);
  CHECK(fs::exists(folder / "log.json"));
  CHECK(read_ticket_result(folder)->key.empty());
  CHECK_FALSE(is_whole(folder, *read_ticket_result(folder)));
  fs::remove_all(folder / "log.txt");
  finish_sample(results.path(), "log.json");
  CHECK(read_ticket_result(folder)->key == sample("web01").key);
  CHECK(is_whole(folder, *read_ticket_result(folder)));
}

TEST_CASE("result folder: what is there and is no result is not touched") {
  const TemporaryFolder results;
  const std::vector<Ticket> tickets = {{"web01", {"/absent/web01.vmss"}}};
  check_results(results.path(), tickets);
  check_results(results.path() / "absent", tickets);
  fs::create_directory(results.path() / "web01");
  check_results(results.path(), tickets);
  std::ofstream(results.path() / "web01" / "evidence") << "x";
  test::check_fails(Failure::Usage, "expected a result of photon-dmesg batch",
                    [&] { check_results(results.path(), tickets); });
  const fs::path file = results.write("file", "");
  test::check_fails(Failure::Usage, "expected a folder", [&] { check_results(file, {}); });
}

TEST_CASE("result folder: evidence is not taken for a result, whatever a file in it says") {
  const TemporaryFolder results;
  const fs::path folder = results.path() / "web01";
  finish_sample(results.path(), "log.txt");
  check_results(results.path(), {{"web01", {"/absent/web01.vmss"}}});
  const auto check_refused = [&](const fs::path& input, const std::string& what) {
    test::check_fails(Failure::Usage,
                      "web01: expected a result of photon-dmesg batch or nothing, "
                      "found " +
                          what,
                      [&] {
                        check_results(results.path(), {{"web01", {input}}});
                      });
  };
  SECTION("not if VMware names a file in it so") {
    for (const char* name : {"other.vmss", "other.VMEM", "other.vmem.gz", "vmware.log"}) {
      CAPTURE(name);
      std::ofstream(folder / name) << "x";
      check_refused("/absent/web01.vmss", "files of a virtual machine beside it");
      fs::remove(folder / name);
    }
  }
  SECTION("not if a ticket's file is in it, at any depth, there or not") {
    check_refused(folder / "core.1", "files of a ticket in it");
    check_refused(folder / "deep" / "core.1", "files of a ticket in it");
    check_refused(folder / "ticket.tgz" / "vmfs" / "vm.vmss", "files of a ticket in it");
    check_refused(results.path() / "other" / ".." / "web01" / "core.1", "files of a ticket in it");
  }
  SECTION("nor if a link leads there, or from there to it") {
    fs::create_directory_symlink(folder, results.path() / "link");
    check_refused(results.path() / "link" / "core.1", "files of a ticket in it");
    std::ofstream(folder / "core.1") << "x";
    fs::create_symlink(folder / "core.1", results.path() / "core");
    check_refused(results.path() / "core", "files of a ticket in it");
    fs::create_symlink(results.write("elsewhere", "x"), folder / "core.2");
    check_refused(folder / "core.2", "files of a ticket in it");
  }
}

TEST_CASE("result folder: what a process that is no more has left is removed") {
  const TemporaryFolder results;
  const fs::path mine = begin_result(results.path(), "web01");
  std::string gone = mine.filename().string();
  gone.replace(gone.rfind('-') + 1, std::string::npos, "999999999");
  fs::create_directory(results.path() / gone);
  fs::create_directory(results.path() / ".other.unfinished-another-machine-999999999");
  remove_abandoned(results.path());
  CHECK(fs::exists(mine));
  CHECK_FALSE(fs::exists(results.path() / gone));
  CHECK(fs::exists(results.path() / ".other.unfinished-another-machine-999999999"));
}

TEST_CASE("summary: the worst first, then by release, time and message, what was not read last") {
  TicketResult older = sample("older", "panic");
  older.release = "5.10.1";
  TicketResult weaker = sample("weaker", "panic");
  weaker.findings[0].grade = "weak";
  CHECK(order({failed("broken"), sample("well"), sample("locked", "hard_lockup"), weaker,
               sample("newer", "panic"), older}) ==
        std::vector<std::string>{"older", "newer", "weaker", "locked", "well", "broken"});
}

TEST_CASE("summary: what it says of all") {
  CHECK(Summary({}).counts() == "0 tickets");
  CHECK(Summary({sample("a", "panic"), sample("b", "panic"), sample("c"), failed("d")}).counts() ==
        "4 tickets: 2 PANIC, 1 nothing wrong found, 1 not read");
}

TEST_CASE("summary: a table, values with commas, lines of JSON") {
  TicketResult evil = sample("evil", "panic");
  evil.last_message = "=cmd|'/c calc'!A1, \"quoted\"\x1b[2J";
  const Summary summary({evil, failed("broken")});
  const std::string text = written(summary, &Summary::write_text);
  CHECK(text.starts_with("2 tickets: 1 PANIC, 1 not read\n"));
  CHECK_THAT(text, Catch::Contains("TITLE (certain)  what it is") &&
                       Catch::Contains("not read: broken.vmss: it is damaged") &&
                       !Catch::Contains("\x1b"));
  TicketResult cut = sample("cut", "panic");
  cut.status = 1;
  cut.warnings = {"not used: a.iso: it is damaged\x1b[2J", "another"};
  CHECK_THAT(written(Summary({cut, sample("well")}), &Summary::write_text),
             Catch::Contains("\n  warning: not used: a.iso: it is damaged\\x1b[2J (and 1 more)\n"));
  TicketResult complete = cut;
  complete.status = 0;
  CHECK_THAT(written(Summary({complete}), &Summary::write_text), !Catch::Contains("warning"));
  const std::string csv = written(summary, &Summary::write_csv);
  CHECK(csv.starts_with(Summary::csv_begin));
  CHECK_THAT(csv, Catch::Contains("\"'=cmd|'/c calc'!A1, \"\"quoted\"\"\\x1b[2J\""));
  const std::string lines = written(summary, &Summary::write_lines);
  CHECK(lines.starts_with(Summary::line_begin));
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
}

}  // namespace photon_dmesg
