#include "session/remembered_search.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "support/errors.h"
#include "support/file_content.h"
#include "support/iso_builder.h"
#include "support/rpm_tags.h"
#include "support/same_symbols.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

namespace fs = std::filesystem;

const std::string release = "6.1.10-1.ph5";
const std::string package_path = "RPMS/x86_64/linux-debuginfo-6.1.10-1.ph5.x86_64.rpm";

std::string fixture_package() {
  return file_content(PACKAGE_FOLDER "/w3.zstdio.rpm");
}

// A user who looks for one kernel again and again, some time after the media were written.
struct User {
  TemporaryFolder folder{folder_in_memory};
  fs::path iso = folder.path() / "photon.iso";
  fs::path cache = folder.path() / "cache";
  std::vector<std::pair<SymbolKind, fs::path>> media = {{SymbolKind::Iso, iso}};
  session::Options options;
  WantedKernel wanted{release, std::nullopt, "x86_64"};
  std::chrono::seconds age = std::chrono::minutes(1);  // of the media
  int accept_from = 1;              // which of the kernels offered is the guest's
  std::function<void()> meanwhile;  // between a search and its end
  CollectedDiagnostics diagnostics;

  int searches = 0;  // in all runs
  int offered = 0;   // in the last run

  User() {
    options.cache_folder = cache;
    write_iso(iso, {{package_path, fixture_package()}});
  }

  SymbolSource run() {
    offered = 0;
    const PackageUse use(options);
    std::vector<SymbolInput> inputs;
    for (const auto& [kind, path] : media) inputs.push_back({kind, path, nullptr, nullptr});
    const auto search = [&] {
      ++searches;
      const auto is_wanted = [](const std::unique_ptr<ByteStream>&) { return true; };
      return std::make_unique<PackageSearch>(list_packages(inputs, is_wanted, diagnostics),
                                             iso.string(), wanted, use, diagnostics);
    };
    RememberedSearch candidates(inputs, wanted, use, search, diagnostics,
                                std::chrono::system_clock::now() + age);
    while (auto source = candidates.next()) {
      if (++offered >= accept_from) {
        if (meanwhile) meanwhile();
        candidates.accept();
        return *source;
      }
      candidates.refuse(Error(Failure::Mismatch, "another build"));
    }
    throw Error(candidates.failures().front());
  }

  // Whether a run, some time after one like it, has to search.
  bool searches_again() {
    (void)run();
    const int before = std::exchange(searches, 0);
    (void)run();
    const bool again = searches > 0;
    searches += before;
    return again;
  }

  [[nodiscard]] std::vector<fs::path> kept(const std::string& ending) const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(cache)) {
      if (entry.path().extension() == ending) files.push_back(entry.path());
    }
    return files;
  }
};

// All that a package has.
std::string content_of(const SymbolSource& source) {
  const auto stream = source.open_package();
  std::string all;
  for (auto bytes = stream->next(); !bytes.empty(); bytes = stream->next()) {
    all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return all;
}

void check_same(const SymbolSource& found, const SymbolSource& expected) {
  CHECK(found.provenance.iso == expected.provenance.iso);
  CHECK(found.provenance.package == expected.provenance.package);
  CHECK(found.provenance.vmlinux == expected.provenance.vmlinux);
  CHECK(found.provenance.system_map == expected.provenance.system_map);
  CHECK(describe(found.provenance) == describe(expected.provenance));
  CHECK(found.release == expected.release);
  CHECK(found.symbols->name() == expected.symbols->name());
  CHECK(found.symbols->build_id() == expected.symbols->build_id());
  check_same_symbols(*found.symbols, *expected.symbols);
}

}  // namespace

TEST_CASE("remembered search: an unchanged ISO is not searched again, and gives the same") {
  User user;
  const SymbolSource first = user.run();
  CHECK(user.searches == 1);
  const SymbolSource second = user.run();
  CHECK(user.searches == 1);
  CHECK(second.provenance.iso == user.iso.string());
  CHECK(second.provenance.package == package_path);
  check_same(second, first);
  CHECK(content_of(second) == fixture_package());
  CHECK(user.diagnostics.warnings().empty());
}

