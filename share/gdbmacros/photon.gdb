# gdb commands for the memory of a suspended Linux guest: dmesg, ps, btt, btpid, trapinfo.
#
# Load a kernel's memory and its vmlinux, then:  (gdb) source photon.gdb
#
# They need vmlinux's debug information, and memory that gdb reads by kernel-virtual address. Under
# KASLR the symbols must have been loaded at the guest's offset: symbol-file vmlinux -o OFFSET, with
# the offset that photon-dmesg --json gives as kaslr_offset. No Python is needed.

# Sets $linux_version to major * 1000 + minor, as the kernel's layouts depend on it.
define _linux_version
  set $_at = 0
  set $_major = 0
  set $_minor = 0
  while init_uts_ns.name.release[$_at] >= '0' && init_uts_ns.name.release[$_at] <= '9'
    set $_major = $_major * 10 + init_uts_ns.name.release[$_at] - '0'
    set $_at = $_at + 1
  end
  set $_at = $_at + 1
  while init_uts_ns.name.release[$_at] >= '0' && init_uts_ns.name.release[$_at] <= '9'
    set $_minor = $_minor * 10 + init_uts_ns.name.release[$_at] - '0'
    set $_at = $_at + 1
  end
  set $linux_version = $_major * 1000 + $_minor
end
document _linux_version
Sets $linux_version from the guest's release: 4.4 is 4004, 5.10 is 5010.
end

# $_plain: whether the $_size bytes at $_text are all printable ASCII. Eight bytes at a time: a byte
# below 0x20, of 0x7f or above leaves its top bit set in one of the three terms.
define _text_is_plain
  set $_plain = 1
  set $_i = 0
  while $_plain && $_i + 8 <= $_size
    set $_word = *(unsigned long *)($_text + $_i)
    set $_odd = ($_word - 0x2020202020202020) | $_word | ($_word + 0x0101010101010101)
    if ($_odd & 0x8080808080808080) != 0
      set $_plain = 0
    end
    set $_i = $_i + 8
  end
  while $_plain && $_i < $_size
    set $_byte = *(unsigned char *)($_text + $_i)
    if $_byte < 0x20 || $_byte >= 0x7f
      set $_plain = 0
    end
    set $_i = $_i + 1
  end
end
document _text_is_plain
Sets $_plain: whether the $_size bytes at $_text are all printable ASCII.
end

# Byte by byte: a terminal gets nothing but printable ASCII, tabs and newlines.
define _print_escaped
  set $_i = 0
  while $_i < $_size
    set $_byte = *(unsigned char *)($_text + $_i)
    if $_byte == '\n'
      printf "\n"
      if $_i + 1 < $_size
        printf "               "
      end
    else
      if $_byte == '\t' || ($_byte >= 0x20 && $_byte < 0x7f)
        printf "%c", $_byte
      else
        printf "\\x%02x", $_byte
      end
    end
    set $_i = $_i + 1
  end
  printf "\n"
end
document _print_escaped
Prints the $_size bytes at $_text; what isn't printable ASCII as \xNN.
end

# One record: $_nanoseconds, and $_size bytes of text at $_text.
define _print_record
  if $_size == 0
    printf "\n"
  else
    printf "[%5lu.%06lu] ", $_nanoseconds / 1000000000, $_nanoseconds % 1000000000 / 1000
    _text_is_plain
    if $_plain
      # gdb's printf takes no * for the precision.
      eval "printf \"%%.%lus\\n\", (char *)%lu", $_size, $_text
    else
      _print_escaped
    end
  end
end
document _print_record
Prints one record: $_nanoseconds, and $_size bytes of text at $_text.
end

