"""Tasks and traces of real guests, as photon-dmesg ps and bt print them, against what the guests' own
kernels said (sysrq-t, /proc) and what drgn says."""

import json
import shutil
import unittest
from collections.abc import Iterable
from pathlib import Path

import lab
import packages
import paths
import peers
import tasks_truth
import tool
from guest_files import GuestFiles
from tool import photon_dmesg

KERNEL_HALF = 1 << 63
COMM_BYTES = 15
USER, KERNEL_THREAD = "user", "kernel_thread"  # how traces end
MAY_BE_RUNNING = "it may have been running on a vCPU whose task is not known: no frame is certain"


def by_pid(document: dict) -> dict[int, dict]:
    """A document's tasks, but for idle ones: neither /proc nor sysrq-t knows those."""
    tasks = [task for task in document["tasks"] if task["pid"] != 0]
    pids = [task["pid"] for task in tasks]
    assert len(set(pids)) == len(pids), f"a task is listed twice: {sorted(pids)}"
    return dict(zip(pids, tasks, strict=True))


def sure_frames(trace: dict) -> list[dict]:
    """What the unwinder stands for, in the kernel."""
    return [frame for frame in trace["frames"]
            if frame["reliable"] and int(frame["address"], 16) >= KERNEL_HALF]


def texts(trace: dict) -> list[str]:
    return [frame["text"] for frame in sure_frames(trace)]


def functions(trace: dict) -> list[str]:
    return [str(frame["symbol"]) for frame in sure_frames(trace)]


def ran_since(task: dict, nsec: int) -> bool:
    """Whether the task has had a processor since then: what it did then is no longer what it does."""
    return task["on_cpu"] or (task["last_ran_nsec"] is not None and task["last_ran_nsec"] > nsec)


def may_differ(task: dict, told: tasks_truth.Task | tasks_truth.ProcTask, nsec: int) -> bool:
    """Whether the task has gone on since it was told of."""
    return told.state == "R" or ran_since(task, nsec)


def named(tasks: Iterable[dict]) -> str:
    return ", ".join(f"{task['comm']} ({task['pid']})" for task in tasks) or "none"


class Parsing(unittest.TestCase):
    """What the judge itself takes out of text."""

    def kmsg(self, *lines: str) -> bytes:
        return b"".join(f"6,{number},{1000 + number},-;{line}\n\0".encode()
                        for number, line in enumerate(lines))

    def tasks(self, *lines: str) -> dict[int, tasks_truth.Task]:
        return tasks_truth.sysrq_tasks(self.kmsg("sysrq: Show State", *lines))

    def test_headings_of_every_series(self) -> None:
        headings = {
            "5.10": "task:kworker/0:0     state:I stack:    0 pid:    5 ppid:     2 flags:0x00004000",
            "6.1": "task:kworker/0:0     state:I stack:0     pid:5     ppid:2      flags:0x00004000",
            "6.12": "task:kworker/0:0     state:I stack:0     pid:5     tgid:5     ppid:2      "
                    "flags:0x00004000",
            "7": "task:kworker/0:0     state:I stack:0     pid:5     tgid:5     ppid:2      "
                 "task_flags:0x4208060 flags:0x00080000",
        }
        for series, heading in headings.items():
            with self.subTest(series=series):
                task = self.tasks(heading)[5]
                self.assertEqual((task.comm, task.state, task.ppid, task.running),
                                 ("kworker/0:0", "I", 2, False))
                self.assertEqual(task.tgid, 5 if "tgid" in heading else None)
                self.assertEqual(task.nsec, 1001000)

    def test_a_task_that_runs_and_whose_name_has_blanks(self) -> None:
        task = self.tasks("task:a state:S b     state:R  running task     stack:0     pid:9     ppid:1   "
                          "   flags:0x00004002")[9]
        self.assertEqual((task.comm, task.state, task.running), ("a state:S b", "R", True))

    def test_frames_and_where_they_end(self) -> None:
        task = self.tasks(
            "task:init            state:S stack:0     pid:1     ppid:0      flags:0x00000002",
            "Call Trace:", " <TASK>", " __schedule+0x34d/0xa00", " ? __bpf_trace_tick_stop+0x10/0x10",
            " lab_write.cold+0x1b/0xc0d [photon_lab]", "RIP: 0010:default_idle+0xb/0x10",
            "RSP: 0018:ffffffff82803ea0 EFLAGS: 00000212", " 0xffffffffc0123456",
            "RIP: 0033:0x4a1e57", "RAX: ffffffffffffffda RBX: 0000000000000001 RCX: 00000000004a1e57",
            " </TASK>")[1]
        self.assertEqual(task.reliable, ["__schedule+0x34d/0xa00",
                                         "lab_write.cold+0x1b/0xc0d [photon_lab]",
                                         "default_idle+0xb/0x10", "0xffffffffc0123456"])
        self.assertEqual([frame.instruction for frame in task.frames], [False, False, False, True, False])
        self.assertEqual(task.frames[2].parts, ("lab_write.cold", 0x1b, 0xc0d, "photon_lab"))
        self.assertIsNone(task.frames[4].parts)
        self.assertTrue(task.from_user)

    def test_traces_of_arm64(self) -> None:
        heading = "task:{}            state:S stack:0     pid:{}     ppid:0      flags:0x00000002"
        tasks = self.tasks(heading.format("init", 1), "Call trace:", " __switch_to+0xe8/0x120",
                           " el0_svc+0x34/0xe0", " el0t_64_sync_handler+0xf4/0x120",
                           " el0t_64_sync+0x18c/0x190",
                           heading.format("kthreadd", 2), "Call trace:", " ret_from_fork+0x10/0x20")
        self.assertEqual([(task.from_user, task.reliable[-1]) for task in tasks.values()],
                         [(True, "el0t_64_sync+0x18c/0x190"), (False, "ret_from_fork+0x10/0x20")])

    def test_the_last_of_several_counts_and_what_follows_does_not(self) -> None:
        heading = "task:{}            state:S stack:0     pid:1     ppid:0      flags:0x00000002"
        tasks = self.tasks(heading.format("old0"), " old+0x1/0x2", "sysrq: Show State",
                           heading.format("new0"), " new+0x1/0x2",
                           "sysrq: Show Blocked State", heading.format("late"), " late+0x1/0x2")
        self.assertEqual([(task.comm, task.reliable) for task in tasks.values()],
                         [("new0", ["new+0x1/0x2"])])

    def test_threads_of_proc(self) -> None:
        files = {"status": "Name:\ta) b\nState:\tS (sleeping)\nTgid:\t7\nPid:\t8\nPPid:\t1\n",
                 "comm": "a) b\n",
                 "stat": "8 (a) b) S 1 8 0 0 -1 2129984 0 0\n"}
        blob = "".join(f"/proc/7/task/8/{name} {len(text)}\n{text}" for name, text in files.items())
        blob += "/proc/9/task/9/status 0\n"  # it has ended
        self.assertEqual(tasks_truth.proc_tasks(blob.encode()),
                         {8: tasks_truth.ProcTask(8, 7, 1, "a) b", "S", True)})


