#include "kernel/unwind/frame_pointer_step.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

using Result = Step::Result;

constexpr std::uint64_t user_ip = 0x7f0012345678;
constexpr std::uint16_t user_code = 0x33;

// A stack, and a cursor that a test puts somewhere in it.
struct Frames {
  TaskGuest guest;
  GuestVirtual stack = guest.allocate(0x1000);
  Cursor cursor;

  explicit Frames(const std::string& release = "4.9.0") : guest(release) {}

  Step step() {
    const CodeMap code(guest.kernel(), {});
    return step_by_frame_pointer(guest.memory(), code, cursor);
  }
  // The cursor at a return address; or at an instruction that comes next.
  void at_return(std::uint64_t ip, GuestVirtual sp, std::uint64_t bp) {
    cursor = Cursor{};
    cursor.ip = {ip};
    cursor.sp = sp;
    cursor.bp = bp;
  }
  void at_instruction(GuestVirtual ip, GuestVirtual sp, std::uint64_t bp) {
    at_return(ip.value, sp, bp);
    cursor.is_exact = true;
  }
  // push %rbp; mov %rsp,%rbp at the beginning of a function.
  void write_prologue(GuestVirtual function, std::uint64_t offset = 0) {
    guest.write_bytes(function + offset, {0x55, 0x48, 0x89, 0xe5});
  }
};

}  // namespace

TEST_CASE("frame pointers: a frame holds the caller's frame pointer and the return address") {
  Frames frames;
  const GuestVirtual caller = frames.guest.function("caller");
  const GuestVirtual callee = frames.guest.function("callee");
  const std::uint64_t back = frames.guest.call(caller, 0x20, callee);
  frames.guest.write_words(frames.stack + 0x100, {(frames.stack + 0x200).value, back});
  frames.at_return(callee.value + 0x30, frames.stack + 0x80, (frames.stack + 0x100).value);
  const Step step = frames.step();
  CHECK(step.result == Result::Caller);
  CHECK_FALSE(step.is_interrupted);
  CHECK(frames.cursor.ip.value == back);
  CHECK(frames.cursor.sp == frames.stack + 0x110);
  CHECK(frames.cursor.bp == (frames.stack + 0x200).value);
  CHECK_FALSE(frames.cursor.is_exact);
}

TEST_CASE("frame pointers: what is no frame is said, and not followed") {
  Frames frames;
  const GuestVirtual callee = frames.guest.function("callee");
  const auto why = [&](std::uint64_t bp) {
    frames.at_return(callee.value + 0x30, frames.stack, bp);
    const Step step = frames.step();
    CHECK(step.result == Result::Broken);
    return step.why;
  };
  CHECK_THAT(why(0), Catch::Contains("the chain of frame pointers ends"));
  CHECK_THAT(why((frames.stack + 0x104).value), Catch::Contains("is no frame pointer"));
  CHECK_THAT(why(TaskGuest::nowhere.value), Catch::Contains("can't be read"));
  CHECK_THAT(why(TaskGuest::nowhere.value | 1), Catch::Contains("the registers at"));
  frames.guest.write_words(frames.stack + 0x100, {1, 0x4141414141414141});
  CHECK_THAT(why((frames.stack + 0x100).value),
             Catch::Contains("returns to 0x4141414141414141, which is no code"));
  frames.guest.write_words(frames.stack + 0x100, {1, callee.value + 0x20});
  CHECK_THAT(why((frames.stack + 0x100).value), Catch::Contains("where no call has led"));
}

TEST_CASE("frame pointers: since 4.10 an odd one leads to the registers of an interrupt") {
  Frames frames("4.19.0");
  const GuestVirtual idle = frames.guest.function("default_idle");
  const GuestVirtual handler = frames.guest.function("do_IRQ");
  const GuestVirtual registers = frames.stack + 0x400;
  frames.guest.write_registers(registers, idle.value + 0x12, (frames.stack + 0x800).value,
                               (frames.stack + 0x880).value);
  frames.at_return(handler.value + 0x40, frames.stack + 0x100, registers.value | 1);
  const Step step = frames.step();
  CHECK(step.result == Result::Caller);
  CHECK(step.is_interrupted);
  CHECK(frames.cursor.ip == idle + 0x12);
  CHECK(frames.cursor.is_exact);
  CHECK(frames.cursor.sp == frames.stack + 0x800);
  CHECK(frames.cursor.bp == (frames.stack + 0x880).value);
}

TEST_CASE("frame pointers: registers of user mode end a trace, and those that are zero too") {
  Frames frames("4.19.0");
  const GuestVirtual entry = frames.guest.function("entry_SYSCALL_64");
  const GuestVirtual registers = frames.stack + 0x400;
  frames.at_return(entry.value + 0x40, frames.stack + 0x400, registers.value | 1);
  SECTION("user mode") {
    frames.guest.write_registers(registers, user_ip, 0x7ffc0000, 0, user_code);
    CHECK(frames.step().result == Result::User);
    CHECK(frames.cursor.ip.value == user_ip);
  }
  SECTION("a kernel thread's") {
    CHECK(frames.step().result == Result::End);
  }
}