# The text of the record in $_descriptor and $_info: sets $_text and $_size; $_sound is 0 if the text
# is lost. A block begins with the id of its record, and starts again at the ring's beginning when it
# would cross its end.
define _find_text
  set $_begin = (unsigned long)$_descriptor->text_blk_lpos.begin
  set $_next = (unsigned long)$_descriptor->text_blk_lpos.next
  set $_data_size = 1UL << prb->text_data_ring.size_bits
  set $_size = (unsigned long)$_info->text_len
  set $_text = 0
  if ($_begin & 1) && ($_next & 1)
    # No block: 3 is an empty line, 1 a text for which there was no room.
    if $_begin == 1 || $_size != 0
      set $_sound = 0
    end
    set $_size = 0
  else
    set $_room = $_next - $_begin
    set $_block = $_begin & ($_data_size - 1)
    if $_begin / $_data_size != ($_next - 1) / $_data_size
      set $_block = 0
      set $_room = $_next & ($_data_size - 1)
    end
    set $_block = (unsigned long)prb->text_data_ring.data + $_block
    set $_text = $_block + 8
    if $_room <= 8 || $_room > $_data_size || $_size > $_room - 8
      set $_sound = 0
    else
      if *(unsigned long *)$_block != $_id
        set $_sound = 0
      end
    end
  end
end
document _find_text
Finds the text of the record $_descriptor, $_info in the ring of Linux 5.10 and later.
end

define _dmesg_ringbuffer
  set $_count = 1UL << prb->desc_ring.count_bits
  # Two bits of state above 62 bits of id; 1 is committed, 2 finalized.
  set $_id_mask = (1UL << 62) - 1
  set $_id = (unsigned long)prb->desc_ring.tail_id.counter & $_id_mask
  set $_end = ((unsigned long)prb->desc_ring.head_id.counter + 1) & $_id_mask
  set $_printed = 0
  set $_left_out = 0
  while $_id != $_end
    set $_descriptor = &prb->desc_ring.descs[$_id & ($_count - 1)]
    set $_info = &prb->desc_ring.infos[$_id & ($_count - 1)]
    set $_var = (unsigned long)$_descriptor->state_var.counter
    set $_state = $_var >> 62
    set $_sound = ($_var & $_id_mask) == $_id && ($_state == 1 || $_state == 2)
    if $_sound
      _find_text
    end
    if $_sound
      set $_nanoseconds = (unsigned long)$_info->ts_nsec
      _print_record
      set $_printed = $_printed + 1
    else
      # State 3 at the tail is no record any more: it has been given up, or was never one.
      if $_state != 3 || $_printed > 0
        set $_left_out = $_left_out + 1
      end
    end
    set $_id = ($_id + 1) & $_id_mask
  end
end
document _dmesg_ringbuffer
Prints the records of a printk_ringbuffer: Linux 5.10 and later.
end

define _dmesg_printk_log
  set $_left_out = 0
  set $_index = (unsigned long)log_first_idx
  set $_seq = (unsigned long)log_first_seq
  while $_seq < (unsigned long)log_next_seq
    if $_index + sizeof(struct printk_log) > (unsigned long)log_buf_len
      set $_index = 0
    end
    set $_record = (struct printk_log *)((unsigned long)log_buf + $_index)
    if $_record->len == 0
      # The log goes on at the buffer's beginning.
      set $_index = 0
      set $_record = (struct printk_log *)log_buf
    end
    set $_length = (unsigned long)$_record->len
    set $_size = (unsigned long)$_record->text_len
    if $_length < sizeof(struct printk_log) + $_size
      # Where the next record begins is not known.
      set $_left_out = (unsigned long)log_next_seq - $_seq
      set $_seq = (unsigned long)log_next_seq
    else
      set $_nanoseconds = (unsigned long)$_record->ts_nsec
      set $_text = (unsigned long)$_record + sizeof(struct printk_log)
      _print_record
      set $_index = $_index + $_length
      set $_seq = $_seq + 1
    end
  end
end
document _dmesg_printk_log
Prints the records of a struct printk_log buffer: Linux 3.11 to 5.9.
end

