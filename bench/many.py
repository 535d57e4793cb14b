"""Many tickets: `photon-dmesg batch` beside a loop over the single command, what it takes beyond the work itself,
and how it grows with parts on Slurm."""

import contextlib
import dataclasses
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from collections.abc import Iterator
from pathlib import Path

import boot
import checkpoint_writer
import packages
import paths
import scenarios
import slurm
import timing
import tool

# A kernel each.
GUESTS = ("k510-hung", "k61-hung", "k612-hung", "k7-hung", "k61rt-hung")
TICKETS = 200
PARTS = (1, 2, 4, 8)
TURNS = 10
GATHERED = 1000
FILES = 10_000


@dataclasses.dataclass(frozen=True)
class Run:
    """What a command took, with all that it has started and waited for."""

    seconds: float
    cpu_seconds: float
    largest_kib: int  # the most that one of its processes had in memory
    own_kib: int  # the most that its first process had

    @property
    def row(self) -> str:
        return (f"{self.seconds:.1f} | {self.cpu_seconds:.1f} | {self.largest_kib * 1.024 / 1e3:.0f} | "
                f"{self.own_kib * 1.024 / 1e3:.0f}")


def own_peak(process: subprocess.Popen) -> int:
    """KiB; 0 if it has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


def timed(*command: object, cache: Path) -> Run:
    """Of a command that may end with warnings."""
    started = time.monotonic()
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env={**os.environ, "XDG_CACHE_HOME": str(cache)})
    own, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal own
        while not ended.wait(0.02):
            own = max(own, own_peak(process))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    ended.set()
    watcher.join()
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{' '.join(map(str, command))}: status {process.returncode}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, own)


class Tickets:
    """Some hundred guests of five kernels, whose memory is that of five; a list of them, a folder of ISOs."""

    def __init__(self, work: Path, count: int) -> None:
        self.work = work
        self.isos = work / "isos"
        self.isos.mkdir()
        self.list = work / "tickets.tsv"
        self.checkpoints: list[Path] = []
        guests = [boot.boot(scenarios.by_name(name)) for name in GUESTS]
        for guest in guests:
            kernel = guest.kernel
            package = packages.build(packages.debuginfo(kernel.vmlinux, kernel.release))
            iso = packages.iso(f"many-{guest.scenario.series}", {f"DEBUGRPMS/{package.name}": package})
            (self.isos / iso.name).symlink_to(iso)
        for number in range(count):
            guest = guests[number % len(guests)]
            folder = work / "tickets" / f"{number:03}-{guest.scenario.name}"
            folder.mkdir(parents=True)
            self.checkpoints.append(checkpoint_writer.write(folder / "vm", guest.memory, guest.vcpus))
        self.list.write_text("".join(f"{path.parent.name}\t{path}\n" for path in self.checkpoints))

    def batch(self, jobs: int, *options: object) -> list[object]:
        return [tool.BINARY, "batch", "-q", "--list", self.list, "--symbols", self.isos, "-j", jobs, "-o",
                self.work / "results", *options]

    def one(self, checkpoint: str) -> str:
        """What a ticket of batch is made of, by single commands."""
        ways = ((f"{tool.BINARY}", "log.txt"), (f"{tool.BINARY} triage", "triage.txt"),
                (f"{tool.BINARY} triage --json", "triage.json"))
        return "; ".join(f"{way} -q {self.isos} {checkpoint} -o {checkpoint}.{out}" for way, out in ways)

    def loop(self) -> list[object]:
        return ["sh", "-c", f"cut -f 2 {self.list} | while read -r vm; do {self.one('$vm')}; done"]

    def parallel(self) -> list[object]:
        return ["sh", "-c", f"cut -f 2 {self.list} | parallel --jobs 2 '{self.one('{}')}' || true"]

    @contextlib.contextmanager
    def new(self) -> Iterator[Path]:
        """No results, and a store with no kernel in it."""
        for folder in ("results", "cache"):
            shutil.rmtree(self.work / folder, ignore_errors=True)
        yield self.work / "cache"


def beside_loops(tickets: Tickets) -> str:
    ways = {"`photon-dmesg batch -j 1`": tickets.batch(1), "`photon-dmesg batch -j 2`": tickets.batch(2),
            "a shell's loop over the single commands": tickets.loop(),
            "GNU parallel, two at a time, over the single commands": tickets.parallel()}
    runs = {}
    for name, command in ways.items():
        with tickets.new() as cache:
            runs[name] = timed(*command, cache=cache)
    count = len(tickets.checkpoints)
    lines = ["| | tickets a second | seconds | CPU seconds | largest process, MB | first process, MB |",
             "|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {name} | {count / run.seconds:.1f} | {run.row} |" for name, run in runs.items()]
    whole = runs["`photon-dmesg batch -j 1`"]
    return "\n".join(lines) + "\n\n" + against_its_parts(tickets, whole)


def by_jobs(tickets: Tickets) -> str:
    """By turns, a part of the tickets each time, so that both meet the same machine; kernels are in the store."""
    seconds = {1: 0.0, 2: 0.0}
    for part in range(1, TURNS + 1):
        for jobs in seconds:
            shutil.rmtree(tickets.work / "results", ignore_errors=True)
            seconds[jobs] += timed(*tickets.batch(jobs, "--shard", f"{part}/{TURNS}"),
                                   cache=tickets.work / "cache").seconds
    count = len(tickets.checkpoints)
    rates = ", ".join(f"`-j {jobs}` {count / took:.1f}" for jobs, took in seconds.items())
    return (f"With the kernels in the store, tickets a second: {rates}. Two at a time are "
            f"{seconds[1] / seconds[2]:.2f} times as fast as one.\n")


def against_its_parts(tickets: Tickets, whole: Run) -> str:
    """What the work takes by itself: each kernel unpacked once, and each ticket by single commands."""
    unpacked = warm = judged = 0.0
    rounds = 3
    with tickets.new() as cache:
        for checkpoint in tickets.checkpoints[:len(GUESTS)]:
            log = (tool.BINARY, "-q", tickets.isos, checkpoint, "-o", f"{checkpoint}.log")
            triage = (tool.BINARY, "triage", "-q", "--json", tickets.isos, checkpoint, "-o", f"{checkpoint}.json")
            cold = timed(*log, cache=cache).cpu_seconds
            logs = min(timed(*log, cache=cache).cpu_seconds for _ in range(rounds))
            unpacked += cold - logs
            warm += logs
            judged += min(timed(*triage, cache=cache).cpu_seconds for _ in range(rounds))
    each = len(tickets.checkpoints) / len(GUESTS)
    parts = unpacked + each * (warm + judged)
    return (f"In CPU seconds: {len(GUESTS)} kernels unpacked take {unpacked:.1f}, the log of each of "
            f"{len(tickets.checkpoints)} tickets by the single command {each * warm:.1f}, its triage "
            f"{each * judged:.1f}, together {parts:.1f}. `batch -j 1` takes {whole.cpu_seconds / parts:.2f} times "
            f"that.\n")


def gathering(tickets: Tickets) -> str:
    """Of a thousand results, each with a real ticket's files."""
    many = tickets.work / "many"
    some = [folder.parent for folder in (tickets.work / "results").glob("*/ticket.json")]
    for number in range(GATHERED):
        source = some[number % len(some)]
        target = many / f"ticket-{number:04}"
        target.mkdir(parents=True)
        document = json.loads((source / "ticket.json").read_text()) | {"ticket": target.name}
        (target / "ticket.json").write_text(json.dumps(document, indent=2))
    run = timed(tool.BINARY, "batch", "-q", "--gather", many, "-o", many, cache=tickets.work / "cache")
    return (f"`--gather` of {GATHERED:,} results: {run.seconds:.2f} s, {run.cpu_seconds:.2f} CPU seconds, "
            f"{run.largest_kib * 1.024 / 1e3:.0f} MB.\n")


