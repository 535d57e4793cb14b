#include "cli/run.h"

#include <catch2/catch.hpp>
#include <regex>
#include <vector>

#include "base/input_file.h"
#include "cli/exit_status.h"
#include "kernel/symbols/symbol_store.h"
#include "support/captured_stderr.h"
#include "support/file_content.h"
#include "support/guest_on_disk.h"
#include "support/open_vmlinux.h"
#include "support/profile_writer.h"
#include "support/ring_writer.h"

namespace photon_dmesg::test {
namespace {

struct Outcome {
  int status = 0;
  std::string said;  // on stderr
};

Outcome run_with(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "photon-dmesg");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  Outcome outcome;
  outcome.said =
      captured_stderr([&] { outcome.status = run(static_cast<int>(argv.size()), argv.data()); });
  return outcome;
}

// The files of a guest that has logged "booted", and whose clock can't be found.
GuestOnDisk write_sample(const TemporaryFolder& folder) {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("booted");
  ring.publish();
  return write_guest(folder, "vm", guest);
}

}  // namespace

TEST_CASE("exit status: one for each kind of failure, as --help lists them") {
  CHECK(exit_complete == 0);
  CHECK(exit_incomplete == 1);
  CHECK(exit_status(Failure::Incomplete) == exit_incomplete);
  CHECK(exit_status(Failure::Usage) == 2);
  CHECK(exit_status(Failure::UnusableInput) == 3);
  CHECK(exit_status(Failure::Mismatch) == 4);
}

TEST_CASE("run: what goes wrong is one line on stderr and the status") {
  const TemporaryFolder folder;
  const std::string text = folder.write("no\tkernel", std::string(5000, 'x'));
  const std::string absent = folder.path() / "absent";
  const auto check = [](std::vector<std::string> arguments, int status, const std::string& part) {
    const Outcome outcome = run_with(std::move(arguments));
    CHECK(outcome.status == status);
    CHECK_THAT(outcome.said, Catch::StartsWith("photon-dmesg: ") && Catch::Contains(part));
    CHECK(outcome.said.find('\n') == outcome.said.size() - 1);
  };
  check({}, 2, "FILE is required");
  check({"--format", "xml", text}, 2, "--format xml: expected one of text");
  check({absent}, 3, absent + ": ");
  check({"info", absent}, 3, absent + ": ");
  check({"profile", text, text, "-o", text}, 2, "no\\x09kernel: this is one of the inputs");
}

TEST_CASE("run: every command on a guest's files") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder);
  const std::string output = folder.path() / "output";
  const auto run_on = [&](std::vector<std::string> arguments, const std::string& kernel) {
    arguments.insert(arguments.end(), {"--no-cache", "-o", output, kernel, files.checkpoint});
    return run_with(std::move(arguments));
  };
  const std::string kernel = PRINTK_RINGBUFFER_KERNEL;
  CHECK(run_on({}, kernel).status == exit_complete);
  CHECK_THAT(file_content(output), Catch::Contains("] booted\n"));
  CHECK(run_on({"info"}, kernel).status == exit_complete);
  CHECK_THAT(file_content(output), Catch::Contains("\nsource       " + kernel));
  const Outcome other = run_on({}, PRINTK_LOG_KERNEL);
  CHECK(other.status == 4);
  CHECK_THAT(other.said, Catch::Contains("not the guest's kernel"));
  CHECK(run_on({"profile"}, kernel).status == exit_complete);
  CHECK_THAT(file_content(output), Catch::Contains("PHDMSYMS"));
  CHECK(run_on({}, kernel).status == 2);  // a log is not to take its place
  CHECK_THAT(file_content(output), Catch::Contains("PHDMSYMS"));
}

TEST_CASE(
    "run: a profile of version 1, whose damage would not show, is never all there is to say") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder);
  const std::string output = folder.path() / "log";
  const std::string whole = json_profile(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
  const auto read_with = [&](const std::string& profile) {
    return run_with({"-o", output, folder.write("profile", profile), files.checkpoint});
  };
  const Outcome outcome = read_with(whole);
  CHECK(outcome.status == exit_incomplete);
  CHECK_THAT(outcome.said, Catch::Contains("has no checksum, by which damage would show"));
  CHECK_THAT(file_content(output), Catch::Contains("] booted\n"));
  // The type of a member that every record goes through; the known layout is taken.
  const std::string altered =
      std::regex_replace(whole, std::regex("(\"name\": \"ts_nsec\",\\s*\"offset\": )8"), "$014");
  REQUIRE(altered != whole);
  CHECK_THAT(read_with(altered).said, Catch::Contains("struct printk_info: its members lie as in"));
  CHECK_THAT(file_content(output), Catch::Contains("] booted\n"));
}

