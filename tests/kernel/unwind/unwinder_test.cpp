#include "kernel/unwind/unwinder.h"

#include <catch2/catch.hpp>

#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

constexpr std::uint64_t user_ip = 0x7f0012345678;
constexpr std::uint16_t user_code = 0x33;

// ORC of 6.4 to 7.0: %rsp with `bytes` to the caller's frame, and the end of a stack.
constexpr const char* orc_hash = "fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24";
constexpr std::uint16_t by_sp = 5 | 2 << 8;
constexpr std::uint16_t by_sp_with_bp = 5 | 1 << 4 | 2 << 8;
constexpr std::uint16_t by_bp = 4 | 1 << 4 | 2 << 8;
constexpr std::uint16_t all_registers = 5 | 3 << 8;
constexpr std::uint16_t some_registers = 5 | 4 << 8;
constexpr std::uint16_t end_of_stack = 1 << 8;
constexpr std::uint16_t undefined = 0;

// A kernel with a scheduler, a sleeping function and the ways into it.
struct Kernel {
  TaskGuest guest;
  GuestVirtual fork = guest.function("ret_from_fork");
  GuestVirtual entry = guest.function("entry_SYSCALL_64");
  GuestVirtual interrupt = guest.function("common_interrupt");
  GuestVirtual switch_to = guest.function("__switch_to_asm");
  GuestVirtual schedule = guest.function("__schedule");
  GuestVirtual sleeper = guest.function("sleeper");
  GuestVirtual thread = guest.function("kthread");
  GuestVirtual swapper_end = guest.function("last");
  MadeTask swapper = guest.task(0, "swapper/0");
  MadeTask task = guest.task(1, "some");
  // What debug information tells of the frames; nothing unless a test says so.
  Unwinder::OpenCallFrames open_frames = [] { return nullptr; };

  explicit Kernel(const std::string& release) : guest(release) {}

  Trace trace_of(const std::function<Trace(const Unwinder&, const Tasks&)>& what) {
    const Cpus cpus = guest.cpus();
    const Stacks stacks(guest.kernel(), guest.types(), cpus);
    const Tasks tasks = guest.tasks();
    const CodeMap code(guest.kernel(), {});
    return what(Unwinder(guest.kernel(), code, stacks, open_frames, guest.diagnostics()), tasks);
  }
  Trace trace() {
    return trace_of([&](const Unwinder& unwinder, const Tasks& tasks) {
      return unwinder.trace(*tasks.find(task.address));
    });
  }
  Trace trace(const Vcpu& vcpu) {
    return trace_of([&](const Unwinder& unwinder, const Tasks&) { return unwinder.trace(vcpu); });
  }
};

Vcpu vcpu_at(GuestVirtual ip, GuestVirtual sp, std::uint64_t bp, std::uint16_t cs = 0x10) {
  Vcpu vcpu;
  vcpu.x86.rip = ip;
  vcpu.x86.general[Rsp] = sp.value;
  vcpu.x86.general[Rbp] = bp;
  vcpu.x86.cs = cs;
  return vcpu;
}

// "sleeper+0x20; !do_read+0x10; ?kthread+0x8 | user": interrupted ones with "!", guesses with "?".
std::string text_of(const Trace& trace) {
  std::string text;
  for (const Frame& frame : trace.frames) {
    if (!text.empty()) text += "; ";
    if (frame.kind == FrameKind::Interrupted) text += '!';
    if (!frame.is_reliable) text += '?';
    text += frame.place ? fmt::format("{}+{:#x}", frame.place->symbol, frame.place->offset)
                        : fmt::format("{}", frame.address);
    if (frame.stack != StackKind::Task) text += fmt::format(" <{}>", name_of(frame.stack));
  }
  return text + " | " + std::string(name_of(trace.end));
}

}  // namespace

