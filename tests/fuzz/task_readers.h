#pragma once

#include "base/diagnostics.h"
#include "fuzz/task_world.h"
#include "kernel/code/code_map.h"
#include "kernel/unwind/stacks.h"
#include "kernel/unwind/unwinder.h"
#include "kernel/waits/waits.h"

namespace photon_dmesg::fuzz {

// All that reads a TaskWorld, which must outlive it.
struct TaskReaders {
  TaskReaders(TaskWorld& world, const Unwinder::OpenCallFrames& open_frames)
      : kernel(world.guest().kernel()),
        types(world.guest().types()),
        cpus(kernel, types, std::vector<Vcpu>(1), diagnostics),
        tasks(kernel, types, cpus, std::nullopt, diagnostics),
        code(kernel, read_modules(kernel, types, diagnostics)),
        stacks(kernel, types, cpus),
        unwinder(kernel, code, stacks, open_frames, diagnostics),
        waits(kernel, types, tasks, code) {}

  SilentDiagnostics diagnostics;
  const GuestKernel& kernel;
  const KernelTypes& types;
  Cpus cpus;
  Tasks tasks;
  CodeMap code;
  Stacks stacks;
  Unwinder unwinder;
  Waits waits;
};

}  // namespace photon_dmesg::fuzz