define dmesg
  _linux_version
  if $linux_version >= 5010
    _dmesg_ringbuffer
  else
    _dmesg_printk_log
  end
  if $_left_out > 0
    printf "(%lu records left out: unfinished, damaged, or their text is lost; see photon-dmesg)\n", $_left_out
  end
end
document dmesg
Print the kernel log of the guest as dmesg(1) does.
Reads printk_ringbuffer (Linux 5.10 and later) and struct printk_log (3.11 to 5.9). A byte that isn't
printable ASCII is printed as \xNN. Records that can't be printed are counted at the end.
end

# Runs the command $arg0 for each thread of each process, with $task set.
define _for_each_task
  set $_tasks_offset = (unsigned long)&((struct task_struct *)0)->tasks
  set $_thread_offset = (unsigned long)&((struct task_struct *)0)->thread_node
  set $_leader = &init_task
  # No guest has more tasks than there are process ids (PID_MAX_LIMIT); a damaged list ends too.
  set $_budget = 4194304
  set $_more = 1
  while $_more
    if $_leader == &init_task
      # The idle task is a list of its own.
      set $task = $_leader
      $arg0
    else
      set $_head = (unsigned long)&$_leader->signal->thread_head
      set $_node = (unsigned long)$_leader->signal->thread_head.next
      while $_node != $_head && $_budget > 0
        set $task = (struct task_struct *)($_node - $_thread_offset)
        $arg0
        set $_node = *(unsigned long *)$_node
        set $_budget = $_budget - 1
      end
    end
    set $_leader = (struct task_struct *)((unsigned long)$_leader->tasks.next - $_tasks_offset)
    set $_budget = $_budget - 1
    set $_more = $_leader != &init_task && $_budget > 0
  end
  if $_budget <= 0
    printf "(the list of tasks has no end: it is damaged)\n"
  end
end
document _for_each_task
Runs a command for each thread of each process, with $task pointing to its task_struct.
end

# $task's state as ps(1) writes it.
define _task_state
  if $linux_version >= 5014
    set $_state = (unsigned long)$task->__state
  else
    set $_state = (unsigned long)$task->state
  end
  set $_letter = '?'
  if $_state == 0
    set $_letter = 'R'
  end
  if $_state & 1
    set $_letter = 'S'
  end
  if $_state & 2
    set $_letter = 'D'
    # TASK_NOLOAD, since 4.2: an idle kernel thread, in no one's way.
    if $_state & 0x400
      set $_letter = 'I'
    end
  end
  if $_state & 4
    set $_letter = 'T'
  end
  if $_state & 8
    set $_letter = 't'
  end
  if $task->exit_state & 0x10
    set $_letter = 'X'
  end
  if $task->exit_state & 0x20
    set $_letter = 'Z'
  end
end
document _task_state
Sets $_letter to the state of $task as ps(1) writes it.
end

define _print_task
  _task_state
  printf "%7d %7d  %c  0x%016lx  ", $task->pid, $task->tgid, $_letter, (unsigned long)$task
  set $_text = (unsigned long)&$task->comm[0]
  set $_size = 0
  while $_size < sizeof($task->comm) && $task->comm[$_size] != 0
    set $_size = $_size + 1
  end
  _print_escaped
end
document _print_task
Prints one line about $task.
end

define ps
  _linux_version
  printf "    PID    TGID  S  TASK                NAME\n"
  _for_each_task _print_task
end
document ps
List every task of the guest: thread id, process id, state, address of its task_struct, name.
States are those of ps(1): R running or ready, S sleeping, D uninterruptible, I idle kernel thread,
T stopped, t traced, Z zombie, X dead.
end

