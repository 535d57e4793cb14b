"""Runs photon-dmesg, and the crash utility as the independent judge."""

import dataclasses
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import paths

BINARY = Path(os.environ.get("PHOTON_DMESG", paths.SOURCE.parents[1] / "build/photon-dmesg"))
TIMEOUT = 300  # seconds; far more than anything here takes


@dataclasses.dataclass(frozen=True)
class Result:
    status: int
    out: bytes
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)


def photon_dmesg(*arguments: object, locale: str = "C.UTF-8", timezone: str = "UTC0",
                 cache: Path | None = None, binary: Path = BINARY, **options: object) -> Result:
    """Without `cache` nothing of earlier runs is used, and nothing is left for later ones."""
    environment = {**os.environ, "LC_ALL": locale, "TZ": timezone,
                   "XDG_CACHE_HOME": str(cache) if cache else "/dev/null"}
    done = subprocess.run([str(binary), *map(str, arguments)], capture_output=True,
                          env=environment, timeout=TIMEOUT, stdin=subprocess.DEVNULL, **options)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def crash_log(vmlinux: Path, checkpoint: Path) -> list[bytes]:
    """The lines of crash's `log` command, without what crash says beside it."""
    with tempfile.NamedTemporaryFile("w", suffix=".crash") as commands:
        commands.write("log\nquit\n")
        commands.flush()
        done = subprocess.run(["crash", "-s", "-i", commands.name, str(vmlinux), str(checkpoint)],
                              capture_output=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL)
    lines = done.stdout.split(b"\n")
    first = next((i for i, line in enumerate(lines) if re.match(rb"\[ *\d+\.\d{6}\]", line)), None)
    if first is None:
        raise RuntimeError(f"crash found no log in {checkpoint.name}: {done.stdout[-500:]!r} "
                           f"{done.stderr[-500:]!r}")
    return lines[first:]