class TaskFiles(GuestFiles):
    """A guest with what both commands say of all its tasks."""

    with_vmlinux = False  # whether all tests but that of the sources take it, or the checkpoint alone

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.kmsg = cls.guest.blob("truth.kmsg")
        cls.last_told = max(record.usec for record in tasks_truth.truth.parse(cls.kmsg)) * 1000
        cls.bt = cls.document("bt", "--all")
        cls.tasks = by_pid(cls.bt)

    @classmethod
    def document(cls, command: str, *options: object, symbols: Iterable[Path] | None = None) -> dict:
        """What a command says of the checkpoint."""
        if symbols is None:
            symbols = [cls.vmlinux] if cls.with_vmlinux else []
        result = photon_dmesg(command, *options, "--json", *symbols, cls.checkpoint)
        # 1: a vCPU, which no test here is about, may be where no trace can begin.
        assert result.status in (0, 1), result.err
        return result.json


class TraceTests(TaskFiles):
    """Against sysrq-t. Subclasses name a guest that has shipped what it printed."""

    iso = False  # whether an ISO is one of the sources
    has_types = True  # whether the kernel carries types of its own

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.told = tasks_truth.sysrq_tasks(cls.kmsg)

    def test_traces_are_the_kernels_own(self) -> None:
        equal, different, frames, equal_frames = [], [], 0, 0
        for pid, told in self.told.items():
            if told.running or pid not in self.tasks:
                continue
            ours = texts(self.tasks[pid]["trace"])
            (equal if ours == told.reliable else different).append(self.tasks[pid])
            frames += len(told.reliable)
            equal_frames += len(told.reliable) if ours == told.reliable else 0
        print(f"{self.name}: traces: {len(equal)} tasks equal, {len(different)} different: "
              f"{named(different)}; {equal_frames} of {frames} frames equal", flush=True)
        wrong = [f"{told.comm} ({told.pid})\n  ours:   {texts(task['trace'])}\n  kernel: {told.reliable}"
                 for task in different
                 if not ran_since(task, (told := self.told[task["pid"]]).nsec)]
        self.assertFalse(wrong, "\n".join(wrong))
        self.assertGreater(len(equal), 0.9 * len(self.told))

    def test_traces_end_where_the_kernel_says(self) -> None:
        for pid, told in self.told.items():
            task = self.tasks.get(pid)
            if task is None or may_differ(task, told, told.nsec):
                continue
            with self.subTest(task=told.comm, pid=pid):
                trace = task["trace"]
                self.assertEqual((trace["complete"], trace["why"]), (True, None))
                self.assertEqual(trace["end"], USER if told.from_user else KERNEL_THREAD)

    def test_states_and_names_are_those_of_sysrq_t(self) -> None:
        for pid, told in self.told.items():
            task = self.tasks.get(pid)
            self.assertIsNotNone(task, f"{told.comm} ({pid}) is missing")
            with self.subTest(task=told.comm, pid=pid):
                self.assertEqual(task["comm"][:COMM_BYTES].rstrip(), told.comm)
                self.assertEqual(task["ppid"], told.ppid)
                if not may_differ(task, told, told.nsec):
                    self.assertEqual(task["state"], told.state)

    def test_every_source_of_symbols_gives_the_same_traces(self) -> None:
        sources = {"nothing": [], "vmlinux": [self.vmlinux],
                   "System.map": [self.guest.kernel.system_map],
                   "boot image": [self.guest.kernel.vmlinuz]}
        if self.iso:
            package = packages.build(packages.debuginfo(self.vmlinux, self.guest.kernel.release))
            sources["ISO"] = [packages.iso("core", {f"RPMS/x86_64/{package.name}": package})]
        for source, files in sources.items():
            with self.subTest(source=source):
                found = by_pid(self.document("bt", "--all", symbols=files))
                self.assertEqual(found.keys(), self.tasks.keys())
                for pid, task in found.items():
                    expected = self.tasks[pid]["trace"]
                    if task["trace"]["why"] == MAY_BE_RUNNING:
                        self.assertEqual(task["state"], "R")
                        continue
                    # Without types nothing tells which modules there are: their code has no names.
                    named = [frame["text"] if ours["symbol"] else frame["address"] for frame, ours in
                             zip(sure_frames(expected), sure_frames(task["trace"]), strict=True)]
                    self.assertEqual(texts(task["trace"]), named, f"{task['comm']} ({pid})")
                    if self.has_types:
                        self.assertEqual(texts(task["trace"]), texts(expected))

    def test_one_task_alone_and_those_of_a_name(self) -> None:
        for words in (("--pid", "2"), ("--comm", "kthreadd")):
            with self.subTest(words=words):
                self.assertEqual(by_pid(self.document("bt", *words)), {2: self.tasks[2]})

    def test_what_there_is_none_of_is_said(self) -> None:
        for command, words, said in (("bt", ("--comm", "nosuch*"), "no task called nosuch*"),
                                     ("bt", ("--cpu", "99"), "no CPU 99"),
                                     ("ps", ("--cpu", "99"), "no CPU 99"),
                                     ("ps", ("--pid", "99999"), "no task 99999")):
            with self.subTest(command=command, words=words):
                found = photon_dmesg(command, *words, self.checkpoint)
                self.assertEqual(found.status, 1)
                self.assertIn("the guest has " + said, found.err)

    def test_processors_are_where_their_tasks_are(self) -> None:
        self.assertEqual([vcpu["vcpu"] for vcpu in self.bt["vcpus"]],
                         list(range(self.guest.scenario.vcpus)))
        self.assertEqual(sorted(vcpu["cpu"] for vcpu in self.bt["vcpus"]),
                         list(range(self.guest.scenario.vcpus)))
        for vcpu in self.bt["vcpus"]:
            pid = vcpu["task"]["pid"]
            if pid != 0:
                self.assertEqual((self.tasks[pid]["on_cpu"], self.tasks[pid]["cpu"]),
                                 (True, vcpu["cpu"]))


