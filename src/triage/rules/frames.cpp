#include "triage/rules/frames.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace photon_dmesg {
namespace {

using Names = std::span<const std::string_view>;

bool is_any(std::string_view name, Names names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view wanted) {
    if (!wanted.ends_with('*')) return name == wanted;
    wanted.remove_suffix(1);
    return name.starts_with(wanted);
  });
}

std::string_view function_of(const Frame& frame) {
  return frame.is_reliable && frame.place ? plain_name(frame.place->symbol) : std::string_view();
}

bool calls(const Trace& trace, Names names) {
  return std::any_of(trace.frames.begin(), trace.frames.end(), [&](const Frame& frame) {
    const std::string_view name = function_of(frame);
    return !name.empty() && is_any(name, names);
  });
}

// kernel/sched/idle.c, drivers/cpuidle and arch/x86/kernel/process.c, 4.4 to 7.x.
constexpr std::array<std::string_view, 4> idle_loop = {"do_idle", "cpu_startup_entry",
                                                       "cpu_idle_loop", "cpuidle_idle_call"};
// kernel/panic.c, kernel/kexec_core.c; what runs in there, and what leads from an oops to it.
constexpr std::array<std::string_view, 4> panic_functions = {"panic", "vpanic", "nmi_panic",
                                                             "__crash_kexec"};
constexpr std::array<std::string_view, 26> death_machinery = {"panic",
                                                              "vpanic",
                                                              "nmi_panic",
                                                              "nmi_panic_self_stop",
                                                              "__crash_kexec",
                                                              "crash_kexec",
                                                              "machine_kexec",
                                                              "__const_udelay",
                                                              "__delay",
                                                              "delay_tsc",
                                                              "delay_halt*",
                                                              "__udelay",
                                                              "oops_end",
                                                              "oops_exit",
                                                              "die",
                                                              "__die*",
                                                              "no_context",
                                                              "page_fault_oops",
                                                              "panic_smp_self_stop",
                                                              "kernelmode_fixup_or_oops",
                                                              "bad_area*",
                                                              "__bad_area*",
                                                              "make_task_dead",
                                                              "emergency_restart",
                                                              "bust_spinlocks",
                                                              "dump_stack*"};
// What is between an exception and what it came into, besides.
constexpr std::array<std::string_view, 15> stopped = {
    "stop_this_cpu",       "crash_nmi_callback",   "panic_smp_self_stop",  "native_halt",
    "nmi_panic_self_stop", "sysvec_reboot",        "smp_reboot_interrupt", "__sysvec_reboot",
    "kdump_nmi_callback",  "kdump_nmi_shootdown*", "nmi_shootdown_cpus*",  "cpu_emergency_stop*",
    "local_cpu_stop*",     "ipi_cpu_stop",         "ipi_cpu_crash_stop"};
// kernel/smp.c, kernel/stop_machine.c
constexpr std::array<std::string_view, 9> cross_calls = {
    "smp_call_function_many_cond", "smp_call_function_many", "smp_call_function_single",
    "smp_call_function_any",       "csd_lock_wait*",         "__csd_lock_wait*",
    "on_each_cpu_cond*",           "generic_exec_single",    "multi_cpu_stop"};
// kernel/locking, arch/x86/include/asm/qspinlock*.h
constexpr std::array<std::string_view, 9> spinlock_slow_paths = {
    "native_queued_spin_lock_slowpath",
    "queued_spin_lock_slowpath",
    "__pv_queued_spin_lock_slowpath",
    "queued_read_lock_slowpath",
    "queued_write_lock_slowpath",
    "resilient_queued_spin_lock_slowpath",
    "native_pv_queued_spin_lock_slowpath",
    "__native_queued_spin_lock_slowpath",
    "mcs_spin_lock"};
constexpr std::array<std::string_view, 10> lock_entries = {
    "_raw_spin_lock*",  "_raw_read_lock*",    "_raw_write_lock*",
    "__raw_spin_lock*", "do_raw_spin_lock",   "queued_spin_lock_slowpath",
    "virt_spin_lock",   "__raw_callee_save*", "_raw_spin_trylock*",
    "__pv_queued*"};
// kernel/fork.c: nothing else there waits for a completion.
constexpr std::array<std::string_view, 4> forks = {"wait_for_vfork_done", "kernel_clone",
                                                   "_do_fork", "do_fork"};
constexpr std::array<std::string_view, 7> timed_sleeps = {
    "msleep", "msleep_interruptible", "schedule_timeout_uninterruptible", "usleep_range*",
    "fsleep", "schedule_hrtimeout*",  "schedule_timeout_killable"};
