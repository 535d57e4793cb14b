#include "triage/log/reporting_functions.h"

#include <algorithm>
#include <array>

namespace photon_dmesg {
namespace {

// clang-format off
// Functions that report, with what their names begin with where it ends with '*'.
constexpr std::array reporting = std::to_array<std::string_view>({
    // Printing a trace, and what an exception goes through.
    "dump_stack*", "__dump_stack", "show_stack*", "dump_backtrace*", "show_trace*", "panic",
    "vpanic", "die", "__die*", "die_*", "oops_*", "__warn*", "warn_slowpath*", "report_bug",
    "__report_bug", "handle_bug", "fixup_bug*", "do_error_trap", "do_trap*", "do_invalid_op",
    "invalid_op", "exc_*", "asm_exc_*", "error_entry", "page_fault", "async_page_fault",
    "do_page_fault", "__do_page_fault", "trace_page_fault", "trace_do_page_fault",
    "do_async_page_fault", "do_user_addr_fault", "do_kern_addr_fault", "no_context", "__bad_area*",
    "bad_area*", "page_fault_oops", "kernelmode_fixup_or_oops", "general_protection",
    "do_general_protection", "math_error", "divide_error", "do_divide_error", "double_fault",
    "do_double_fault", "df_debug", "handle_stack_overflow", "rust_helper_BUG", "rust_begin_unwind",
    "<core::panicking*", "__stack_chk_fail*", "fortify_panic",
    "__fortify_panic", "__fortify_report", "arm_notify_die", "do_DataAbort", "__dabt_svc",
    "do_mem_abort", "el1_*", "el1h_*", "do_translation_fault", "__do_kernel_fault",
    "program_check*", "nmi_panic",
    // Sanitizers.
    "kasan_*", "__kasan*", "__asan_*", "asan_*", "print_address_description*", "print_report",
    "print_error_description", "check_memory_region*", "kmsan_*", "__kmsan*", "__msan*", "kcsan_*",
    "__tsan*", "kfence_*", "__kfence*", "ubsan_*", "__ubsan*", "val_to_string*", "object_err",
    "print_trailer*", "slab_err", "slab_bug", "check_slab*", "check_object", "check_bytes*",
    "free_debug_processing", "usercopy_*", "__check_object_size*", "check_object_size",
    "__check_heap_object", "report_usercopy", "refcount_*", "__refcount*", "__list_add_valid*",
    "__list_del_entry*", "__list_del_entry_valid*", "debug_print_object", "debug_object_*",
    "__debug_object*", "debug_check_no*", "__debug_check_no*", "memcpy*", "memset*", "__memset*",
    "__memcpy*", "memmove*", "__memmove*",
    // Memory that is not to be had.
    "dump_header", "oom_kill*", "out_of_memory", "pagefault_out_of_memory", "mem_cgroup_o*",
    "__alloc_pages*", "alloc_pages*", "__alloc_frozen_pages*", "warn_alloc*", "try_charge*",
    "mem_cgroup_charge*", "__mem_cgroup_charge", "charge_memcg", "vma_alloc*", "folio_alloc*",
    "__folio_alloc*", "__vmalloc*",
    // Locks and RCU under examination.
    "lockdep_*", "lock_acquire*", "__lock_acquire*", "lock_release*", "__lock_release*",
    "validate_chain", "check_prev*", "check_noncircular", "print_*", "mark_lock*",
    "register_lock_class", "assign_lock_key", "look_up_lock_class", "debug_smp_processor_id",
    "check_preemption_disabled", "__this_cpu_preempt_check", "___might_sleep", "__might_sleep",
    "__might_resched", "__schedule_bug", "schedule_debug", "spin_bug", "spin_dump",
    "do_raw_spin_*", "__spin_lock_debug", "rcu_lockdep*", "debug_lockdep*",
    // Stalls: the tick that found it.
    "rcu_check_callbacks*", "rcu_sched_clock_irq", "rcu_pending", "dump_cpu_task", "stack_trace_*",
    "arch_stack_walk", "save_stack*", "do_tag_*", "__panic", "print_cpu_stall*", "check_cpu_stall",
    "rcu_dump_cpu_stacks", "sched_show_task*", "_sched_show_task", "update_process_times",
    "tick_sched*", "tick_nohz*", "__hrtimer_run_queues", "__run_hrtimer", "hrtimer_interrupt",
    "local_apic_timer_interrupt", "smp_apic_timer*", "__sysvec*", "sysvec_*", "asm_sysvec*",
    "apic_timer_interrupt", "instr_sysvec*", "trigger_*", "nmi_*", "arch_trigger*", "watchdog_*",
    "perf_event_nmi*", "default_do_nmi", "do_nmi", "end_repeat_nmi", "nmi", "asm_exc_nmi",
    "irq_exit*", "irqentry_*", "__sanitizer_cov*",
});

// What is called from everywhere: who called it with what it could not stand is what matters.
constexpr std::array helpers = std::to_array<std::string_view>({
    "_raw_*", "memcmp", "memchr*", "memcpy*", "memset*", "memmove*", "__memcpy*", "__memset*",
    "__memmove*", "strlen", "strnlen", "strcmp", "strncmp", "strcasecmp", "strncasecmp", "strcpy",
    "strncpy", "strlcpy", "strscpy*", "strchr*", "strstr", "rb_erase*", "rb_insert*", "rb_first",
    "rb_next", "rb_prev", "rb_last", "__rb_*", "list_del*", "list_add*", "list_move*", "__list_*",
    "hlist_del*", "hlist_add*", "klist_*", "kfree*", "kvfree*", "kmem_cache_*", "kmalloc*",
    "__kmalloc*", "__x86_indirect_*", "skb_panic", "skb_over_panic", "skb_under_panic",
    "osq_lock", "mutex_*", "__mutex_*", "copy_to_user*", "copy_from_user*", "copy_user*",
    "_copy_*", "__copy_*", "__might_fault", "atomic_*", "_atomic_*", "test_and_*",
});

// By which tasks wait.
constexpr std::array waiting = std::to_array<std::string_view>({
    "__schedule", "schedule*", "context_switch", "__switch_to*", "preempt_schedule*",
    "io_schedule*", "wait_for_c*", "__wait_for_common", "do_wait_for_common", "wait_for_common",
    "__mutex_lock*", "mutex_lock*", "rwsem_down*", "__rwsem*", "down_read*", "down_write*",
    "__down*", "down", "call_rwsem_down*", "percpu_rwsem*", "__percpu*", "bit_wait*",
    "__wait_on_bit*", "out_of_line_wait*", "wait_on_bit*", "__rt_mutex*", "rt_mutex*",
    "__filemap_fdatawait*", "flush_work", "__flush_work*", "flush_workqueue*", "__flush_workqueue",
    "console_lock", "folio_wait_bit*", "wait_on_page_bit*", "__lock_page*", "__folio_lock*",
    "ww_mutex*",
});

// By which kmemleak came to know what leaks.
constexpr std::array allocating = std::to_array<std::string_view>({
    "kmemleak_*", "create_object*", "kmem_cache_*", "__kmem*", "kmalloc*", "__kmalloc*",
    "__do_kmalloc*", "slab_*", "__alloc_skb*", "alloc_skb*", "kstrdup*", "kmemdup*", "kzalloc*",
    "kvmalloc*", "__vmalloc*", "vmalloc*", "vzalloc*", "kcalloc*", "pcpu_alloc*", "__kvmalloc*",
    "krealloc*", "dev_alloc_skb",
});
// clang-format on

bool is_listed(std::string_view symbol, const auto& list) {
  return std::any_of(list.begin(), list.end(), [symbol](std::string_view entry) {
    if (entry.ends_with('*')) return symbol.starts_with(entry.substr(0, entry.size() - 1));
    // ".cold", ".isra.0" and such are parts of the function.
    return symbol.starts_with(entry) &&
           (symbol.size() == entry.size() || symbol[entry.size()] == '.');
  });
}

// Rust's, whose names are mangled.
bool is_rust_panic(std::string_view symbol) {
  return symbol.starts_with("_R") && (symbol.find("panicking") != std::string_view::npos ||
                                      symbol.find("rust_begin_unwind") != std::string_view::npos);
}

}  // namespace

bool matters(std::string_view symbol, FindingKind kind) {
  if (is_listed(symbol, reporting) || is_rust_panic(symbol)) return false;
  switch (kind) {
    case FindingKind::MemoryLeak:
      return !is_listed(symbol, allocating);
    case FindingKind::BlockedTasks:
    case FindingKind::RcuStall:
    case FindingKind::SleepInAtomic:
    case FindingKind::Panic:
      return !is_listed(symbol, waiting);
    default:
      return !is_listed(symbol, helpers);
  }
}

}  // namespace photon_dmesg