TEST_CASE("run: a profile of a release is not chosen among several kernels of it") {
  const TemporaryFolder folder;
  const std::string output = folder.path() / "profile";
  const std::string packages = PACKAGE_FOLDER;
  const auto profile = [&](const std::string& release, std::vector<std::string> files) {
    files.insert(files.begin(), {"profile", "--no-cache", "-o", output, "--release", release});
    return run_with(std::move(files));
  };
  const auto check_refused = [&](const Outcome& outcome, int status, const std::string& part) {
    CHECK(outcome.status == status);
    CHECK_THAT(outcome.said, Catch::Contains(part));
    CHECK_FALSE(std::filesystem::exists(output));
  };
  SECTION("one for each architecture") {
    check_refused(profile("6.1.10-1.ph5", {packages + "/map.rpm", packages + "/map-aarch64.rpm"}),
                  2,
                  "expected one kernel of 6.1.10-1.ph5, found linux-6.1.10-1.ph5.aarch64, "
                  "linux-6.1.10-1.ph5.x86_64: name the file of one of them, or a checkpoint");
  }
  SECTION("several builds of one release") {
    check_refused(
        profile("4.4.8", {packages + "/map-4.4.8-4.rpm", packages + "/map-4.4.8-5.rpm"}), 2,
        "expected one kernel of 4.4.8, found linux-6.1.10-4.ph1.x86_64, linux-6.1.10-5.ph1");
  }
  SECTION("System.maps, which don't say what they are of") {
    const std::string map = "ffffffff81000000 T _text\nffffffff81001000 D prb\n";
    check_refused(profile("6.1.10-1.ph5", {folder.write("a", map), folder.write("b", map)}), 2,
                  "expected one kernel of 6.1.10-1.ph5, found ");
  }
  SECTION("a vmlinux of another one") {
    check_refused(profile("6.1.9-1.ph5", {PRINTK_RINGBUFFER_KERNEL}), 4,
                  "expected symbols of 6.1.9-1.ph5, found those of 6.1.10-1.ph5");
  }
  SECTION("packages of another one") {
    check_refused(profile("1.2.3-4.ph5", {packages + "/map.rpm"}), 4,
                  "expected a kernel of 1.2.3-4.ph5, found kernels of 6.1.10-1.ph5");
  }
}

TEST_CASE("run: a profile of a release is of what has most of its only kernel") {
  const TemporaryFolder folder;
  const std::string output = folder.path() / "profile";
  const std::string packages = PACKAGE_FOLDER;
  const std::string release = "6.1.10-1.ph5";
  std::vector<std::string> files;
  SECTION("its debuginfo package, and not the System.map of its own") {
    files = {packages + "/map.rpm", packages + "/w3.zstdio.rpm"};
  }
  SECTION("a package that is there twice") {
    files = {packages + "/w3.zstdio.rpm",
             folder.write("copy.rpm", file_content(packages + "/w3.zstdio.rpm"))};
  }
  SECTION("a vmlinux that says what it is of, and no System.map beside it") {
    files = {PRINTK_RINGBUFFER_KERNEL, folder.write("map", "ffffffff81000000 T _text\n")};
  }
  SECTION("the vmlinux of that release among others") {
    files = {PRINTK_LOG_KERNEL, PRINTK_RINGBUFFER_KERNEL};
  }
  std::vector<std::string> arguments = {"profile", "--no-cache", "-o",
                                        output,    "--release",  release};
  arguments.insert(arguments.end(), files.begin(), files.end());
  (void)run_with(arguments);
  const auto store = SymbolStore::read(InputFile(output));
  CHECK(store->release() == release);
  CHECK(store->find_struct("printk_ringbuffer") != nullptr);
}

TEST_CASE("run: profile --all writes each build of a release, and what can't be is said") {
  const TemporaryFolder folder;
  const std::string packages = PACKAGE_FOLDER;
  const std::filesystem::path store = folder.path() / "store";
  const auto write_all = [&](std::vector<std::string> files) {
    files.insert(files.begin(), {"profile", "--all", "--no-cache", "-o", store});
    return run_with(std::move(files));
  };
  SECTION("two builds, told apart") {
    CHECK(write_all({packages + "/map-4.4.8-4.rpm", packages + "/map-4.4.8-5.rpm"}).status ==
          exit_complete);
    CHECK(std::distance(std::filesystem::directory_iterator(store), {}) == 2);
  }
  SECTION("one that no profile can be made of leaves the others") {
    const Outcome outcome = write_all({packages + "/map-odd.rpm", packages + "/map.rpm"});
    CHECK(outcome.status == exit_incomplete);
    CHECK_THAT(outcome.said, Catch::Contains("not used: ") && Catch::Contains("holds neither"));
    CHECK(std::filesystem::exists(store / "linux-6.1.10-1.ph5.x86_64.symbols"));
  }
}