def listing(tickets: Tickets) -> str:
    """A tree of which one ticket is done."""
    tree = tickets.work / "tree"
    checkpoint = tickets.checkpoints[0]
    machines = FILES // 4
    for number in range(machines):
        folder = tree / f"{number // 100:02}" / f"vm-{number:04}"
        folder.mkdir(parents=True)
        os.link(checkpoint, folder / "vm.vmss")
        os.link(checkpoint.with_suffix(".vmem"), folder / "vm.vmem")
        (folder / "vm.vmx").write_text('displayName = "vm"\n')
        (folder / "vmware.log").write_text("vmx| I005: Log for VMware ESX\n")
    run = timed(tool.BINARY, "batch", "-q", tree, "--shard", f"1/{machines}", "-o", tickets.work / "listed",
                cache=tickets.work / "cache")
    shutil.rmtree(tree)
    return (f"A tree of {FILES:,} files, {machines:,} machines, listed, and one ticket of it done: "
            f"{run.seconds:.2f} s, {run.cpu_seconds:.2f} CPU seconds, {run.largest_kib * 1.024 / 1e3:.0f} MB.\n")


def array_seconds(cluster: slurm.Cluster, tickets: Tickets, parts: int) -> float:
    """From its submission until its last element has ended."""
    shutil.rmtree(tickets.work / "results", ignore_errors=True)
    started = time.monotonic()
    job = cluster.run("sbatch", "--parsable", f"--array=1-{parts}", "--cpus-per-task=1", "--output=/dev/null",
                      paths.SOURCE.parents[1] / "share/slurm/photon-dmesg.sbatch", tickets.list,
                      tickets.work / "results", "--symbols", tickets.isos, cwd=tickets.work,
                      environment={"PHOTON_DMESG": str(tool.BINARY.resolve()),
                                   "XDG_CACHE_HOME": str(tickets.work / "cache")})
    cluster.wait(job, patience=3600)
    seconds = time.monotonic() - started
    done = len(list((tickets.work / "results").glob("*/ticket.json")))
    if done != len(tickets.checkpoints):
        raise RuntimeError(f"{done} of {len(tickets.checkpoints)} tickets are done")
    return seconds