TEST_CASE("unwinder: until 4.8 a task saves its frame pointer and nothing else") {
  Kernel kernel("4.4.121");
  TaskGuest& guest = kernel.guest;
  const std::uint64_t to_sleeper = guest.call(kernel.sleeper, 0x20, kernel.schedule);
  const std::uint64_t to_entry = guest.indirect_call(kernel.entry, 0x40);
  const GuestVirtual registers{kernel.task.stack_end().value - 168};
  const GuestVirtual sleepers = {registers.value - 16};
  const GuestVirtual schedules = {sleepers.value - 0x100};
  guest.write_words(schedules, {sleepers.value, to_sleeper});
  guest.write_words(sleepers, {1, to_entry});
  guest.write_registers(registers, user_ip, 0x7ffc0000, 1, user_code);
  const GuestVirtual sp{schedules.value - 0x40};
  guest.write_words(sp, {schedules.value, 0x246});
  guest.write(kernel.task.address + task_at::sp, sp);
  CHECK(text_of(kernel.trace()) == "sleeper+0x20; entry_SYSCALL_64+0x40 | user");
  CHECK(kernel.trace().user_ip == GuestVirtual{user_ip});
  CHECK(kernel.trace().method == UnwindMethod::FramePointers);
}

TEST_CASE("unwinder: since 4.9 a task saves where it goes on, with or without its flags") {
  for (const std::uint64_t flags : {std::uint64_t{0}, std::uint64_t{8}}) {
    Kernel kernel("4.19.0");
    TaskGuest& guest = kernel.guest;
    const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
    const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.schedule);
    const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
    const GuestVirtual threads{kernel.task.stack_end().value - 168 - 16};
    const GuestVirtual schedules = {threads.value - 0x100};
    guest.write_words(threads, {0x4142, to_fork});
    guest.write_words(schedules, {threads.value, to_thread});
    guest.save_frame(kernel.task, {schedules.value - 0x80 + flags}, schedules.value, to_schedule);
    guest.write(kernel.task.address + task_at::sp, GuestVirtual{schedules.value - 0x80});
    CHECK(text_of(kernel.trace()) ==
          "__schedule+0x60; kthread+0x20; ret_from_fork+0x30 | kernel_thread");
  }
}

TEST_CASE("unwinder: a null return address ends a trace only where a stack begins") {
  for (const std::uint64_t below_end : {64U, 1024U, 1040U, 8192U}) {
    Kernel kernel("4.4.121");
    TaskGuest& guest = kernel.guest;
    const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.schedule);
    const GuestVirtual first{kernel.task.stack_end().value - below_end - 8};
    const GuestVirtual schedules{first.value - 0x40};
    guest.write_words(first, {0, 0});
    guest.write_words(schedules, {first.value, to_thread});
    guest.write_words({schedules.value - 0x40}, {schedules.value, 0x246});
    guest.write(kernel.task.address + task_at::sp, GuestVirtual{schedules.value - 0x40});
    const Trace trace = kernel.trace();
    CAPTURE(below_end, trace.why);
    CHECK(text_of(trace) == (below_end <= 1024 ? "kthread+0x20 | start" : "kthread+0x20 | broken"));
    CHECK(trace.why == (below_end <= 1024
                            ? ""
                            : fmt::format("the return address in front of {} is 0", first + 16)));
  }
}

TEST_CASE("unwinder: a return address that the kernel has put there for its probes is no caller") {
  const std::string hook = GENERATE("arch_rethook_trampoline", "kretprobe_trampoline",
                                    "__kretprobe_trampoline", "return_to_handler");
  const bool has_orc = GENERATE(true, false);
  CAPTURE(hook, has_orc);
  Kernel kernel("6.1.0");
  TaskGuest& guest = kernel.guest;
  guest.function("in_front_of_it");
  const GuestVirtual trampoline = guest.function(hook);
  if (has_orc) {
    guest.orc({{kernel.fork, 0, 0, end_of_stack},
               {kernel.schedule, 16, -16, by_sp_with_bp},
               {kernel.thread, 16, -16, by_sp_with_bp}},
              orc_hash);
  }
  const GuestVirtual threads{kernel.task.stack_end().value - 168 - 16};
  const GuestVirtual schedules{threads.value - 0x100};
  guest.write_words(threads, {0, guest.indirect_call(kernel.fork, 0x30)});
  guest.write_words(schedules, {threads.value, trampoline.value});
  guest.save_frame(kernel.task, {schedules.value - 56}, schedules.value,
                   guest.call(kernel.schedule, 0x60, kernel.switch_to));
  const Trace trace = kernel.trace();
  CHECK(text_of(trace) == "__schedule+0x60; ?ret_from_fork+0x30 | broken");
  CHECK_THAT(trace.why, Catch::Contains("the kernel's own, for probes"));
}

