#include "kernel/symbols/vmlinux/vmlinux.h"

#include <catch2/catch.hpp>

#include "base/file_stream.h"
#include "kernel/symbols/banner.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/file_content.h"
#include "support/open_vmlinux.h"
#include "support/same_symbols.h"

namespace photon_dmesg::test {
namespace {

std::unique_ptr<Vmlinux> load(const std::string& bytes) {
  CollectedDiagnostics diagnostics;
  const BufferSource source("linux.rpm: vmlinux", as_bytes(bytes));
  FileStream stream(source);
  return Vmlinux::load(stream, bytes.size(), diagnostics);
}

}  // namespace

TEST_CASE("Vmlinux: a stream gives the same symbols, layouts and banner as the file") {
  for (const char* fixture : {PRINTK_RINGBUFFER_KERNEL, COMPRESSED_KERNEL, ZSTD_COMPRESSED_KERNEL,
                              ONLY_DEBUG_KERNEL, WITHOUT_ARANGES_KERNEL}) {
    CAPTURE(fixture);
    const auto opened = open_vmlinux(fixture);
    const auto loaded = load(file_content(fixture));
    for (const char* symbol : {"prb", "linux_banner", "init_top_pgt", "phys_base"}) {
      CHECK(loaded->symbol(symbol) == opened->symbol(symbol));
    }
    CHECK(loaded->structure("prb_desc").size() == 24);
    CHECK(loaded->structure("only_here").size() == 32);
    CHECK(loaded->structure("printk_info").member("level").bit_shift ==
          opened->structure("printk_info").member("level").bit_shift);
    CHECK(loaded->build_id() == opened->build_id());
    CHECK(loaded->banner_bytes() == opened->banner_bytes());
    CHECK(loaded->name() == "linux.rpm: vmlinux");
  }
}

TEST_CASE("Vmlinux: its banner says which build it is, and a .debug file has none") {
  const auto banner = parse_banner(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL)->banner_bytes());
  REQUIRE(banner);
  CHECK(banner->release == "6.1.10-1.ph5");
  CHECK(open_vmlinux(ONLY_DEBUG_KERNEL)->banner_bytes().value_or("").empty());
}

TEST_CASE("Vmlinux: what is missing is named with the file") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  check_fails(Failure::UnusableInput, "expected the kernel symbol \"absent\", found none",
              [&] { (void)vmlinux->symbol("absent"); });
  check_fails(Failure::UnusableInput, "expected struct absent in its DWARF",
              [&] { (void)vmlinux->structure("absent"); });
}

TEST_CASE("Vmlinux: symbols serve without types") {
  const auto vmlinux = load(file_content(WITHOUT_DWARF_KERNEL));
  CHECK(vmlinux->find_symbol("prb"));
  CHECK(vmlinux->banner_bytes());
  CHECK(vmlinux->find_struct("printk_info") == nullptr);
  const auto opened = open_vmlinux(WITHOUT_DWARF_KERNEL);
  CHECK(opened->find_symbol("prb") == vmlinux->find_symbol("prb"));
  CHECK(opened->find_struct("printk_info") == nullptr);
}

TEST_CASE("Vmlinux: without DWARF, its BTF tells the types") {
  CollectedDiagnostics diagnostics;
  const auto vmlinux = Vmlinux::open(ONLY_BTF_KERNEL, diagnostics);
  const auto loaded = load(file_content(ONLY_BTF_KERNEL));
  const auto expected = open_vmlinux(TYPES_BTF_KERNEL);
  for (const Vmlinux* found : {vmlinux.get(), loaded.get()}) {
    REQUIRE(found->find_struct("shapes") != nullptr);
    check_same_layout(*found->find_struct("shapes"), *expected->find_struct("shapes"));
    CHECK(found->find_struct("absent") == nullptr);
  }
  CHECK(diagnostics.warnings().empty());
}

TEST_CASE("Vmlinux: a stream without symbols is refused") {
  check_fails(Failure::UnusableInput, "linux.rpm: vmlinux: expected a symbol table",
              [] { (void)load(file_content(STRIPPED_KERNEL)); });
}

TEST_CASE("Vmlinux: a stream that ends early or is no ELF is refused by name") {
  const std::string whole = file_content(PRINTK_RINGBUFFER_KERNEL);
  for (std::size_t length = 0; length < whole.size(); length += length < 100 ? 1 : 397) {
    CAPTURE(length);
    check_fails(Failure::UnusableInput,
                "linux.rpm: vmlinux: ", [&] { (void)load(whole.substr(0, length)); });
  }
  check_fails(Failure::UnusableInput, "expected a 64-bit ELF file",
              [] { (void)load(std::string(10'000, 'x')); });
}

TEST_CASE("Vmlinux: a stream of absurd size is refused before anything of it is kept") {
  CollectedDiagnostics diagnostics;
  const BufferSource source("linux.rpm: vmlinux", {});
  FileStream stream(source);
  check_fails(Failure::UnusableInput, "linux.rpm: vmlinux: expected a vmlinux of at most",
              [&] { (void)Vmlinux::load(stream, std::uint64_t{1} << 40, diagnostics); });
}

TEST_CASE("Vmlinux: a flipped bit in any header ends in an Error or in nothing, never in a crash") {
  const std::string whole = file_content(PRINTK_RINGBUFFER_KERNEL);
  const std::uint64_t headers = whole.size() - whole.size() % 64 - 64 * 20;
  std::size_t refused = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 64 || at > headers ? 1 : 4999) {
    CAPTURE(at);
    for (const char bit : {'\x01', '\x40', '\x80'}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ bit);
      try {
        const auto vmlinux = load(damaged);
        (void)vmlinux->find_struct("printk_info");
        (void)vmlinux->build_id();
        (void)vmlinux->banner_bytes();
      } catch (const Error& error) {
        CHECK(error.failure() == Failure::UnusableInput);
        ++refused;
      }
    }
  }
  CHECK(refused > 50);
}

}  // namespace photon_dmesg::test
