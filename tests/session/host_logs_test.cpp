#include "session/host_logs.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

// The system's files, of which one can't be opened.
class TreeWithout final : public FileTree {
 public:
  explicit TreeWithout(fs::path closed) : closed_(std::move(closed)) {}

  [[nodiscard]] std::vector<fs::path> files(const fs::path& folder) const override {
    return disk_tree().files(folder);
  }
  [[nodiscard]] std::shared_ptr<const ByteSource> open(const fs::path& file,
                                                       Diagnostics& diagnostics) const override {
    if (file == closed_) throw unusable(file.string() + ": can't be opened: Permission denied");
    return disk_tree().open(file, diagnostics);
  }
  [[nodiscard]] std::optional<std::time_t> changed(const fs::path& file) const override {
    return disk_tree().changed(file);
  }
  [[nodiscard]] std::optional<fs::path> behind_links(const fs::path& file) const override {
    return disk_tree().behind_links(file);
  }
  [[nodiscard]] bool are_same(const fs::path& left, const fs::path& right) const override {
    return disk_tree().are_same(left, right);
  }

 private:
  fs::path closed_;
};

std::string log_with(const std::string& text) {
  return "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
         "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: <0>[   20.000000] " +
         text + "\n";
}

}  // namespace

TEST_CASE("host_logs_of: a log that can't be read is a warning, the others are read") {
  const TemporaryFolder vm;
  const fs::path current = vm.write("vmware.log", log_with("the last"));
  (void)vm.write("vmware-1.log", log_with("before"));
  const fs::path checkpoint = vm.path() / "vm.vmss";
  CollectedDiagnostics diagnostics;
  CHECK(host_logs_of({}, checkpoint, disk_tree(), diagnostics).size() == 2);
  CHECK(diagnostics.warnings().empty());
  CHECK(host_logs_of({}, checkpoint, TreeWithout(current), diagnostics).size() == 1);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0],
             Catch::Contains("vmware.log: can't be opened: Permission denied: it may hold what the "
                             "guest sent to its host"));
}

TEST_CASE("host_logs_of: that a log is too long to be read whole is a warning") {
  const TemporaryFolder vm;
  const fs::path log = vm.write("vmware.log", log_with("lost"));
  fs::resize_file(log, std::uintmax_t{65} * 1024 * 1024);
  CollectedDiagnostics diagnostics;
  const auto logs = host_logs_of({}, vm.path() / "vm.vmss", disk_tree(), diagnostics);
  REQUIRE(logs.size() == 1);
  CHECK(logs[0].lines.empty());
  CHECK_FALSE(logs[0].is_whole);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings()[0],
             Catch::Contains("vmware.log: more than 64 MiB: only its end is read, and what the "
                             "guest sent before is left out"));
}

TEST_CASE("read_host_logs: of one VM, whose logs lie in one folder") {
  const TemporaryFolder vm;
  const TemporaryFolder other;
  const fs::path current = vm.write("vmware.log", log_with("the last"));
  const fs::path before = vm.write("vmware-1.log", log_with("before"));
  const fs::path others = other.write("vmware.log", log_with("of another"));
  CollectedDiagnostics diagnostics;
  BundleTree tree;
  CHECK(read_host_logs({current, before}, tree, diagnostics).size() == 2);
  check_fails(Failure::Usage, "expected the logs of one VM, which lie in one folder", [&] {
    (void)read_host_logs({current, others}, tree, diagnostics);
  });
}

}  // namespace photon_dmesg::test
