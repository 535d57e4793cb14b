#include "session/session.h"

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>

#include "kernel/printk/kernel_log.h"
#include "kernel/symbols/symbol_store_writer.h"
#include "session/inputs.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/guest_on_disk.h"
#include "support/open_vmlinux.h"
#include "support/ring_writer.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

// A guest with two records in its log, as files.
GuestOnDisk write_sample(const TemporaryFolder& folder, const std::string& name,
                         const std::string& last = "and stuck") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  RingWriter ring(guest);
  ring.store("booted");
  ring.store(last);
  ring.publish();
  return write_guest(folder, name, guest);
}

std::vector<std::string> texts(const Guest& guest, Diagnostics& diagnostics) {
  std::vector<std::string> result;
  (void)KernelLogReader(guest.kernel(), diagnostics).read([&](const LogRecord& record) {
    result.push_back(record.text);
    return true;
  });
  return result;
}

struct Output {
  std::string text;
  int status = 0;
};

Output run(const std::string& command) {
  Output output;
  FILE* pipe = ::popen(command.c_str(), "r");
  std::array<char, 4096> buffer{};
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.text.append(buffer.data(), count);
  }
  output.status = WEXITSTATUS(::pclose(pipe));
  return output;
}

using Texts = std::vector<std::string>;

const session::Options without_cache{
    .use_cache = false, .verify_packages = true, .strict = false, .keys = {}};

}  // namespace

TEST_CASE("session::open: from files to a guest's log, without a command line") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  CollectedDiagnostics diagnostics;
  const Guest guest = session::open({files.memory, PRINTK_RINGBUFFER_KERNEL, files.checkpoint},
                                    without_cache, diagnostics);
  CHECK(texts(guest, diagnostics) == Texts{"booted", "and stuck"});
  CHECK(guest.symbols().provenance.vmlinux == PRINTK_RINGBUFFER_KERNEL);
  CHECK_FALSE(diagnostics.evidence().empty());
}

TEST_CASE("session::open: a guest may be moved, its kernel stays readable") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  SilentDiagnostics diagnostics;
  Guest guest =
      session::open({files.checkpoint, PRINTK_RINGBUFFER_KERNEL}, without_cache, diagnostics);
  const Guest moved = std::move(guest);
  CHECK(texts(moved, diagnostics) == Texts{"booted", "and stuck"});
}

TEST_CASE("session::open: files without a guest are no guest") {
  SilentDiagnostics diagnostics;
  check_fails(Failure::Usage, "expected a checkpoint",
              [&] { (void)session::open({PRINTK_RINGBUFFER_KERNEL}, without_cache, diagnostics); });
}

TEST_CASE("session::open: a kernel that is not the guest's is named") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  SilentDiagnostics diagnostics;
  check_fails(Failure::Mismatch, "not the guest's kernel", [&] {
    (void)session::open({files.checkpoint, PRINTK_LOG_KERNEL}, without_cache, diagnostics);
  });
}

TEST_CASE("session::open: memory that was named needs no checkpoint that lies beside it") {
  const TemporaryFolder folder;
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  std::array<std::byte, 4096> table{};
  REQUIRE(guest.memory().read({*guest.vcpu().x86.cr[3]}, table));
  guest.memory().write(guest.at("init_top_pgt"), table);  // by which it is found alone
  RingWriter ring(guest);
  ring.store("booted");
  ring.publish();
  const GuestOnDisk files = write_guest(folder, "vm", guest);
  SECTION("which is damaged") {
    std::filesystem::resize_file(files.checkpoint, 100);
  }
  SECTION("which is of another moment") {
    Vcpu vcpu = guest.vcpu();
    vcpu.x86.cr[3] = 0x7000;
    (void)folder.write("vm.vmss", checkpoint_file({{"cpu", vcpu_tags(vcpu)}, {"memory", ""}}));
  }
  CollectedDiagnostics diagnostics;
  const std::vector<std::filesystem::path> named = {files.memory, PRINTK_RINGBUFFER_KERNEL};
  const Guest opened = session::open(named, without_cache, diagnostics);
  CHECK(texts(opened, diagnostics) == Texts{"booted"});
  REQUIRE_FALSE(diagnostics.warnings().empty());
  CHECK_THAT(diagnostics.warnings().back(), Catch::Contains("not used: "));
  session::Options strict = without_cache;
  strict.strict = true;
  CHECK_THROWS_AS(session::open(named, strict, diagnostics), Error);
}

