#include "session/inputs.h"

#include <catch2/catch.hpp>

#include "support/checkpoint_builder.h"
#include "support/errors.h"
#include "support/iso_builder.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

// One file of each kind, with names that say nothing.
struct Files {
  TemporaryFolder folder;
  std::filesystem::path checkpoint = folder.write("1", checkpoint_file({}));
  std::filesystem::path memory = folder.write("2", std::string(4096, '\0'));
  std::filesystem::path iso = folder.path() / "3";
  std::filesystem::path package = PACKAGE_FOLDER "/w6.gzdio.rpm";
  std::filesystem::path vmlinux = PRINTK_RINGBUFFER_KERNEL;

  Files() { write_iso(iso, {{"file", "content"}}); }
};

Inputs sort(const std::vector<std::filesystem::path>& files) {
  CollectedDiagnostics diagnostics;
  return sort_inputs(files, diagnostics);
}

}  // namespace

TEST_CASE("sort_inputs: each file finds its role by content, in any order") {
  const Files files;
  using Kind = SymbolKind;
  for (const auto& [symbols, kind] : {std::pair{files.iso, Kind::Iso},
                                      {files.package, Kind::Package},
                                      {files.vmlinux, Kind::Vmlinux}}) {
    for (const auto& order : {std::vector{symbols, files.checkpoint, files.memory},
                              {files.memory, files.checkpoint, symbols},
                              {files.checkpoint, files.memory, symbols}}) {
      const Inputs inputs = sort(order);
      CHECK(inputs.symbols.front().kind == kind);
      CHECK(inputs.symbols.front().path == symbols);
      CHECK(inputs.guest.state.front()->name() == files.checkpoint);
      CHECK(inputs.guest.memory->name() == files.memory);
    }
  }
}

TEST_CASE("sort_inputs: any role may be left open; who needs it says so") {
  const Files files;
  CHECK(sort({files.checkpoint, files.memory}).symbols.empty());
  CHECK(sort({files.iso}).guest.empty());
  CHECK_FALSE(sort({files.iso, files.checkpoint}).guest.memory);
}

TEST_CASE("sort_inputs: a role that two take is a usage error that names both") {
  const Files files;
  const auto second = files.folder.write("second", checkpoint_file({}));
  check_fails(Failure::Usage, "second: expected one checkpoint, found two", [&] {
    (void)sort({files.iso, files.checkpoint, second});
  });
  check_fails(Failure::Usage, "expected one source of symbols", [&] {
    (void)sort({files.iso, PRINTK_RINGBUFFER_KERNEL, files.checkpoint});
  });
  const auto memory = files.folder.write("memory", std::string(4096, 'x'));
  check_fails(Failure::Usage, "expected one memory file, found two", [&] {
    (void)sort({files.iso, files.checkpoint, files.memory, memory});
  });
}

TEST_CASE("sort_inputs: a file that is nothing known says what it begins with") {
  const Files files;
  const auto odd = files.folder.write("odd", "\x34\x12 is no checkpoint");
  check_fails(Failure::UnusableInput, "odd (begins with 0x69201234): expected a checkpoint", [&] {
    (void)sort({files.iso, odd});
  });
  check_fails(Failure::UnusableInput, "found neither an ISO nor an RPM nor an ELF file", [&] {
    (void)sort({odd, files.checkpoint, files.memory});
  });
  const auto tiny = files.folder.write("tiny", "ab");
  check_fails(Failure::UnusableInput, "tiny (begins with 2 bytes)", [&] {
    (void)sort({files.iso, tiny});
  });
}

TEST_CASE("sort_inputs: empty and encrypted files are named as such") {
  const Files files;
  check_fails(Failure::UnusableInput, "empty: the file is empty", [&] {
    (void)sort({files.folder.write("empty", ""), files.iso});
  });
  check_fails(Failure::UnusableInput, "of an encrypted virtual machine",
              [&] { (void)sort({files.folder.write("locked", "\x9e\xdd\x43\x89")}); });
}

}  // namespace photon_dmesg::test
