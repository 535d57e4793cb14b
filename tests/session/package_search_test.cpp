#include "session/package_search.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "support/errors.h"
#include "support/file_content.h"
#include "support/iso_builder.h"
#include "support/rpm_tags.h"
#include "support/same_symbols.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

const std::string release = "6.1.10-1.ph5";
const std::string package_name = "linux-debuginfo-6.1.10-1.ph5.x86_64.rpm";

std::string fixture_package() {
  return file_content(PACKAGE_FOLDER "/w3.zstdio.rpm");
}

struct Search {
  TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  int offered = 0;
  std::optional<std::int64_t> built_at;  // by the guest's banner
  std::optional<std::string> architecture;
  int accept_from = 1;  // which of the kernels offered is the guest's

  SymbolSource find(const std::vector<std::pair<std::string, std::string>>& files,
                    const std::optional<std::string>& wanted) {
    const auto iso = folder.path() / "photon.iso";
    write_iso(iso, files);
    std::vector<SymbolInput> inputs;
    inputs.push_back({SymbolKind::Iso, iso, nullptr, nullptr});
    const WantedKernel kernel{wanted, built_at, architecture};
    const auto is_wanted = [&](std::unique_ptr<ByteStream> package) {
      return may_be_wanted(std::move(package), kernel, use, diagnostics);
    };
    PackageSearch search(list_packages(inputs, is_wanted, diagnostics), iso.string(), kernel, use,
                         diagnostics);
    while (auto source = search.next()) {
      if (++offered >= accept_from) {
        search.accept();
        return *source;
      }
      search.refuse(Error(Failure::Mismatch, "another build"));
    }
    throw Error(search.failures().front());
  }

  PackageUse use;
};

}  // namespace

TEST_CASE("packages: the package on an ISO, with where everything was found") {
  Search search;
  const SymbolSource source =
      search.find({{"RPMS/x86_64/" + package_name, fixture_package()}}, release);
  CHECK(source.provenance.iso == (search.folder.path() / "photon.iso").string());
  CHECK(source.provenance.package == "RPMS/x86_64/" + package_name);
  CHECK(source.provenance.vmlinux ==
        "/usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux-6.1.10-1.ph5");
  CHECK(source.symbols->find_symbol("prb"));
}

TEST_CASE("packages: a build that is not the guest's leads on to the next package") {
  Search search;
  search.accept_from = 2;
  const SymbolSource source =
      search.find({{"RPMS/x86_64/" + package_name, fixture_package()},
                   {"RPMS/x86_64/linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm", fixture_package()}},
                  release);
  CHECK(search.offered == 2);
  CHECK(source.provenance.package == "RPMS/x86_64/linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm");
}

TEST_CASE("packages: a kernel's own package comes behind those with types, whatever it is called") {
  Search search;
  const std::string map = file_content(PACKAGE_FOLDER "/map.rpm");
  const SymbolSource source =
      search.find({{"RPMS/" + package_name, map},
                   {"RPMS/linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm", fixture_package()},
                   {"RPMS/linux-6.1.10-1.ph5.x86_64.rpm", map}},
                  release);
  CHECK(source.provenance.vmlinux);
  CHECK(search.offered == 1);
  Search last;
  last.accept_from = 3;
  const SymbolSource other =
      last.find({{"RPMS/" + package_name, map},
                 {"RPMS/linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm", fixture_package()},
                 {"RPMS/linux-6.1.10-1.ph5.x86_64.rpm", map}},
                release);
  CHECK(other.provenance.package == "RPMS/" + package_name);
}

TEST_CASE("names_one_build: a number behind the version does, a flavor alone does not") {
  for (const char* one : {"6.1.10-1.ph5", "6.1.10-1.ph5-esx", "4.4.8-6.ph1-esx"}) {
    CAPTURE(one);
    CHECK(names_one_build(one));
  }
  for (const char* several : {"4.4.8", "4.4.8-esx", "4.4.8-"}) {
    CAPTURE(several);
    CHECK_FALSE(names_one_build(several));
  }
}

TEST_CASE("packages: when every build is refused, the reason of the last one is given") {
  Search search;
  search.accept_from = 99;
  check_fails(Failure::Mismatch, "another build", [&] {
    (void)search.find({{"RPMS/" + package_name, fixture_package()}}, release);
  });
}

