#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/diagnostics.h"
#include "checkpoint/guest/vcpu.h"
#include "kernel/find/guest_kernel.h"
#include "kernel/symbols/kernel_types.h"
#include "kernel/tasks/confirmed_clock.h"

namespace photon_dmesg {

// One of the guest's processors, as its kernel numbers them.
struct Cpu {
  std::uint32_t number = 0;
  // __per_cpu_offset[number]. Absent if it leads nowhere, or where another CPU's data are too: then
  // nothing else of this one is known.
  std::optional<std::uint64_t> per_cpu_offset;

  // Its current task by its own variable (pcpu_hot, current_task), and by its run queue: they
  // differ for a moment while tasks are switched.
  std::optional<GuestVirtual> current;
  std::optional<GuestVirtual> queue_current;
  std::optional<GuestVirtual> idle;  // its idle task

  // The run queue's clock, nanoseconds since boot at its last update, and the one that goes on with
  // it but for the time that interrupts and the host took.
  std::optional<std::uint64_t> clock_nsec;
  std::optional<std::uint64_t> clock_task_nsec;
};

// The processors that the guest has.
class Cpus {
 public:
  // By the kernel's symbols, or else by what the GS bases of `vcpus` tell. `kernel` must outlive
  // this object. Where neither tells there are none; what no symbol or type tells of one is absent.
  // That data of one can't be found although symbols tell where they are is a warning.
  Cpus(const GuestKernel& kernel, const KernelTypes& types, std::span<const Vcpu> vcpus,
       Diagnostics& diagnostics);

  [[nodiscard]] const std::vector<Cpu>& all() const { return cpus_; }

  // Where `symbol`, a per-CPU variable, stands on `cpu`; nothing if it is not known where its are.
  [[nodiscard]] std::optional<GuestVirtual> variable(const Cpu& cpu, std::string_view symbol) const;

  // Which one each of `vcpus`, which are all that the guest has, is: in the kernel its GS base says
  // so, which the checkpoint's number need not. Where no GS base contradicts these numbers, the
  // others are taken for the CPUs of theirs; else the last vCPU for the last CPU. Null where it is
  // not known, or where there is none.
  [[nodiscard]] std::vector<const Cpu*> match(std::span<const Vcpu> vcpus) const;

  // The latest of the run queues' clocks that another one confirms; else the latest.
  [[nodiscard]] std::optional<std::uint64_t> now_nsec() const;

  // All of them.
  [[nodiscard]] ClockReadings clocks() const;

 private:
  void add(std::uint64_t number, std::optional<std::uint64_t> offset);
  void add_by_symbols(GuestVirtual offsets, std::size_t vcpus, Diagnostics& diagnostics);
  void add_by_form(std::span<const Vcpu> vcpus, Diagnostics& diagnostics);
  [[nodiscard]] bool has_run_queue(const Cpu& cpu) const;
  void read(Cpu& cpu, const KernelTypes& types) const;
  [[nodiscard]] std::vector<const Cpu*> match_by_base(std::span<const Vcpu> vcpus) const;

  const GuestKernel& kernel_;
  std::vector<Cpu> cpus_;
};

// "CPU 1", "CPU 1, 2", and of many the first ones: "CPU 1, 2, 3, 4 and 28 more".
[[nodiscard]] std::string name_of_cpus(std::span<const std::uint32_t> numbers);

// Whether `cpu` is in one of the kernel's masks of CPUs, a variable that had another name before
// 4.5; nothing if it can't be read.
[[nodiscard]] std::optional<bool> is_in_cpu_mask(const GuestKernel& kernel, std::uint64_t cpu,
                                                 std::string_view mask,
                                                 std::string_view before_4_5);

// Whether the kernel is still at what it sets up before all else, on its first CPU alone, such as
// what each CPU has of its own (SYSTEM_BOOTING). False if it does not tell.
[[nodiscard]] bool is_in_early_boot(const GuestKernel& kernel);

}  // namespace photon_dmesg