TEST_CASE("remembered search: nothing of the medium is opened before its package is") {
  User user;
  (void)user.run();
  const SymbolSource source = user.run();
  fs::remove(user.iso);
  CHECK(source.symbols->find_symbol("prb"));
  CHECK_THROWS_AS(source.open_package(), Error);
  write_iso(user.iso, {{"RPMS/other.rpm", "other"}});
  check_fails(Failure::UnusableInput, package_path + " is no longer there",
              [&] { (void)source.open_package(); });
}

TEST_CASE("remembered search: a package in a file is a medium too, under whatever name it has") {
  User user;
  const fs::path file = user.folder.path() / "a package";
  std::ofstream(file, std::ios::binary) << fixture_package();
  user.media = {{SymbolKind::Package, file}};
  const SymbolSource first = user.run();
  check_same(user.run(), first);
  CHECK(user.searches == 1);
  const fs::path link = user.folder.path() / "link";
  fs::create_symlink(file, link);
  user.media = {{SymbolKind::Package, link}};
  const SymbolSource by_link = user.run();
  CHECK(user.searches == 1);
  CHECK(by_link.provenance.package == link.string());
  CHECK_FALSE(by_link.provenance.iso);
  CHECK(content_of(by_link) == fixture_package());
}

TEST_CASE("remembered search: -v says what is remembered of which package") {
  User user;
  (void)user.run();
  const std::size_t before = user.diagnostics.evidence().size();
  (void)user.run();
  REQUIRE(user.diagnostics.evidence().size() > before);
  const Evidence& said = user.diagnostics.evidence()[before];
  CHECK(said.where == "cache");
  CHECK(said.what == user.iso.string() + ": " + package_path +
                         ": linux-debuginfo-6.1.10-1.ph5.x86_64, "
                         "/usr/lib/debug/lib/modules/6.1.10-1.ph5/vmlinux-6.1.10-1.ph5 of " +
                         release);
}

TEST_CASE("remembered search: a medium that was changed or replaced is read anew") {
  User user;
  (void)user.run();
  const std::string elsewhere = "DEBUGRPMS/linux-debuginfo-6.1.10-1.ph5.x86_64.rpm";
  SECTION("written over") {
    write_iso(user.iso, {{elsewhere, fixture_package()}});
  }
  SECTION("replaced by another file") {
    write_iso(user.folder.path() / "other", {{elsewhere, fixture_package()}});
    fs::rename(user.folder.path() / "other", user.iso);
  }
  CHECK(user.run().provenance.package == elsewhere);
  CHECK(user.searches == 2);
  CHECK(user.run().provenance.package == elsewhere);
  CHECK(user.searches == 2);
}

TEST_CASE("remembered search: nothing is remembered of a medium that was just written") {
  User user;
  user.age = std::chrono::seconds(0);
  CHECK(user.searches_again());
  CHECK(user.kept(".medium").empty());
}

TEST_CASE("remembered search: nothing is remembered of a medium that changes during the search") {
  User user;
  user.meanwhile = [&] {
    write_iso(user.folder.path() / "other", {{package_path, fixture_package()}});
    fs::rename(user.folder.path() / "other", user.iso);
  };
  CHECK(user.run().symbols->find_symbol("prb"));
  CHECK(user.kept(".medium").empty());
}

TEST_CASE("remembered search: nothing is remembered, nor looked up, where a search could differ") {
  User user;
  const auto check_searches = [&] {
    CHECK(user.searches_again());
    CHECK(user.kept(".medium").size() == 1);  // which is that of the first run
  };
  (void)user.run();
  SECTION("packages that nobody verifies") {
    user.options.verify_packages = false;
    check_searches();
  }
  SECTION("signatures that are to be verified") {
    user.options.keys = {"a key"};  // which is not read before there is a signature
    check_searches();
  }
  SECTION("two media") {
    const fs::path other = user.folder.path() / "other.iso";
    write_iso(other, {{package_path, fixture_package()}});
    user.media.emplace_back(SymbolKind::Iso, other);
    check_searches();
  }
  SECTION("a folder") {
    user.media = {{SymbolKind::Folder, user.folder.path()}};
    check_searches();
  }
  SECTION("a release that is not known") {
    user.wanted.release.reset();
    check_searches();
  }
}