TEST_CASE("unwinder: a trace that goes on by frame pointers where ORC is silent is not whole") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  guest.orc({{kernel.schedule, 16, -16, by_sp_with_bp}, {kernel.thread, 16, -16, by_sp_with_bp}},
            orc_hash);
  const GuestVirtual registers{kernel.task.stack_end().value - 168};
  const GuestVirtual entries{registers.value - 0x40};
  const GuestVirtual schedules{entries.value - 0x100};
  const std::uint64_t to_fork = guest.call(kernel.fork, 0x30, kernel.schedule);
  guest.write_words(entries, {0, 0});
  guest.write_words(schedules, {entries.value, to_fork});
  guest.save_frame(kernel.task, {schedules.value - 56}, schedules.value,
                   guest.call(kernel.schedule, 0x60, kernel.switch_to));
  const Trace trace = kernel.trace();
  CHECK(text_of(trace) == "__schedule+0x60; ret_from_fork+0x30 | broken");
  CHECK_FALSE(trace.is_complete());
  CHECK_THAT(trace.why, Catch::Contains("by frame pointers from there on"));
}

TEST_CASE("unwinder: a trace ends where all traces together have as many frames as they may") {
  Kernel kernel("4.19.0");
  TaskGuest& guest = kernel.guest;
  const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
  const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.schedule);
  const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
  const GuestVirtual threads{kernel.task.stack_end().value - 168 - 16};
  const GuestVirtual schedules = {threads.value - 0x100};
  guest.write_words(threads, {0x4142, to_fork});
  guest.write_words(schedules, {threads.value, to_thread});
  guest.save_frame(kernel.task, {schedules.value - 0x80}, schedules.value, to_schedule);
  guest.write(kernel.task.address + task_at::sp, GuestVirtual{schedules.value - 0x80});
  TraceBudgets budgets{{"frames", 3}, {"words", 100}};
  const auto trace = [&] {
    return kernel.trace_of([&](const Unwinder& unwinder, const Tasks& tasks) {
      return unwinder.trace(*tasks.find(kernel.task.address), &budgets);
    });
  };
  CHECK(text_of(trace()) == "__schedule+0x60; kthread+0x20; ret_from_fork+0x30 | kernel_thread");
  const Trace cut = trace();
  CHECK(text_of(cut) == "__schedule+0x60; kthread+0x20 | broken");
  CHECK(cut.why == "the stacks of all tasks have more frames than those of any sound guest");
  CHECK(text_of(trace()) == "__schedule+0x60 | broken");
  CHECK(budgets.frames.exceeded());
}

TEST_CASE(
    "unwinder: guesses end where all traces together have looked at as many words as may be") {
  Kernel kernel("4.19.0");
  TaskGuest& guest = kernel.guest;
  const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
  const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.schedule);
  const GuestVirtual sp = kernel.task.stack + 0x2000;
  guest.save_frame(kernel.task, sp, 1, to_schedule);
  const GuestVirtual behind = sp + 56;
  for (const std::uint64_t word : {3U, 9U}) guest.write(behind + word * 8, to_thread);
  TraceBudgets budgets{{"frames", 100}, {"words", 1017 + 5}};
  const auto trace = [&] {
    return text_of(kernel.trace_of([&](const Unwinder& unwinder, const Tasks& tasks) {
      return unwinder.trace(*tasks.find(kernel.task.address), &budgets);
    }));
  };
  CHECK(trace() == "__schedule+0x60; ?kthread+0x20; ?kthread+0x20 | broken");
  CHECK_FALSE(budgets.words.exceeded());
  CHECK(trace() == "__schedule+0x60; ?kthread+0x20 | broken");
  CHECK(budgets.words.exceeded());
  CHECK(trace() == "__schedule+0x60 | broken");
}

