"""What a guest's kernel said of its own tasks: the judge of tasks and of their traces."""

import dataclasses
import re

import truth

# "task:sh              state:S stack:0     pid:77    ppid:1      flags:0x00000002", as 5.10 to 6.1 have
# it; the blanks differ, and later kernels have tgid: and task_flags: too.
_TASK = re.compile(r"task:(?P<comm>.{15,}?) state:(?P<state>\S)(?P<running>  running task    )? ?"
                   r"stack: *\d+ +pid: *(?P<pid>\d+) +(?:tgid: *(?P<tgid>\d+) +)?ppid: *(?P<ppid>\d+) +"
                   r"(?:task_flags:0x[0-9a-f]+ +)?flags:0x[0-9a-f]+")
_FRAME = re.compile(r" (?P<unsure>\? )?(?P<place>[^ +]+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[[^\]]+\])?|"
                    r"0x[0-9a-f]+)")
_KERNEL_RIP = re.compile(r"RIP: 0010:(?P<place>[^ +]+\+0x[0-9a-f]+/0x[0-9a-f]+(?: \[[^\]]+\])?|"
                         r"0x[0-9a-f]+)")
_USER_RIP = re.compile(r"RIP: 0033:")
# arm64: what it enters the kernel by, the last frame; a function of nearly the same name is before.
_USER_ENTRY = re.compile(r" el0t_64_\w+(?<!_handler)\+0x")
_PARTS = re.compile(r"([^ +]+)\+0x([0-9a-f]+)/0x([0-9a-f]+)(?: \[([^\]]+)\])?")
_BEGIN = "sysrq: Show State"
# What follows the last task: the scheduler's own state, locks, workqueues or the next key.
_END = re.compile(r"Sched Debug Version|Showing |sysrq: ")


@dataclasses.dataclass(frozen=True)
class Frame:
    text: str  # symbol+0xoffset/0xsize [module], as the kernel prints it
    reliable: bool  # no "? " before it
    instruction: bool = False  # where the task was interrupted, not where a call returns to

    @property
    def parts(self) -> tuple[str, int, int, str | None] | None:
        """Symbol, offset, size, module; None for an address without a symbol."""
        found = _PARTS.fullmatch(self.text)
        return found and (found[1], int(found[2], 16), int(found[3], 16), found[4])


@dataclasses.dataclass(frozen=True)
class Task:
    """A task as sysrq-t shows it."""

    comm: str  # its first 15 bytes, without blanks at the end
    state: str
    pid: int
    tgid: int | None  # None: the kernel doesn't say
    ppid: int
    running: bool  # on a processor: the kernel guesses its frames from an old stack pointer
    nsec: int  # when the kernel said so
    frames: tuple[Frame, ...]
    from_user: bool  # the trace ends in user mode

    @property
    def reliable(self) -> list[str]:
        return [frame.text for frame in self.frames if frame.reliable]


def sysrq_tasks(kmsg: bytes) -> dict[int, Task]:
    """The tasks of the last sysrq-t in /dev/kmsg's records, by pid."""
    lines = [(line, record.usec * 1000) for record in truth.parse(kmsg)
             for line in record.text.decode(errors="surrogateescape").split("\n")]
    begin = max(number for number, (line, _) in enumerate(lines) if line == _BEGIN)
    tasks: dict[int, Task] = {}
    now = None
    for line, nsec in lines[begin + 1:]:
        if _END.match(line):
            break
        if found := _TASK.match(line):
            now = int(found["pid"])
            tasks[now] = Task(found["comm"].rstrip(), found["state"], now,
                              int(found["tgid"]) if found["tgid"] else None, int(found["ppid"]),
                              found["running"] is not None, nsec, (), False)
        elif now is not None:
            tasks[now] = _with(tasks[now], line)
    return tasks


def _with(task: Task, line: str) -> Task:
    """The task with what one more line says of its trace."""
    if _USER_RIP.match(line):
        return dataclasses.replace(task, from_user=True)
    if task.from_user:  # registers follow
        return task
    if found := _KERNEL_RIP.fullmatch(line):
        return dataclasses.replace(task, frames=(*task.frames, Frame(found["place"], True, True)))
    if found := _FRAME.fullmatch(line):
        frame = Frame(found["place"], found["unsure"] is None)
        return dataclasses.replace(task, frames=(*task.frames, frame),
                                   from_user=_USER_ENTRY.match(line) is not None)
    return task


@dataclasses.dataclass(frozen=True)
class ProcTask:
    """A thread as /proc shows it."""

    pid: int
    tgid: int
    ppid: int
    comm: str
    state: str
    kernel_thread: bool


_PF_KTHREAD = 0x200000


def proc_tasks(blob: bytes) -> dict[int, ProcTask]:
    """Every thread of the guest's /proc, by pid, from what guest_agent last-words ships."""
    files = {}
    while blob:
        header, _, blob = blob.partition(b"\n")
        path, _, length = header.decode().rpartition(" ")
        files[path], blob = blob[:int(length)], blob[int(length):]
    tasks = {}
    for folder in sorted({path.rpartition("/")[0] for path in files}):
        try:
            status, comm, stat = (files[f"{folder}/{name}"] for name in ("status", "comm", "stat"))
        except KeyError:  # it ended while it was read
            continue
        fields = dict(line.split(b":\t", 1) for line in status.split(b"\n") if b":\t" in line)
        # The fields behind the name, which may hold anything: state is the third of all.
        behind = stat.rpartition(b")")[2].split()
        pid = int(fields[b"Pid"])
        tasks[pid] = ProcTask(pid, int(fields[b"Tgid"]), int(fields[b"PPid"]),
                              comm[:-1].decode(errors="surrogateescape"), behind[0].decode(),
                              bool(int(behind[6]) & _PF_KTHREAD))
    return tasks