TEST_CASE(
    "frame pointers: until 4.9 the registers stand behind the return address into entry code") {
  Frames frames("4.4.121");
  const GuestVirtual reader = frames.guest.function("do_read");
  for (const char* name : {"common_interrupt",
                           "apic_timer_interrupt",
                           "page_fault",
                           "reschedule_interrupt",
                           "call_function_single_interrupt",
                           "irq_work_interrupt",
                           "error_interrupt",
                           "invalid_op",
                           "general_protection",
                           "reboot_interrupt",
                           "x86_platform_ipi",
                           "spurious_interrupt",
                           "thermal_interrupt",
                           "end_repeat_nmi",
                           "nmi",
                           "stack_segment",
                           "device_not_available",
                           "alignment_check",
                           "simd_coprocessor_error",
                           "divide_error"}) {
    INFO(name);
    const GuestVirtual entry = frames.guest.function(name);
    const GuestVirtual sp = frames.stack + 0x300;
    frames.guest.write_registers(sp, reader.value + 0x10, (frames.stack + 0x800).value,
                                 (frames.stack + 0x840).value);
    frames.at_return(entry.value + 0x80, sp, (frames.stack + 0x840).value);
    const Step step = frames.step();
    CHECK(step.result == Result::Caller);
    CHECK(step.is_interrupted);
    CHECK(frames.cursor.ip == reader + 0x10);
  }
}

TEST_CASE("frame pointers: until 4.9 the interrupt stack begins with where the registers are") {
  Frames frames("4.9.0");
  const GuestVirtual reader = frames.guest.function("do_read");
  const GuestVirtual entry = frames.guest.function("common_interrupt");
  const GuestVirtual interrupt_stack = frames.guest.allocate(0x100);
  const GuestVirtual registers = frames.stack + 0x300;
  frames.guest.write(interrupt_stack, registers);
  frames.guest.write_registers(registers, reader.value + 0x10, (frames.stack + 0x800).value,
                               (frames.stack + 0x840).value);
  frames.at_return(entry.value + 0x80, interrupt_stack, (frames.stack + 0x840).value);
  const Step step = frames.step();
  CHECK(step.result == Result::Caller);
  CHECK(step.is_interrupted);
  CHECK(frames.cursor.ip == reader + 0x10);
  CHECK(frames.cursor.sp == frames.stack + 0x800);
}

TEST_CASE("frame pointers: a system call ends in user mode, until 4.9 too") {
  Frames frames("4.4.121");
  for (const char* name : {"entry_SYSCALL_64_fastpath", "entry_SYSCALL_64", "tracesys_phase2",
                           "entry_INT80_compat", "stub_clone", "int_ret_from_sys_call"}) {
    INFO(name);
    const GuestVirtual entry = frames.guest.function(name);
    frames.guest.write_registers(frames.stack + 0x300, user_ip, 0x7ffc0000, 0x1, user_code);
    frames.at_return(entry.value + 0x20, frames.stack + 0x300, 0x7ffc1000);
    CHECK(frames.step().result == Result::User);
    CHECK(frames.cursor.ip.value == user_ip);
  }
}

TEST_CASE("frame pointers: words behind a call that are no registers are not taken for any") {
  Frames frames("4.9.0");
  const GuestVirtual caller = frames.guest.function("schedule");
  // A function whose name begins as entry code does, and an ordinary frame.
  const GuestVirtual function = frames.guest.function("debug_mutex_lock");
  const std::uint64_t back = frames.guest.call(caller, 0x20, function);
  frames.guest.write_words(frames.stack + 0x400, {(frames.stack + 0x500).value, back});
  for (const std::uint16_t cs : std::initializer_list<std::uint16_t>{0x10, 0x33, 0x23, 0}) {
    INFO("cs " << cs);
    // No code at its ip; kernel code in user mode.
    frames.guest.write_registers(frames.stack + 0x300, cs == 0x10 ? 0x1234 : caller.value, 1, 2,
                                 cs);
    frames.at_return(function.value + 0x20, frames.stack + 0x300, (frames.stack + 0x400).value);
    const Step step = frames.step();
    CHECK(step.result == Result::Caller);
    CHECK_FALSE(step.is_interrupted);
    CHECK(frames.cursor.ip.value == back);
  }
}

TEST_CASE("frame pointers: a kernel thread ends in ret_from_fork, whatever rbp was there") {
  for (const char* release : {"4.4.121", "4.9.0", "4.19.0"}) {
    INFO(release);
    Frames frames(release);
    const GuestVirtual fork = frames.guest.function("ret_from_fork");
    for (const std::uint64_t bp : {std::uint64_t{0}, frames.stack.value, std::uint64_t{0x4142}}) {
      frames.at_return(fork.value + 0x20, frames.stack + 0xf58, bp);
      CHECK(frames.step().result == Result::End);
    }
  }
}

