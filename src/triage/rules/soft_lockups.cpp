#include <fmt/format.h>

#include <algorithm>

#include "triage/rules/frames.h"
#include "triage/rules/rules.h"
#include "triage/rules/witnesses.h"

namespace photon_dmesg {
namespace {

// A CPU's stopper, if it has been ready to run for too long: it goes before all others, so that
// nothing but the kernel itself keeps it from that. Null otherwise.
const Task* starved_stopper(const GuestFacts& facts, const CpuHealth& health) {
  const TaskActivity* stopper = health.stopper ? task_at(facts, *health.stopper) : nullptr;
  if (stopper == nullptr) return nullptr;
  return nsec_starved(facts, stopper->task).value_or(0) < least_age ? nullptr : &stopper->task;
}

// What tells independently of the others that a CPU schedules nothing, and since when at least.
class CpuWitnesses {
 public:
  CpuWitnesses(const GuestFacts& facts, const CpuHealth& health) : facts_(facts), health_(health) {
    add_stopper();
    add_watchdog();
    add_starved();
    add_unbroken();
    add_rcu();
    add_workers();
  }

  [[nodiscard]] const std::vector<Witness>& all() const { return witnesses_; }
  // The longest time that any of them tells.
  [[nodiscard]] std::uint64_t age() const { return age_; }

 private:
  void add(Witness witness, std::uint64_t age) {
    witnesses_.push_back(std::move(witness));
    age_ = std::max(age_, age);
  }

  void add_stopper() {
    const Task* stopper = starved_stopper(facts_, health_);
    if (stopper == nullptr) return;
    const std::uint64_t age = *nsec_starved(facts_, *stopper);
    add({.what =
             fmt::format("{} has been ready to run for {}", name_and_pid(*stopper), seconds(age)),
         .address = stopper->address},
        age);
  }

  void add_watchdog() {
    constexpr unsigned second_shift = 30;  // running_clock() >> 30LL, kernel/watchdog.c
    if (!health_.watchdog_touched) return;
    const std::uint64_t sample_seconds = health_.watchdog_seconds;
    const std::uint64_t now = facts_.time.now_nsec >> second_shift;
    const std::uint64_t then = health_.watchdog_touched->value;
    // The detector's own period and half a one; these are whole seconds, more or less.
    constexpr std::uint64_t rounding = 2;
    if (now < then + sample_seconds + std::max(sample_seconds / 2, rounding)) return;
    Witness witness = witness_of(*health_.watchdog_touched);
    witness.value += fmt::format(", {} s ago", now - then);
    // The stopper may have been well for as long as nobody asked for it.
    add(std::move(witness), (now - then - sample_seconds - 1) << second_shift);
  }

  // Other tasks of the CPU than the stopper.
  void add_starved() {
    const TaskActivity* longest = nullptr;
    std::uint64_t longest_age = 0;
    std::size_t count = 0;
    for (const TaskActivity& activity : facts_.tasks) {
      if (activity.task.cpu != health_.cpu || activity.task.address == health_.stopper) continue;
      const auto age = nsec_starved(facts_, activity.task);
      if (age.value_or(0) < least_age) continue;
      ++count;
      if (longest != nullptr && *age <= longest_age) continue;
      longest = &activity;
      longest_age = *age;
    }
    if (longest == nullptr) return;
    add({.what = fmt::format("{} other task{} ready to run and get{} no time, {} for {}", count,
                             count == 1 ? " is" : "s are", count == 1 ? "s" : "",
                             name_and_pid(longest->task), seconds(longest_age)),
         .address = longest->task.address},
        longest_age);
  }

  // Where nothing notes since when tasks wait, what the CPU's own task has run without a break
  // tells, if others that are ready have not run since.
  void add_unbroken() {
    const VcpuActivity* vcpu = vcpu_of(facts_, health_.cpu);
    if (vcpu == nullptr || !vcpu->task || vcpu->task->pid == 0) return;
    const auto arrived = arrived_nsec(facts_, *vcpu->task);
    if (!arrived || facts_.time.now_nsec < *arrived + certain_age) return;
    const auto waits = [&](const TaskActivity& activity) {
      const Task& task = activity.task;
      return task.cpu == health_.cpu && task.state == 'R' && !task.on_cpu && !task.queued_nsec &&
             task.address != vcpu->task->address && task.last_ran_nsec &&
             *task.last_ran_nsec <= *vcpu->task->arrived_nsec;
    };
    const auto count = std::count_if(facts_.tasks.begin(), facts_.tasks.end(), waits);
    if (count == 0) return;
    const std::uint64_t age = facts_.time.now_nsec - *arrived;
    add({.what = fmt::format("{} has had it for {} without a break, and {} other task{} ready",
                             name_and_pid(*vcpu->task), seconds(age), count,
                             count == 1 ? " is" : "s are"),
         .address = vcpu->task->address},
        age);
  }