TEST_CASE("session::open: a vmlinux that was split in two is as good as whole") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  for (const auto& halves : {std::vector<std::filesystem::path>{STRIPPED_KERNEL, ONLY_DEBUG_KERNEL},
                             {ONLY_DEBUG_KERNEL, STRIPPED_KERNEL}}) {
    CollectedDiagnostics diagnostics;
    const Guest guest =
        session::open({files.checkpoint, halves[0], halves[1]}, without_cache, diagnostics);
    CHECK(guest.symbols().provenance.vmlinux == ONLY_DEBUG_KERNEL);
    CHECK(texts(guest, diagnostics) == Texts{"booted", "and stuck"});
    // Of the other half nothing is said; the fixture's kernel has neither a build-id nor kallsyms.
    REQUIRE(diagnostics.warnings().size() == 1);
    CHECK_THAT(diagnostics.warnings().front(), Catch::Contains("taken for 6.1.10-1.ph5"));
  }
}

TEST_CASE("session::open: a System.map's profile is of the release that it was made for") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const LikeSystemMap map(*vmlinux);
  const auto profile_of = [&](const std::string& release) {
    const auto bytes = make_symbol_store(map, release, "System.map");
    return folder.write(release, as_text(bytes));
  };
  session::Options strict = without_cache;
  strict.strict = true;
  SilentDiagnostics diagnostics;
  const Guest guest =
      session::open({files.checkpoint, profile_of("6.1.10-1.ph5")}, strict, diagnostics);
  CHECK(texts(guest, diagnostics) == Texts{"booted", "and stuck"});
  check_fails(
      Failure::Mismatch, "expected symbols of 6.1.10-1.ph5, found those of 6.1.9-1.ph5", [&] {
        (void)session::open({files.checkpoint, profile_of("6.1.9-1.ph5")}, strict, diagnostics);
      });
}

TEST_CASE("session::open: symbols that can't be used leave it to the guest's own, or are refused") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  CollectedDiagnostics diagnostics;
  session::Options strict = without_cache;
  strict.strict = true;
  check_fails(Failure::Mismatch, "not the guest's kernel", [&] {
    (void)session::open({files.checkpoint, PRINTK_LOG_KERNEL}, strict, diagnostics);
  });
  // The fixture's memory has no symbols of its own: then it is what was named that is complained
  // of.
  check_fails(Failure::Mismatch, "not the guest's kernel", [&] {
    (void)session::open({files.checkpoint, PRINTK_LOG_KERNEL}, without_cache, diagnostics);
  });
  const Guest guest = session::open({files.checkpoint, PRINTK_LOG_KERNEL, PRINTK_RINGBUFFER_KERNEL},
                                    without_cache, diagnostics);
  CHECK(guest.symbols().provenance.vmlinux == PRINTK_RINGBUFFER_KERNEL);
  REQUIRE_FALSE(diagnostics.warnings().empty());
  CHECK_THAT(diagnostics.warnings().back(),
             Catch::Contains("not used: ") && Catch::Contains("not the guest's kernel"));
}

TEST_CASE("symbol pool: guests of one kernel share its symbols, which are read once") {
  const TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  const std::filesystem::path package = PACKAGE_FOLDER "/w3.zstdio.rpm";
  std::vector<SymbolInput> inputs = std::move(sort_inputs({package}, false, diagnostics).symbols);
  const auto pool = std::make_shared<SymbolPool>(std::move(inputs), without_cache);
  std::vector<Guest> guests;
  for (const std::string name : {"first", "second"}) {
    const GuestOnDisk files = write_sample(folder, name, name);
    guests.emplace_back(sort_inputs({files.checkpoint}, false, diagnostics), pool, diagnostics);
  }
  CHECK(guests[0].symbols().symbols == guests[1].symbols().symbols);
  CHECK(guests[1].symbols().provenance.package == package);
  CHECK(texts(guests[0], diagnostics) == Texts{"booted", "first"});
  CHECK(texts(guests[1], diagnostics) == Texts{"booted", "second"});
}