// block/, mm/filemap.c, fs/buffer.c, kernel/sched/core.c
constexpr std::array<std::string_view, 15> io_waits = {
    "io_schedule",          "io_schedule_timeout", "bit_wait_io",          "bit_wait_io_timeout",
    "blk_execute_rq",       "submit_bio_wait",     "blk_mq_get_tag",       "wait_on_page_writeback",
    "folio_wait_writeback", "__wait_on_buffer",    "blk_mq_freeze_queue*", "blk_queue_enter",
    "__bio_queue_enter",    "rq_qos_wait",         "scsi_execute*"};
// fs/jbd2, fs/xfs
constexpr std::array<std::string_view, 14> journal_waits = {"jbd2_log_wait_commit",
                                                            "wait_transaction_locked",
                                                            "wait_transaction_switching",
                                                            "jbd2_journal_commit_transaction",
                                                            "start_this_handle",
                                                            "add_transaction_credits",
                                                            "jbd2_complete_transaction",
                                                            "xlog_grant_head_wait",
                                                            "xfs_log_force*",
                                                            "xlog_wait*",
                                                            "xfs_buf_lock",
                                                            "__jbd2_log_wait_for_space",
                                                            "jbd2_journal_get_write_access",
                                                            "do_get_write_access"};
// kernel/softirq.c: what runs the works that interrupts leave behind, with interrupts let in.
constexpr std::array<std::string_view, 5> softirqs = {
    "__do_softirq", "handle_softirqs", "do_softirq*", "run_ksoftirqd", "__local_bh_enable_ip"};
// kernel/sched/completion.c
constexpr std::array<std::string_view, 3> completion_waits = {
    "wait_for_completion*", "__wait_for_common", "wait_for_common"};
// kernel/locking, kernel/sched/completion.c, swait.c, wait.c: what it is that a task sleeps in.
constexpr std::array<std::string_view, 18> sleeping_locks = {
    "mutex_lock*",     "__mutex_lock*",
    "rwsem_down*",     "down_read*",
    "down_write*",     "down",
    "down_*",          "__down*",
    "rt_mutex*",       "__rt_mutex*",
    "rwbase_*",        "__rwbase_*",
    "percpu_rwsem*",   "__percpu_down*",
    "rt_spin_lock*",   "wait_for_completion*",
    "wait_for_common", "rtlock_slowlock*"};
// Where every sleeper is: kernel/sched/core.c, and what leads there.
constexpr std::array<std::string_view, 16> sleep_machinery = {
    "__schedule",          "schedule",           "schedule_timeout*", "schedule_preempt_disabled",
    "io_schedule*",        "__switch_to*",       "preempt_schedule*", "__cond_resched",
    "schedule_hrtimeout*", "bit_wait*",          "__wait_on_bit*",    "out_of_line_wait_on_bit*",
    "__wait_for_common",   "do_wait_for_common", "rt_mutex_schedule", "schedule_rtlock"};
// Ways into the kernel: nobody asks for these.
constexpr std::array<std::string_view, 20> entries = {"do_syscall_64",
                                                      "entry_SYSCALL_64*",
                                                      "x64_sys_call",
                                                      "asm_*",
                                                      "__x64_sys_*",
                                                      "ret_from_fork*",
                                                      "__do_softirq",
                                                      "error_entry",
                                                      "entry_SYSCALL_compat*",
                                                      "do_fast_syscall_32",
                                                      "__do_fast_syscall_32",
                                                      "common_interrupt*",
                                                      "do_int80_syscall_32",
                                                      "entry_SYSENTER_compat*",
                                                      "secondary_startup_64*",
                                                      "common_startup_64",
                                                      "system_call_fast*",
                                                      "exc_*",
                                                      "page_fault",
                                                      "handle_exception_return"};

bool is_part(std::string_view name, std::initializer_list<Names> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](Names part) { return is_any(name, part); });
}

// The system call that `name` is the kernel's entry of: "write(2)".
std::string system_call(std::string_view name) {
  for (const std::string_view prefix :
       {"__x64_sys_", "__do_sys_", "__se_sys_", "__ia32_sys_", "ksys_", "SyS_", "sys_"}) {
    if (name.starts_with(prefix)) return fmt::format("{}(2)", name.substr(prefix.size()));
  }
  return {};
}

std::vector<const Frame*> reliable(std::span<const Frame> frames) {
  std::vector<const Frame*> result;
  for (const Frame& frame : frames) {
    if (frame.is_reliable && frame.place) result.push_back(&frame);
  }
  return result;
}