  void add_rcu() {
    if (!facts_.rcu || facts_.rcu->age_nsec.value_or(0) < certain_age) return;
    const auto& cpus = facts_.rcu->cpus;
    if (std::find(cpus.begin(), cpus.end(), health_.cpu) == cpus.end()) return;
    Witness witness = witness_of(facts_.rcu->sequence);
    witness.value = fmt::format("{}, open for {}, waits for CPU {}", witness.value,
                                seconds(*facts_.rcu->age_nsec), health_.cpu);
    add(std::move(witness), *facts_.rcu->age_nsec);
  }

  void add_workers() {
    for (const WorkerPool& pool : facts_.pools) {
      if (pool.cpu != health_.cpu || pool.stalled_nsec < certain_age) continue;
      add({.what = fmt::format("its workers have begun nothing for {}", seconds(pool.stalled_nsec)),
           .address = pool.address},
          pool.stalled_nsec);
      return;
    }
  }

  const GuestFacts& facts_;
  const CpuHealth& health_;
  std::vector<Witness> witnesses_;
  std::uint64_t age_ = 0;
};

// When the CPU began to do what it does: when its task got it, if that was before anything else
// began to wait; an interrupt may have come later over an innocent one.
std::optional<std::uint64_t> since(const GuestFacts& facts, const VcpuActivity& vcpu,
                                   std::uint64_t age) {
  const auto told = begin_of(facts.time.now_nsec, age);
  const auto arrived = vcpu.task ? arrived_nsec(facts, *vcpu.task) : std::nullopt;
  constexpr std::uint64_t longest_before = 10 * nsec_per_second;
  // Of idle tasks it is 0: nothing notes when they get a CPU.
  const bool is_near = told && arrived && *arrived < *told && *told - *arrived < longest_before;
  return is_near ? arrived : told;
}

Finding describe_lockup(const GuestFacts& facts, const CpuHealth& health, VcpuActivity vcpu,
                        const CpuWitnesses& witnesses) {
  vcpu.trace = lasting_trace(facts, vcpu);
  Finding finding;
  finding.kind = FindingKind::SoftLockup;
  finding.cpu = health.cpu;
  finding.evidence = witnesses.all();
  finding.grade = finding.evidence.size() > 1 ? Grade::Strong : Grade::Weak;
  finding.since_nsec = since(facts, vcpu, witnesses.age());
  finding.cause = summary_of(vcpu.trace);
  const std::uint64_t age = facts.time.now_nsec - finding.since_nsec.value_or(0);
  finding.summary = fmt::format("CPU {} has run no other task for {}", health.cpu,
                                seconds(finding.since_nsec ? age : witnesses.age()));
  finding.summary += where_it_spins(vcpu);
  add_spinlock(vcpu, finding);
  if (vcpu.task) finding.task = name_of_task(*vcpu.task);
  const bool in_interrupt = std::any_of(
      vcpu.trace.frames.begin(), vcpu.trace.frames.end(),
      [](const Frame& frame) { return frame.is_reliable && frame.stack != StackKind::Task; });
  if (in_interrupt && vcpu.task) {
    finding.notes.push_back(
        fmt::format("it is in an interrupt or what came of one: {} only ran there then",
                    name_and_pid(*vcpu.task)));
  }
  return finding;
}

// Another task that has had the CPU of late: then it is no prisoner of the one that has it, which
// makes room for others now and then. One that is ready may only have been sent there.
const Task* last_other(const GuestFacts& facts, const CpuHealth& health, const VcpuActivity& vcpu) {
  const auto found =
      std::find_if(facts.tasks.begin(), facts.tasks.end(), [&](const TaskActivity& activity) {
        const Task& task = activity.task;
        if (task.cpu != health.cpu || task.state == 'R' || task.pid == 0) return false;
        if (vcpu.task && vcpu.task->address == task.address) return false;
        // The clocks of CPUs may differ; a time that has not come yet is damage.
        if (task.last_ran_nsec.value_or(0) > facts.time.now_nsec + nsec_per_second) return false;
        return nsec_off_cpu(facts, task).value_or(least_age) < least_age;
      });
  return found == facts.tasks.end() ? nullptr : &found->task;
}

}  // namespace

std::vector<Finding> find_soft_lockups(const GuestFacts& facts) {
  std::vector<Finding> findings;
  for (const CpuHealth& health : facts.cpus) {
    const VcpuActivity* vcpu = vcpu_of(facts, health.cpu);
    if (vcpu == nullptr || !is_busy_in_kernel(*vcpu)) continue;
    // That is another finding.
    if (is_locked_hard(facts, health)) continue;
    const Task* other = last_other(facts, health, *vcpu);
    if (other != nullptr && starved_stopper(facts, health) == nullptr) continue;
    const CpuWitnesses witnesses(facts, health);
    if (witnesses.all().empty()) continue;
    Finding& finding = findings.emplace_back(describe_lockup(facts, health, *vcpu, witnesses));
    if (other == nullptr) continue;
    finding.grade = Grade::Weak;
    finding.against.push_back(
        {.what = fmt::format("{} has had the CPU of late", name_and_pid(*other)),
         .address = other->address});
  }
  return findings;
}

}  // namespace photon_dmesg