TEST_CASE("run: a damaged profile is said, and the log is read without it") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder);
  const std::string output = folder.path() / "log";
  const std::string profile = folder.path() / "profile";
  REQUIRE(run_with({"profile", PRINTK_RINGBUFFER_KERNEL, "-o", profile}).status == exit_complete);
  std::string bytes = file_content(profile);
  bytes[bytes.size() / 2] ^= 1;
  folder.write("profile", bytes);
  const Outcome outcome =
      run_with({"-o", output, profile, PRINTK_RINGBUFFER_KERNEL, files.checkpoint});
  CHECK(outcome.status == exit_incomplete);
  CHECK_THAT(outcome.said, Catch::Contains("not used: " + profile + ": damaged profile"));
  CHECK_THAT(file_content(output), Catch::Contains("] booted\n"));
}

TEST_CASE("run: names from the command line reach no output as they are") {
  const TemporaryFolder folder;
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("booted");
  ring.publish();
  const std::string odd = "a\x1b[2J\r\xff\xe2\x80\xae\x7f";  // erases the screen, turns the text
  const GuestOnDisk files = write_guest(folder, odd, guest);
  const std::string junk = folder.write(odd + ".iso", std::string(5000, '\x80'));
  const std::string output = folder.path() / "output";
  const auto is_safe = [](const std::string& text) {
    return text.find_first_of("\x1b\r\x7f\xff") == std::string::npos &&
           text.find("\xe2\x80\xae") == std::string::npos;
  };
  const std::vector<std::vector<std::string>> commands = {
      {"-v"},         {"--json"},    {"--format", "ecs"}, {"--format", "otlp"},
      {"info", "-v"}, {"info", "-J"}};
  for (std::vector<std::string> arguments : commands) {
    CAPTURE(arguments);
    arguments.insert(arguments.end(),
                     {"-o", output, PRINTK_RINGBUFFER_KERNEL, junk, files.checkpoint});
    const Outcome outcome = run_with(arguments);
    CHECK(outcome.status == exit_incomplete);
    CHECK_THAT(outcome.said, Catch::Contains("not used: "));
    CHECK(is_safe(outcome.said));
    CHECK(is_safe(file_content(output)));
  }
  CHECK(is_safe(run_with({folder.path() / (odd + ".absent")}).said));
  CHECK(is_safe(run_with({"--" + odd}).said));
  CHECK(is_safe(run_with({"--format", odd, files.checkpoint}).said));
}

TEST_CASE("run: every command leaves a guest's files as they are, named or found") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder);
  const std::string checkpoint = file_content(files.checkpoint);
  const std::string memory = file_content(files.memory);
  std::filesystem::create_hard_link(files.memory, folder.path() / "hard");
  const std::string kernel = PRINTK_RINGBUFFER_KERNEL;
  for (const char* command : {"", "info", "profile", "core"}) {
    for (const auto& target : {files.checkpoint, files.memory, folder.path() / "hard"}) {
      std::vector<std::string> arguments = {"--no-cache", "-o", target, kernel, files.checkpoint};
      if (*command != '\0') arguments.insert(arguments.begin(), command);
      CHECK(run_with(arguments).status != exit_complete);
      CHECK(file_content(files.checkpoint) == checkpoint);
      CHECK(file_content(folder.path() / "hard") == memory);
      CHECK(file_content(files.memory) == memory);
    }
  }
}

TEST_CASE("run: without the times that were asked for, the log is printed and incomplete") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder);
  const std::string output = folder.path() / "log";
  const Outcome outcome =
      run_with({"-T", "-o", output, PRINTK_RINGBUFFER_KERNEL, files.checkpoint});
  CHECK(outcome.status == exit_incomplete);
  CHECK(outcome.said ==
        "photon-dmesg: warning: the guest's clock can't be read: all times are since boot\n");
  CHECK_THAT(file_content(output), Catch::Contains("] booted\n"));
}

}  // namespace photon_dmesg::test