def by_parts(tickets: Tickets) -> str:
    """On a cluster of one node that believes to have eight processors; kernels are in the store."""
    try:
        slurm.check_installed()
    except unittest.SkipTest as reason:
        return f"(Not measured: {reason}.)\n"
    with slurm.Cluster(cpus=max(PARTS)) as cluster:
        # The first job of a new cluster waits for what later ones do not.
        cluster.wait(cluster.run("sbatch", "--parsable", "--output=/dev/null", "--wrap", "true"))
        seconds = {parts: array_seconds(cluster, tickets, parts) for parts in PARTS}
    lines = ["| parts | seconds | tickets a second | times as fast as one |", "|---:|---:|---:|---:|"]
    lines += [f"| {parts} | {took:.1f} | {len(tickets.checkpoints) / took:.1f} | {seconds[1] / took:.2f} |"
              for parts, took in seconds.items()]
    return "\n".join(lines) + "\n"


HEADING = """## Many tickets

{count} tickets of {kernels} kernels (Linux 5.10, 6.1, 6.12, 7 and 6.1 with PREEMPT_RT, guests that hang, 512 MiB
each), a folder of {kernels} ISOs with debug information, a store that is empty at first. Each ticket is its log,
its triage as text and as JSON; the single commands make the same files. On {machine}, whose load was {load:.0f} before.

"""


def report(count: int = TICKETS) -> str:
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=paths.cache()) as folder:
        tickets = Tickets(Path(folder), count)
        text = HEADING.format(count=count, kernels=len(GUESTS), machine=timing.machine(), load=load)
        text += beside_loops(tickets) + "\n" + by_jobs(tickets) + "\n"
        text += "By parts, as elements of a job array of Slurm on this one machine:\n\n" + by_parts(tickets) + "\n"
        text += gathering(tickets) + "\n" + listing(tickets)
    return text
