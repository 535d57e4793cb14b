#include "kernel/tasks/cpus.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "kernel/arch/machines/machines.h"
#include "kernel/memory/fields.h"
#include "kernel/tasks/per_cpu_areas.h"

namespace photon_dmesg {
namespace {

constexpr std::size_t word = sizeof(std::uint64_t);
constexpr std::uint64_t most_cpus = 8192;  // CONFIG_NR_CPUS at its largest

// How many CPUs there may be.
std::uint64_t count_possible(const GuestKernel& kernel, std::size_t vcpus) {
  const auto at = kernel.find_address("nr_cpu_ids");
  const auto count = at ? kernel.memory().read_unsigned(*at, sizeof(std::uint32_t)) : std::nullopt;
  return std::clamp<std::uint64_t>(count.value_or(vcpus), 1, most_cpus);
}

// Whether `cpu` is there by the kernel's own mask; by the number of vCPUs if that can't be read.
// Not whether it is online: a panic takes the others off.
bool is_present(const GuestKernel& kernel, std::uint64_t cpu, std::size_t vcpus) {
  return is_in_cpu_mask(kernel, cpu, "__cpu_present_mask", "cpu_present_bits")
      .value_or(cpu < vcpus);
}

}  // namespace

std::optional<bool> is_in_cpu_mask(const GuestKernel& kernel, std::uint64_t cpu,
                                   std::string_view mask, std::string_view before_4_5) {
  auto at = kernel.find_address(mask);
  if (!at) at = kernel.find_address(before_4_5);
  const auto bits = at ? kernel.memory().read_unsigned(*at + cpu / 8, 1) : std::nullopt;
  return bits ? std::optional((*bits >> cpu % 8 & 1) != 0) : std::nullopt;
}

bool is_in_early_boot(const GuestKernel& kernel) {
  const auto at = kernel.find_address("system_state");
  return at && kernel.memory().read_unsigned(*at, sizeof(std::uint32_t)) == 0U;
}

std::string name_of_cpus(std::span<const std::uint32_t> numbers) {
  constexpr std::size_t most_named = 4;
  const auto named = numbers.first(std::min(numbers.size(), most_named));
  const std::size_t others = numbers.size() - named.size();
  return fmt::format("CPU {}{}", fmt::join(named, ", "),
                     others == 0 ? "" : fmt::format(" and {} more", others));
}

Cpus::Cpus(const GuestKernel& kernel, const KernelTypes& types, std::span<const Vcpu> vcpus,
           Diagnostics& diagnostics)
    : kernel_(kernel) {
  if (const auto offsets = kernel.find_address("__per_cpu_offset")) {
    add_by_symbols(*offsets, vcpus.size(), diagnostics);
  } else {
    add_by_form(vcpus, diagnostics);
  }
  for (Cpu& cpu : cpus_) read(cpu, types);
}

void Cpus::add_by_symbols(GuestVirtual offsets, std::size_t vcpus, Diagnostics& diagnostics) {
  const std::uint64_t possible = count_possible(kernel_, vcpus);
  std::map<std::uint64_t, std::size_t> users;  // of each offset
  for (std::uint64_t number = 0; number < possible; ++number) {
    if (!is_present(kernel_, number, vcpus)) continue;
    const auto offset = kernel_.memory().read_unsigned(offsets + number * word, word);
    add(number, offset);
    if (offset) ++users[*offset];
  }
  // Until each has its own, all have that of the first.
  const bool is_early = is_in_early_boot(kernel_);
  std::vector<std::uint32_t> lost;
  for (Cpu& cpu : cpus_) {
    const bool is_own = cpu.per_cpu_offset &&
                        (users[*cpu.per_cpu_offset] == 1 || (is_early && &cpu == &cpus_.front()));
    if (is_own && has_run_queue(cpu)) continue;
    cpu.per_cpu_offset.reset();
    lost.push_back(cpu.number);
  }
  if (is_early) return;
  if (cpus_.empty()) {
    diagnostics.warn_of_lack("the guest's CPUs can't be found: the kernel's mask of them is empty");
  } else if (!lost.empty()) {
    diagnostics.warn_of_lack(
        fmt::format("the data of {} can't be found: __per_cpu_offset leads nowhere, or where "
                    "another CPU's are",
                    name_of_cpus(lost)));
  }
}

void Cpus::add(std::uint64_t number, std::optional<std::uint64_t> offset) {
  Cpu& cpu = cpus_.emplace_back();
  cpu.number = static_cast<std::uint32_t>(number);
  cpu.per_cpu_offset = offset;
}

// Whether there is memory where its run queue is, if a symbol tells.
bool Cpus::has_run_queue(const Cpu& cpu) const {
  const auto queue = variable(cpu, "runqueues");
  return !queue || kernel_.memory().read_unsigned(*queue, word);
}

void Cpus::add_by_form(std::span<const Vcpu> vcpus, Diagnostics& diagnostics) {
  for (const std::uint64_t offset : find_per_cpu_offsets(kernel_.image(), vcpus)) {
    add(cpus_.size(), offset);
  }
  diagnostics.found({.what = cpus_.empty() ? "no per-CPU data" : "per-CPU data",
                     .value = cpus_.empty() ? "" : fmt::format("of {} CPUs", cpus_.size()),
                     .how = "there is no symbol __per_cpu_offset: by the array's form"});
}

std::optional<GuestVirtual> Cpus::variable(const Cpu& cpu, std::string_view symbol) const {
  const auto at = cpu.per_cpu_offset ? kernel_.find_address(symbol) : std::nullopt;
  return at ? std::optional(*at + *cpu.per_cpu_offset) : std::nullopt;
}

void Cpus::read(Cpu& cpu, const KernelTypes& types) const {
  const KernelMemory& memory = kernel_.memory();
  if (const auto hot = variable(cpu, "pcpu_hot")) {  // 6.2 to 6.14
    cpu.current = read_pointer(memory, *hot, types.find("pcpu_hot.current_task"));
  } else if (const auto current = variable(cpu, "current_task")) {
    cpu.current = read_pointer(memory, *current);
  }
  if (const auto queue = variable(cpu, "runqueues")) {
    cpu.queue_current = read_pointer(memory, *queue, types.find("rq.curr"));
    cpu.idle = read_pointer(memory, *queue, types.find("rq.idle"));
    cpu.clock_nsec = read_number(memory, *queue, types.find("rq.clock"));
    cpu.clock_task_nsec = read_number(memory, *queue, types.find("rq.clock_task"));
  }
}

std::vector<const Cpu*> Cpus::match_by_base(std::span<const Vcpu> vcpus) const {
  std::vector<const Cpu*> matched;
  for (const Vcpu& vcpu : vcpus) {
    const auto base = architecture_of(vcpu.machine).per_cpu_base(vcpu);
    const auto found = std::find_if(cpus_.begin(), cpus_.end(), [&](const Cpu& cpu) {
      return base && cpu.per_cpu_offset == base->value;
    });
    matched.push_back(found == cpus_.end() ? nullptr : &*found);
  }
  return matched;
}

std::vector<const Cpu*> Cpus::match(std::span<const Vcpu> vcpus) const {
  const std::vector<const Cpu*> by_base = match_by_base(vcpus);
  std::vector<const Cpu*> matched = by_base;
  bool by_number = true;
  for (std::size_t i = 0; i < vcpus.size(); ++i) {
    if (by_base[i] == nullptr) continue;
    if (by_base[i]->number != vcpus[i].index) by_number = false;
    // Of two that have one base, one is damaged.
    if (std::count(by_base.begin(), by_base.end(), by_base[i]) > 1) matched[i] = nullptr;
  }
  std::vector<const Cpu*> left;
  for (const Cpu& cpu : cpus_) {
    if (std::find(matched.begin(), matched.end(), &cpu) == matched.end()) left.push_back(&cpu);
  }
  const bool is_last = left.size() == 1 && std::count(matched.begin(), matched.end(), nullptr) == 1;
  for (std::size_t i = 0; i < vcpus.size(); ++i) {
    if (matched[i] != nullptr) continue;
    const auto found = std::find_if(left.begin(), left.end(), [&](const Cpu* cpu) {
      return by_number ? cpu->number == vcpus[i].index : is_last;
    });
    if (found != left.end()) matched[i] = *found;
  }
  return matched;
}

std::optional<std::uint64_t> Cpus::now_nsec() const {
  const ClockReadings readings = clocks();
  const auto confirmed = latest_confirmed(readings);
  if (confirmed || readings.clocks.empty()) return confirmed;
  return *std::max_element(readings.clocks.begin(), readings.clocks.end());
}

ClockReadings Cpus::clocks() const {
  ClockReadings readings;
  for (const Cpu& cpu : cpus_) {
    if (cpu.clock_nsec) readings.clocks.push_back(*cpu.clock_nsec);
    if (cpu.clock_task_nsec) readings.witnesses.push_back(*cpu.clock_task_nsec);
  }
  return readings;
}

}  // namespace photon_dmesg
