#include "kernel/arch/aarch64/references.h"

#include <array>
#include <catch2/catch.hpp>
#include <span>
#include <vector>

namespace photon_dmesg::test {
namespace {

constexpr GuestVirtual begin{0xffff800008123010};

// `log_buf_addr_get()` as GCC makes it: adrp x0, +0x1234 pages; ldr x0, [x0, #0x428]; ret.
constexpr std::array<std::uint32_t, 3> loads_a_pointer = {0x900091a0, 0xf9421400, 0xd65f03c0};

template <std::size_t Count>
std::span<const std::byte> bytes(const std::array<std::uint32_t, Count>& code) {
  return std::as_bytes(std::span(code));
}

std::vector<GuestVirtual> references(std::span<const std::byte> code) {
  std::vector<GuestVirtual> found;
  aarch64::for_each_reference(code, begin, [&](GuestVirtual address) { found.push_back(address); });
  return found;
}

}  // namespace

TEST_CASE("arm64 code: the variable that a function returns") {
  CHECK(aarch64::returned_variable(bytes(loads_a_pointer), begin) ==
        GuestVirtual{0xffff800009357428});
  // adrp x1, -1 page; ldr w0, [x1, #8]
  constexpr std::array<std::uint32_t, 2> loads_a_number = {0xf0ffffe1, 0xb9400820};
  CHECK(aarch64::returned_variable(bytes(loads_a_number), begin) ==
        GuestVirtual{0xffff800008122008});
  // ldr x1, [x0]; ret: of no variable in the image
  constexpr std::array<std::uint32_t, 2> loads_nothing = {0xf9400001, 0xd65f03c0};
  CHECK_FALSE(aarch64::returned_variable(bytes(loads_nothing), begin));
  CHECK_FALSE(aarch64::returned_variable({}, begin));
}

TEST_CASE("arm64 code: references are made of two instructions, however far apart") {
  // adrp x2, 0; nop; add x3, x2, #0x10; str x4, [x2, #0x18]; strb w4, [x2, #0x21]
  constexpr std::array<std::uint32_t, 5> code = {0x90000002, 0xd503201f, 0x91004043, 0xf9000c44,
                                                 0x39008444};
  CHECK(references(bytes(code)) == std::vector<GuestVirtual>{{0xffff800008123010},
                                                             {0xffff800008123018},
                                                             {0xffff800008123021}});
  // Cut off in the middle of an instruction.
  CHECK(references(bytes(code).first(11)).empty());
}

}  // namespace photon_dmesg::test
