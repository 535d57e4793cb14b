"""Two snapshots of one guest, some seconds apart: a processor has begun to loop before the first, and the
kernel has said so before the second."""

import dataclasses
import json
import time
from pathlib import Path

import boot
import kernels
import lab
import paths
import scenarios

WAITS = 90  # seconds for the kernel to say so, which it does after some twenty
NAMES = ("first", "second")


def fetch() -> Path:
    """The folder with first.raw, first.json (its vCPUs), second.raw and second.json, made unless the
    cache has it."""
    scenario = dataclasses.replace(scenarios.by_name("k61-softlockup"), name="k61-twice", spins_for=0)
    kernel = kernels.fetch(scenario.series)
    key = paths.digest(repr(scenario), kernel.folder.name, paths.SOURCE / "initramfs",
                       Path(__file__), Path(boot.__file__), lab.build(kernel).name)

    def make(work: Path) -> None:
        print("booting k61-twice", flush=True)
        with boot.running(scenario, kernel, work) as monitor:
            _keep(monitor, work, NAMES[0])
            monitor.call("cont")
            deadline = time.monotonic() + WAITS
            while b"BUG: soft lockup" not in (work / "console.log").read_bytes():
                if time.monotonic() > deadline:
                    raise RuntimeError("the guest has not said that a processor loops")
                time.sleep(0.2)
            time.sleep(1)  # it goes on to say so
            _keep(monitor, work, NAMES[1])
        for name in ("memory.raw", "qmp", "initrd", "shipped"):
            (work / name).unlink(missing_ok=True)

    return paths.made_once(paths.cache() / "guests" / f"{scenario.name}-{key}", make)


def _keep(monitor: boot.Monitor, work: Path, name: str) -> None:
    """Stops the guest and keeps what it is at."""
    monitor.call("stop")
    (work / f"{name}.json").write_text(json.dumps(monitor.registers()))
    paths.copy_sparse(work / "memory.raw", work / f"{name}.raw")
