#include "kernel/symbols/symbol_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <sstream>

#include "base/checksum.h"
#include "kernel/symbols/profile.h"
#include "kernel/symbols/symbol_store_writer.h"
#include "kernel/symbols/system_map.h"
#include "kernel/symbols/vmlinux/vmlinux.h"
#include "support/bytes.h"
#include "support/errors.h"
#include "support/fixture_guest.h"
#include "support/open_vmlinux.h"
#include "support/profile_writer.h"
#include "support/same_symbols.h"
#include "support/short_stream.h"
#include "support/temporary_folder.h"
#include "support/without_types.h"

namespace photon_dmesg::test {
namespace {

std::string written(const KernelSymbols& symbols) {
  return as_text(make_symbol_store(symbols, "6.1.10-1.ph5", "photon.iso: linux.rpm"));
}

std::unique_ptr<SymbolStore> read(const std::string& text) {
  return SymbolStore::read(BufferSource("kernel.symbols", as_bytes(text)));
}

// With the checksum that fits what was changed: as who makes one by hand would.
std::string resealed(std::string text) {
  const std::string seal =
      little_endian(checksum(as_bytes(text).subspan(std::min<std::size_t>(text.size(), 16))), 8);
  return text.size() < 16 ? text : text.replace(8, 8, seal);
}

std::unique_ptr<SystemMap> system_map(const std::string& text) {
  ShortStream stream(text);
  return SystemMap::load(stream);
}

// Every symbol of `symbols`, as nm(1) would print it.
std::unique_ptr<SystemMap> system_map_of(const KernelSymbols& symbols) {
  std::string text;
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding binding) {
    const char type = binding == SymbolBinding::Global ? 'T' : 't';
    if (!name.empty()) text += fmt::format("{:016x} {} {}\n", address.value, type, name);
  });
  return system_map(text);
}

}  // namespace

TEST_CASE("symbol store: answers as the vmlinux that it was made of, for all there is") {
  for (const char* kernel :
       {PRINTK_RINGBUFFER_KERNEL, PRINTK_LOG_KERNEL, STRUCT_LOG_KERNEL, LINUX_DWARF5_KERNEL,
        LINUX_DWARF2_KERNEL, DUPLICATE_SYMBOLS_KERNEL, TYPES_DWARF4_KERNEL}) {
    CAPTURE(kernel);
    const auto vmlinux = open_vmlinux(kernel);
    const std::string text = written(*vmlinux);
    CHECK(is_symbol_store(BufferSource("kernel.symbols", as_bytes(text))));
    const auto store = read(text);
    CHECK(store->size() > 10);
    check_same_symbols(*store, *vmlinux);
    CHECK(store->build_id() == vmlinux->build_id());
    CHECK(store->release() == "6.1.10-1.ph5");
    CHECK(store->origin() == "photon.iso: linux.rpm");
    CHECK(store->name() == "kernel.symbols");
  }
}

TEST_CASE("symbol store: answers as a System.map, whatever is in it") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  std::string odd =
      "0000000000000000 A __per_cpu_start\n"
      "0000000000014040 D cpu_info\n"
      "ffff888000000000 A outside\n"
      "00000001ffffffff a between\n"
      "ffffffff80ffffff t before\n"
      "ffffffff81000000 T _text\n"
      "ffffffff81000000 t startup_64\n"
      "ffffffff81000010 t first.1\n"
      "ffffffff81000010 t second.2\n"
      "ffffffff81000020 t dotted.1\n"
      "ffffffff81000020 t plain\n"
      "ffffffff81000020 t plainer\n"
      "ffffffff81000030 t twice\n"
      "ffffffff81000040 t twice\n"
      "ffffffff81000050 t prevails\n"
      "ffffffff81000060 T prevails\n"
      "ffffffff81000060 t prevails\n"
      "ffffffff81000070 T doubt\n"
      "ffffffff81000080 T doubt\n"
      "ffffffff81000090 d textbuf.34\n"
      "ffffffff810000a0 d textbuf-other\n"
      "ffffffff810000b0 d count.1\n"
      "ffffffff810000c0 d count.2\n"
      "ffffffff810000d0 d count.cold\n"
      "ffffffffff600000 A vsyscall\n";
  for (unsigned length : {1U, 254U, 255U, 256U, 300U, 3000U}) {
    odd += fmt::format("{:016x} t {}\n", 0xffffffff81001000 + length, std::string(length, 'l'));
  }
  for (const auto& map : {system_map_of(*vmlinux), system_map(odd)}) {
    check_same_symbols(*read(written(*map)), *map);
  }
}

TEST_CASE("symbol store: one made of another is the same") {
  const auto vmlinux = open_vmlinux(DUPLICATE_SYMBOLS_KERNEL);
  const std::string text = written(*vmlinux);
  CHECK(written(*read(text)) == text);
}

TEST_CASE("symbol store: mapped, it has the name it is given") {
  const TemporaryFolder folder;
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const auto path = folder.write("a.symbols", written(*vmlinux));
  const auto store = SymbolStore::map(path, "linux.rpm: vmlinux");
  CHECK(store->name() == "linux.rpm: vmlinux");
  check_same_symbols(*store, *vmlinux);
  folder.write("b.symbols", "PHDMSYMS");
  check_fails(Failure::UnusableInput, "b.symbols: truncated",
              [&] { (void)SymbolStore::map(folder.path() / "b.symbols", "x"); });
}

