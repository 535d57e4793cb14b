#include "batch/find_tickets.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <memory>

#include "batch/folder_files.h"
#include "support/archive_writer.h"
#include "support/as_nobody.h"
#include "support/elf_core_builder.h"
#include "support/gzip_writer.h"
#include "support/noise.h"
#include "support/temporary_folder.h"

namespace photon_dmesg {
namespace {

namespace fs = std::filesystem;

const std::string guest_lines =
    "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX\n"
    "2026-11-25T02:10:01.000Z In(05) vcpu-0 - Guest: <0>[    1.0] Kernel panic\n";

// A tree of files with nothing of interest in them but their names.
class Tree {
 public:
  explicit Tree(const std::vector<std::string>& files) {
    for (const std::string& file : files) {
      fs::create_directories((root() / file).parent_path());
      folder_.write(file, file.ends_with(".log") ? guest_lines : "content");
    }
  }

  [[nodiscard]] const fs::path& root() const { return folder_.path(); }

  [[nodiscard]] std::vector<Ticket> find(TicketFinder::Options options = {}) const {
    SilentDiagnostics diagnostics;
    TicketFinder finder(std::move(options), diagnostics);
    finder.add(root());
    return finder.finish();
  }

  // Each ticket's files, without the folder's name.
  [[nodiscard]] std::vector<std::vector<std::string>> files(
      TicketFinder::Options options = {}) const {
    std::vector<std::vector<std::string>> all;
    for (const Ticket& ticket : find(std::move(options))) {
      auto& files = all.emplace_back();
      for (const fs::path& file : ticket.files) {
        files.push_back(file.lexically_relative(root()).string());
      }
    }
    return all;
  }

