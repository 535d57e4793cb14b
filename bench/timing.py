"""Commands side by side: every round runs each once, so that all of them meet the same machine."""

import os
import resource
import shutil
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Command:
    """A pipeline of processes to time."""

    name: str
    processes: list[list[object]]
    folder: Path  # to run in; emptied before each run
    seconds: list[float] = field(default_factory=list)
    peak_kib: int = 0  # of its largest process

    def run(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        environment = {**os.environ, "XDG_CACHE_HOME": str(self.folder.with_name("cache"))}
        started = time.monotonic()
        children = []
        source = subprocess.DEVNULL
        for words in self.processes:
            last = words is self.processes[-1]
            child = subprocess.Popen([str(word) for word in words], cwd=self.folder, stdin=source,
                                     env=environment,
                                     stdout=subprocess.DEVNULL if last else subprocess.PIPE,
                                     stderr=subprocess.DEVNULL)
            if source is not subprocess.DEVNULL:
                source.close()
            source = child.stdout
            children.append(child)
        for child in children:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
            if child.returncode != 0:
                raise RuntimeError(f"{self.name}: status {child.returncode}")
            self.peak_kib = max(self.peak_kib, usage.ru_maxrss)
        self.seconds.append(time.monotonic() - started)

    @property
    def peak(self) -> str:
        """In MB. A process begins as a copy of this one, and what it needs itself may be less."""
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        megabytes = f"{max(self.peak_kib, own) * 1.024 / 1e3:.0f}"
        return megabytes if self.peak_kib > own else f"< {megabytes}"

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(commands: list[Command], rounds: int) -> None:
    for command in commands:
        command.run()  # fills the page cache
        command.seconds.clear()
        command.peak_kib = 0
    for _ in range(rounds):
        for command in commands:
            command.run()


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")),
                 "unknown processor")
    return f"{os.cpu_count()} cores of {model}"
