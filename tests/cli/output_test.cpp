#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

void write_record(std::ostream& out) {
  out << "[    0.000000] text\n";
}

}  // namespace

TEST_CASE("output: a file gets what stdout would") {
  const TemporaryFolder folder;
  Options options;
  options.output = folder.path() / "log.txt";
  write_output(options, write_record);
  CHECK(file_content(*options.output) == "[    0.000000] text\n");
}

TEST_CASE("output: an input is never overwritten, by whatever name") {
  const TemporaryFolder folder;
  Options options;
  options.files = {folder.write("vm.vmss", "evidence")};
  std::filesystem::create_symlink("vm.vmss", folder.path() / "link");
  for (const char* name : {"vm.vmss", "link", "./vm.vmss"}) {
    options.output = folder.path() / name;
    check_fails(Failure::Usage, "this is one of the inputs", [&] { check_output(options); });
  }
  options.output = folder.path() / "log.txt";
  CHECK_NOTHROW(check_output(options));
  options.keys = {folder.write("key", "a public key")};
  options.screenshot = folder.path() / "key";
  check_fails(Failure::Usage, "key: this is one of the inputs", [&] { check_output(options); });
  options.screenshot = folder.path() / "link";
  check_fails(Failure::Usage, "link: this is one of the inputs", [&] { check_output(options); });
  options.screenshot.reset();
  options.configuration = folder.path() / "vm.vmss";
  check_fails(Failure::Usage, "this is one of the inputs", [&] { check_output(options); });
}

TEST_CASE("output: a write that fails is an incomplete output, not an input's fault") {
  Options options;
  options.output = "/dev/full";
  check_fails(Failure::Incomplete, "/dev/full: can't be written: No space left on device",
              [&] { write_output(options, write_record); });
  options.output = "/absent/log.txt";
  check_fails(Failure::Incomplete, "/absent/log.txt: can't be created: No such file",
              [&] { write_output(options, write_record); });
}

TEST_CASE("output: a file appears when it is whole, and an unfinished one not at all") {
  const TemporaryFolder folder;
  Options options;
  options.output = folder.path() / "log.txt";
  write_output(options, [&](std::ostream& out) {
    out << std::string(1'000'000, 'x');
    out.flush();
    CHECK_FALSE(std::filesystem::exists(*options.output));
  });
  CHECK(file_content(*options.output).size() == 1'000'000);
  check_fails(Failure::UnusableInput, "damaged", [&] {
    write_output(options, [](std::ostream& out) {
      out << "half";
      throw unusable("damaged");
    });
  });
  CHECK(file_content(*options.output).size() == 1'000'000);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE("output: through a symbolic link, the file it leads to is replaced") {
  const TemporaryFolder folder;
  Options options;
  const std::filesystem::path target = folder.write("log.txt", "old");
  options.output = folder.path() / "link";
  std::filesystem::create_symlink("log.txt", *options.output);
  write_output(options, write_record);
  CHECK(std::filesystem::is_symlink(*options.output));
  CHECK(file_content(target) == "[    0.000000] text\n");
}

TEST_CASE("output: what was read without being named is not overwritten, by whatever name") {
  const TemporaryFolder folder;
  const auto memory = folder.write("memory", "evidence");
  std::filesystem::create_symlink("memory", folder.path() / "link");
  std::filesystem::create_hard_link(memory, folder.path() / "hard");
  { const InputFile found(memory); }
  Options options;
  for (const char* name : {"memory", "link", "hard"}) {
    options.output = folder.path() / name;
    check_fails(Failure::Usage, "this is one of the inputs",
                [&] { write_output(options, write_record); });
    check_fails(Failure::Usage, "this is one of the inputs",
                [&] { write_extract(options, folder.path() / name, {}); });
  }
  CHECK(file_content(memory) == "evidence");
}

TEST_CASE("output: a file that is open already is written to from where it stands") {
  const TemporaryFolder folder;
  const auto path = folder.write("log", "");
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::write(file, "before\n", 7) == 7);
  Options options;
  std::filesystem::create_symlink("/dev/fd/" + std::to_string(file), folder.path() / "link");
  for (const std::string& name :
       {"/dev/fd/" + std::to_string(file), "/proc/self/fd/" + std::to_string(file),
        (folder.path() / "link").string()}) {
    options.output = name;
    check_output(options);
    write_output(options, write_record);
  }
  REQUIRE(::write(file, "behind\n", 7) == 7);
  ::close(file);
  const std::string record = "[    0.000000] text\n";
  CHECK(file_content(path) == "before\n" + record + record + record + "behind\n");
}

TEST_CASE("output: a descriptor that can't be written to is a usage error") {
  const TemporaryFolder folder;
  const auto path = folder.write("log", "old");
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  Options options;
  options.output = "/dev/fd/" + std::to_string(file);
  check_fails(Failure::Usage, "expected a descriptor that is open for writing",
              [&] { check_output(options); });
  ::close(file);
  check_fails(Failure::Usage, "expected a descriptor that is open for writing",
              [&] { check_output(options); });
}

TEST_CASE("output: each goes to a file of its own") {
  const TemporaryFolder folder;
  Options options;
  options.command = Command::Info;
  options.screenshot = folder.path() / "file";
  options.configuration = folder.path() / "." / "file";
  check_fails(Failure::Usage, "expected a file for each output, found one",
              [&] { check_output(options); });
  options.configuration = "-";  // where the report goes
  check_fails(Failure::Usage, "the output and the output: expected a file for each output",
              [&] { check_output(options); });
  options.output = folder.path() / "report";
  CHECK_NOTHROW(check_output(options));
  options.screenshot = options.configuration = options.output = "/dev/null";
  CHECK_NOTHROW(check_output(options));
}

TEST_CASE("output: what is taken out of a checkpoint is for its owner only") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "screen.png";
  write_extract({}, path, std::as_bytes(std::span("PNG", 3)));
  CHECK(file_content(path) == "PNG");
  CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::all) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
}

}  // namespace photon_dmesg::test