TEST_CASE("unwinder: a new task begins at ret_from_fork itself") {
  Kernel kernel("6.1.0");
  const GuestVirtual sp{kernel.task.stack_end().value - 168 - 56};
  kernel.guest.save_frame(kernel.task, sp, 0, kernel.fork.value);
  kernel.guest.orc({{kernel.fork, 8, 0, end_of_stack},
                    {kernel.entry, 8, 0, by_sp},
                    {kernel.schedule, 8, 0, by_sp}},
                   orc_hash);
  CHECK(text_of(kernel.trace()) == "ret_from_fork+0x0 | kernel_thread");
}

TEST_CASE("unwinder: by ORC from the scheduler to user mode") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  guest.orc({{kernel.entry, 0, 0, all_registers},
             {kernel.schedule, 16, -16, by_sp_with_bp},
             {kernel.sleeper, 16, -16, by_bp}},
            orc_hash);
  const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
  const std::uint64_t to_sleeper = guest.call(kernel.sleeper, 0x20, kernel.schedule);
  const std::uint64_t to_entry = guest.indirect_call(kernel.entry, 0x40);
  const GuestVirtual registers{kernel.task.stack_end().value - 168};
  const GuestVirtual sp{registers.value - 0x100};
  guest.save_frame(kernel.task, sp, 0x1234, to_schedule);
  // __schedule: the saved frame pointer and the return address; sleeper's frame is by that.
  guest.write_words(sp + 56, {registers.value - 16, to_sleeper});
  guest.write_words({registers.value - 16}, {5, to_entry});
  guest.write_registers(registers, user_ip, 0x7ffc0000, 5, user_code);
  const Trace trace = kernel.trace();
  CHECK(text_of(trace) == "__schedule+0x60; sleeper+0x20; entry_SYSCALL_64+0x40 | user");
  CHECK(trace.method == UnwindMethod::Orc);
  CHECK(trace.is_complete());
}

TEST_CASE(
    "unwinder: by ORC through an interrupt, whole registers or the processor's part of them") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  const bool has_all = GENERATE(true, false);
  guest.orc({{kernel.fork, 0, 0, end_of_stack},
             {kernel.interrupt, 0, 0, has_all ? all_registers : some_registers},
             {kernel.schedule, 8, 0, by_sp},
             {kernel.sleeper, 8, 0, by_sp},
             {kernel.thread, 8, 0, by_sp}},
            orc_hash);
  const std::uint64_t to_interrupt = guest.call(kernel.interrupt, 0x40, kernel.sleeper);
  const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
  const GuestVirtual sp = kernel.task.stack + 0x2000;
  guest.write(sp, to_interrupt);
  const GuestVirtual before = kernel.task.stack + 0x3000;
  if (has_all) {
    guest.write_registers(sp + 8, kernel.thread.value + 0x14, before.value, 7);
  } else {
    guest.write_words(sp + 8, {kernel.thread.value + 0x14, 0x10, 0x246, before.value, 0x18});
  }
  guest.write(before, to_fork);
  CHECK(text_of(kernel.trace(vcpu_at(kernel.sleeper + 0x18, sp, 9))) ==
        "sleeper+0x18; common_interrupt+0x40; !kthread+0x14; ret_from_fork+0x30 | kernel_thread");
}

TEST_CASE("unwinder: where ORC tells nothing of the first place the call proves its caller") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  guest.orc({{kernel.fork, 0, 0, end_of_stack},
             {kernel.schedule, 8, 0, by_sp},
             {kernel.sleeper, 0, 0, undefined},
             {kernel.thread, 16, 0, by_sp}},
            orc_hash);
  const GuestVirtual sp = kernel.task.stack + 0x2000;
  const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.sleeper);
  const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
  guest.write_words(sp, {1, 2, to_thread, 3, to_fork});
  CHECK(text_of(kernel.trace(vcpu_at(kernel.sleeper + 0x18, sp, 9))) ==
        "sleeper+0x18; kthread+0x20; ret_from_fork+0x30 | kernel_thread");
}

