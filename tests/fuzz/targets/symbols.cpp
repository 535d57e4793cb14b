// Files and texts that tell of a kernel's symbols.
#include <cstring>
#include <optional>
#include <vector>

#include "base/checksum.h"
#include "checkpoint/vmware/host_log.h"
#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "fuzz/targets.h"
#include "kernel/find/vmcoreinfo.h"
#include "kernel/symbols/banner.h"
#include "kernel/symbols/build_id.h"
#include "kernel/symbols/profile.h"
#include "kernel/symbols/symbol_store.h"
#include "kernel/symbols/symbol_store_writer.h"
#include "kernel/symbols/system_map.h"
#include "kernel/symbols/types_of_use.h"
#include "report/host_evidence.h"
#include "report/host_findings.h"
#include "support/short_stream.h"

namespace photon_dmesg::fuzz {
namespace {

constexpr std::size_t most_symbols = 64;  // that are asked for

// Asks a source for all that it can be asked for.
void ask(const KernelSymbols& symbols) {
  for (const char* name : {"_text", "linux_banner", "prb", "log_buf", ""}) {
    (void)symbols.find_symbol(name);
    (void)symbols.find_static(name);
  }
  (void)find_types_of_use(symbols);
  (void)banner_of(symbols);
  (void)symbols.build_id();
  std::vector<std::pair<std::string, GuestVirtual>> some;
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (some.size() < most_symbols) some.emplace_back(name, address);
  });
  for (const auto& [name, address] : some) {
    (void)symbols.find_symbol(name);
    (void)symbols.find_place(address);
    (void)symbols.find_place(address + 1);
  }
}

// A store answers as its source did.
void compare_with_store(const KernelSymbols& symbols) {
  const std::vector<std::byte> bytes = make_symbol_store(symbols, "6.1.10-1.ph5", "a fuzzer");
  const auto store = SymbolStore::read(BufferSource("store", bytes));
  std::size_t seen = 0;
  symbols.for_each_symbol([&](std::string_view name, GuestVirtual address, SymbolBinding) {
    if (name.size() > 0xffff || ++seen > most_symbols) return;
    require(store->find_symbol(name) == symbols.find_symbol(name),
            "a store finds what its source does");
    require(store->find_static(name) == symbols.find_static(name),
            "a store finds what its source does");
    const auto expected = symbols.find_place(address);
    const auto found = store->find_place(address);
    require(found.has_value() == expected.has_value() &&
                (!found || (found->name == expected->name && found->offset == expected->offset)),
            "a store places what its source does");
  });
}

void try_system_map(Bytes bytes) {
  test::ShortStream stream(Input::as_string(bytes));
  const auto symbols = SystemMap::load(stream);
  ask(*symbols);
  compare_with_store(*symbols);
}

// With the sums and marks that a store of this size must have, so that what is behind them is read.
void try_store(Bytes bytes) {
  namespace store = symbol_store;
  std::string file = Input::as_string(bytes);
  if (file.size() < store::header_bytes) return;
  const auto put = [&](std::size_t at, std::uint64_t value, std::size_t width) {
    file.replace(at, width, test::little_endian(value, width));
  };
  file.replace(0, store::magic.size(), store::magic);
  put(store::version_offset, store::version, 4);
  put(store::version_offset + 4, file.size(), 8);
  put(store::version_offset + 12, store::schema(), 8);
  put(store::checksum_offset, checksum(test::as_bytes(file).subspan(store::checked_offset)), 8);
  ask(*SymbolStore::read(BufferSource("store", test::as_bytes(file))));
}

// Every line that the guest sent is of this boot, of another, or can't be told.
void try_host_log(const ByteSource& source) {
  std::vector<HostLine> lines;
  HostLogRoom room;
  for (const HostLogLine& line : lines_of_guest(source, room)) {
    lines.push_back(parse_host_line(line, "vmware.log"));
  }
  HostEvidence evidence(lines);
  for (std::size_t i = 0; i < lines.size(); i += 2) evidence.add(record_of(lines[i], i));
  for (const auto& clock : {std::optional<ClockHistory>(), std::optional(ClockHistory({1, 2}))}) {
    const HostTestimony testimony = evidence.finish(clock);
    require(testimony.lines.size() == testimony.is_logged.size(), "each is logged or not");
    require(testimony.missing().size() + testimony.logged == testimony.lines.size(),
            "each is missing or logged");
    (void)findings_of(testimony);
  }
}

void try_texts(Bytes bytes) {
  const std::string text = Input::as_string(bytes);
  if (const auto banner = parse_banner(text)) (void)build_time(*banner);
  if (const auto info = Vmcoreinfo::parse(text)) {
    (void)info->symbols();
    (void)info->kaslr_offset();
    (void)info->number("phys_base");
  }
  const BufferSource source("vmware.log", bytes);
  if (is_host_log(source)) try_host_log(source);
  (void)find_build_id(source);
}

}  // namespace

void fuzz_symbols(Bytes bytes) {
  Input input(bytes);
  switch (input.byte() % 4) {
    case 0:
      return try_system_map(input.rest());
    case 1:
      return try_store(input.rest());
    case 2:
      return ask(*Profile::read(BufferSource("profile", input.rest())));
    default:
      return try_texts(input.rest());
  }
}

}  // namespace photon_dmesg::fuzz
