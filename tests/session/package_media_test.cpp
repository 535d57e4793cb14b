#include "session/package_media.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <thread>

#include "support/errors.h"
#include "support/iso_builder.h"
#include "support/short_stream.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

const std::string first = "linux-debuginfo-6.1.10-1.ph5.x86_64.rpm";
const std::string second = "linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm";

std::vector<PackageFile> list(const std::vector<SymbolInput>& inputs,
                              const std::function<bool(const std::string&)>& is_wanted) {
  CollectedDiagnostics diagnostics;
  return list_packages(
      inputs, [&](std::unique_ptr<ByteStream> package) { return is_wanted(read_all(*package)); },
      diagnostics);
}

std::vector<SymbolInput> input(SymbolKind kind, const fs::path& path) {
  std::vector<SymbolInput> inputs;
  inputs.push_back({kind, path, nullptr, nullptr});
  return inputs;
}

bool any(const std::string& /*content*/) {
  return true;
}

// What is listed of an ISO that comes through a pipe.
std::vector<PackageFile> list_through_pipe(const fs::path& iso,
                                           const std::function<bool(const std::string&)>& wanted) {
  const fs::path pipe = iso.parent_path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] {
    std::ofstream(pipe, std::ios::binary) << std::ifstream(iso, std::ios::binary).rdbuf();
  });
  std::vector<SymbolInput> inputs;
  inputs.push_back({SymbolKind::Iso, pipe, nullptr, std::make_unique<PipeStream>(pipe)});
  auto packages = list(inputs, wanted);
  inputs.clear();
  writer.join();
  return packages;
}

// The lead of a package that calls itself `name`, and nothing behind it.
std::string lead_of(std::string name) {
  name.resize(66);
  return std::string("\xed\xab\xee\xdb\x03\0\0\0\0\1", 10) + name + std::string(20, '\0');
}

}  // namespace

TEST_CASE("list_packages: the kernel packages of an ISO, each read as often as need be") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  write_iso(iso, {{"RPMS/bash-5.1-1.x86_64.rpm", "bash"}, {"RPMS/" + first, "the package"}});
  const auto packages = list(input(SymbolKind::Iso, iso), any);
  REQUIRE(packages.size() == 1);
  CHECK(packages[0].path == "RPMS/" + first);
  CHECK(packages[0].iso == iso.string());
  CHECK(read_all(*packages[0].open()) == "the package");
  CHECK(read_all(*packages[0].open()) == "the package");
}

TEST_CASE("list_packages: a folder and those in it, but no loop of links") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "cdrom/DEBUGRPMS/x86_64");
  folder.write("cdrom/DEBUGRPMS/x86_64/" + second, "two");
  folder.write("cdrom/" + first, "one");
  folder.write("cdrom/README.rpm", "none");
  fs::create_directory_symlink(folder.path() / "cdrom", folder.path() / "cdrom/DEBUGRPMS/loop");
  fs::create_symlink("/dev/zero", folder.path() / "cdrom/linux-debuginfo-1-1.x86_64.rpm");
  const auto packages = list(input(SymbolKind::Folder, folder.path() / "cdrom"), any);
  REQUIRE(packages.size() == 2);
  CHECK(packages[0].path == (folder.path() / "cdrom/DEBUGRPMS/x86_64" / second).string());
  CHECK(read_all(*packages[0].open()) == "two");
  CHECK(read_all(*packages[1].open()) == "one");
  CHECK_FALSE(packages[1].iso);
}

TEST_CASE("list_packages: in a folder, a package is what it says it is, and ISOs are looked into") {
  const TemporaryFolder folder;
  const auto renamed = folder.write("a ticket's kernel.rpm", lead_of("linux-6.12.117-1.ph5"));
  folder.write("bash.rpm", lead_of("bash-5.2-1.ph5"));
  folder.write("damaged.iso", std::string(0x8001, '\0') + "CD001");
  fs::create_directory(folder.path() / "isos");
  const auto iso = folder.path() / "isos" / "photon.iso";
  write_iso(iso, {{"RPMS/" + first, "the package"}});
  const auto packages = list(input(SymbolKind::Folder, folder.path()), any);
  REQUIRE(packages.size() == 2);
  CHECK(packages[0].path == renamed.string());
  CHECK(packages[1].iso == iso.string());
}

TEST_CASE("list_packages: of an ISO that has cut the names, a package is what it says it is") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  write_iso(iso, {{"RPMS/LINUX_6.RPM", lead_of("linux-6.12.117-1.ph5")},
                  {"RPMS/LINUX_AP.RPM", lead_of("linux-api-headers-6.12-1.ph5")}});
  const auto packages = list(input(SymbolKind::Iso, iso), any);
  REQUIRE(packages.size() == 1);
  CHECK(packages[0].path == "RPMS/LINUX_6.RPM");
}

TEST_CASE("list_packages: of an ISO through a pipe, what is wanted is kept") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  write_iso(iso, {{"RPMS/" + first, "wanted"}, {"RPMS/" + second, "other"}, {"last", "file"}});
  const auto packages =
      list_through_pipe(iso, [](const std::string& content) { return content == "wanted"; });
  REQUIRE(packages.size() == 1);
  CHECK(packages[0].path == "RPMS/" + first);
  CHECK(packages[0].iso == (folder.path() / "pipe").string());
  CHECK(read_all(*packages[0].open()) == "wanted");
  CHECK(read_all(*packages[0].open()) == "wanted");
}

TEST_CASE("list_packages: a package with several names on an ISO is one, by any of them") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  const std::string package = lead_of("linux-debuginfo-6.1.10-1.ph5");
  for (const std::string other : {"AAA.rpm", "zzz.rpm"}) {
    write_iso(iso, {{other, package}}, {{"RPMS/" + first, other}, {"RPMS/" + second, other}});
    for (const bool is_piped : {false, true}) {
      CAPTURE(other, is_piped);
      const auto packages =
          is_piped ? list_through_pipe(iso, any) : list(input(SymbolKind::Iso, iso), any);
      fs::remove(folder.path() / "pipe");
      REQUIRE(packages.size() == 1);
      CHECK(read_all(*packages[0].open()) == package);
    }
  }
}

TEST_CASE(
    "list_packages: of more packages than an ISO has, those behind are left out and counted") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  std::vector<std::pair<std::string, std::string>> files;
  for (int i = 0; i < 1003; ++i) {
    files.emplace_back("RPMS/linux-6.1." + std::to_string(i) + "-1.ph5.x86_64.rpm",
                       std::to_string(i));
  }
  write_iso(iso, files);
  CollectedDiagnostics diagnostics;
  const auto all = [](const std::unique_ptr<ByteStream>&) { return true; };
  CHECK(list_packages(input(SymbolKind::Iso, iso), all, diagnostics).size() == 1000);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings().front(),
             Catch::StartsWith("not used: " + iso.string()) && Catch::Contains("found 3 more"));
}

TEST_CASE("list_packages: several media are one list, in the order given") {
  const TemporaryFolder folder;
  const fs::path iso = folder.path() / "photon.iso";
  write_iso(iso, {{"RPMS/" + first, "one"}});
  std::vector<SymbolInput> inputs = input(SymbolKind::Package, folder.write("any.rpm", "two"));
  inputs.push_back({SymbolKind::Iso, iso, nullptr, nullptr});
  const auto packages = list(inputs, any);
  REQUIRE(packages.size() == 2);
  CHECK(read_all(*packages[0].open()) == "two");
  CHECK(read_all(*packages[1].open()) == "one");
}

}  // namespace photon_dmesg::test