# Stacks are scanned, not unwound: whatever looks like a return address into the kernel's text is
# printed, and some of it is left from earlier calls.
define _print_stack
  printf "\n"
  _print_task
  set $_stack = (unsigned long)$task->stack
  set $_sp = (unsigned long)$task->thread.sp
  if $_stack == 0 || $_sp < $_stack || $_sp >= $_stack + $_stack_size
    printf "  (no saved stack)\n"
  else
    while $_sp < $_stack + $_stack_size
      set $_address = *(unsigned long *)$_sp
      if $_address > (unsigned long)&_stext && $_address < (unsigned long)&_etext
        printf "  [0x%016lx] ", $_sp
        output/a $_address
        printf "\n"
      end
      set $_sp = $_sp + 8
    end
  end
end
document _print_stack
Prints the return addresses on the kernel stack of $task.
end

define btt
  _linux_version
  # THREAD_SIZE: 16 KiB on x86-64 since 3.15, but for KASAN kernels, which no release is.
  set $_stack_size = 16384
  _for_each_task _print_stack
end
document btt
Print the kernel stack of every task of the guest that was not running.
Each line is a word on the stack that points into the kernel's text, innermost first. The stacks are
scanned, not unwound: some lines may be left from earlier calls. What was running is in the
registers: see `info threads' and `bt'.
end

define _if_wanted_print_stack
  if $task->pid == $_wanted
    set $_found = 1
    _print_stack
  end
end
document _if_wanted_print_stack
Prints the stack of $task if its thread id is $_wanted.
end

define btpid
  if $argc != 1
    printf "btpid: expected one thread id: btpid PID (see ps)\n"
  else
    _linux_version
    set $_stack_size = 16384
    set $_wanted = $arg0
    set $_found = 0
    _for_each_task _if_wanted_print_stack
    if !$_found
      printf "no task has the thread id %d\n", $_wanted
    end
  end
end
document btpid
Print the kernel stack of one task: btpid PID.
PID is a thread id as ps prints it; 0 is the first processor's idle task. Lines are those of btt.
end

# The x86 exceptions (arch/x86/include/asm/trapnr.h) that a kernel reports.
define _print_trap
  if $_trap == 0
    printf "divide error"
  end
  if $_trap == 1
    printf "debug"
  end
  if $_trap == 3
    printf "int3"
  end
  if $_trap == 6
    printf "invalid opcode"
  end
  if $_trap == 8
    printf "double fault"
  end
  if $_trap == 10
    printf "invalid TSS"
  end
  if $_trap == 11
    printf "segment not present"
  end
  if $_trap == 12
    printf "stack segment"
  end
  if $_trap == 13
    printf "general protection fault"
  end
  if $_trap == 14
    printf "page fault"
  end
  if $_trap == 17
    printf "alignment check"
  end
  if $_trap == 18
    printf "machine check"
  end
  if $_trap == 19
    printf "SIMD exception"
  end
end
document _print_trap
Prints the name of the x86 exception $_trap.
end

define _if_wanted_print_trap
  if $task->pid == $_wanted
    set $_found = 1
    _print_task
    set $_trap = (unsigned long)$task->thread.trap_nr
    set $_cr2 = (unsigned long)$task->thread.cr2
    set $_error = (unsigned long)$task->thread.error_code
    if $_trap == 0 && $_cr2 == 0 && $_error == 0
      printf "  no trap was recorded\n"
    else
      printf "  trap %lu (", $_trap
      _print_trap
      printf "), error code 0x%lx, address (CR2) 0x%lx\n", $_error, $_cr2
    end
  end
end
document _if_wanted_print_trap
Prints the last trap of $task if its thread id is $_wanted.
end

define trapinfo
  if $argc != 1
    printf "trapinfo: expected one thread id: trapinfo PID (see ps)\n"
  else
    _linux_version
    set $_wanted = $arg0
    set $_found = 0
    _for_each_task _if_wanted_print_trap
    if !$_found
      printf "no task has the thread id %d\n", $_wanted
    end
  end
end
document trapinfo
Print the last exception that a task took and was reported for: trapinfo PID.
PID is a thread id as ps prints it. The kernel records number, error code and faulting address where
it oopses or sends a signal for an exception; a task without either has none recorded.
end
