#include "kernel/unwind/call_sites.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

struct Calls {
  TaskGuest guest;
  GuestVirtual caller = guest.function("caller");
  GuestVirtual callee = guest.function("callee");
  CodeMap code{guest.kernel(), {}};

  bool may_return_to(GuestVirtual address) {
    return may_be_return_address(guest.memory(), code, address);
  }
  // Whether a call through a register or memory is seen in front of `caller` + 0x40.
  bool is_call(const std::vector<unsigned>& bytes) {
    guest.write_bytes(caller + (0x40 - bytes.size()), bytes);
    return is_behind_indirect_call(guest.memory(), code, caller + 0x40);
  }
};

}  // namespace

TEST_CASE("call sites: a direct call names its function, before it and behind it") {
  Calls calls;
  const GuestVirtual forward{calls.guest.call(calls.caller, 0x20, calls.callee)};
  CHECK(direct_call_target(calls.guest.memory(), forward) == calls.callee);
  const GuestVirtual backward{calls.guest.call(calls.callee, 0x20, calls.caller)};
  CHECK(direct_call_target(calls.guest.memory(), backward) == calls.caller);
  CHECK_FALSE(direct_call_target(calls.guest.memory(), forward + 1));
  CHECK_FALSE(direct_call_target(calls.guest.memory(), TaskGuest::nowhere));
}

TEST_CASE("call sites: calls through registers and memory, of each length") {
  CHECK(Calls().is_call({0xff, 0xd0}));                                      // *%rax
  CHECK(Calls().is_call({0x41, 0xff, 0xd4}));                                // *%r12
  CHECK(Calls().is_call({0xff, 0x50, 0x18}));                                // *0x18(%rax)
  CHECK(Calls().is_call({0xff, 0x14, 0xc5, 0, 0, 0, 0x81}));                 // *table(,%rax,8)
  CHECK(Calls().is_call({0xff, 0x15, 1, 2, 3, 4}));                          // *x(%rip)
  CHECK(Calls().is_call({0xff, 0x90, 0x80, 1, 0, 0}));                       // *0x180(%rax)
  CHECK_FALSE(Calls().is_call({0xff, 0xe0}));                                // jmp *%rax
  CHECK_FALSE(Calls().is_call({0xff, 0x30}));                                // push (%rax)
  CHECK_FALSE(Calls().is_call({0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90}));  // nothing
}

TEST_CASE("call sites: a thunk stands for a call through a register") {
  for (const char* name : {"__x86_indirect_thunk_rax", "__x86_indirect_its_thunk_r11"}) {
    Calls calls;
    const GuestVirtual thunk = calls.guest.function(name);
    const CodeMap code(calls.guest.kernel(), {});
    CHECK(is_behind_indirect_call(calls.guest.memory(), code,
                                  {calls.guest.call(calls.caller, 0x20, thunk)}));
    CHECK_FALSE(is_behind_indirect_call(calls.guest.memory(), code,
                                        {calls.guest.call(calls.caller, 0x20, calls.callee)}));
  }
}

TEST_CASE("call sites: whether a call is in front, if that can be read") {
  Calls calls;
  const GuestVirtual behind{calls.guest.call(calls.caller, 0x20, calls.callee)};
  CHECK(is_behind_call(calls.guest.memory(), behind) == true);
  CHECK(is_behind_call(calls.guest.memory(), behind + 3) == false);
  CHECK_FALSE(is_behind_call(calls.guest.memory(), TaskGuest::nowhere));
}

TEST_CASE("call sites: a return address is code behind a call") {
  Calls calls;
  const GuestVirtual behind{calls.guest.call(calls.caller, 0x20, calls.callee)};
  CHECK(calls.may_return_to(behind));
  CHECK_FALSE(calls.may_return_to(behind + 3));
  CHECK_FALSE(calls.may_return_to(calls.caller));
  CHECK_FALSE(calls.may_return_to({0}));
  CHECK_FALSE(calls.may_return_to({0x41414141}));
  // A call in data is none.
  const GuestVirtual data = calls.guest.variable("data");
  CHECK_FALSE(calls.may_return_to({calls.guest.call(data, 0x20, calls.callee)}));
}

TEST_CASE("call sites: the first call of a function on the stack proves its caller") {
  Calls calls;
  TaskGuest& guest = calls.guest;
  const GuestVirtual stack = guest.allocate(64);
  const std::uint64_t of_callee = guest.call(calls.caller, 0x20, calls.callee);
  const std::uint64_t of_other = guest.call(calls.caller, 0x40, calls.caller);
  guest.write_words(stack, {1, of_other, calls.callee.value, of_callee, of_callee});
  const auto find = [&](GuestVirtual begin, std::uint64_t most) {
    return find_call_of(guest.memory(), calls.code, begin, stack, most);
  };
  CHECK(find(calls.callee, 8) == stack + 24);
  CHECK(find(calls.caller, 8) == stack + 8);
  CHECK_FALSE(find(calls.callee, 3));
  CHECK_FALSE(find(calls.callee + 1, 8));
  CHECK_FALSE(find_call_of(guest.memory(), calls.code, calls.callee, TaskGuest::nowhere, 8));
}

}  // namespace photon_dmesg::test
