#include "kernel/symbols/types_of_use.h"

#include <algorithm>
#include <array>

namespace photon_dmesg {
namespace {

constexpr std::array types = {
    // kernel/printk/printk_ringbuffer.h: the log of 5.10 and later.
    TypeOfUse{"printk_ringbuffer", "prb", "", ""},
    TypeOfUse{"prb_desc_ring", "prb", "", ""},
    TypeOfUse{"prb_data_ring", "prb", "", ""},
    TypeOfUse{"prb_desc", "prb", "", ""},
    TypeOfUse{"prb_data_blk_lpos", "prb", "", ""},
    TypeOfUse{"printk_info", "prb", "", ""},
    TypeOfUse{"dev_printk_info", "prb", "", ""},
    // kernel/printk/printk.c: the log of 3.5 to 5.9; `struct log` before 3.11.
    TypeOfUse{"printk_log", "log_first_idx", "", ""},
    TypeOfUse{"log", "log_first_idx", "printk_log", ""},
    // The same: a line of which only the beginning was printed, until 5.9.
    TypeOfUse{"cont", "log_first_idx", "", ""},
    // include/linux/console.h: how far each console has come, since 5.19.
    TypeOfUse{"console", "console_drivers", "", ""},
    TypeOfUse{"console", "console_list", "", ""},

    // Tasks, and what leads to them and from them: by printk.c's own includes, or those of others.
    TypeOfUse{"task_struct", "", "", "do_syslog"},
    TypeOfUse{"thread_struct", "", "", "do_syslog"},
    TypeOfUse{"cpu_context", "", "", "do_syslog"},
    TypeOfUse{"thread_info", "", "", "do_syslog"},
    TypeOfUse{"sched_info", "", "", "do_syslog"},
    TypeOfUse{"sched_entity", "", "", "do_syslog"},
    TypeOfUse{"signal_struct", "", "", "do_syslog"},
    TypeOfUse{"mm_struct", "", "", "do_syslog"},
    TypeOfUse{"list_head", "", "", "do_syslog"},
    TypeOfUse{"pid", "", "", "do_syslog"},
    TypeOfUse{"upid", "", "", "do_syslog"},
    TypeOfUse{"pid_namespace", "", "", "do_syslog"},
    TypeOfUse{"idr", "", "", "do_syslog"},
    TypeOfUse{"xarray", "", "", "do_syslog"},
    TypeOfUse{"pcpu_hot", "", "", "do_syslog"},
    TypeOfUse{"module", "", "", "do_syslog"},
    TypeOfUse{"module_layout", "", "", "do_syslog"},
    TypeOfUse{"module_memory", "", "", "do_syslog"},
    TypeOfUse{"mod_kallsyms", "", "", "do_syslog"},
    TypeOfUse{"mod_arch_specific", "", "", "do_syslog"},
    TypeOfUse{"mutex", "", "", "do_syslog"},
    TypeOfUse{"rw_semaphore", "", "", "do_syslog"},
    TypeOfUse{"semaphore", "", "", "do_syslog"},
    TypeOfUse{"completion", "", "", "do_syslog"},
    TypeOfUse{"swait_queue_head", "", "", "do_syslog"},
    TypeOfUse{"wait_queue_entry", "", "", "do_syslog"},
    TypeOfUse{"wait_queue_head", "", "", "do_syslog"},
    TypeOfUse{"percpu_rw_semaphore", "", "", "do_syslog"},
    TypeOfUse{"inode", "", "", "do_syslog"},
    TypeOfUse{"address_space", "", "", "do_syslog"},
    TypeOfUse{"super_block", "", "", "do_syslog"},
    TypeOfUse{"sb_writers", "", "", "do_syslog"},
    TypeOfUse{"block_device", "", "", "do_syslog"},
    // kernel/sched/core.c
    TypeOfUse{"rq", "", "", "schedule"},
    TypeOfUse{"wait_page_queue", "", "", "schedule"},
    // kernel/time/hrtimer.c and tick-sched.c
    TypeOfUse{"hrtimer", "", "", "hrtimer_start_range_ns"},
    TypeOfUse{"hrtimer_cpu_base", "", "", "hrtimer_start_range_ns"},
    TypeOfUse{"tick_sched", "", "", "tick_nohz_idle_enter"},
    // kernel/rcu/tree.c, kernel/workqueue.c; what sched/core.c includes of memory
    TypeOfUse{"rcu_state", "", "", "rcu_note_context_switch"},
    TypeOfUse{"rcu_node", "", "", "rcu_note_context_switch"},
    TypeOfUse{"worker_pool", "", "", "queue_work_on"},
    TypeOfUse{"worker", "", "", "queue_work_on"},
    TypeOfUse{"pglist_data", "", "", "schedule"},
    TypeOfUse{"zone", "", "", "schedule"},
    // arch/x86/kernel/dumpstack_64.c; kernel/bpf/btf.c: where modules' own types stand.
    TypeOfUse{"cea_exception_stacks", "", "", "stack_type_name"},
    TypeOfUse{"btf_module", "", "", "btf_put"},
    TypeOfUse{"btf", "", "", "btf_put"},
    // kernel/locking; rwsem_wake: rwsem-xadd.c, until 5.2.
    TypeOfUse{"mutex_waiter", "", "", "mutex_unlock"},
    TypeOfUse{"rwsem_waiter", "", "", "up_read"},
    TypeOfUse{"rwsem_waiter", "", "", "rwsem_wake"},
    TypeOfUse{"semaphore_waiter", "", "", "up"},
    TypeOfUse{"rt_mutex_waiter", "", "", "rt_mutex_unlock"},
    TypeOfUse{"rt_mutex_base", "", "", "rt_mutex_unlock"},
    TypeOfUse{"rt_mutex", "", "", "rt_mutex_unlock"},
    // kernel/sched/wait_bit.c, completion.c
    TypeOfUse{"wait_bit_queue_entry", "", "", "wake_up_bit"},
    TypeOfUse{"wait_bit_key", "", "", "wake_up_bit"},
    TypeOfUse{"swait_queue", "", "", "wait_for_completion"},
    // lib/radix-tree.c, fs/super.c
    TypeOfUse{"xa_node", "", "", "radix_tree_lookup"},
    TypeOfUse{"radix_tree_node", "", "", "radix_tree_lookup"},
    TypeOfUse{"radix_tree_root", "", "", "radix_tree_lookup"},
    TypeOfUse{"gendisk", "", "", "freeze_super"},
    TypeOfUse{"file_system_type", "", "", "freeze_super"},

    // Disks and what they were asked for: block/blk-mq.c, bdev.c (fs/block_dev.c until 5.15).
    TypeOfUse{"bio", "", "", "blk_mq_end_request"},
    TypeOfUse{"request", "", "", "blk_mq_end_request"},
    TypeOfUse{"request_queue", "", "", "blk_mq_end_request"},
    TypeOfUse{"blk_mq_tag_set", "", "", "blk_mq_end_request"},
    TypeOfUse{"blk_mq_tags", "", "", "blk_mq_end_request"},
    TypeOfUse{"blk_mq_hw_ctx", "", "", "blk_mq_end_request"},
    TypeOfUse{"blk_flush_queue", "", "", "blk_mq_end_request"},
    TypeOfUse{"hd_struct", "", "", "blk_mq_end_request"},
    TypeOfUse{"disk_stats", "", "", "blk_mq_end_request"},
    TypeOfUse{"bdev_inode", "", "", "sync_blockdev"},
    // What is part of the kernel's image in some, and a module in others.
    TypeOfUse{"mapped_device", "", "", "dm_suspend"},
    TypeOfUse{"Scsi_Host", "", "", "scsi_eh_scmd_add"},
    TypeOfUse{"scsi_host_template", "", "", "scsi_eh_scmd_add"},
    TypeOfUse{"scsi_device", "", "", "scsi_eh_scmd_add"},
    TypeOfUse{"scsi_cmnd", "", "", "scsi_eh_scmd_add"},
    TypeOfUse{"pvscsi_adapter", "", "", "pvscsi_abort"},
    TypeOfUse{"ext4_sb_info", "", "", "__ext4_error"},
    TypeOfUse{"journal_s", "", "", "__ext4_error"},
    TypeOfUse{"transaction_s", "", "", "__ext4_error"},
    TypeOfUse{"xfs_mount", "", "", "xfs_do_force_shutdown"},
    // What pages and buffers belong to: fs/buffer.c
    TypeOfUse{"page", "", "", "do_syslog"},
    TypeOfUse{"folio", "", "", "do_syslog"},
    TypeOfUse{"buffer_head", "", "", "__wait_on_buffer"},
};

}  // namespace

std::span<const TypeOfUse> types_of_use() {
  return types;
}

std::vector<std::string_view> functions_of_use() {
  std::vector<std::string_view> functions;
  for (const TypeOfUse& type : types) {
    const bool is_new =
        std::find(functions.begin(), functions.end(), type.function) == functions.end();
    if (!type.function.empty() && is_new) functions.push_back(type.function);
  }
  return functions;
}

bool is_in_units_of_use(std::string_view name) {
  return std::any_of(types.begin(), types.end(), [&](const TypeOfUse& type) {
    return type.name == name && !type.function.empty();
  });
}

std::vector<const StructLayout*> find_types_of_use(const KernelSymbols& symbols) {
  std::vector<const StructLayout*> found;
  for (const TypeOfUse& type : types) {
    if (!type.symbol.empty() && !symbols.find_symbol(type.symbol)) continue;
    if (!type.instead_of.empty() && symbols.find_struct(type.instead_of) != nullptr) continue;
    const StructLayout* layout = symbols.find_struct(type.name);
    const bool is_new = std::find(found.begin(), found.end(), layout) == found.end();
    if (layout != nullptr && is_new) found.push_back(layout);
  }
  return found;
}

}  // namespace photon_dmesg