TEST_CASE("frame pointers: the kernel's own first functions end a trace") {
  Frames frames;
  for (const char* name : {"start_secondary", "x86_64_start_kernel", "secondary_startup_64",
                           "common_startup_64", "start_cpu0", "start_kernel"}) {
    INFO(name);
    const GuestVirtual first = frames.guest.function(name);
    frames.at_return(first.value + 0x40, frames.stack, 0);
    CHECK(frames.step().result == Result::End);
  }
}

TEST_CASE("frame pointers: a null return address is for who knows where the stack is") {
  Frames frames;
  frames.guest.write_words(frames.stack + 0x100, {0, 0});
  frames.at_return(frames.guest.function("cpu_startup_entry").value + 0x40, frames.stack,
                   (frames.stack + 0x100).value);
  CHECK(frames.step().result == Result::Caller);
  CHECK(frames.cursor.ip.value == 0);
  CHECK(frames.cursor.sp == frames.stack + 0x110);
}

TEST_CASE("frame pointers: a function that has not made its frame has its caller on the stack") {
  Frames frames;
  const GuestVirtual caller = frames.guest.function("caller");
  const GuestVirtual callee = frames.guest.function("callee");
  const std::uint64_t back = frames.guest.call(caller, 0x20, callee);
  frames.write_prologue(callee, 5);
  const std::uint64_t callers_bp = (frames.stack + 0x400).value;
  frames.guest.write(frames.stack, back);
  SECTION("at its first instruction") {
    frames.at_instruction(callee, frames.stack, callers_bp);
  }
  SECTION("behind push %rbp") {
    frames.guest.write_words(frames.stack, {callers_bp, back});
    frames.at_instruction(callee + 6, frames.stack, callers_bp);
  }
  SECTION("it never makes one, and has pushed two registers") {
    frames.guest.write_bytes(callee, std::vector<unsigned>(24, 0x90));
    frames.guest.write_words(frames.stack, {7, 8, back});
    frames.at_instruction(callee + 0x40, frames.stack, callers_bp);
  }
  const Step step = frames.step();
  CHECK(step.result == Result::Caller);
  CHECK(frames.cursor.ip.value == back);
  CHECK(frames.cursor.bp == callers_bp);
  CHECK_FALSE(frames.cursor.is_exact);
}

TEST_CASE(
    "frame pointers: called through a pointer, the first word counts before the frame is made") {
  Frames frames;
  const GuestVirtual caller = frames.guest.function("caller");
  const GuestVirtual callee = frames.guest.function("callee");
  const std::uint64_t back = frames.guest.indirect_call(caller, 0x20);
  const std::uint64_t older = frames.guest.call(caller, 0x60, caller);
  frames.write_prologue(callee);
  const GuestVirtual frame = frames.stack + 0x400;
  frames.guest.write_words(frame, {(frames.stack + 0x500).value, older});
  frames.guest.write(frames.stack, back);
  SECTION("before") {
    frames.at_instruction(callee, frames.stack, frame.value);
    CHECK(frames.step().result == Result::Caller);
    CHECK(frames.cursor.ip.value == back);
    CHECK(frames.cursor.bp == frame.value);
  }
  SECTION("before, called by the thunk that stands for a pointer") {
    const GuestVirtual thunk = frames.guest.function("__x86_indirect_thunk_rax");
    const std::uint64_t from_thunk = frames.guest.call(caller, 0x80, thunk);
    frames.guest.write(frames.stack, from_thunk);
    frames.at_instruction(callee, frames.stack, frame.value);
    CHECK(frames.step().result == Result::Caller);
    CHECK(frames.cursor.ip.value == from_thunk);
  }
  SECTION("behind it, though other instructions lie between its two halves") {
    // push %rbp; xor %eax,%eax; mov %rsp,%rbp
    frames.guest.write_bytes(callee, {0x55, 0x31, 0xc0, 0x48, 0x89, 0xe5});
    frames.at_instruction(callee + 0x40, frames.stack, frame.value);
    CHECK(frames.step().result == Result::Caller);
    CHECK(frames.cursor.ip.value == older);
  }
  SECTION("with a frame of its own a word on the stack is no proof") {
    frames.at_instruction(callee + 0x40, frames.stack, frame.value);
    CHECK(frames.step().result == Result::Caller);
    CHECK(frames.cursor.ip.value == older);
  }
}

TEST_CASE("frame pointers: a function with a frame returns by it, once") {
  Frames frames;
  const GuestVirtual caller = frames.guest.function("caller");
  const GuestVirtual callee = frames.guest.function("callee");
  const std::uint64_t back = frames.guest.call(caller, 0x20, callee);
  frames.write_prologue(callee);
  const GuestVirtual frame = frames.stack + 0x10;
  frames.guest.write_words(frame, {(frames.stack + 0x500).value, back});
  frames.at_instruction(callee + 0x40, frames.stack, frame.value);
  CHECK(frames.step().result == Result::Caller);
  CHECK(frames.cursor.ip.value == back);
  CHECK(frames.cursor.bp == (frames.stack + 0x500).value);
}

}  // namespace photon_dmesg::test
