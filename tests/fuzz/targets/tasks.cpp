// Tasks, their stacks and what they wait for, of a kernel whose types are known and whose memory is
// sound but for words here and there.
#include <set>

#include "fuzz/readable.h"
#include "fuzz/task_readers.h"
#include "fuzz/task_world.h"
#include "kernel/health/busy_workers.h"
#include "kernel/waits/spinlock.h"

namespace photon_dmesg::fuzz {
namespace {

void check(const Trace& trace) {
  constexpr std::size_t most_frames = 8192;
  require(trace.frames.size() <= most_frames, "a trace has an end");
  require(trace.is_complete() == trace.why.empty(), "a trace that ends early says why");
  bool is_sure = true;
  for (const Frame& frame : trace.frames) {
    require(is_sure || !frame.is_reliable, "no frame that is certain stands behind a guess");
    is_sure = frame.is_reliable;
  }
}

Vcpu read_vcpu(TaskWorld& world, Input& input) {
  constexpr std::uint16_t kernel_code = 0x10;
  Vcpu vcpu;
  vcpu.x86.rip = GuestVirtual{world.word(input)};
  vcpu.x86.cs = kernel_code;
  for (auto& value : vcpu.x86.general) value = input.empty() ? 0 : world.word(input);
  return vcpu;
}

void ask(TaskWorld& world, const Vcpu& vcpu, const Unwinder::OpenCallFrames& open_frames) {
  const TaskReaders readers(world, open_frames);
  std::set<std::uint64_t> seen;
  for (const Task& task : readers.tasks.all()) {
    require(seen.insert(task.address.value).second, "no task is listed twice");
    const Trace trace = readers.unwinder.trace(task);
    check(trace);
    (void)readers.waits.find(task, trace);
  }
  const Trace trace = readers.unwinder.trace(vcpu);
  check(trace);
  SilentDiagnostics nothing;
  (void)find_spinlock(readers.kernel, readers.code, vcpu, trace);
  (void)read_busy_workers(readers.kernel, readers.types, readers.cpus, nothing);
}

}  // namespace

void fuzz_tasks(Bytes bytes) {
  Input input(bytes);
  const std::uint8_t version = input.byte();
  constexpr std::uint8_t with_orc = 0x80;
  TaskWorld& world =
      TaskWorld::of((version & ~with_orc) % TaskWorld::versions, (version & with_orc) != 0);
  std::unique_ptr<CallFrames> frames = world.call_frames(input);
  const Vcpu vcpu = read_vcpu(world, input);
  world.damage(input);
  run_part([&] { ask(world, vcpu, [&] { return std::move(frames); }); });
  world.mend();
}

}  // namespace photon_dmesg::fuzz