TEST_CASE("unwinder: where the stack pointer is in doubt all but the first place is a guess") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  guest.orc({{kernel.fork, 0, 0, end_of_stack},
             {kernel.schedule, 8, 0, by_sp},
             {kernel.sleeper, 8, 0, by_sp},
             {kernel.thread, 8, 0, by_sp}},
            orc_hash);
  const GuestVirtual sp = kernel.task.stack + 0x2000;
  guest.write_words(sp, {guest.call(kernel.thread, 0x20, kernel.sleeper),
                         guest.indirect_call(kernel.fork, 0x30)});
  Vcpu vcpu = vcpu_at(kernel.sleeper + 0x18, sp, 9);
  CHECK(kernel.trace(vcpu).is_complete());
  vcpu.x86.stack_registers_in_doubt = true;
  const Trace trace = kernel.trace(vcpu);
  CHECK(text_of(trace) == "sleeper+0x18; ?kthread+0x20; ?ret_from_fork+0x30 | broken");
  CHECK(trace.why == "which of two registers is the stack pointer is not known");
  // In user mode no stack of the kernel's is in use.
  vcpu.x86.cs = user_code;
  CHECK(kernel.trace(vcpu).is_complete());
}

TEST_CASE("unwinder: a call of a null pointer has its caller on the stack") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  guest.orc({{kernel.fork, 0, 0, end_of_stack},
             {kernel.schedule, 8, 0, by_sp},
             {kernel.sleeper, 8, 0, by_sp},
             {kernel.thread, 8, 0, by_sp}},
            orc_hash);
  const GuestVirtual sp = kernel.task.stack + 0x2000;
  guest.write_words(
      sp, {guest.indirect_call(kernel.thread, 0x20), guest.indirect_call(kernel.fork, 0x30)});
  CHECK(text_of(kernel.trace(vcpu_at({0}, sp, 9))) ==
        "0x0; kthread+0x20; ret_from_fork+0x30 | kernel_thread");
}

TEST_CASE("unwinder: from the interrupt stack back to the task's, until 4.9 too") {
  Kernel kernel("4.9.0");
  TaskGuest& guest = kernel.guest;
  const GuestVirtual data = guest.allocate(0x1000);
  const GuestVirtual irq_stack = guest.allocate(0x4000, 0x4000);
  guest.write(guest.variable("__per_cpu_offset"), data);
  guest.symbol("irq_stack_ptr", {0x80});
  guest.write(data + 0x80, irq_stack + 0x3fc0);
  const std::uint64_t to_interrupt = guest.call(kernel.interrupt, 0x40, kernel.sleeper);
  const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
  // The interrupt came into kthread, which has a frame.
  guest.write_bytes(kernel.thread, {0x55, 0x48, 0x89, 0xe5});
  const GuestVirtual threads{kernel.task.stack_end().value - 168 - 16};
  guest.write_words(threads, {0, to_fork});
  const GuestVirtual registers{threads.value - 0x200};
  guest.write_registers(registers, kernel.thread.value + 0x14, threads.value - 0x40, threads.value);
  const GuestVirtual first = irq_stack + 0x3fb8;
  guest.write(first, registers);
  guest.write_words({first.value - 16}, {threads.value, to_interrupt});
  CHECK(text_of(
            kernel.trace(vcpu_at(kernel.sleeper + 0x18, {first.value - 0x40}, first.value - 16))) ==
        "sleeper+0x18 <irq>; common_interrupt+0x40 <irq>; !kthread+0x14; ret_from_fork+0x30 | "
        "kernel_thread");
}

TEST_CASE("unwinder: from an interrupt stack that no variable names, by what stands at its top") {
  Kernel kernel("5.10.0");
  TaskGuest& guest = kernel.guest;
  const GuestVirtual top = guest.allocate(0x4000, 0x4000) + 0x4000;
  const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.sleeper);
  const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
  guest.write_bytes(kernel.sleeper, {0x55, 0x48, 0x89, 0xe5});
  const GuestVirtual threads{kernel.task.stack_end().value - 168 - 16};
  guest.write_words(threads, {0, to_fork});
  const GuestVirtual frame{top.value - 24};
  guest.write_words(frame, {threads.value, to_thread, threads.value - 0x20});
  const auto trace = [&] {
    return kernel.trace(vcpu_at(kernel.sleeper + 0x18, {frame.value - 0x40}, frame.value));
  };
  CHECK(text_of(trace()) ==
        "sleeper+0x18 <irq>; kthread+0x20 <irq>; ret_from_fork+0x30 | kernel_thread");
  // Anything else there, and the frame pointer may lead anywhere.
  guest.write({top.value - 8}, threads.value - 0x2000);
  CHECK_THAT(trace().why, Catch::Contains("the stack leads back to"));
}