 private:
  test::TemporaryFolder folder_;
};

using Found = std::vector<std::vector<std::string>>;

using Content = std::vector<test::ArchivedFile>;

// Those that bundles come in: one that is a stream, and others.
const std::vector<std::pair<std::string, std::string>> formats = {
    {"tar", ""}, {"tar", "gzip"}, {"zip", ""}, {"7zip", ""}};

std::unique_ptr<test::TemporaryFolder> unpack(const Content& files) {
  auto folder = std::make_unique<test::TemporaryFolder>();
  for (const test::ArchivedFile& file : files) {
    fs::create_directories((folder->path() / file.path).parent_path());
    folder->write(file.path, file.content);
  }
  return folder;
}

// What is found in a folder: the first files of tickets, behind `begin`, ascending, and warnings.
struct Looked {
  std::vector<std::string> tickets;
  std::vector<std::string> warnings;
};

Looked look_through(std::unique_ptr<test::TemporaryFolder> folder, const std::string& begin,
                    bool all_snapshots) {
  CollectedDiagnostics diagnostics;
  TicketFinder finder({.all_snapshots = all_snapshots, .results = {}}, diagnostics);
  finder.add(folder->path());
  Looked looked;
  for (const Ticket& ticket : finder.finish()) {
    const std::string file = ticket.files.front().lexically_relative(folder->path()).string();
    CHECK(file.starts_with(begin));
    looked.tickets.push_back(file.substr(begin.size()));
  }
  std::sort(looked.tickets.begin(), looked.tickets.end());
  looked.warnings = diagnostics.warnings();
  return looked;
}

}  // namespace

TEST_CASE("find tickets: each VM of a tree is one, by its current checkpoint") {
  const Tree tree({"a/vm.vmss", "a/vm.vmem", "a/vm.nvram", "a/vm.vmdk", "b/deep/web.vmsn",
                   "notes.txt", "c/readme"});
  CHECK(tree.files() == Found{{"a/vm.vmss"}, {"b/deep/web.vmsn"}});
  SECTION("its name is the way to it, without what is said twice") {
    const auto tickets = tree.find();
    CHECK(tickets[0].name == "a-vm");
    CHECK(tickets[1].name == "b-deep-web");
    CHECK(Tree({"web/web.vmss"}).find()[0].name == "web");
  }
}

TEST_CASE("find tickets: which of a VM's checkpoints is its current one") {
  SECTION("what it was suspended to") {
    const Tree tree({"vm-Snapshot9.vmsn", "vm.vmss", "vm-Snapshot10.vmsn"});
    CHECK(tree.files() == Found{{"vm.vmss"}});
    CHECK(tree.files({.all_snapshots = true, .results = {}}).size() == 3);
  }
  SECTION("else the newest snapshot, by number") {
    const Tree tree({"vm-Snapshot9.vmsn", "vm-Snapshot10.vmsn", "vm-Snapshot2.vmsn"});
    CHECK(tree.files() == Found{{"vm-Snapshot10.vmsn"}});
  }
  SECTION("but the configuration knows best") {
    const Tree tree({"vm-Snapshot9.vmsn", "vm-Snapshot10.vmsn"});
    std::ofstream(tree.root() / "vm.vmx") << "checkpoint.vmState = \"vm-Snapshot9.vmsn\"\n";
    CHECK(tree.files() == Found{{"vm-Snapshot9.vmsn"}});
  }
  SECTION("two VMs in one folder are two") {
    const Tree tree({"a.vmss", "a.vmem", "b.vmss", "b-Snapshot1.vmsn"});
    CHECK(tree.files() == Found{{"a.vmss"}, {"b.vmss"}});
  }
}

TEST_CASE("find tickets: VMs whose names differ in upper and lower case are two") {
  CHECK(Tree({"Web.vmss", "web.vmss"}).files() == Found{{"Web.vmss"}, {"web.vmss"}});
  CHECK(Tree({"Web-Snapshot1.vmsn", "web.vmss"}).files() ==
        Found{{"Web-Snapshot1.vmsn"}, {"web.vmss"}});
}

TEST_CASE("find tickets: memory counts where there is no checkpoint of its own name") {
  CHECK(Tree({"vm.vmem"}).files() == Found{{"vm.vmem"}});
  CHECK(Tree({"vm.vmem", "vm-Snapshot1.vmsn"}).files() ==
        Found{{"vm-Snapshot1.vmsn"}, {"vm.vmem"}});
  CHECK(Tree({"vm-Snapshot2.vmem", "vm-Snapshot1.vmsn"}).files() ==
        Found{{"vm-Snapshot1.vmsn"}, {"vm-Snapshot2.vmem"}});
  SECTION("that of a checkpoint that is passed over does not") {
    CHECK(Tree({"vm.vmss", "vm.vmem", "vm-Snapshot1.vmsn", "vm-Snapshot1.vmem"}).files() ==
          Found{{"vm.vmss"}});
  }
  SECTION("upper and lower case do not count where the checkpoint has no other memory") {
    CHECK(Tree({"VM.vmss", "vm.vmem"}).files() == Found{{"VM.vmss"}});
    CHECK(Tree({"VM.vmss", "VM.vmem", "vm.vmem"}).files() == Found{{"VM.vmss"}, {"vm.vmem"}});
  }
}

TEST_CASE("find tickets: how many checkpoints of folders are passed over is said") {
  const Tree tree(
      {"a/vm.vmss", "a/vm-Snapshot1.vmsn", "b/vm-Snapshot1.vmsn", "b/vm-Snapshot2.vmsn"});
  const auto warnings_with = [&](bool all_snapshots) {
    CollectedDiagnostics diagnostics;
    TicketFinder finder({.all_snapshots = all_snapshots, .results = {}}, diagnostics);
    finder.add(tree.root());
    (void)finder.finish();
    return diagnostics.warnings();
  };
  CHECK(warnings_with(false) ==
        std::vector<std::string>{
            "checkpoints that are not the current ones of their virtual machines are passed over: "
            "2; --all-snapshots does these too"});
  CHECK(warnings_with(true).empty());
}

TEST_CASE("find tickets: the host's log counts where there is nothing else of a guest") {
  CHECK(Tree({"vm/vmware.log"}).files() == Found{{"vm/vmware.log"}});
  CHECK(Tree({"vm/vmware.log", "vm/vm.vmss"}).files() == Found{{"vm/vm.vmss"}});
  SECTION("and where the guest sent something") {
    const Tree tree({"vm/other"});
    std::ofstream(tree.root() / "vm" / "vmware.log") << "nothing of a guest\n";
    CHECK(tree.files().empty());
  }
}

TEST_CASE("find tickets: packed dumps count, whatever they are called") {
  const Tree tree({"a/notes.gz"});
  const std::string core = test::elf_core({{.physical = 0, .content = "memory"}});
  std::ofstream(tree.root() / "a" / "vmcore.gz") << test::gzip(core);
  std::ofstream(tree.root() / "a" / "odd") << test::gzip(core);
  std::ofstream(tree.root() / "a" / "notes.gz") << test::gzip("only notes");
  CHECK(tree.files() == Found{{"a/odd"}, {"a/vmcore.gz"}});
}

TEST_CASE("find tickets: what says by its name that it is packed, and is not, is not passed over") {
  CHECK(Tree({"cut.tgz", "damaged.zip", "vmcore.zst", "notes"}).files() ==
        Found{{"cut.tgz"}, {"damaged.zip"}, {"vmcore.zst"}});
  SECTION("nor is what is empty") {
    const Tree tree({"a.tgz", "b.gz", "empty"});
    for (const char* name : {"a.tgz", "b.gz", "empty"}) fs::resize_file(tree.root() / name, 0);
    CHECK(tree.files() == Found{{"a.tgz"}, {"b.gz"}});
  }
  SECTION("nor what can't be unpacked from its beginning") {
    const Tree tree({"a.gz"});
    std::ofstream(tree.root() / "a.gz") << test::gzip(std::string(1 << 20, 'x')).substr(0, 100);
    CHECK(tree.files() == Found{{"a.gz"}});
  }
  SECTION("but logs are, which nobody looks into") {
    CHECK(Tree({"messages.log.gz"}).files().empty());
  }
}

TEST_CASE("find tickets: a bundle that is damaged before its first guest is one") {
  const Tree tree({"case.tar"});
  const fs::path bundle = tree.root() / "case.tar";
  const std::string notes = test::write_archive({{"notes.txt", std::string(2000, 'x')}}, "tar");
  std::ofstream(bundle) << notes;
  CHECK(tree.files().empty());
  std::ofstream(bundle) << notes.substr(0, 1500);
  CHECK(tree.files() == Found{{"case.tar"}});
}

TEST_CASE("find tickets: in a bundle they are those of the folder that it would be unpacked to") {
  const std::string core = test::elf_core({{.physical = 0, .content = "memory"}});
  const std::string vmx = "checkpoint.vmState = \"a.vmss\"\n";
  const std::vector<Content> trees = {
      {{"f/a.vmx", vmx}, {"f/a.vmss", ""}, {"f/a.vmem", ""}, {"f/b.vmss", ""}, {"f/b.vmem", ""}},
      {{"f/a.vmss", ""}, {"f/a.vmem", ""}, {"f/b.vmem", ""}},
      {{"f/a.vmx", vmx}, {"f/a.vmss", ""}, {"f/a-Snapshot1.vmsn", ""}},
      {{"f/a-Snapshot1.vmsn", ""}, {"f/a-Snapshot2.vmsn", ""}, {"f/a-Snapshot2.vmem", ""}},
      {{"f/a.vmss", ""},
       {"g/c.vmss.gz", test::gzip("x")},
       {"g/c.vmem.gz", test::gzip("x")},
       {"h/vmss.core", core},
       {"h/odd", test::gzip(core)},
       {"h/odd.bz2", test::pack(core + test::noise(1'200'000), "bzip2")},
       {"h/notes.gz", test::gzip("only notes")},
       {"h/damaged.gz", test::gzip(std::string(1 << 20, 'x')).substr(0, 100)},
       {"h/notes", "only notes"}},
      {{"f/vmware.log", guest_lines}, {"g/vmware.log", "nothing of a guest\n"}},
      {{"f/vmware.log", guest_lines}, {"f/b.vmem", ""}, {"f/debug.guest", ""}},
      {{"f/vmware.log", guest_lines}, {"f/messages.1.gz", test::gzip("notes").substr(0, 15)}},
  };
  for (const Content& tree : trees) {
    for (const bool all_snapshots : {false, true}) {
      const Looked unpacked = look_through(unpack(tree), "", all_snapshots);
      CHECK_FALSE(unpacked.tickets.empty());
      for (const auto& [format, packing] : formats) {
        CAPTURE(tree.front().path, all_snapshots, format, packing);
        const auto bundle = test::write_archive(tree, format, packing);
        const Looked bundled = look_through(unpack({{"case", bundle}}), "case/", all_snapshots);
        CHECK(bundled.tickets == unpacked.tickets);
        CHECK(bundled.warnings == unpacked.warnings);
      }
    }
  }
}

TEST_CASE("find tickets: links in a bundle count if they are called as evidence is") {
  const auto link = [](archive_entry* entry) {
    archive_entry_set_size(entry, 0);
    archive_entry_set_filetype(entry, AE_IFLNK);
    archive_entry_set_symlink(entry, "/nonexistent/file");
  };
  const auto bundle = test::write_archive({{"a/one.vmss", ""},
                                           {"a/one.vmem", "", link},
                                           {"b/two.vmss", "", link},
                                           {"b/two.vmem", "", link},
                                           {"b/latest", "", link}},
                                          "tar");
  const Looked looked = look_through(unpack({{"case.tar", bundle}}), "case.tar/", false);
  CHECK(looked.tickets == std::vector<std::string>{"a/one.vmss", "b/two.vmss"});
}

TEST_CASE("find tickets: a bundle in a bundle in a bundle is said not to be looked into") {
  const auto inmost = test::write_archive({{"a.vmss", ""}}, "zip");
  const auto inner = test::write_archive({{"inmost.zip", inmost}}, "zip");
  const auto outer = test::write_archive({{"b.vmss", ""}, {"inner.zip", inner}}, "zip");
  const Looked looked = look_through(unpack({{"case.zip", outer}}), "case.zip/", false);
  CHECK(looked.tickets == std::vector<std::string>{"b.vmss"});
  REQUIRE(looked.warnings.size() == 1);
  CHECK_THAT(looked.warnings.front(),
             Catch::Contains("case.zip/inner.zip/inmost.zip: no tickets are looked for"));
}

TEST_CASE("find tickets: links that lead nowhere count if they are called as evidence is") {
  const Tree tree({"notes"});
  for (const char* name : {"web.vmss", "db.vmem.gz", "case.tgz", "latest"}) {
    fs::create_symlink("/nonexistent/file", tree.root() / name);
  }
  CHECK(tree.files() == Found{{"web.vmss"}, {"db.vmem.gz"}, {"case.tgz"}});
}

TEST_CASE("find tickets: what nobody may read is not passed over in silence") {
  const Tree tree({"a/vm.vmss", "b/vm.vmss", "files/case.tgz", "files/vmcore", "logs/vmware.log"});
  fs::permissions(tree.root(), fs::perms(0755));
  for (const char* file : {"files/case.tgz", "files/vmcore", "logs/vmware.log"}) {
    fs::permissions(tree.root() / file, fs::perms::none);
  }
  SECTION("files are tickets") {
    const test::AsNobody nobody;
    CHECK(tree.files() == Found{{"a/vm.vmss"},
                                {"b/vm.vmss"},
                                {"files/case.tgz"},
                                {"files/vmcore"},
                                {"logs/vmware.log"}});
  }
  SECTION("folders are named") {
    const auto warnings_with = [&](int mode) {
      fs::permissions(tree.root() / "b", fs::perms(mode));
      CollectedDiagnostics diagnostics;
      {
        const test::AsNobody nobody;
        TicketFinder finder({}, diagnostics);
        finder.add(tree.root());
        CHECK(finder.finish().size() == 4);
      }
      fs::permissions(tree.root() / "b", fs::perms(0755));
      return diagnostics.warnings();
    };
    const std::vector<std::string> expected = {
        (tree.root() / "b").string() +
        ": no tickets are looked for in this folder, as it can't be read: Permission denied"};
    CHECK(warnings_with(0) == expected);
    CHECK(warnings_with(0444) == expected);  // it says what is in it, and lets nobody see that
  }
}

TEST_CASE("find tickets: symbols in a ticket's folder go with it") {
  const Tree tree({"a/vm.vmss", "a/photon.iso", "b/vm.vmss", "photon.iso"});
  CHECK(tree.files() == Found{{"a/vm.vmss", "a/photon.iso"}, {"b/vm.vmss"}});
}

TEST_CASE("find tickets: neither results nor folders by links are looked into") {
  const Tree tree({"a/vm.vmss", "results/old.vmss"});
  fs::create_directory_symlink(tree.root(), tree.root() / "a" / "round");
  CHECK(tree.files({.all_snapshots = false, .results = tree.root() / "results"}) ==
        Found{{"a/vm.vmss"}});
}

TEST_CASE("find tickets: checkpoints that are named are taken, whatever VM they are of") {
  const Tree tree({"vm-Snapshot1.vmsn", "vm-Snapshot2.vmsn", "vm.vmss", "vm.vmem", "other.vmx"});
  const auto named = [&](const std::vector<std::string>& names) {
    CollectedDiagnostics diagnostics;
    TicketFinder finder({}, diagnostics);
    for (const std::string& name : names) finder.add(tree.root() / name);
    std::vector<std::string> shown;
    for (const Ticket& ticket : finder.finish()) {
      shown.push_back(fs::path(ticket.shown()).filename().string());
    }
    CHECK(diagnostics.warnings().empty());
    return shown;
  };
  using Names = std::vector<std::string>;
  CHECK(named({"vm-Snapshot1.vmsn", "vm-Snapshot2.vmsn"}) ==
        Names{"vm-Snapshot1.vmsn", "vm-Snapshot2.vmsn"});
  CHECK(named({"vm-Snapshot1.vmsn", "vm.vmss", "vm.vmem"}) ==
        Names{"vm-Snapshot1.vmsn", "vm.vmss"});
  CHECK(named({"vm.vmss", "vm.vmss"}) == Names{"vm.vmss"});
  CHECK(named({"other.vmx"}) == Names{"other.vmx"});
}

TEST_CASE("find tickets: what is named twice is one ticket") {
  const Tree tree({"cases/1/web.vmss", "cases/1/web-Snapshot1.vmsn", "cases/2/web.vmss"});
  const auto named = [&](const std::vector<std::string>& names) {
    SilentDiagnostics diagnostics;
    TicketFinder finder({}, diagnostics);
    for (const std::string& name : names) finder.add(tree.root() / name);
    std::vector<std::string> shown;
    for (const Ticket& ticket : finder.finish()) {
      shown.push_back(fs::path(ticket.shown()).lexically_relative(tree.root()).string());
    }
    return shown;
  };
  using Names = std::vector<std::string>;
  CHECK(named({"cases/1/web.vmss", "cases/./1/web.vmss", "cases/2/../1/web.vmss"}) ==
        Names{"cases/1/web.vmss"});
  CHECK(named({"cases", "cases/2", "cases/1/web.vmss"}) ==
        Names{"cases/1/web.vmss", "cases/2/web.vmss"});
  CHECK(named({"absent.vmss", "./absent.vmss"}) == Names{"absent.vmss"});
  SECTION("but another checkpoint is another one") {
    CHECK(named({"cases", "cases/1/web-Snapshot1.vmsn"}) ==
          Names{"cases/1/web.vmss", "cases/2/web.vmss", "cases/1/web-Snapshot1.vmsn"});
  }
  SECTION("and so is a link, which has other files beside it") {
    fs::create_symlink("../1/web.vmss", tree.root() / "cases" / "2" / "link.vmss");
    CHECK(named({"cases/1/web.vmss", "cases/2/link.vmss"}).size() == 2);
  }
  SECTION("and so is a hard link, for the same reason") {
    fs::create_hard_link(tree.root() / "cases/1/web.vmss", tree.root() / "cases/2/copy.vmss");
    CHECK(named({"cases/1/web.vmss", "cases/2/copy.vmss"}).size() == 2);
  }
}

TEST_CASE("find tickets: a configuration that is named is one by what it leads to") {
  const Tree tree({"web.vmss", "web-Snapshot1.vmsn", "web.vmem", "db.vmss"});
  const auto named = [&](const std::string& state, const std::vector<std::string>& names) {
    std::ofstream(tree.root() / "web.vmx") << "checkpoint.vmState = \"" << state << "\"\n";
    SilentDiagnostics diagnostics;
    TicketFinder finder({}, diagnostics);
    for (const std::string& name : names) finder.add(tree.root() / name);
    std::vector<std::string> shown;
    for (const Ticket& ticket : finder.finish()) {
      shown.push_back(fs::path(ticket.shown()).filename().string());
    }
    return shown;
  };
  using Names = std::vector<std::string>;
  SECTION("beside checkpoints of others") {
    CHECK(named("web.vmss", {"web.vmx", "db.vmss"}) == Names{"db.vmss", "web.vmx"});
    CHECK(named("", {"web.vmx", "db.vmss"}) == Names{"db.vmss", "web.vmx"});
  }
  SECTION("and none if that is named too") {
    CHECK(named("web.vmss", {"web.vmx", "web.vmss"}) == Names{"web.vmss"});
    CHECK(named("web.vmss", {"web.vmx", "web-Snapshot1.vmsn"}) ==
          Names{"web-Snapshot1.vmsn", "web.vmx"});
  }
  SECTION("nor if nothing tells what it leads to, and something of its VM is named") {
    CHECK(named("", {"web.vmx", "web.vmss"}) == Names{"web.vmss"});
    CHECK(named("", {"web.vmx", "web-Snapshot1.vmsn"}) == Names{"web-Snapshot1.vmsn"});
  }
  SECTION("nor if a folder that was named has it") {
    fs::create_directory(tree.root() / "cases");
    fs::copy_file(tree.root() / "web.vmss", tree.root() / "cases" / "web.vmss");
    std::ofstream(tree.root() / "cases" / "web.vmx") << "";
    CHECK(named("", {"cases", "cases/web.vmx"}) == Names{"web.vmss"});
  }
}

TEST_CASE("find tickets: of files that are named, none is passed over in silence") {
  const Tree tree({"a.vmss", "a.vmem", "a.nvram", "odd", "photon.iso"});
  SilentDiagnostics diagnostics;
  TicketFinder finder({}, diagnostics);
  for (const char* name : {"a.vmss", "a.vmem", "a.nvram", "odd", "photon.iso", "absent.vmss"}) {
    finder.add(tree.root() / name);
  }
  std::vector<std::string> shown;
  for (const Ticket& ticket : finder.finish()) {
    shown.push_back(fs::path(ticket.shown()).filename().string());
  }
  CHECK(shown == std::vector<std::string>{"absent.vmss", "a.vmss", "odd"});
  SECTION("symbols among them are for all") {
    REQUIRE(finder.symbols().size() == 1);
    CHECK(finder.symbols()[0].filename() == "photon.iso");
  }
}

}  // namespace photon_dmesg
