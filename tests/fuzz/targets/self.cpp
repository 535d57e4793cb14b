// A guest of which nothing but memory is known: its kernel by a vCPU, its symbols and its log by
// what the kernel carries for itself.
#include "fuzz/input.h"
#include "fuzz/readable.h"
#include "fuzz/small_guest.h"
#include "kernel/facts/guest_identity.h"
#include "kernel/find/crash_kernel.h"
#include "kernel/find/cross_check.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/printk/kernel_log.h"
#include "kernel/self/guest_types.h"
#include "kernel/self/memory_symbols.h"
#include "kernel/unwind/unwinder.h"
#include "kernel/waits/waits.h"

namespace photon_dmesg::fuzz {
namespace {

// With all symbols of the small guest.
void tell_facts(const GuestMemory& memory, const RunningKernel& running, Diagnostics& diagnostics) {
  const SmallSymbols symbols({.ring = true});
  const GuestKernel kernel = GuestKernel::attach(running, symbols, diagnostics);
  (void)read_guest_identity(kernel, diagnostics);
  (void)find_vmcoreinfo(kernel, diagnostics);
  if (const auto header = find_elf_core_header(kernel, diagnostics)) {
    (void)find_crashed_kernel(memory, running.tables().architecture(), *header, diagnostics);
  }
}

// Tasks by types that BTF has or that they show themselves, and what was called on their stacks.
void trace_tasks(const GuestKernel& kernel, Diagnostics& diagnostics) {
  const KernelTypes types = types_of(kernel, diagnostics);
  const Cpus cpus(kernel, types, std::vector<Vcpu>(1), diagnostics);
  const Tasks tasks(kernel, types, cpus, derived_first_task(types), diagnostics);
  const CodeMap code(kernel, read_modules(kernel, types, diagnostics));
  const Stacks stacks(kernel, types, cpus);
  const Unwinder unwinder(
      kernel, code, stacks, [] { return nullptr; }, diagnostics);
  const Waits waits(kernel, types, tasks, code);
  for (const Task& task : tasks.all()) (void)waits.find(task, unwinder.trace(task));
}

}  // namespace

void fuzz_self(Bytes bytes) {
  SmallGuest guest(bytes);
  SilentDiagnostics diagnostics;
  const Vcpu vcpu = guest.vcpu();
  const auto running = find_running_kernel(guest.memory(), {vcpu}, diagnostics);
  if (!running) return;
  run_part([&] { tell_facts(guest.memory(), *running, diagnostics); });
  const auto symbols = MemorySymbols::find(guest.memory(), *running, diagnostics);
  const GuestKernel kernel = GuestKernel::attach(*running, *symbols, diagnostics);
  run_part([&] { trace_tasks(kernel, diagnostics); });
  const KernelLogReader reader(kernel, diagnostics);
  std::optional<std::uint64_t> last;
  (void)reader.read([&](const LogRecord& record) {
    require(!last || is_behind(*last, record.seq), "records come in the order of their numbers");
    last = record.seq;
    return true;
  });
}

}  // namespace photon_dmesg::fuzz