TEST_CASE("symbol pool: what one guest has taken is not forced on the next") {
  const TemporaryFolder folder;
  SilentDiagnostics diagnostics;
  auto pool = std::make_shared<SymbolPool>(
      std::move(sort_inputs({PACKAGE_FOLDER "/w3.zstdio.rpm"}, false, diagnostics).symbols),
      without_cache);
  const GuestOnDisk files = write_sample(folder, "vm");
  const Guest guest(sort_inputs({files.checkpoint}, false, diagnostics), pool, diagnostics);
  const auto candidates = pool->candidates({"5.10.0-other", std::nullopt}, diagnostics);
  CHECK_FALSE(candidates->next());
  CHECK(candidates->failures().front().failure() == Failure::Mismatch);
}

TEST_CASE("symbol pool: what a guest's own symbols lack is said where shared ones are taken") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  CollectedDiagnostics diagnostics;
  const auto shared = session::open_symbols({PRINTK_RINGBUFFER_KERNEL}, without_cache, diagnostics);
  const std::string package = file_content(PACKAGE_FOLDER "/w3.zstdio.rpm");
  const std::filesystem::path cut =
      folder.write("linux-6.1.10-1.ph5.x86_64.rpm", package.substr(0, package.size() / 2));
  for (const auto& [own, why] : {std::pair<std::filesystem::path, std::string>{cut, "truncated"},
                                 {PRINTK_LOG_KERNEL, "not the guest's kernel"}}) {
    CollectedDiagnostics said;
    const Guest guest =
        session::open({files.checkpoint, own}, {nullptr, shared}, without_cache, said);
    CHECK(guest.symbols().provenance.vmlinux == PRINTK_RINGBUFFER_KERNEL);
    REQUIRE(said.warnings().size() == 1);
    CHECK_THAT(said.warnings().front(),
               Catch::StartsWith("not used: " + own.string()) && Catch::Contains(why));
  }
}

TEST_CASE("symbol pool: of profiles for many guests only the guest's own is read again") {
  const TemporaryFolder folder;
  CollectedDiagnostics diagnostics;
  const GuestOnDisk files = write_sample(folder, "vm");
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const auto other = open_vmlinux(PRINTK_LOG_KERNEL);
  const auto profile_of = [&](const KernelSymbols& symbols, const std::string& name,
                              const std::string& release) {
    const auto bytes = make_symbol_store(symbols, release, name);
    return std::filesystem::path(folder.write(name, as_text(bytes)));
  };
  const auto others = profile_of(*other, "a.symbols", "4.4.8");
  const auto bare = profile_of(LikeSystemMap(*vmlinux), "b.symbols", "6.1.10-1.ph5");
  const auto own = profile_of(*vmlinux, "c.symbols", "6.1.10-1.ph5");
  const std::filesystem::path damaged = folder.write("d.symbols", file_content(own) + "more");
  auto pool = std::make_shared<SymbolPool>(
      std::move(sort_inputs({others, bare, own, damaged}, false, diagnostics).symbols),
      without_cache);
  pool->share(diagnostics);
  REQUIRE(diagnostics.warnings().size() == 1);
  CHECK_THAT(diagnostics.warnings().front(),
             Catch::Contains("d.symbols: damaged profile: expected"));
  folder.write("a.symbols", "what is read no more");
  const Guest guest(sort_inputs({files.checkpoint}, false, diagnostics), pool, diagnostics);
  // The one that says which build it is of, and has types, comes before one that does not.
  CHECK(guest.symbols().provenance.profile == own.string());
  CHECK(texts(guest, diagnostics) == Texts{"booted", "and stuck"});
  CHECK(diagnostics.warnings().size() == 1);
}

TEST_CASE("docs/example: thirty lines that print a guest's newest records") {
  const TemporaryFolder folder;
  const GuestOnDisk files = write_sample(folder, "vm");
  const std::string program = EXAMPLE_PROGRAM;
  const Output output = run("XDG_CACHE_HOME=/dev/null " + program + " " +
                            files.checkpoint.string() + " " + PRINTK_RINGBUFFER_KERNEL);
  CHECK(output.status == 0);
  CHECK_THAT(output.text, Catch::StartsWith("Linux 6.1.10-1.ph5"));
  CHECK_THAT(output.text, Catch::EndsWith("\nbooted\nand stuck\n"));
  CHECK(run(program + " /dev/null 2>&1").status == 3);
}

}  // namespace photon_dmesg::test