TEST_CASE("unwinder: a wrong thread.sp is said, and nothing is made up") {
  Kernel kernel("6.1.0");
  std::string expected = "no frame is saved where its stack ends";
  SECTION("null") {
    kernel.guest.write(kernel.task.address + task_at::sp, 0);
    expected = "where its stack ends is not known";
  }
  SECTION("not mapped") {
    kernel.guest.write(kernel.task.address + task_at::sp, TaskGuest::nowhere);
  }
  SECTION("zeros") {
    kernel.guest.write(kernel.task.address + task_at::sp, kernel.task.stack + 0x2000);
  }
  SECTION("the end of all addresses") {
    kernel.guest.write(kernel.task.address + task_at::sp, ~std::uint64_t{7});
  }
  const Trace trace = kernel.trace();
  CHECK(text_of(trace) == " | broken");
  CHECK(trace.why == expected);
}

TEST_CASE("unwinder: until 4.8 a wrong thread.sp gives no frames either") {
  Kernel kernel("4.4.121");
  for (const GuestVirtual sp :
       {TaskGuest::nowhere, kernel.task.stack + 0x2000, GuestVirtual{0x1000}}) {
    kernel.guest.write(kernel.task.address + task_at::sp, sp);
    CHECK(text_of(kernel.trace()) == " | broken");
  }
}

TEST_CASE("unwinder: where it does not go on, what may be return addresses follows as guesses") {
  Kernel kernel("4.19.0");
  TaskGuest& guest = kernel.guest;
  const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
  const std::uint64_t to_sleeper = guest.call(kernel.sleeper, 0x20, kernel.schedule);
  const GuestVirtual sp = kernel.task.stack + 0x3000;
  guest.save_frame(kernel.task, sp, 0x4141414141414141, to_schedule);
  guest.write_words(sp + 0x80, {to_sleeper, kernel.sleeper.value, 1, 2, to_sleeper});
  const Trace trace = kernel.trace();
  CHECK(text_of(trace) == "__schedule+0x60; ?sleeper+0x20; ?sleeper+0x20 | broken");
  CHECK_THAT(trace.why, Catch::Contains("is no frame pointer"));
}

TEST_CASE("unwinder: frames that lead back or stay end a trace") {
  Kernel kernel("4.19.0");
  TaskGuest& guest = kernel.guest;
  const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
  const std::uint64_t to_sleeper = guest.call(kernel.sleeper, 0x20, kernel.schedule);
  const GuestVirtual frame = kernel.task.stack + 0x3000;
  guest.save_frame(kernel.task, kernel.task.stack + 0x2000, frame.value, to_schedule);
  SECTION("to itself") {
    guest.write_words(frame, {frame.value, to_sleeper});
  }
  SECTION("down") {
    guest.write_words(frame, {(kernel.task.stack + 0x2800).value, to_sleeper});
    guest.write_words(kernel.task.stack + 0x2800, {frame.value, to_sleeper});
  }
  const Trace trace = kernel.trace();
  CHECK_FALSE(trace.is_complete());
  CHECK_THAT(trace.why, Catch::Contains("the stack leads back to"));
}

TEST_CASE("unwinder: an ORC table that is rubbish gives an end, not a trace") {
  Kernel kernel("6.6.0");
  TaskGuest& guest = kernel.guest;
  std::vector<TaskGuest::OrcLine> lines;
  for (unsigned i = 0; i < 64; ++i) {
    lines.push_back({kernel.fork + i * 0x20, static_cast<std::int16_t>(i * 2654435761U),
                     static_cast<std::int16_t>(i * 40503U),
                     static_cast<std::uint16_t>(i * 2246822519U >> 16)});
  }
  guest.orc(lines, orc_hash);
  const std::uint64_t to_schedule = guest.call(kernel.schedule, 0x60, kernel.switch_to);
  for (std::uint64_t i = 0; i < kernel_stack_size; i += 8) {
    guest.write(kernel.task.stack + i, i % 64 == 0 ? to_schedule : kernel.task.stack.value + i * 7);
  }
  guest.save_frame(kernel.task, kernel.task.stack + 0x2000, kernel.task.stack.value + 0x2100,
                   to_schedule);
  CHECK(kernel.trace().frames.size() <= 4096);
  for (std::uint64_t i = 0; i < 0x800; i += 9) {
    const Trace trace = kernel.trace(vcpu_at(kernel.fork + i, kernel.task.stack + 0x1000, i));
    CHECK(trace.frames.size() <= 4096);
  }
}