TEST_CASE("remembered search: what is remembered for one architecture is not for another") {
  User user;
  (void)user.run();
  user.wanted.architecture = "aarch64";
  CHECK_THROWS_AS(user.run(), Error);
  CHECK(user.searches == 2);
}

TEST_CASE("remembered search: without a cache nothing is remembered") {
  User user;
  user.options.cache_folder.reset();
  user.options.use_cache = false;
  CHECK(user.searches_again());
  CHECK_FALSE(fs::exists(user.cache));
}

TEST_CASE("remembered search: a release that names several builds is searched each time") {
  User user;
  user.wanted = {"4.4.8", 1'464'000'500, "x86_64"};
  write_iso(user.iso, {{"RPMS/linux-debuginfo-4.4.8-4.ph1.x86_64.rpm",
                        file_content(PACKAGE_FOLDER "/4.4.8-4.rpm")}});
  CHECK(user.searches_again());
  CHECK(user.kept(".medium").empty());
}

TEST_CASE(
    "remembered search: what is unproved, or not all that there is to say, is not remembered") {
  User user;
  const std::string other = "RPMS/x86_64/linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm";
  SECTION("a package that nothing proves") {
    write_iso(user.iso,
              {{package_path, without_tags(fixture_package(), signature_proofs, header_proofs)}});
  }
  SECTION("another package that can't be used") {
    write_iso(user.iso, {{package_path, "not an RPM"}, {other, fixture_package()}});
  }
  SECTION("one that was not the first on offer") {
    write_iso(user.iso, {{package_path, fixture_package()}, {other, fixture_package()}});
    user.accept_from = 2;
  }
  const SymbolSource first = user.run();
  const std::size_t warnings = user.diagnostics.warnings().size();
  const SymbolSource second = user.run();
  CHECK(user.searches == 2);
  CHECK(user.kept(".medium").empty());
  CHECK(user.diagnostics.warnings().size() == 2 * warnings);
  CHECK(second.provenance.package == first.provenance.package);
}

TEST_CASE("remembered search: if what is remembered is not the guest's, the search goes on") {
  User user;
  const std::string other = "RPMS/x86_64/linux-esx-debuginfo-6.1.10-1.ph5.x86_64.rpm";
  write_iso(user.iso, {{package_path, fixture_package()}, {other, fixture_package()}});
  CHECK(user.run().provenance.package == package_path);
  SECTION("to another package") {
    user.accept_from = 3;  // what is remembered, and the same by the search
    CHECK(user.run().provenance.package == other);
    user.accept_from = 1;
    CHECK(user.run().provenance.package == package_path);
  }
  SECTION("to the reason why none is") {
    user.accept_from = 99;
    check_fails(Failure::Mismatch, "another build", [&] { (void)user.run(); });
    CHECK(user.offered == 3);
  }
  CHECK(user.diagnostics.warnings().empty());
}

TEST_CASE("remembered search: where the symbols are no longer in the cache, the search is made") {
  User user;
  (void)user.run();
  const fs::path store = user.kept(".symbols").at(0);
  std::size_t warnings = 0;
  SECTION("gone") {
    fs::remove(store);
  }
  SECTION("damaged") {
    fs::resize_file(store, 100);
    warnings = 1;
  }
  CHECK(user.run().symbols->find_symbol("prb"));
  CHECK(user.searches == 2);
  CHECK(user.diagnostics.warnings().size() == warnings);
  CHECK(user.run().symbols->find_symbol("prb"));
  CHECK(user.searches == 2);
}

TEST_CASE("remembered search: a damaged memory is made anew by the search") {
  User user;
  (void)user.run();
  fs::resize_file(user.kept(".medium").at(0), 100);
  (void)user.run();
  CHECK(user.searches == 2);
  (void)user.run();
  CHECK(user.searches == 2);
  CHECK(user.diagnostics.warnings().empty());
}

TEST_CASE("remembered search: an ISO that can't be read is the error that the search has") {
  User user;
  std::ofstream(user.iso, std::ios::trunc) << "not an ISO";
  CHECK_THROWS_AS(user.run(), Error);
}

}  // namespace photon_dmesg::test