class Sysrq61(TraceTests, unittest.TestCase):
    name = "k61-sysrq"


class Sysrq510(TraceTests, unittest.TestCase):
    name = "k510-sysrq"


class ProcTests(TaskFiles):
    """Against /proc, of guests that have shipped it."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.proc = tasks_truth.proc_tasks(cls.guest.blob("tasks"))
        cls.ps = by_pid(cls.document("ps"))

    def test_tasks_are_those_of_proc(self) -> None:
        # A worker of the kernel's may have come in the moment since.
        since = [task for pid, task in self.ps.items()
                 if pid not in self.proc and task["kernel_thread"] and task["start_nsec"] > self.last_told]
        self.assertEqual(named(self.ps[pid] for pid in self.ps.keys() - self.proc.keys()
                               if self.ps[pid] not in since), "none", "invented")
        missing = [self.proc[pid] for pid in self.proc.keys() - self.ps.keys()]
        self.assertEqual(missing, [])
        print(f"{self.name}: tasks: {len(self.proc)} of {len(self.proc)}, came since: {named(since)}",
              flush=True)

    def test_what_is_said_of_a_task_is_what_proc_says(self) -> None:
        for pid, told in self.proc.items():
            with self.subTest(task=told.comm, pid=pid):
                task = self.ps[pid]
                self.assertEqual((task["tgid"], task["ppid"], task["kernel_thread"]),
                                 (told.tgid, told.ppid, told.kernel_thread))
                # Of kernel threads /proc has longer names: "kworker/0:1-events" or one that was cut.
                self.assertTrue(told.comm.startswith(task["comm"][:COMM_BYTES])
                                if told.kernel_thread else told.comm == task["comm"],
                                (told.comm, task["comm"]))
                if not may_differ(task, told, self.last_told):
                    self.assertEqual(task["state"], told.state)

    def test_both_commands_say_the_same_of_a_task(self) -> None:
        self.assertEqual(self.ps.keys(), self.tasks.keys())
        for pid, task in self.tasks.items():
            self.assertEqual({key: value for key, value in task.items() if key != "trace"},
                             {key: self.ps[pid][key] for key in task if key != "trace"})


class HungTests(ProcTests, TraceTests):
    """Against both, of guests that have hung tasks."""

    def only(self, comm: str) -> dict:
        found = [task for task in self.tasks.values() if task["comm"] == comm]
        self.assertEqual(len(found), 1, comm)
        return found[0]

    def blocked(self) -> set[str]:
        """The processes in D, which are those that are called blocked."""
        found = by_pid(self.document("bt", "--blocked"))
        self.assertEqual(found, {pid: task for pid, task in self.tasks.items() if task["state"] == "D"})
        return {task["comm"] for task in found.values() if not task["kernel_thread"]}


class LabTests(HungTests):
    """Tasks hung in every way of the lab's, beside others that only look so."""

    # What each waits in, by the functions of the lab and the kernel's that have not changed their names.
    BLOCKED = {
        "lab-ab": ("lab_ab", "lab_write"), "lab-ba": ("lab_ba", "lab_write"),
        "lab-hold": ("lab_sleep", "lab_hold", "lab_write"), "lab-mutex": ("lab_mutex", "lab_write"),
        "lab-rhold": ("lab_sleep", "lab_rhold", "lab_write"),
        "lab-write": ("lab_write_lock", "lab_write"), "lab-read": ("lab_read_lock", "lab_write"),
        "lab-sem": ("lab_sem", "lab_write"), "lab-done": ("lab_done", "lab_write"),
        "lab-event": ("lab_event_wait", "lab_write"),
    }
    # The kind of what they wait for, its name in the lab's source, and who holds it.
    WAITS = {
        "lab-ab": ("mutex", "lab_mutex_b", "lab-ba"), "lab-ba": ("mutex", "lab_mutex_a", "lab-ab"),
        "lab-mutex": ("mutex", "lab_mutex_held", "lab-hold"),
        "lab-write": ("rw_semaphore", "lab_rwsem", "lab-rhold"),
        "lab-read": ("rw_semaphore", "lab_rwsem", "lab-rhold"),
        "lab-sem": ("semaphore", "lab_semaphore", None),
        "lab-done": ("completion", "lab_completion", None),
        "lab-event": ("wait_queue", "lab_wait_queue", None),
    }
    locks_have_names = True
    SLEEPING = {"lab-hold", "lab-rhold"}  # which is not hanging: they hold what the others wait for
    BYSTANDERS = {"threads": "S", "thread-futex": "S", "thread-pipe": "S", "thread-sleep": "S",
                  "no-leader": "Z", "vfork-parent": "D", "vfork-child": "S", "stopped": "T",
                  "traced": "t", "zombie": "Z", "busy": "R"}

    def test_hung_tasks_hang_where_they_were_told_to(self) -> None:
        for comm, expected in self.BLOCKED.items():
            with self.subTest(task=comm):
                trace = functions(self.only(comm)["trace"])
                # What is seldom run, as this is, may be in a part of its own: lab_write.cold.
                of_lab = [name.partition(".")[0] for name in trace if name.startswith("lab_")]
                self.assertEqual(tuple(of_lab), expected)
        works = [task for task in self.tasks.values()
                 if "lab_work_blocked" in functions(task["trace"])]
        self.assertEqual([(task["state"], task["comm"][:8]) for task in works], [("D", "kworker/")])

    def wait(self, task: dict) -> tuple:
        """Kind, name and owner's name of what a task waits for."""
        wait = self.ps[task["pid"]]["waits_for"]
        return wait and (wait["kind"], wait["name"], wait["owner"] and wait["owner"]["comm"])

    def name_of(self, lock: str) -> str | None:
        return f"{lock} [photon_lab]" if self.locks_have_names else None

    def test_each_waits_for_the_lock_that_it_was_told_to_take(self) -> None:
        for comm in self.BLOCKED.keys() - self.SLEEPING:
            with self.subTest(task=comm):
                expected = self.WAITS[comm]
                if expected is not None:
                    kind, lock, owner = expected
                    expected = (kind, self.name_of(lock), owner)
                self.assertEqual(self.wait(self.only(comm)), expected)
        worker = next(task for task in self.tasks.values()
                      if "lab_work_blocked" in functions(task["trace"]))
        self.assertEqual(self.wait(worker), ("completion", self.name_of("lab_work_completion"), None))
        self.assertEqual(self.wait(self.only("vfork-parent")), ("completion", None, None))

    def test_who_waits_in_a_circle_is_told_and_nobody_else(self) -> None:
        circle = [self.only(comm)["pid"] for comm in ("lab-ab", "lab-ba")]
        cycles = {task["pid"]: task["waits_for"]["cycle"] for task in self.ps.values()
                  if task["waits_for"] and task["waits_for"]["cycle"]}
        self.assertEqual(cycles, {circle[0]: circle, circle[1]: circle[::-1]})

    def test_only_the_last_reader_is_known_so_that_an_owner_may_be_gone(self) -> None:
        for comm in self.BLOCKED.keys() - self.SLEEPING:
            wait = self.ps[self.only(comm)["pid"]]["waits_for"]
            if wait is None:
                continue
            self.assertEqual(wait["owner_is_certain"], wait["kind"] != "rw_semaphore", comm)

    def test_blocked_ones_are_those_in_D(self) -> None:
        self.assertEqual(self.blocked(), {*self.BLOCKED, "vfork-parent"} - self.SLEEPING)

    def test_of_the_debug_information_what_is_needed_is_read(self) -> None:
        # All of it would be 200 MB and more.
        peak = tool.peak_memory("bt", "--all", self.vmlinux, self.checkpoint)
        self.assertLess(peak, 128 << 20)

    def test_those_that_only_look_hung_are_told_apart_by_their_states(self) -> None:
        for comm, state in self.BYSTANDERS.items():
            with self.subTest(task=comm):
                found = [task["state"] for task in self.ps.values() if task["comm"] == comm]
                self.assertEqual(set(found), {state})


