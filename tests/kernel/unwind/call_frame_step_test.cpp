#include "kernel/unwind/call_frame_step.h"

#include <catch2/catch.hpp>
#include <map>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

// What a test says of each place, as linked.
class MadeFrames final : public CallFrames {
 public:
  std::map<std::uint64_t, CallFrame> frames;

  [[nodiscard]] std::optional<CallFrame> find(GuestVirtual address) const override {
    const auto found = frames.find(address.value);
    return found == frames.end() ? std::nullopt : std::optional(found->second);
  }
};

struct Kernel {
  TaskGuest guest{"4.19.0"};
  GuestVirtual caller = guest.function("caller");
  GuestVirtual callee = guest.function("callee");
  GuestVirtual stack = guest.allocate(0x1000);
  std::uint64_t back = guest.call(caller, 0x20, callee);
  MadeFrames frames;
  Cursor cursor;

  Kernel() {
    cursor.ip = callee + 0x10;
    cursor.sp = stack + 0x100;
    cursor.bp = (stack + 0x400).value;
    cursor.is_exact = true;
  }
  void tell(GuestVirtual at, const CallFrame& frame) {
    frames.frames[at.value - TaskGuest::kaslr_offset] = frame;
  }
  bool step() {
    const CodeMap code(guest.kernel(), {});
    return step_by_call_frame(guest.memory(), code, frames, TaskGuest::kaslr_offset, cursor);
  }
};

}  // namespace

TEST_CASE("call frames: the caller of a function that has no frame yet keeps its frame pointer") {
  Kernel kernel;
  kernel.guest.write(kernel.stack + 0x100, kernel.back);
  kernel.tell(kernel.callee + 0x10, {CallFrame::Base::Sp, 8, std::nullopt});
  REQUIRE(kernel.step());
  CHECK(kernel.cursor.ip.value == kernel.back);
  CHECK(kernel.cursor.sp == kernel.stack + 0x108);
  CHECK(kernel.cursor.bp == (kernel.stack + 0x400).value);
  CHECK_FALSE(kernel.cursor.is_exact);
}

TEST_CASE(
    "call frames: by the frame pointer, which is saved, and by the call of a return address") {
  Kernel kernel;
  kernel.guest.write_words(kernel.stack + 0x400, {0x1234, kernel.back});
  kernel.cursor.is_exact = false;
  kernel.tell(kernel.callee + 0xf, {CallFrame::Base::Bp, 16, -16});
  REQUIRE(kernel.step());
  CHECK(kernel.cursor.ip.value == kernel.back);
  CHECK(kernel.cursor.sp == kernel.stack + 0x410);
  CHECK(kernel.cursor.bp == 0x1234);
}

TEST_CASE("call frames: the cursor stays where nothing is told or what is told leads nowhere") {
  Kernel kernel;
  const auto stays = [&] {
    const Cursor before = kernel.cursor;
    CHECK_FALSE(kernel.step());
    CHECK(kernel.cursor.ip == before.ip);
    CHECK(kernel.cursor.sp == before.sp);
    CHECK(kernel.cursor.bp == before.bp);
  };
  const GuestVirtual at = kernel.callee + 0x10;
  stays();
  SECTION("no code") {
    kernel.guest.write(kernel.stack + 0x100, std::uint64_t{0x4141414141414141});
    kernel.tell(at, {CallFrame::Base::Sp, 8, std::nullopt});
    stays();
  }
  SECTION("back") {
    kernel.guest.write(kernel.stack + 0x80, kernel.back);
    kernel.tell(at, {CallFrame::Base::Sp, -0x78, std::nullopt});
    stays();
  }
  SECTION("memory that is not there") {
    kernel.tell(at, {CallFrame::Base::Sp, INT64_MIN, std::nullopt});
    stays();
    kernel.guest.write(kernel.stack + 0x100, kernel.back);
    kernel.tell(at, {CallFrame::Base::Sp, 8, INT64_MIN});
    stays();
  }
  SECTION("a frame pointer that is not known") {
    kernel.tell(at, {CallFrame::Base::Bp, 16, -16});
    kernel.cursor.bp.reset();
    stays();
  }
}

TEST_CASE("call frames: code outside the image is not looked up in it") {
  Kernel kernel;
  kernel.guest.write(kernel.stack + 0x100, kernel.back);
  kernel.cursor.ip = TaskGuest::module_begin + 0x10;
  kernel.tell(kernel.cursor.ip, {CallFrame::Base::Sp, 8, std::nullopt});
  CHECK_FALSE(kernel.step());
}

}  // namespace photon_dmesg::test