TEST_CASE("symbol store: what is written to its file later changes no answer") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  std::string text = written(*vmlinux);
  const auto store = read(text);
  std::fill(text.begin(), text.end(), 'x');
  check_same_symbols(*store, *vmlinux);
}

TEST_CASE("symbol store: a layout stays where it is, whatever is asked for later") {
  const auto store = read(written(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL)));
  const StructLayout* info = store->find_struct("printk_info");
  REQUIRE(info != nullptr);
  REQUIRE(store->find_struct("printk_ringbuffer") != nullptr);
  CHECK(store->find_struct("absent") == nullptr);
  CHECK(store->find_struct("printk_info") == info);
  CHECK(info->name() == "printk_info");
}

TEST_CASE("symbol store: a layout that makes no sense is refused when it is asked for") {
  std::string text = written(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
  const std::string name = little_endian(11, 2) + "printk_info";
  text.replace(text.find(name) + name.size(), 4, little_endian(1, 4));  // its size
  const auto store = read(resealed(text));
  CHECK(store->find_struct("printk_ringbuffer") != nullptr);
  for (int i = 0; i < 2; ++i) {
    check_fails(Failure::UnusableInput,
                "kernel.symbols: ", [&] { (void)store->find_struct("printk_info"); });
  }
}

TEST_CASE("symbol store: proves the kernel by its banner as vmlinux does") {
  FixtureGuest guest(PRINTK_LOG_KERNEL);
  guest.set("log_buf", guest.address("__log_buf").value);
  CHECK(guest.read_log(*read(written(guest.vmlinux()))).records.empty());
  const auto other = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  check_fails(Failure::Mismatch, "not the guest's kernel",
              [&] { (void)guest.read_log(*read(written(*other))); });
}

TEST_CASE("symbol store: symbols without types, banner and build-id make one too") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const LikeSystemMap bare(*vmlinux);
  const auto store = read(written(bare));
  check_same_symbols(*store, bare);
  CHECK_FALSE(store->banner_bytes());
  CHECK_FALSE(store->build_id());
}

TEST_CASE("symbol store: of a source that can't tell places, it tells none") {
  const auto vmlinux = open_vmlinux(PRINTK_RINGBUFFER_KERNEL);
  const std::string json = json_profile(*vmlinux);
  const auto profile = Profile::read(BufferSource("profile.json", as_bytes(json)));
  const auto store = read(written(*profile));
  check_same_symbols(*store, *profile);
  CHECK_FALSE(store->find_place(vmlinux->symbol("prb")));
}

TEST_CASE("symbol store: one cut short or with any bit changed is refused by name") {
  const std::string whole = written(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
  const auto check_refused = [](const std::string& text) {
    const Error error = error_of([&] { (void)read(text); });
    CHECK(error.failure() == Failure::UnusableInput);
    CHECK_THAT(error.what(), Catch::StartsWith("kernel.symbols: "));
  };
  for (std::size_t length = 0; length < whole.size(); length += 13) {
    CAPTURE(length);
    check_refused(whole.substr(0, length));
  }
  check_refused(whole + "x");
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
    check_refused(changed);
  }
}

TEST_CASE("symbol store: what was made for other types, or by another version, is made again") {
  const std::string whole = written(*open_vmlinux(PRINTK_RINGBUFFER_KERNEL));
  std::string other = whole;
  other[16] = 9;
  check_fails(Failure::UnusableInput,
              "kernel.symbols: expected a profile of version 3, found version 9: make it again "
              "with this photon-dmesg",
              [&] { (void)read(other); });
  other = whole;
  other[28] = static_cast<char>(other[28] ^ 1);
  check_fails(Failure::UnusableInput, "make it again with this photon-dmesg",
              [&] { (void)read(resealed(other)); });
}

TEST_CASE("symbol store: one made to deceive does no worse than to be refused") {
  const auto map = system_map(
      "0000000000000000 A __per_cpu_start\n"
      "ffff888000000000 A outside\n"
      "ffffffff81000000 T _text\n"
      "ffffffff81000010 t textbuf.1\n"
      "ffffffff81000020 T prb\n");
  const std::string sources[] = {written(*map), written(*open_vmlinux(LINUX_DWARF2_KERNEL))};
  for (const std::string& whole : sources) {
    const std::size_t step = whole.size() / 1500 + 1;
    for (std::size_t at = 0; at < whole.size(); at += at < 200 ? 1 : step) {
      for (const int value : {0, 1, 0x7f, 0xff}) {
        CAPTURE(at, value);
        std::string changed = whole;
        changed[at] = static_cast<char>(value);
        try {
          const auto store = read(resealed(changed));
          int visited = 0;
          for (const char* name : {"prb", "_text", "textbuf", "outside", "zzz"}) {
            (void)store->find_symbol(name);
            (void)store->find_static(name);
          }
          for (const std::uint64_t address : {std::uint64_t{0}, 0xffffffff81000018}) {
            (void)store->find_place({address});
          }
          for (const char* name : {"printk_info", "printk_ringbuffer", "list_head"}) {
            (void)store->find_struct(name);
          }
          store->for_each_symbol([&](auto&&...) { ++visited; });
          CHECK(visited <= 10'000);
        } catch (const Error& error) {
          CHECK(error.failure() == Failure::UnusableInput);
          CHECK_THAT(error.what(), Catch::StartsWith("kernel.symbols: "));
        }
      }
    }
  }
}

}  // namespace photon_dmesg::test