class DrgnTests:
    """drgn, with all debug information there is, must find the same program counters in the core that
    photon-dmesg writes. That of Debian 12 can do so up to Linux 6.3, whose unwind tables it knows."""

    @peers.judged
    def test_drgn_finds_the_same_traces(self) -> None:
        if shutil.which("drgn") is None:
            self.skipTest("drgn is not installed")
        core = self.folder / "core"
        result = photon_dmesg("core", self.vmlinux, self.checkpoint, "-o", core)
        self.assertEqual(result.status, 0, result.err)
        symbols = ["-s", self.vmlinux]
        if self.guest.scenario.mode == "lab":
            symbols += ["-s", lab.build(self.guest.kernel) / "lab/photon_lab.ko"]
        said = paths.run("drgn", "-q", "-c", core / "vmss.core", *symbols,
                         paths.SOURCE / "fixtures/drgn_traces.py").stdout
        drgn = {int(pid): task for pid, task in json.loads(said).items()}
        self.assertEqual({pid: task["comm"] for pid, task in drgn.items()},
                         {pid: task["comm"] for pid, task in self.tasks.items()})
        # Of a task that has ended drgn shows what its stack was given to since.
        judged = [task for task in self.tasks.values() if task["state"] not in "ZX"]
        for task in judged:
            with self.subTest(task=task["comm"], pid=task["pid"]):
                ours = [int(frame["address"], 16) for frame in sure_frames(task["trace"])]
                self.assertEqual(ours, drgn[task["pid"]]["trace"])
        print(f"{self.name}: drgn: {len(judged)} traces compared", flush=True)


