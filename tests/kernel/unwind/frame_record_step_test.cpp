#include "kernel/unwind/frame_record_step.h"

#include <catch2/catch.hpp>
#include <memory>

#include "kernel/unwind/aarch64_call_chain.h"
#include "kernel/unwind/aarch64_code.h"
#include "kernel/unwind/unwinder.h"
#include "support/task_guest.h"

namespace photon_dmesg::test {
namespace {

using Result = Step::Result;

constexpr std::uint64_t user_ip = 0x4313a4;
constexpr std::uint64_t user_state = 0x60001000;    // EL0t
constexpr std::uint64_t kernel_state = 0x60400005;  // EL1h
constexpr std::uint64_t record_in_registers = 304;
constexpr std::uint64_t record_in_registers_6_13 = 296;

constexpr unsigned make_frame = 0x910003fd;        // mov x29, sp
constexpr unsigned make_frame_above = 0x910043fd;  // add x29, sp, #16
constexpr unsigned push_record = 0xa9bf7bfd;       // stp x29, x30, [sp, #-16]!
constexpr unsigned pop_record = 0xa8c17bfd;        // ldp x29, x30, [sp], #16
constexpr unsigned authenticate = 0xd50323bf;      // autiasp
constexpr unsigned go_back = 0xd65f03c0;           // ret
constexpr unsigned nothing = 0xd503201f;           // nop
constexpr unsigned indirect_call = 0xd63f0020;     // blr x1

// A return address as a processor with pointer authentication keeps it: a code in its upper bits,
// but for bit 55.
std::uint64_t authenticated(std::uint64_t address) {
  constexpr std::uint64_t code_bits = 0xff7f000000000000;
  constexpr std::uint64_t code = 0x5a2b000000000000;
  return (address & ~code_bits) | code;
}

// An arm64 guest's code and stacks, in memory that x86-64's page tables map: what is looked at here
// does not depend on them.
struct Records {
  TaskGuest guest;
  GuestVirtual stack = guest.allocate(0x1000, 0x1000);
  Cursor cursor;

  explicit Records(const std::string& release = "6.1.0") : guest(release) {}

