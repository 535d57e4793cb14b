#include "cli/output.h"

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

}  // namespace photon_dmesg::test
