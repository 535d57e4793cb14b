"""Runs the guest tests, classes beside each other as far as processors and memory allow.

    run.py [--without-peers] [MODULE | MODULE.CLASS | MODULE.CLASS.TEST ...]      default: all"""

import argparse
import dataclasses
import json
import os
import re
import sys
import tempfile
import time
import traceback
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

import guests
import kernels
import own_kernel
import paths
import peers
import scenarios
from results import FAILED, Collector, Summary, count
from schedule import Job, next_job, ordered

TOOLS = 3 << 29  # bytes that crash or gdb take beside a guest's memory
ALONE = "test_storm"


@dataclasses.dataclass(frozen=True)
class Task:
    """A job, and what its process does: returns what it is to hand on."""

    job: Job
    work: Callable[[], str]
    tests: tuple[str, ...] = ()


def loaded(names: list[str]) -> Iterator[unittest.TestCase]:
    """The tests, one by one."""
    if not names:
        names = [file.stem for file in sorted(paths.SOURCE.glob("test_*.py"))]
    suites = [unittest.defaultTestLoader.loadTestsFromNames(names)]
    for part in suites:
        if isinstance(part, unittest.TestSuite):
            suites.extend(part)
        else:
            yield part


def class_tasks(names: list[str], without_peers: bool, seconds: dict[str, float]) -> list[Task]:
    classes: dict[type, list[unittest.TestCase]] = {}
    for test in loaded(names):
        if not (without_peers and peers.judges(test)):
            classes.setdefault(type(test), []).append(test)
    tasks = []
    for kind, tests in classes.items():
        name = f"{kind.__module__}.{kind.__qualname__}"
        guests = [s.memory for s in scenarios.SCENARIOS if s.name == getattr(kind, "name", None)]
        job = Job(name, memory=TOOLS + max(guests, default=scenarios.GIB // 2),
                  seconds=seconds.get(name, float("inf")), alone=kind.__module__ == ALONE)
        ids = tuple(test.id() for test in tests)

        def work(tests: list[unittest.TestCase] = tests, ids: tuple[str, ...] = ids) -> str:
            collector = Collector(list(ids))
            unittest.TestSuite(tests).run(collector)
            return collector.as_json()

        tasks.append(Task(job, work, ids))
    return tasks


def guest_tasks() -> list[Task]:
    """Every guest; a class that came before its guest is ready would only wait for it. Before them the
    kernel that takes minutes to build, so that others boot meanwhile."""
    def task(job: Job, make: Callable[[], object]) -> Task:
        def work() -> str:
            try:
                make()
            except unittest.SkipTest:  # which the guest's classes say
                pass
            return "made"
        return Task(job, work)
    kernel = task(Job(f"kernel {own_kernel.SERIES}", TOOLS, float("inf"), first=True), own_kernel.fetch)
    return [kernel, *(task(Job(f"guest {scenario.name}", scenario.memory, scenario.memory, first=True),
                           lambda scenario=scenario: guests.fetch(scenario))
                      for scenario in scenarios.SCENARIOS)]


def prepare() -> None:
    """Asks apt once for what every class would ask it for."""
    for ask in (*(lambda series=series: kernels.fetch(series) for series in kernels.META_PACKAGES),
                peers.newer_suite):
        try:
            ask()
        except (RuntimeError, unittest.SkipTest):  # which the tests that need it say
            pass


def begin(task: Task, folder: Path) -> int:
    """Starts a process that does the task; what it says and hands on are files in `folder`."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    try:
        with (folder / "said").open("wb") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        handed_on = task.work()
        (folder / "handed on").write_text(handed_on)
    except BaseException:  # the process must not go on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(0)


def report(task: Task, folder: Path, seconds: float, summary: Summary) -> None:
    """Prints what a task has said, whole, under how it ended."""
    said = (folder / "said").read_text(errors="replace")
    handed_on = folder / "handed on"
    written = handed_on.read_text() if handed_on.exists() else ""
    if task.tests:
        print(f"{task.job.name}: {count(summary.add(list(task.tests), written, said))}, "
              f"{seconds:.0f} s")
    else:
        summary.add([], "", said)
        if not written:
            print(f"{task.job.name}: could not be made; the classes that need it try again")
    if said:
        print("    " + said.rstrip("\n").replace("\n", "\n    "))
    sys.stdout.flush()


def run(tasks: list[Task], summary: Summary, workers: int, memory: int) -> dict[str, float]:
    """Does all tasks; returns how many seconds each took."""
    by_job = {task.job: task for task in tasks}
    waiting = ordered(list(by_job))
    running: dict[int, tuple[Task, Path, float]] = {}
    took = {}
    with tempfile.TemporaryDirectory() as scratch:
        while waiting or running:
            job = next_job(waiting, [task.job for task, _, _ in running.values()], workers, memory)
            if job:
                waiting.remove(job)
                folder = Path(tempfile.mkdtemp(dir=scratch))
                running[begin(by_job[job], folder)] = (by_job[job], folder, time.monotonic())
                continue
            ended, _ = os.wait()
            task, folder, started = running.pop(ended)
            took[task.job.name] = time.monotonic() - started
            report(task, folder, took[task.job.name], summary)
    return took


def available_memory() -> int:
    found = re.search(r"MemAvailable: +(\d+) kB", Path("/proc/meminfo").read_text())
    return int(found.group(1)) << 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--without-peers", action="store_true",
                        help="not the tests in which other programs judge")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    started = time.monotonic()
    durations = paths.cache() / "durations.json"
    known = json.loads(durations.read_text()) if durations.exists() else {}
    tasks = class_tasks(arguments.names, arguments.without_peers, known)
    if len(tasks) > 1:
        prepare()
    if not arguments.names:
        tasks += guest_tasks()
    summary = Summary()
    took = run(tasks, summary, os.cpu_count() or 1, available_memory())
    paths.write_whole(durations, json.dumps(known | took, indent=1).encode())
    print(f"\n{time.monotonic() - started:.0f} s")
    print("\n".join(summary.lines()))
    sys.exit(FAILED in summary.ends.values())


if __name__ == "__main__":
    main()