  void write_code(GuestVirtual at, const std::vector<unsigned>& instructions) {
    for (std::size_t i = 0; i < instructions.size(); ++i) {
      guest.write(at + i * 4, instructions[i], 4);
    }
  }
  // The return address of a call, of `callee` or through a register, `offset` bytes into `caller`.
  std::uint64_t call(GuestVirtual caller, std::uint64_t offset, GuestVirtual callee) {
    const GuestVirtual from{caller.value + offset - 4};
    guest.write(from, 0x94000000 | ((callee - from) / 4 & 0x3ffffff), 4);
    return caller.value + offset;
  }
  std::uint64_t call(GuestVirtual caller, std::uint64_t offset) {
    write_code({caller.value + offset - 4}, {indirect_call});
    return caller.value + offset;
  }
  void write_record(GuestVirtual at, std::uint64_t next, std::uint64_t address) {
    guest.write_words(at, {next, address});
  }
  // A struct pt_regs at `at`.
  void write_registers(GuestVirtual at, std::uint64_t pc, std::uint64_t sp, std::uint64_t fp,
                       std::uint64_t link, std::uint64_t pstate) {
    guest.write_words(at + 29 * 8, {fp, link, sp, pc, pstate});
  }
  void at_return(std::uint64_t ip, GuestVirtual sp, std::uint64_t fp) {
    cursor = Cursor{};
    cursor.ip = {ip};
    cursor.sp = sp;
    cursor.bp = fp;
  }
  void at_instruction(GuestVirtual ip, std::uint64_t fp, std::uint64_t link) {
    at_return(ip.value, stack + 0x40, fp);
    cursor.is_exact = true;
    cursor.link = link;
  }
  Step step() {
    const CodeMap code(guest.kernel(), {});
    return step_by_frame_record(guest.memory(), code,
                                release_number(guest.kernel().banner().release), cursor);
  }
};

}  // namespace

TEST_CASE("frame records: x29 leads to the caller's x29 and the return address") {
  Records records;
  const GuestVirtual caller = records.guest.function("caller");
  const GuestVirtual callee = records.guest.function("callee");
  const std::uint64_t back =
      GENERATE(true, false) ? records.call(caller, 0x20, callee) : records.call(caller, 0x20);
  const bool is_authenticated = GENERATE(false, true);
  CAPTURE(is_authenticated);
  records.write_record(records.stack + 0x100, (records.stack + 0x200).value,
                       is_authenticated ? authenticated(back) : back);
  records.at_return(callee.value + 0x30, records.stack + 0x80, (records.stack + 0x100).value);
  const Step step = records.step();
  CHECK(step.result == Result::Caller);
  CHECK_FALSE(step.is_interrupted);
  CHECK(records.cursor.ip.value == back);
  CHECK(records.cursor.sp == records.stack + 0x110);
  CHECK(records.cursor.bp == (records.stack + 0x200).value);
  CHECK_FALSE(records.cursor.is_exact);
}

TEST_CASE("frame records: what is no record is said, and not followed") {
  Records records;
  const GuestVirtual callee = records.guest.function("callee");
  const auto why = [&](std::uint64_t fp) {
    records.at_return(callee.value + 0x30, records.stack, fp);
    const Step step = records.step();
    CHECK(step.result == Result::Broken);
    return step.why;
  };
  const GuestVirtual record = records.stack + 0x200;
  CHECK_THAT(why(0), Catch::Contains("the chain of frame pointers ends"));
  CHECK_THAT(why(record.value), Catch::Contains("the chain of frame pointers ends"));
  CHECK_THAT(why(record.value + 4), Catch::Contains("is no frame pointer"));
  CHECK_THAT(why(TaskGuest::nowhere.value), Catch::Contains("can't be read"));
  records.write_record(record, 1, 0x4141414141414141);
  CHECK_THAT(why(record.value), Catch::Contains("returns to 0x4141414141414141, which is no code"));
  records.write_record(record, 1, callee.value + 0x40);
  CHECK_THAT(why(record.value), Catch::Contains("where no call has led"));
}

TEST_CASE("frame records: an exception's leads to what it came into") {
  Records records;
  const GuestVirtual idle = records.guest.function("default_idle_call");
  const GuestVirtual entry = records.guest.function("el1h_64_irq");
  const GuestVirtual registers = records.stack + 0x200;
  const GuestVirtual record = registers + record_in_registers;
  const std::uint64_t fp = (records.stack + 0x880).value;
  records.write_registers(registers, idle.value + 0x24, (records.stack + 0x800).value, fp,
                          idle.value, kernel_state);
  records.write_record(record, fp, idle.value + 0x24);
  records.at_return(entry.value + 0x64, records.stack + 0x100, record.value);
  const Step step = records.step();
  CHECK(step.result == Result::Caller);
  CHECK(step.is_interrupted);
  CHECK(records.cursor.ip == idle + 0x24);
  CHECK(records.cursor.is_exact);
  CHECK(records.cursor.sp == records.stack + 0x800);
  CHECK(records.cursor.bp == fp);
  CHECK(records.cursor.link == idle.value);
}

TEST_CASE("frame records: since 6.13 an exception's is empty and says of what kind it is") {
  Records records("6.13.0");
  const GuestVirtual idle = records.guest.function("default_idle_call");
  const GuestVirtual entry = records.guest.function("el1h_64_irq");
  const GuestVirtual registers = records.stack + 0x200;
  const GuestVirtual record = registers + record_in_registers_6_13;
  records.write_registers(registers, idle.value + 0x24, (records.stack + 0x800).value,
                          (records.stack + 0x880).value, 0, kernel_state);
  records.at_return(entry.value + 0x64, records.stack + 0x100, record.value);
  SECTION("registers of the kernel") {
    records.guest.write(record + 16, 2);
    const Step step = records.step();
    CHECK(step.result == Result::Caller);
    CHECK(step.is_interrupted);
    CHECK(records.cursor.ip == idle + 0x24);
  }
  SECTION("the last of all") {
    records.guest.write(record + 16, 1);
    CHECK(records.step().result == Result::Broken);  // the ways in from the kernel are never
  }
}

TEST_CASE("frame records: registers of user mode end a trace") {
  for (const char* release : {"5.10.0", "6.13.0"}) {
    Records records(release);
    const bool is_new = release_number(release) >= ReleaseNumber{6, 13};
    const GuestVirtual entry = records.guest.function("el0t_64_sync");
    const GuestVirtual registers = records.stack + 0x200;
    const GuestVirtual record =
        registers + (is_new ? record_in_registers_6_13 : record_in_registers);
    records.write_registers(registers, user_ip, 0x7ffc0000, 0x7ffc0040, user_ip, user_state);
    records.at_return(entry.value + 0x18c, records.stack + 0x100, record.value);
    CHECK(records.step().result == Result::User);
    CHECK(records.cursor.ip.value == user_ip);
  }
}

TEST_CASE("frame records: memory that is all zeros is no way in from user mode") {
  Records records;
  const GuestVirtual entry = records.guest.function("el0t_64_sync");
  records.at_return(entry.value + 0x18c, records.stack, (records.stack + 0x400).value);
  CHECK(records.step().result == Result::Broken);
}

TEST_CASE("frame records: kernel threads and CPUs end in their first functions") {
  for (const char* name :
       {"ret_from_fork", "__primary_switched", "__secondary_switched", "secondary_start_kernel"}) {
    INFO(name);
    Records records;
    const GuestVirtual first = records.guest.function(name);
    const GuestVirtual registers = records.stack + 0x200;
    // A thread's registers have never come from anywhere.
    records.write_registers(registers, 0, 0, 0, 0, 5);
    for (const std::uint64_t fp : {std::uint64_t{0}, (registers + record_in_registers).value}) {
      records.at_return(first.value + 0x10, records.stack, fp);
      CHECK(records.step().result == Result::End);
    }
  }
}

TEST_CASE("frame records: a function that has no record has its caller in the link register") {
  Records records;
  const GuestVirtual caller = records.guest.function("caller");
  const GuestVirtual older = records.guest.function("older");
  const GuestVirtual callee = records.guest.function("callee");
  const std::uint64_t back = authenticated(records.call(caller, 0x20, callee));
  const GuestVirtual record = records.stack + 0x100;
  records.write_record(record, (records.stack + 0x200).value, records.call(older, 0x40, caller));
  SECTION("at its first instruction") {
    records.write_code(callee, {push_record, make_frame});
    records.at_instruction(callee, record.value, back);
  }
  SECTION("before x29 leads to it") {
    records.write_code(callee, {push_record, make_frame_above});
    records.at_instruction(callee + 4, record.value, back);
  }
  SECTION("it never makes one") {
    records.write_code(callee, std::vector<unsigned>(32, nothing));
    records.at_instruction(callee + 0x40, record.value, back);
  }
  SECTION("about to return") {
    records.write_code(callee, {push_record, make_frame, pop_record, authenticate, go_back});
    records.at_instruction(callee + GENERATE(12U, 16U), record.value, back);
  }
  SECTION("there is no code: a null pointer was called") {
    records.at_instruction({0}, record.value, back);
  }
  const Step step = records.step();
  CHECK(step.result == Result::Caller);
  CHECK_FALSE(step.is_interrupted);
  CHECK(records.cursor.ip == caller + 0x20);
  CHECK(records.cursor.bp == record.value);
  CHECK_FALSE(records.cursor.is_exact);
}

TEST_CASE("frame records: the link register of a function with a record is of no use") {
  Records records;
  const GuestVirtual caller = records.guest.function("caller");
  const GuestVirtual other = records.guest.function("other");
  const GuestVirtual callee = records.guest.function("callee");
  const GuestVirtual entry = records.guest.function("el1h_64_sync");
  const GuestVirtual record = records.stack + 0x100;
  const std::uint64_t link = records.call(other, 0x30);
  records.write_record(record, (records.stack + 0x200).value, records.call(caller, 0x20, callee));
  SECTION("it has called another") {
    records.write_code(callee, {push_record, GENERATE(make_frame, make_frame_above)});
    records.at_instruction(callee + 0x10, record.value, link);
  }
  SECTION("no call has led to what is in it") {
    records.at_instruction(callee + 0x10, record.value, other.value + 0x50);
  }
  SECTION("entry code finds there what was interrupted") {
    records.at_instruction(entry + 0x10, record.value, link);
  }
  CHECK(records.step().result == Result::Caller);
  CHECK(records.cursor.ip == caller + 0x20);
}

TEST_CASE("frame records: codes are taken off addresses of the kernel only") {
  Records records;
  const KernelMemory& memory = records.guest.memory();
  CHECK(aarch64::strip_authentication(memory, 0x5aab800008016728).value == 0xffff800008016728);
  CHECK(aarch64::strip_authentication(memory, 0xffff800008016728).value == 0xffff800008016728);
  CHECK(aarch64::strip_authentication(memory, 0x00350000004313a4).value == 0x00350000004313a4);
}

namespace {

// A task with a chain of records, as the unwinder follows it.
struct ArmTask {
  Records records{"6.1.0"};
  TaskGuest& guest = records.guest;
  GuestVirtual fork = guest.function("ret_from_fork");
  GuestVirtual entry = guest.function("el1h_64_irq");
  GuestVirtual schedule = guest.function("__schedule");
  GuestVirtual thread = guest.function("kthread");
  GuestVirtual switch_to = guest.function("__switch_to");
  MadeTask swapper = guest.task(0, "swapper/0");
  MadeTask task = guest.task(1, "some");
  GuestVirtual registers{task.stack_end().value - 336};
  GuestVirtual threads{registers.value - 0x40};
  GuestVirtual schedules{threads.value - 0x80};
  GuestVirtual switches{schedules.value - 0x80};