TEST_CASE("packages: of several builds of one release, that built when the guest's kernel was") {
  for (const auto& [built_at, expected] :
       {std::pair{1'464'000'500, "4"}, std::pair{1'465'900'000, "6"},
        std::pair{1'464'900'000, "5"}}) {
    CAPTURE(built_at);
    Search search;
    search.built_at = built_at;
    std::vector<std::pair<std::string, std::string>> files;
    for (const std::string build : {"6", "4", "5"}) {
      files.emplace_back("RPMS/linux-debuginfo-4.4.8-" + build + ".ph1.x86_64.rpm",
                         file_content(PACKAGE_FOLDER "/4.4.8-" + build + ".rpm"));
    }
    const SymbolSource source = search.find(files, "4.4.8");
    CHECK(source.provenance.package ==
          std::string("RPMS/linux-debuginfo-4.4.8-") + expected + ".ph1.x86_64.rpm");
    CHECK(search.offered == 1);
  }
}

TEST_CASE("packages: the build that seems nearest may be refused: the others are tried") {
  Search search;
  search.built_at = 1'464'000'500;
  search.accept_from = 3;
  const SymbolSource source = search.find(
      {{"RPMS/linux-debuginfo-4.4.8-6.ph1.x86_64.rpm", file_content(PACKAGE_FOLDER "/4.4.8-6.rpm")},
       {"RPMS/linux-debuginfo-4.4.8-4.ph1.x86_64.rpm", file_content(PACKAGE_FOLDER "/4.4.8-4.rpm")},
       {"RPMS/linux-debuginfo-4.4.8-5.ph1.x86_64.rpm",
        file_content(PACKAGE_FOLDER "/4.4.8-5.rpm")}},
      "4.4.8");
  CHECK(source.provenance.package == "RPMS/linux-debuginfo-4.4.8-6.ph1.x86_64.rpm");
}

TEST_CASE("packages: one of the same release for another architecture is named and passed over") {
  Search search;
  search.architecture = "aarch64";
  check_fails(Failure::Mismatch, ".x86_64: not the guest's kernel: the guest runs on aarch64", [&] {
    (void)search.find({{"RPMS/x86_64/" + package_name, fixture_package()}}, release);
  });
  CHECK(search.offered == 0);
  Search same;
  same.architecture = "x86_64";
  CHECK(same.find({{"RPMS/x86_64/" + package_name, fixture_package()}}, release).symbols);
}

TEST_CASE("packages: packages of another release are not even unpacked") {
  Search search;
  check_fails(Failure::Mismatch,
              "expected a kernel of 4.4.8, found kernels of 6.1.10-1.ph5 (linux-", [&] {
                (void)search.find({{"RPMS/" + package_name, fixture_package()}}, "4.4.8");
              });
  CHECK(search.offered == 0);
}

TEST_CASE("packages: an ISO without any kernel says what to give instead") {
  Search search;
  check_fails(Failure::UnusableInput,
              "photon.iso: expected a kernel package (linux-*.rpm, linux-esx-*.rpm...) or its "
              "debuginfo package, found none",
              [&] {
                (void)search.find({{"isolinux/menu", "boot"}}, release);
              });
}

TEST_CASE("packages: a debuginfo package that is none is named with its place on the ISO") {
  Search search;
  check_fails(Failure::UnusableInput, "photon.iso: RPMS/" + package_name + ": truncated", [&] {
    (void)search.find({{"RPMS/" + package_name, "not an RPM"}}, release);
  });
}

TEST_CASE("packages: a package that can't be used is a warning when another one serves") {
  Search search;
  const SymbolSource source =
      search.find({{"RPMS/" + package_name, "not an RPM"},
                   {"RPMS/linux-debuginfo-6.1.10-2.ph5.x86_64.rpm", fixture_package()}},
                  release);
  CHECK(source.provenance.package == "RPMS/linux-debuginfo-6.1.10-2.ph5.x86_64.rpm");
  REQUIRE(search.diagnostics.warnings().size() == 1);
  CHECK_THAT(search.diagnostics.warnings().front(), Catch::Contains(package_name + ": truncated"));
}

TEST_CASE("packages: one that was read once is not unpacked again, and answers the same") {
  Search search;
  search.use.cache.emplace(search.folder.path() / "cache");
  const std::string package = fixture_package();
  const SymbolSource first = search.find({{"RPMS/" + package_name, package}}, release);
  // Only what its header covers may be missing now: the payload at the end is.
  const SymbolSource second =
      search.find({{"RPMS/" + package_name, package.substr(0, package.size() - 100)}}, release);
  CHECK(describe(second.provenance) == describe(first.provenance));
  CHECK_FALSE(second.provenance.profile);
  CHECK(second.release == first.release);
  CHECK(second.symbols->name() == first.symbols->name());
  CHECK(second.symbols->build_id() == first.symbols->build_id());
  check_same_symbols(*second.symbols, *first.symbols);
  search.use.cache.reset();
  CHECK_THROWS_AS(
      search.find({{"RPMS/" + package_name, package.substr(0, package.size() - 100)}}, release),
      Error);
}

TEST_CASE("packages: many first runs on one unpack it once") {
  const TemporaryFolder cache;
  constexpr int runs = 6;
  std::vector<Search> searches(runs);
  std::vector<std::thread> threads;
  std::atomic<int> found = 0;
  for (Search& search : searches) {
    search.use.cache.emplace(cache.path());
    threads.emplace_back([&] {
      const SymbolSource source =
          search.find({{"RPMS/" + package_name, fixture_package()}}, release);
      if (source.symbols->find_symbol("prb")) ++found;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(found == runs);
  int stored = 0;
  for (const Search& search : searches) {
    for (const Evidence& evidence : search.diagnostics.evidence()) {
      if (evidence.where == "cache" && evidence.what == "stored in") ++stored;
    }
  }
  CHECK(stored == 1);
  CHECK(std::distance(std::filesystem::directory_iterator(cache.path()), {}) == 1);
}

TEST_CASE("packages: one that nothing proves is said to be unproved, and not kept for later") {
  Search search;
  search.use.cache.emplace(search.folder.path() / "cache");
  const std::string bare = without_tags(fixture_package(), signature_proofs, header_proofs);
  for (int run = 0; run < 2; ++run) {
    const SymbolSource source = search.find({{"RPMS/x86_64/" + package_name, bare}}, release);
    CHECK(source.symbols->find_symbol("prb"));
    REQUIRE(search.diagnostics.warnings().size() == static_cast<std::size_t>(run) + 1);
    CHECK_THAT(search.diagnostics.warnings().back(),
               Catch::Contains(package_name + ": nothing proves this package"));
  }
  CHECK(std::filesystem::is_empty(search.folder.path() / "cache"));
}

TEST_CASE("packages: any digest that fits proves one") {
  const auto check_proved = [](const RpmTags& of_signature, const RpmTags& of_header) {
    Search search;
    const std::string package = without_tags(fixture_package(), of_signature, of_header);
    (void)search.find({{"RPMS/x86_64/" + package_name, package}}, release);
    CHECK(search.diagnostics.warnings().empty());
  };
  // Digests of the header; the payload's; the file's own.
  for (const std::uint32_t kept : {269U, 273U}) {
    CAPTURE(kept);
    RpmTags tags = signature_proofs;
    tags.erase(kept);
    check_proved(tags, {});
  }
  check_proved(signature_proofs, {1035});
  check_proved(signature_proofs, {5092, 5093, 5097});
}

TEST_CASE("packages: of a package that is not what was packed nothing is kept for later") {
  Search search;
  search.use.cache.emplace(search.folder.path() / "cache");
  std::string damaged = file_content(PACKAGE_FOLDER "/w.ufdio.rpm");
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  check_fails(Failure::UnusableInput, "--no-verify", [&] {
    (void)search.find({{"RPMS/" + package_name, damaged}}, release);
  });
  search.use.verify = false;
  for (int run = 0; run < 2; ++run) {
    const SymbolSource source = search.find({{"RPMS/" + package_name, damaged}}, release);
    CHECK(source.symbols->find_symbol("prb"));
    CHECK_FALSE(source.provenance.profile);
  }
  CHECK(search.diagnostics.warnings().size() == 2);  // the payload's digest, in both runs
}

TEST_CASE("packages: a cached kernel that is not the guest's is refused as any other") {
  Search search;
  search.use.cache.emplace(search.folder.path() / "cache");
  (void)search.find({{"RPMS/" + package_name, fixture_package()}}, release);
  search.accept_from = 99;
  check_fails(Failure::Mismatch, "another build", [&] {
    (void)search.find({{"RPMS/" + package_name, fixture_package()}}, release);
  });
}

}  // namespace photon_dmesg::test
