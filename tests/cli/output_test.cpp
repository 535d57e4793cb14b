#include "cli/output.h"

#include <catch2/catch.hpp>

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
  check_fails(Failure::Incomplete, "/dev/full: can't be written: is the disk full?",
              [&] { write_output(options, write_record); });
  options.output = "/absent/log.txt";
  check_fails(Failure::Incomplete, "/absent/log.txt: can't be written",
              [&] { write_output(options, write_record); });
}

}  // namespace photon_dmesg::test
