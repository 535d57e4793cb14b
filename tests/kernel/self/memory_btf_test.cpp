#include "kernel/self/memory_btf.h"

#include <catch2/catch.hpp>

#include "kernel/find/running_kernel.h"
#include "kernel/self/guest_types.h"
#include "support/btf_writer.h"
#include "support/fixture_guest.h"

namespace photon_dmesg::test {
namespace {

// Inside the image, behind what the fixture's kernel has there.
constexpr std::uint64_t free_place = 0x300000;

// The symbols of another source, and where BTF begins and ends.
class WithBtfSymbols final : public KernelSymbols {
 public:
  WithBtfSymbols(const KernelSymbols& symbols, std::uint64_t size)
      : symbols_(symbols), begin_(symbols.symbol("_text") + free_place), size_(size) {}

  [[nodiscard]] std::optional<GuestVirtual> find_symbol(std::string_view name) const override {
    if (name == "__start_BTF") return begin_;
    if (name == "__stop_BTF") return begin_ + size_;
    return symbols_.find_symbol(name);
  }
  void for_each_symbol(const SymbolVisit& visit) const override { symbols_.for_each_symbol(visit); }
  [[nodiscard]] std::optional<std::string> banner_bytes() const override {
    return symbols_.banner_bytes();
  }
  [[nodiscard]] const std::string& name() const override { return symbols_.name(); }

 private:
  const KernelSymbols& symbols_;
  GuestVirtual begin_;
  std::uint64_t size_;
};

// Types with one structure, of which one member is of interest.
std::string types_with(const std::string& structure) {
  BtfWriter writer;
  const auto number = writer.integer("int", 4);
  writer.structure(structure, 16, {{"pid", number, 64}});
  return writer.write();
}

struct Found {
  std::shared_ptr<const Btf> types;
  std::vector<Evidence> evidence;
};

Found find(FixtureGuest& guest, const KernelSymbols& symbols) {
  CollectedDiagnostics diagnostics;
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, diagnostics);
  REQUIRE(running);
  const GuestKernel kernel = GuestKernel::attach(*running, symbols, diagnostics);
  CollectedDiagnostics of_search;
  auto types = find_memory_btf(kernel, of_search);
  CHECK(of_search.warnings().empty());
  return {std::move(types), of_search.evidence()};
}

void put(FixtureGuest& guest, const std::string& bytes, std::uint64_t at = free_place) {
  guest.memory().write_text(FixtureGuest::load_address + at, bytes);
}

}  // namespace

TEST_CASE("BTF in memory: is found where the symbols say") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const std::string bytes = types_with("task_struct");
  put(guest, bytes);
  put(guest, types_with("task_struct"), free_place - 0x1000);  // would be found first by a search
  const Found found = find(guest, WithBtfSymbols(guest.vmlinux(), bytes.size()));
  REQUIRE(found.types);
  CHECK(found.types->find_struct("task_struct")->member("pid").offset == 8);
  CHECK(found.types->name() == "BTF in the guest's memory");
  REQUIRE(found.evidence.size() == 1);
  CHECK(found.evidence[0].how == "the guest's memory at 0xffffffff9b300000, by __start_BTF");
}

TEST_CASE("BTF in memory: is found by its form, wherever it stands in the image") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  put(guest, std::string("\x9f\xeb\x01\0 but no header", 18), free_place - 0x2000);
  put(guest, types_with("of_a_module"), free_place - 0x1000);
  put(guest, types_with("task_struct"), free_place + 3);
  for (const bool wrong_symbols : {false, true}) {
    CAPTURE(wrong_symbols);
    const WithBtfSymbols wrong(guest.vmlinux(), 100);
    const Found found =
        find(guest, wrong_symbols ? static_cast<const KernelSymbols&>(wrong) : guest.vmlinux());
    REQUIRE(found.types);
    REQUIRE(found.evidence.size() == 1);
    CHECK(found.evidence[0].how == "a header in the guest's memory, at 0xffffffff9b300003");
  }
}

TEST_CASE("BTF in memory: a kernel without it has none, and that is said") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  const std::string whole = types_with("task_struct");
  put(guest, whole, 0x400000 - whole.size() + 1);  // goes beyond the image
  const Found found = find(guest, guest.vmlinux());
  CHECK_FALSE(found.types);
  REQUIRE(found.evidence.size() == 1);
  CHECK(found.evidence[0].what == "no types");
}

TEST_CASE("guest types: what the symbols come with counts before BTF in memory") {
  FixtureGuest guest(PRINTK_RINGBUFFER_KERNEL);
  put(guest, types_with("task_struct"));
  CollectedDiagnostics diagnostics;
  const auto running = find_running_kernel(guest.memory(), {guest.vcpu()}, diagnostics);
  REQUIRE(running);
  const GuestKernel kernel = GuestKernel::attach(*running, guest.vmlinux(), diagnostics);
  const KernelTypes types = types_of(kernel, diagnostics);
  // The fixture's own types know of no tasks.
  REQUIRE(types.sources().size() == 1);
  CHECK(types.field("task_struct.pid").offset == 8);
  CHECK(types.field("task_struct.pid").source->name() == "BTF in the guest's memory");
}

}  // namespace photon_dmesg::test