// Without the machinery in front, and all that panic() calls, if anything is behind it.
std::vector<const Frame*> what_matters(std::span<const Frame> frames) {
  std::vector<const Frame*> all = reliable(frames);
  const auto is_panic = [](const Frame* frame) {
    return is_any(plain_name(frame->place->symbol), panic_functions);
  };
  const auto is_machinery = [](const Frame* frame) {
    return is_part(plain_name(frame->place->symbol), {death_machinery, sleep_machinery});
  };
  const auto outermost_panic = std::find_if(all.rbegin(), all.rend(), is_panic);
  const auto first = std::find_if_not(outermost_panic.base(), all.end(), is_machinery);
  if (first != all.end()) all.erase(all.begin(), first);
  return all;
}

std::string in_one_line(const std::vector<const Frame*>& frames) {
  constexpr std::size_t most = 8;
  std::string line;
  std::size_t count = 0;
  for (const Frame* frame : frames) {
    const std::string_view name = plain_name(frame->place->symbol);
    const std::string call = system_call(name);
    if (!line.empty() && call.empty() && is_any(name, entries)) continue;
    if (!line.empty()) line += " < ";
    if (!call.empty()) return line + call;
    if (++count > most) return line + "...";
    line += name;
    if (count == 1) line += fmt::format("+{:#x}", frame->place->offset);
    if (!frame->place->module.empty()) line += fmt::format(" [{}]", frame->place->module);
  }
  return line;
}

// From the first function on that was interrupted: what an exception came into.
std::span<const Frame> below_exception(const Trace& trace) {
  const auto found = std::find_if(trace.frames.begin(), trace.frames.end(), [](const Frame& frame) {
    return frame.is_reliable && frame.kind == FrameKind::Interrupted;
  });
  if (found == trace.frames.end()) return {};
  return std::span(trace.frames).subspan(static_cast<std::size_t>(found - trace.frames.begin()));
}

}  // namespace

std::string_view plain_name(std::string_view symbol) {
  // A leading dot is a part of the name.
  const std::size_t dot = symbol.find('.', 1);
  return dot == std::string_view::npos ? symbol : symbol.substr(0, dot);
}

bool calls_any(const Trace& trace, std::initializer_list<std::string_view> names) {
  return calls(trace, std::span(names.begin(), names.size()));
}

bool is_in_idle_loop(const Trace& trace) {
  return below_exception(trace).empty() && calls(trace, idle_loop);
}

bool is_in_panic(const Trace& trace) {
  return calls(trace, panic_functions);
}

bool is_stopped_by_panic(const Trace& trace) {
  return calls(trace, stopped);
}

bool waits_for_other_cpus(const Trace& trace) {
  return calls(trace, cross_calls);
}

bool spins_on_lock(const Trace& trace) {
  return calls(trace, spinlock_slow_paths);
}

bool waits_for_vfork(const Trace& trace) {
  return calls(trace, forks) && calls(trace, completion_waits);
}

bool sleeps_for_time(const Trace& trace) {
  return calls(trace, timed_sleeps);
}

bool waits_for_io(const Trace& trace) {
  return calls(trace, io_waits);
}

bool waits_for_journal(const Trace& trace) {
  return calls(trace, journal_waits);
}

std::string summary_of(const Trace& trace) {
  return in_one_line(what_matters(trace.frames));
}

std::string fault_of(const Trace& trace) {
  const auto below = below_exception(trace);
  return below.empty() ? summary_of(trace) : in_one_line(what_matters(below));
}

Trace below_tick(const Trace& trace) {
  const std::span<const Frame> below = below_exception(trace);
  const auto count = static_cast<std::ptrdiff_t>(trace.frames.size() - below.size());
  const auto end = trace.frames.begin() + count;
  const bool takes_long = std::any_of(trace.frames.begin(), end, [](const Frame& frame) {
    return frame.is_reliable && frame.place && is_any(plain_name(frame.place->symbol), softirqs);
  });
  if (below.empty() || takes_long) return trace;
  Trace result = trace;
  result.frames.erase(result.frames.begin(), result.frames.begin() + count);
  return result;
}

std::string work_of(const Trace& trace) {
  const Frame* callee = nullptr;
  for (const Frame& frame : trace.frames) {
    if (!frame.is_reliable || !frame.place) continue;
    const bool runs_works = plain_name(frame.place->symbol) == "process_one_work";
    if (runs_works && callee != nullptr) return std::string(plain_name(callee->place->symbol));
    if (runs_works) break;
    callee = &frame;
  }
  return {};
}

std::string culprit_of(const Trace& trace) {
  for (const Frame* frame : what_matters(trace.frames)) {
    const std::string_view name = plain_name(frame->place->symbol);
    if (is_part(name, {lock_entries, spinlock_slow_paths, sleeping_locks, entries})) continue;
    return std::string(name);
  }
  return {};
}

}  // namespace photon_dmesg