TEST_CASE("unwinder: a vCPU's stack pointer into nowhere gives its instruction alone") {
  for (const char* release : {"4.4.121", "6.6.0"}) {
    Kernel kernel(release);
    for (const GuestVirtual sp :
         {TaskGuest::nowhere, GuestVirtual{0}, GuestVirtual{~std::uint64_t{0}}}) {
      const Trace trace = kernel.trace(vcpu_at(kernel.sleeper + 8, sp, sp.value));
      REQUIRE_FALSE(trace.frames.empty());
      CHECK(trace.frames.size() == 1);
      CHECK(trace.frames[0].kind == FrameKind::Instruction);
      CHECK_FALSE(trace.is_complete());
    }
  }
}

TEST_CASE("unwinder: a vCPU in user mode has no trace, and one without registers says so") {
  Kernel kernel("6.1.0");
  const Trace user = kernel.trace(vcpu_at({user_ip}, {0x7ffc0000}, 0, user_code));
  CHECK(text_of(user) == " | user");
  CHECK(user.user_ip == GuestVirtual{user_ip});
  CHECK(kernel.trace(Vcpu{}).why == "the checkpoint lacks its registers");
}

TEST_CASE("unwinder: a task that has exited has no stack, and one that is about to has") {
  Kernel kernel("6.1.0");
  kernel.guest.write(kernel.task.address + task_at::exit_state, 0x20, 4);
  kernel.guest.write(kernel.task.address + task_at::stack, 0);
  CHECK(text_of(kernel.trace()) == " | exited");
}

TEST_CASE("unwinder: debug information tells the caller that a frame pointer would pass over") {
  // A leaf without a frame, called through a pointer: only its caller's frame pointer is there.
  class Frames final : public CallFrames {
   public:
    explicit Frames(GuestVirtual leaf) : leaf_(leaf) {}
    [[nodiscard]] std::optional<CallFrame> find(GuestVirtual address) const override {
      if (address.value != leaf_.value - TaskGuest::kaslr_offset) return std::nullopt;
      return CallFrame{CallFrame::Base::Sp, 24, std::nullopt};
    }

   private:
    GuestVirtual leaf_;
  };
  Kernel kernel("4.19.0");
  TaskGuest& guest = kernel.guest;
  const std::uint64_t to_sleeper = guest.indirect_call(kernel.sleeper, 0x20);
  const std::uint64_t to_thread = guest.call(kernel.thread, 0x20, kernel.sleeper);
  const std::uint64_t to_fork = guest.indirect_call(kernel.fork, 0x30);
  const GuestVirtual threads{kernel.task.stack_end().value - 168 - 16};
  const GuestVirtual sleepers{threads.value - 0x100};
  guest.write_words(threads, {0x4142, to_fork});
  guest.write_words(sleepers, {threads.value, to_thread});
  const GuestVirtual sp{sleepers.value - 0x80};
  guest.write_words(sp, {1, 2, to_sleeper});
  const Vcpu vcpu = vcpu_at(kernel.schedule + 0x40, sp, sleepers.value);
  CHECK(text_of(kernel.trace(vcpu)) ==
        "__schedule+0x40; kthread+0x20; ret_from_fork+0x30 | kernel_thread");
  const GuestVirtual leaf = kernel.schedule + 0x40;
  kernel.open_frames = [leaf] { return std::make_unique<Frames>(leaf); };
  const Trace trace = kernel.trace(vcpu);
  CHECK(text_of(trace) ==
        "__schedule+0x40; sleeper+0x20; kthread+0x20; ret_from_fork+0x30 | kernel_thread");
  CHECK(trace.method == UnwindMethod::DebugFrame);
}

}  // namespace photon_dmesg::test
