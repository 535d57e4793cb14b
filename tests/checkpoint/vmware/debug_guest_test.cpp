#include "checkpoint/vmware/debug_guest.h"

#include <catch2/catch.hpp>

#include "checkpoint/vmware/debug_guest_format.h"
#include "support/debug_guest_builder.h"
#include "support/errors.h"
#include "support/memory_pages.h"
#include "support/temporary_folder.h"

namespace photon_dmesg::test {
namespace {

GuestState open(const TemporaryFolder& folder, const std::string& content,
                Completeness completeness = Completeness::Required) {
  CollectedDiagnostics diagnostics;
  return open_debug_guest(folder.write_and_open("debug.guest", content), nullptr, disk_tree(),
                          completeness, diagnostics);
}

}  // namespace

TEST_CASE("open_debug_guest: every version's vCPUs and memory") {
  for (const DebugGuestForm& layout : debug_guest_forms) {
    CAPTURE(layout.version);
    const TemporaryFolder folder;
    folder.write("debug.vmem", numbered_pages(8));
    const std::string content = debug_guest(layout, 2, 8);
    CHECK(is_debug_guest(BufferSource("x", as_bytes(content))));
    const GuestState state = open(folder, content);
    REQUIRE(state.vcpus.size() == 2);
    const Vcpu& second = state.vcpus[1];
    CHECK(second.x86.cr[0] == 0x80050033U);
    CHECK(second.x86.cr[3] == 0x3001U);
    CHECK(second.x86.cr[4] == 0x4001U);
    CHECK(second.x86.idt_base == GuestVirtual{0xfffffe0000000000});
    CHECK(second.x86.general[0] == 0x20aU);  // rax is the eleventh
    CHECK(second.x86.general[4] == 0x213U);  // rsp the twentieth
    CHECK(second.x86.rip == GuestVirtual{0x210});
    CHECK(second.x86.gs_base == GuestVirtual{0x216});
    CHECK(page_at(*state.memory, 7 * page) == 7U);
    CHECK_FALSE(page_at(*state.memory, 8 * page));
  }
}

TEST_CASE("open_debug_guest: memory goes on behind each hole") {
  for (const DebugGuestForm& layout : debug_guest_forms) {
    CAPTURE(layout.version);
    const TemporaryFolder folder;
    folder.write("debug.vmem", numbered_pages(8));
    const GuestState state = open(folder, debug_guest(layout, 1, 8, {{4, 2}, {8, 10}}));
    CHECK(page_at(*state.memory, 3 * page) == 3U);
    CHECK_FALSE(page_at(*state.memory, 4 * page));
    CHECK(page_at(*state.memory, 6 * page) == 4U);
    CHECK_FALSE(page_at(*state.memory, 8 * page));
    CHECK(page_at(*state.memory, 18 * page) == 6U);
    CHECK_FALSE(page_at(*state.memory, 20 * page));
  }
}

TEST_CASE("is_debug_guest: cut or extended by a byte, or with a sum that is wrong, it is none") {
  const std::string content = debug_guest(debug_guest_forms[2], 1, 8);
  for (const std::string& other :
       {content.substr(1), content.substr(0, content.size() - 1), content + '\0',
        debug_guest({2, 22, 78, 42, false}, 1, 8), debug_guest(debug_guest_forms[2], 0, 8)}) {
    CHECK_FALSE(is_debug_guest(BufferSource("x", as_bytes(other))));
  }
  std::string wrong_sum = content;
  wrong_sum[30] = 9;  // pages
  CHECK_FALSE(is_debug_guest(BufferSource("x", as_bytes(wrong_sum))));
}

TEST_CASE("open_debug_guest: memory of another size is not its memory") {
  const TemporaryFolder folder;
  folder.write("debug.vmem", numbered_pages(7));
  check_fails(Failure::Mismatch, "describes 32768 bytes of memory, found 28672",
              [&] { (void)open(folder, debug_guest(debug_guest_forms[2], 1, 8)); });
}

TEST_CASE("open_debug_guest: memory that is cut short is read as far as it goes, if that will do") {
  const TemporaryFolder folder;
  folder.write("debug.vmem", numbered_pages(5));
  const std::string content = debug_guest(debug_guest_forms[2], 1, 8, {{4, 2}});
  const GuestState state = open(folder, content, Completeness::NotRequired);
  CHECK(page_at(*state.memory, 6 * page) == 4U);
  CHECK_FALSE(page_at(*state.memory, 7 * page));
  REQUIRE(state.missing.size() == 1);
  CHECK(state.missing.front().begin == GuestPhysical{7 * page});
  CHECK(state.missing.front().size == 3 * page);
  for (const std::size_t pages : {0U, 9U}) {
    folder.write("debug.vmem", numbered_pages(pages));
    check_fails(Failure::Mismatch, "it is not its memory",
                [&] { (void)open(folder, content, Completeness::NotRequired); });
  }
}

TEST_CASE("open_debug_guest: without memory the message says what to name") {
  const TemporaryFolder folder;
  check_fails(Failure::UnusableInput, "no .vmem of that name beside it",
              [&] { (void)open(folder, debug_guest(debug_guest_forms[2], 1, 8)); });
}

TEST_CASE("open_debug_guest: holes that overlap are refused") {
  const TemporaryFolder folder;
  folder.write("debug.vmem", numbered_pages(8));
  check_fails(Failure::UnusableInput, "expected holes one behind the other", [&] {
    (void)open(folder, debug_guest(debug_guest_forms[2], 1, 8, {{4, 4}, {6, 2}}));
  });
}

TEST_CASE("open_debug_guest: of an arm64 guest the memory is known, no register is") {
  const TemporaryFolder folder;
  folder.write("debug.vmem", numbered_pages(8));
  std::string content = debug_guest(debug_guest_forms[5], 1, 8);
  content[72] = 0;
  content += "a vCPU of whatever length";
  const GuestState state = open(folder, content);
  REQUIRE(state.vcpus.size() == 1);
  CHECK(state.vcpus.front().machine == Machine::Aarch64);
  CHECK_FALSE(state.vcpus.front().arm64.pc);
  CHECK(state.memory->size() == std::uint64_t{8} * 4096);
}

TEST_CASE("open_debug_guest: a guest of another architecture is refused") {
  const TemporaryFolder folder;
  folder.write("debug.vmem", numbered_pages(8));
  std::string content = debug_guest(debug_guest_forms[5], 1, 8);
  content[72] = 2;
  check_fails(Failure::UnusableInput, "expected the guest of an x86 or arm64 host",
              [&] { (void)open(folder, content); });
}

}  // namespace photon_dmesg::test
