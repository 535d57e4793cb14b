#include "cli/ticket_run.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "support/checkpoint_builder.h"
#include "support/errors.h"
#include "support/fixture_guest.h"
#include "support/guest_on_disk.h"
#include "support/ring_writer.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

// The key of the ticket with `file`, without anything else that it depends on.
std::string key_by(const fs::path& file) {
  return key_of(Options(), {"name", {file}}, "");
}

// The files of two VMs in one folder.
class VmFolder {
 public:
  VmFolder() {
    for (const char* name :
         {"vm.vmx", "vm.vmss", "vm.vmem", "vm-Snapshot1.vmsn", "vm-Snapshot1.vmem.gz", "vm.nvram",
          "other.vmss", "other.vmem", "vmware.log", "vmware-0.log", "notes.txt"}) {
      folder_.write(name, "content");
    }
  }

  [[nodiscard]] const fs::path& path() const { return folder_.path(); }

  // Those of its files that make another key of the ticket with `file` when their content is
  // another one of the same size, beside `file` itself.
  [[nodiscard]] std::vector<std::string> files_in_key_of(const fs::path& file) const {
    std::vector<std::string> found;
    const std::string before = key_by(file);
    for (const auto& entry : fs::directory_iterator(path())) {
      if (entry.path() == file || entry.path().filename() == file.filename()) continue;
      std::ofstream(entry.path()) << "another";
      if (key_by(file) != before) found.push_back(entry.path().filename());
      std::ofstream(entry.path()) << "content";
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  TemporaryFolder folder_;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("run_ticket: what can't be written is no result that says so, but no result") {
  const TemporaryFolder folder;
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("booted");
  ring.publish();
  const Ticket of_guest = {"vm",
                           {write_guest(folder, "vm", guest).checkpoint, PRINTK_RINGBUFFER_KERNEL}};
  const Ticket of_host = {
      "host",
      {folder.write("vmware.log",
                    "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
                    "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[ 20.0] panic\n")}};
  const fs::path results = folder.path() / "results";
  for (const Ticket& ticket : {of_guest, of_host}) {
    CAPTURE(ticket.name);
    fs::create_directory(results);
    CHECK(run_ticket(Options(), ticket, nullptr, results).error.empty());
    fs::remove_all(results);
    for (const char* blocked : {"log.txt", "triage.json"}) {
      CAPTURE(blocked);
      fs::create_directory(results);
      fs::create_symlink("/nonexistent/file", results / blocked);
      check_fails(Failure::Incomplete, "/nonexistent/file: can't be created",
                  [&] { (void)run_ticket(Options(), ticket, nullptr, results); });
      fs::remove_all(results);
    }
  }
}

TEST_CASE("run_ticket: with --redact no message names a ticket's files, nor what links lead to") {
  const TemporaryFolder folder;
  Options options;
  options.redact = true;
  const auto error_of = [&](const fs::path& file) {
    return run_ticket(options, {"name", {file}}, nullptr, folder.path()).error;
  };
  fs::create_directory(folder.path() / "acme-corp");
  const fs::path file = folder.write("acme-corp/payroll01.vmss", checkpoint_file({}));
  fs::create_symlink("acme-corp/payroll01.vmss", folder.path() / "lnk.vmss");
  for (const fs::path& named : {file, folder.path() / "lnk.vmss"}) {
    CHECK_THAT(error_of(named), Catch::Contains("<file>") && !Catch::Contains("payroll01") &&
                                    !Catch::Contains("acme-corp") && !Catch::Contains("lnk"));
  }
  SECTION("and the rest of it stays as it is") {
    const fs::path before = fs::current_path();
    fs::current_path(folder.path() / "acme-corp");
    fs::copy_file("payroll01.vmss", "e.vmss");
    const std::string of_long_name = error_of("./payroll01.vmss");
    CHECK(error_of("./e.vmss") == of_long_name);
    fs::current_path(before);
    CHECK_THAT(of_long_name, Catch::Contains("<file>.vmem") && !Catch::Contains("<file><file>"));
  }
}

TEST_CASE("ticket key: a checkpoint's has its memory and the host's logs, and no other VM's") {
  const VmFolder folder;
  CHECK(folder.files_in_key_of(folder.path() / "vm.vmss") ==
        Names{"vm.vmem", "vm.vmx", "vmware-0.log", "vmware.log"});
  CHECK(folder.files_in_key_of(folder.path() / "vm-Snapshot1.vmsn") ==
        Names{"vm-Snapshot1.vmem.gz", "vmware-0.log", "vmware.log"});
  CHECK(folder.files_in_key_of(folder.path() / "other.vmem") ==
        Names{"other.vmss", "vmware-0.log", "vmware.log"});
}

TEST_CASE("ticket key: a folder's and a configuration's have all that they may lead to") {
  const VmFolder folder;
  const Names all = {"other.vmem", "other.vmss", "vm-Snapshot1.vmem.gz", "vm-Snapshot1.vmsn",
                     "vm.vmem",    "vm.vmss",    "vmware-0.log",         "vmware.log"};
  CHECK(folder.files_in_key_of(folder.path() / "vm.vmx") == all);
  Names with_configuration = all;
  with_configuration.insert(with_configuration.begin() + 6, "vm.vmx");
  CHECK(folder.files_in_key_of(folder.path()) == with_configuration);
}

TEST_CASE("ticket key: of a link, what lies beside the file that it leads to counts") {
  const VmFolder folder;
  const TemporaryFolder links;
  fs::create_symlink(folder.path() / "vm.vmss", links.path() / "latest");
  CHECK(folder.files_in_key_of(links.path() / "latest") ==
        Names{"vm.vmem", "vm.vmss", "vm.vmx", "vmware-0.log", "vmware.log"});
}

TEST_CASE("ticket key: neither dates nor the place of the files make another one") {
  const VmFolder folder;
  const VmFolder copy;
  const auto written = fs::last_write_time(folder.path() / "vm.vmss");
  fs::last_write_time(copy.path() / "vm.vmss", written - std::chrono::hours(1));
  CHECK(key_by(folder.path() / "vm.vmss") == key_by(copy.path() / "vm.vmss"));
  CHECK(key_by(folder.path()) == key_by(copy.path()));
  SECTION("but another file does") {
    std::ofstream(copy.path() / "vmware-1.log") << "content";
    CHECK(key_by(folder.path() / "vm.vmss") != key_by(copy.path() / "vm.vmss"));
  }
}

}  // namespace photon_dmesg::test