  ArmTask() {
    records.write_registers(registers, 0, 0, 0, 0, 5);
    records.write_record(threads, (registers + record_in_registers).value,
                         authenticated(records.call(fork, 0x10)));
    records.write_record(schedules, threads.value,
                         authenticated(records.call(thread, 0x20, schedule)));
    records.write_record(switches, schedules.value,
                         authenticated(records.call(schedule, 0x60, switch_to)));
  }
  // What cpu_switch_to has saved.
  [[nodiscard]] Task saved(GuestVirtual ip, GuestVirtual sp, std::uint64_t fp) const {
    Task result;
    result.address = task.address;
    result.state = 'S';
    result.stack = task.stack;
    result.saved_ip = ip;
    result.saved_sp = sp;
    result.saved_fp = fp;
    return result;
  }
  template <typename What>
  std::string trace(const What& what) {
    const Cpus cpus = guest.cpus();
    const Stacks stacks(guest.kernel(), guest.types(), cpus);
    const CodeMap code(guest.kernel(), {});
    const Unwinder unwinder(guest.kernel(), code, stacks,
                            std::make_unique<Aarch64CallChain>(guest.kernel(), code));
    const Trace trace = unwinder.trace(what);
    std::string text;
    for (const Frame& frame : trace.frames) {
      text += frame.kind == FrameKind::Interrupted ? "!" : frame.is_reliable ? "" : "?";
      text += fmt::format("{}+{:#x}; ", frame.place->symbol, frame.place->offset);
    }
    return text + std::string(name_of(trace.end));
  }
};

Vcpu arm64_vcpu(GuestVirtual pc, GuestVirtual sp, std::uint64_t fp, std::uint64_t pstate) {
  Vcpu vcpu;
  vcpu.machine = Machine::Aarch64;
  vcpu.arm64.pc = pc;
  vcpu.arm64.sp = sp;
  vcpu.arm64.general[29] = fp;
  vcpu.arm64.pstate = pstate;
  return vcpu;
}

}  // namespace

TEST_CASE("frame records: from where a task gave its CPU away to a kernel thread's beginning") {
  ArmTask some;
  CHECK(some.trace(some.saved(some.switch_to + 0xe8, some.switches, some.switches.value)) ==
        "__switch_to+0xe8; __schedule+0x60; kthread+0x20; ret_from_fork+0x10; kernel_thread");
}

TEST_CASE("frame records: a task that has never run begins at ret_from_fork itself") {
  ArmTask some;
  CHECK(some.trace(
            some.saved(some.fork, some.registers, (some.registers + record_in_registers).value)) ==
        "ret_from_fork+0x0; kernel_thread");
}

TEST_CASE("frame records: a chain that is cut or leads back ends, and guesses follow") {
  ArmTask some;
  SECTION("cut") {
    some.guest.write(some.schedules, 0x4141);
    CHECK(some.trace(some.saved(some.switch_to + 0xe8, some.switches, some.switches.value)) ==
          "__switch_to+0xe8; __schedule+0x60; kthread+0x20; ?ret_from_fork+0x10; broken");
  }
  SECTION("back") {
    some.guest.write(some.schedules, some.switches);
    CHECK(some.trace(some.saved(some.switch_to + 0xe8, some.switches, some.switches.value)) ==
          "__switch_to+0xe8; __schedule+0x60; kthread+0x20; ?ret_from_fork+0x10; broken");
  }
  SECTION("nothing is saved") {
    CHECK(some.trace(some.saved({0x1234}, some.switches, some.switches.value)) == "broken");
  }
}

TEST_CASE("frame records: from a vCPU through an interrupt") {
  ArmTask some;
  const GuestVirtual interrupted{some.switches.value - 0x400};
  some.records.write_registers(interrupted, some.schedule.value + 0x30, some.schedules.value - 0x20,
                               some.schedules.value, 0, kernel_state);
  some.records.write_record(interrupted + record_in_registers, some.schedules.value,
                            some.schedule.value + 0x30);
  some.records.write_code(some.schedule, {push_record, make_frame});
  const GuestVirtual handler = some.guest.function("el1_interrupt");
  some.records.write_code(handler, {push_record, make_frame});
  const GuestVirtual handlers{interrupted.value - 0x40};
  some.records.write_record(handlers, (interrupted + record_in_registers).value,
                            some.records.call(some.entry, 0x64, handler));
  CHECK(some.trace(arm64_vcpu(handler + 0x20, handlers, handlers.value, kernel_state)) ==
        "el1_interrupt+0x20; el1h_64_irq+0x64; !__schedule+0x30; kthread+0x20; ret_from_fork+0x10; "
        "kernel_thread");
  CHECK(some.trace(arm64_vcpu({user_ip}, {0x7ffc0000}, 0, user_state)) == "user");
  Vcpu without;
  without.machine = Machine::Aarch64;
  CHECK(some.trace(without) == "broken");
}

TEST_CASE("frame records: the first function on the stack of interrupts has left all of it") {
  const bool has_names = GENERATE(true, false);
  CAPTURE(has_names);
  ArmTask some;
  TaskGuest& guest = some.guest;
  const GuestVirtual softirq = guest.function("____do_softirq");
  const GuestVirtual softirqs = guest.function("handle_softirqs");
  const GuestVirtual calls = guest.function("call_on_irq_stack");
  const GuestVirtual irq_stack = guest.allocate(0x4000, 0x4000);
  if (has_names) {
    const GuestVirtual data = guest.allocate(0x1000);
    guest.write(guest.variable("__per_cpu_offset"), data);
    // The guest's memory is that of an x86-64 kernel, whose pointer has the stack's end.
    guest.symbol("irq_stack_ptr", {0x80});
    guest.write(data + 0x80, irq_stack + 0x4000);
  }
  // Each function keeps its caller's record at its own end of the stack.
  const GuestVirtual first{irq_stack.value + 0x4000 - 16};
  const GuestVirtual second{first.value - 0x60};
  const GuestVirtual caller{some.schedules.value - 0x20};
  some.records.write_record(caller, some.schedules.value,
                            some.records.call(some.schedule, 0x60, calls));
  some.records.write_record(first, caller.value, some.records.call(calls, 0x24));
  some.records.write_record(second, first.value, some.records.call(softirq, 0x10, softirqs));
  some.records.write_code(softirqs, {push_record, make_frame});
  CHECK(some.trace(arm64_vcpu(softirqs + 0x20, second, second.value, kernel_state)) ==
        "handle_softirqs+0x20; ____do_softirq+0x10; call_on_irq_stack+0x24; __schedule+0x60; "
        "kthread+0x20; ret_from_fork+0x10; kernel_thread");
}

}  // namespace photon_dmesg::test