class LinesTests:
    """The sources of frames, which addr2line must tell the same of the vmlinux."""

    def test_lines_are_those_of_addr2line(self) -> None:
        traces = self.document("bt", "--all", "--lines", symbols=[self.vmlinux])
        frames = [frame for where in traces["vcpus"] + traces["tasks"] for frame in where["trace"]["frames"]]
        for frame in frames:
            if frame["module"] or frame["symbol"] is None:
                self.assertEqual(frame["lines"], [], frame["text"])
        in_image = {self.linked(frame): frame for frame in frames if frame["symbol"] and not frame["module"]}
        told = self.addr2line(in_image)
        for address, frame in in_image.items():
            with self.subTest(frame=frame["text"]):
                ours = [(line["function"], f"{line['file']}:{line['line']}") for line in frame["lines"]]
                self.assertEqual([name for name, _ in ours], [name for name, _ in told[address]])
                for (_, place), (_, whole) in zip(ours, told[address], strict=True):
                    self.assertTrue(whole.endswith(place), (place, whole))
        inlined = sum(len(frame["lines"]) > 1 for frame in in_image.values())
        self.assertGreater(inlined, 0)
        print(f"{self.name}: lines: {len(in_image)} places, {inlined} of them inlined", flush=True)

    def test_without_a_vmlinux_it_is_said_what_to_name(self) -> None:
        traces = self.document("bt", "--lines", symbols=[])
        self.assertTrue(any("expected the guest's vmlinux as a file" in said for said in traces["warnings"]),
                        traces["warnings"])
        frames = [frame for vcpu in traces["vcpus"] for frame in vcpu["trace"]["frames"]]
        self.assertTrue(all(frame["lines"] == [] for frame in frames))

    def linked(self, frame: dict) -> int:
        """Where the frame's instruction is in the vmlinux."""
        behind = frame["kind"] == "call"
        return int(frame["address"], 16) - int(self.bt["guest"]["kaslr_offset"], 16) - behind

    def addr2line(self, addresses: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
        """Of each address the functions and their places, the innermost first."""
        said = paths.run("addr2line", "-a", "-i", "-f", "-e", self.vmlinux, *map(hex, addresses)).stdout
        result: dict[int, list[tuple[str, str]]] = {}
        lines = iter(said.decode().splitlines())
        for line in lines:
            if line.startswith("0x"):
                places = result.setdefault(int(line, 16), [])
            else:
                places.append((line, next(lines).split(" (discriminator")[0]))
        return result


class Hung61(LabTests, DrgnTests, LinesTests, unittest.TestCase):
    name = "k61-hung"
    iso = True


class Hung612(LabTests, unittest.TestCase):
    name = "k612-hung"


class Hung510(LabTests, DrgnTests, unittest.TestCase):
    name = "k510-hung"
    BLOCKED = {comm: where for comm, where in LabTests.BLOCKED.items() if comm != "lab-read"}


class Hung7(LabTests, unittest.TestCase):
    name = "k7-hung"


class Hung61Rt(LabTests, DrgnTests, unittest.TestCase):
    """PREEMPT_RT: every lock that sleeps is an rt_mutex or has one inside. Who writes to a semaphore has
    that and waits for its readers by nothing that leads to the semaphore."""

    name = "k61rt-hung"
    WAITS = {
        "lab-ab": ("rt_mutex", "lab_mutex_b", "lab-ba"), "lab-ba": ("rt_mutex", "lab_mutex_a", "lab-ab"),
        "lab-mutex": ("rt_mutex", "lab_mutex_held", "lab-hold"),
        "lab-write": None,
        "lab-read": ("rt_mutex", "lab_rwsem+0x8", "lab-write"),
        "lab-sem": ("semaphore", "lab_semaphore", None),
        "lab-done": ("completion", "lab_completion", None),
        "lab-event": ("wait_queue", "lab_wait_queue", None),
    }

    def test_interrupts_have_threads(self) -> None:
        threads = [task for task in self.tasks.values() if task["comm"].startswith("irq/")]
        self.assertGreater(len(threads), 2)
        for task in threads:
            self.assertIn("irq_thread", functions(task["trace"]))


class EsxHung(LabTests, DrgnTests, unittest.TestCase):
    """Frame pointers, functions' names alone in memory, a module's too, and no types. drgn reads it by the
    VMCOREINFO that photon-dmesg makes up."""

    name = "esx-hung"
    with_vmlinux = True
    has_types = False
    locks_have_names = False

    def test_the_checkpoint_alone_tells_kernel_threads_and_who_ran_last(self) -> None:
        """Though it does not tell the time now."""
        alone = photon_dmesg("ps", "--json", "--sort", "time", self.checkpoint).json["tasks"]
        self.assertEqual({task["since_it_ran_nsec"] for task in alone}, {None})
        self.assertEqual({task["pid"]: task["kernel_thread"] for task in alone},
                         {pid: task["kernel_thread"] for pid, task in self.ps.items()})
        ran = [task["last_ran_nsec"] or float("inf") for task in alone]
        self.assertGreater(len(set(ran)), 20)
        self.assertEqual(ran, sorted(ran))

    def test_types_that_dwz_has_moved_to_other_units_are_read(self) -> None:
        """As SUSE's kernels have them: what several units declare stands once, in a unit of its own."""
        moved = self.folder / "vmlinux"
        paths.run("dwz", "-L", "none", "-l", "none", "-o", moved, self.vmlinux)
        self.assertLess(moved.stat().st_size, self.vmlinux.stat().st_size)
        of_both = [photon_dmesg(vmlinux, self.checkpoint) for vmlinux in (moved, self.vmlinux)]
        self.assertEqual([(result.status, result.err) for result in of_both], [(0, "")] * 2)
        self.assertEqual(of_both[0].out, of_both[1].out)
        self.assertEqual(by_pid(self.document("bt", "--all", symbols=[moved])), self.tasks)
        with_lines = [self.document("bt", "--all", "--lines", symbols=[vmlinux])["tasks"]
                      for vmlinux in (moved, self.vmlinux)]
        self.assertEqual(*with_lines)


class Crowd61(ProcTests, unittest.TestCase):
    """Ten thousand threads."""

    name = "k61-crowd"

    def test_each_of_the_crowd_has_the_same_trace_and_text_shows_it_once(self) -> None:
        crowd = [task for task in self.tasks.values() if task["comm"] == "crowd"]
        self.assertEqual(len(crowd), 10001)
        self.assertEqual({tuple(texts(task["trace"])) for task in crowd}, {tuple(texts(crowd[0]["trace"]))})
        self.assertEqual({(task["state"], task["trace"]["end"]) for task in crowd}, {("S", USER)})
        said = photon_dmesg("bt", "--all", self.checkpoint)
        self.assertEqual(said.status, 0, said.err)
        self.assertIn(f"crowd ({crowd[-1]['pid']})".encode(), said.out)
        self.assertLess(said.out.count(b"__schedule+"), 100)


class DiskTests(HungTests):
    """Tasks that wait for a file system or a disk. Subclasses say in what."""

    # By name: a function, the kind of what is waited for, and a pattern of its name.
    waits: dict[str, tuple[str, str, str]]

    def test_they_hang_where_they_must(self) -> None:
        self.assertEqual(self.blocked(), set(self.waits))
        for comm, (function, kind, name) in self.waits.items():
            with self.subTest(task=comm):
                task = self.only(comm)
                self.assertIn(function, functions(task["trace"]))
                wait = self.ps[task["pid"]]["waits_for"]
                self.assertEqual(wait["kind"], kind)
                self.assertRegex(wait["name"], f"^{name}$")

    def test_the_same_is_said_with_the_debug_information_and_from_what_is_kept_of_it(self) -> None:
        profile = self.folder / "profile"
        made = photon_dmesg("profile", self.vmlinux, "-o", profile)
        self.assertEqual(made.status, 0, made.err)
        for symbols in (self.vmlinux, profile):
            with self.subTest(symbols=symbols.name):
                tasks = by_pid(self.document("ps", symbols=[symbols]))
                self.assertEqual({pid: task["waits_for"] for pid, task in tasks.items()},
                                 {pid: task["waits_for"] for pid, task in self.ps.items()})


class OneFolder:
    """Two that write to the same folder."""

    def test_the_writers_wait_for_one_thing(self) -> None:
        self.assertEqual(*(self.ps[self.only(comm)["pid"]]["waits_for"]["address"]
                           for comm in ("dd", "mkdir")))


class Frozen61(DiskTests, OneFolder, DrgnTests, unittest.TestCase):
    name = "k61-frozen"
    waits = {comm: ("percpu_rwsem_wait", "percpu_rw_semaphore",
                    r"frozen file system nvme0n1 \(ext4\)") for comm in ("dd", "mkdir")}


class StalledTests(DiskTests, OneFolder):
    """Those that read wait for the disk. One of them is about to find a name, and so holds the folder
    that the others would write to."""

    disk: str

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = ("rwsem_down_write_slowpath", "rw_semaphore",
                  rf"i_rwsem of inode 2 on {cls.disk} \(ext4\)")
        cls.waits = {"head": ("io_schedule", "page", f"page of {cls.disk}"),
                     "cat": ("io_schedule", "bit", rf"block \d+ on {cls.disk}"),
                     "dd": folder, "mkdir": folder}

    def test_the_writers_wait_for_the_one_that_reads(self) -> None:
        wait = self.ps[self.only("dd")["pid"]]["waits_for"]
        self.assertEqual(wait["owner"], {"pid": self.only("cat")["pid"], "comm": "cat"})


class Stalled612(StalledTests, unittest.TestCase):
    name = "k612-stalled"
    disk = "nvme0n1"


class Pvscsi61(StalledTests, unittest.TestCase):
    name = "k61-pvscsi"
    disk = "sda"

    def test_types_of_modules_are_found(self) -> None:
        result = photon_dmesg("ps", "-v", self.checkpoint)
        self.assertRegex(result.err, r"types of modules.*\b4\b")


class Unsynced612(DiskTests, unittest.TestCase):
    """A journal that can't be written: its thread waits for who has begun to write to it, and that one
    for the disk."""

    name = "k612-unsynced"
    waits = {"head": ("io_schedule", "page", "page of nvme0n1"),
             "dd": ("io_schedule", "page", r"page of inode \d+ on nvme0n1 \(ext4\)")}

    def test_the_journals_thread_waits_for_one_that_waits_for_the_disk(self) -> None:
        for comm, expected in (("jbd2/nvme0n1-8", ("wait_queue", "j_wait_updates of nvme0n1 (ext4)")),
                               ("ext4lazyinit", ("completion", "I/O on nvme0n1"))):
            wait = self.ps[self.only(comm)["pid"]]["waits_for"]
            self.assertEqual((wait["kind"], wait["name"]), expected)


class NullBlk61(DiskTests, unittest.TestCase):
    """A disk is announced only once its partitions have been looked for, so that others wait for it."""

    name = "k61-nullblk"
    waits = {"insmod": ("read_part_sector", "page", "page of nullb0"),
             "dd": ("blkdev_open", "mutex", "open_mutex of nullb0")}

    def test_the_second_waits_for_the_first(self) -> None:
        wait = self.ps[self.only("dd")["pid"]]["waits_for"]
        self.assertEqual(wait["owner"], {"pid": self.only("insmod")["pid"], "comm": "insmod"})


class ProcessorTests(GuestFiles):
    """Where each vCPU is."""

    with_vmlinux = False

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        symbols = [cls.vmlinux] if cls.with_vmlinux else []
        result = photon_dmesg("bt", "--json", *symbols, cls.checkpoint)
        # 1: one that no test is about may be where no trace can begin, as within a switch of tasks.
        assert result.status in (0, 1), result.err
        cls.vcpus = {vcpu["cpu"]: vcpu for vcpu in result.json["vcpus"]}

    def expect(self, vcpu: dict, *expected: str) -> None:
        """That the functions are in the vCPU's trace, innermost first; there may be others between."""
        found = iter(name.partition(".")[0] for name in functions(vcpu["trace"]))
        for name in expected:
            self.assertIn(name, found, vcpu["trace"]["frames"])
        self.assertTrue(vcpu["trace"]["complete"], vcpu["trace"]["why"])


class PanicTests(ProcessorTests):
    def test_the_one_that_panicked_shows_how(self) -> None:
        panicked = [vcpu for vcpu in self.vcpus.values() if "panic" in functions(vcpu["trace"])]
        self.assertEqual([vcpu["task"] for vcpu in panicked], [{"pid": 1, "comm": "init"}])
        self.expect(panicked[0], "panic", "sysrq_handle_crash", "__handle_sysrq", "write_sysrq_trigger",
                    "proc_reg_write", "vfs_write", "ksys_write", "do_syscall_64")
        self.assertEqual((panicked[0]["mode"], panicked[0]["trace"]["end"]), ("kernel", USER))


class Panic61(PanicTests, unittest.TestCase):
    name = "k61-panic"


class Panic612(PanicTests, unittest.TestCase):
    name = "k612-panic"


class UserMode(ProcessorTests, unittest.TestCase):
    """Every processor in user mode, under page-table isolation."""

    name = "k61-user"

    def test_a_processor_in_user_mode_has_no_frames_of_the_kernel(self) -> None:
        for vcpu in self.vcpus.values():
            self.assertEqual((vcpu["mode"], vcpu["task"]["comm"], sure_frames(vcpu["trace"])),
                             ("user", "guest_agent", []))


class SpinTests(ProcessorTests):
    """Processors that loop: CPU 1 does the first of the scenario's commands."""

    # The functions of each, and whether they are the task's own: a timer's callback runs over anyone.
    TRACES = {
        "spin": (("lab_spin_forever", "lab_spin", "lab_write", "proc_reg_write", "vfs_write"), True),
        "spinirq": (("lab_spin_forever", "lab_spinirq", "lab_write", "proc_reg_write", "vfs_write"), True),
        "timerspin": (("lab_spin_forever", "lab_timer_spin", "call_timer_fn"), False),
        "aa": (("lab_aa", "lab_write", "proc_reg_write", "vfs_write"), True),
    }

    def test_each_shows_what_it_loops_in(self) -> None:
        for cpu, command in enumerate(self.guest.scenario.spin.split(","), 1):
            with self.subTest(command=command):
                vcpu = self.vcpus[cpu]
                expected, by_task = self.TRACES[command]
                self.expect(vcpu, *expected)
                self.assertEqual(vcpu["mode"], "kernel")
                if by_task:
                    self.assertEqual(vcpu["task"]["comm"], f"lab-{command}")
                    self.assertEqual(vcpu["trace"]["end"], USER)


class AllSpinsTests(SpinTests):
    def is_in_thread(self, cpu: int) -> bool:
        """Whether a processor that had many timers to see to has left them to the thread that it has for that."""
        return self.vcpus[cpu]["task"]["comm"] == f"ksoftirqd/{cpu}"

    def test_a_callback_of_a_timer_is_on_the_stack_of_interrupts(self) -> None:
        cpu = 1 + self.guest.scenario.spin.split(",").index("timerspin")
        sure = sure_frames(self.vcpus[cpu]["trace"])
        frames = {frame["symbol"]: frame["stack"] for frame in sure}
        if self.is_in_thread(cpu):
            self.assertEqual(set(frames.values()), {"task"})
            return
        # It came when the processor was idle. For what interrupts user mode kernels since 5.11 stay on
        # the task's stack, which is empty then.
        self.assertTrue(any(frame["kind"] == "interrupted" for frame in sure))
        self.assertEqual(frames["lab_timer_spin"], "irq")
        self.assertEqual(list(frames.values())[-1], "task")


class SoftLockup61(SpinTests, unittest.TestCase):
    name = "k61-softlockup"


class Spins612(AllSpinsTests, unittest.TestCase):
    name = "k612-spins"


class Spins510(AllSpinsTests, unittest.TestCase):
    name = "k510-spins"


class Spins7(AllSpinsTests, unittest.TestCase):
    name = "k7-spins"


class Spins61Rt(SpinTests, unittest.TestCase):
    """PREEMPT_RT: timers' callbacks have a thread of their own."""

    name = "k61rt-spins"

    def test_a_callback_of_a_timer_is_in_its_thread(self) -> None:
        cpu = 1 + self.guest.scenario.spin.split(",").index("timerspin")
        vcpu = self.vcpus[cpu]
        self.assertEqual((vcpu["task"]["comm"], vcpu["trace"]["end"]), (f"ktimers/{cpu}", KERNEL_THREAD))
        self.assertEqual({frame["stack"] for frame in sure_frames(vcpu["trace"])}, {"task"})


class EsxSpins(AllSpinsTests, unittest.TestCase):
    name = "esx-spins"
    with_vmlinux = True

    def test_what_vmlinux_tells_of_frames_only_adds_some(self) -> None:
        result = photon_dmesg("bt", "--json", self.guest.kernel.system_map, self.checkpoint)
        self.assertIn(result.status, (0, 1), result.err)
        for vcpu in result.json["vcpus"]:
            if vcpu["mode"] == "user":
                continue
            with self.subTest(vcpu=vcpu["vcpu"]):
                trace = self.vcpus[vcpu["cpu"]]["trace"]
                self.assertEqual((vcpu["trace"]["method"], trace["method"]),
                                 ("frame_pointers", "debug_frame"))
                told = iter(frame["address"] for frame in sure_frames(trace))
                for frame in sure_frames(vcpu["trace"]):
                    self.assertIn(frame["address"], told, (vcpu["trace"]["frames"], trace["frames"]))

    def test_the_checkpoint_alone_names_functions_of_modules_and_crosses_the_interrupt_stack(self) -> None:
        """Without types, and without names of variables: by the form of modules, and of that stack."""
        result = photon_dmesg("bt", "--json", self.checkpoint)
        self.assertEqual(result.status, 0, result.err)
        for vcpu in result.json["vcpus"]:
            if vcpu["mode"] == "user":
                continue
            with self.subTest(vcpu=vcpu["vcpu"]):
                frames = sure_frames(vcpu["trace"])
                self.assertIn("photon_lab", [frame["module"] for frame in frames])
                expected = iter((frame["text"], frame["stack"])
                                for frame in sure_frames(self.vcpus[vcpu["cpu"]]["trace"]))
                for frame in frames:
                    self.assertIn((frame["text"], frame["stack"]), expected, texts(vcpu["trace"]))

    def test_an_idle_processor_shows_who_called_the_function_without_a_frame(self) -> None:
        """amd_e400_idle leaves its frame before it waits: frame pointers pass over its caller."""
        if self.is_in_thread(3):
            self.expect(self.vcpus[3], "run_ksoftirqd", "smpboot_thread_fn", "kthread")
        else:
            self.expect(self.vcpus[3], "amd_e400_idle", "arch_cpu_idle", "default_idle_call")


if __name__ == "__main__":
    unittest.main()
