"""Runs photon-dmesg, and the crash utility as the independent judge."""

import dataclasses
import functools
import json
import os
import pty
import re
import subprocess
import tempfile
import tty
from pathlib import Path

import answers
import paths

BINARY = Path(os.environ.get("PHOTON_DMESG", paths.SOURCE.parents[1] / "build/photon-dmesg"))
TIMEOUT = 300  # seconds; far more than anything here takes


OVERWRITTEN = (r"the kernel has overwritten the \d+ (oldest records: the log begins with record \d+|"
               r"records behind record \d+: up to that they are of the buffer of early boot, "
               r"the log itself begins with record \d+)")


def losses(document: dict) -> list[str]:
    """The warnings of a JSON document, without these."""
    return [text for text in document["warnings"] if not re.fullmatch(OVERWRITTEN, text)]


@dataclasses.dataclass(frozen=True)
class Result:
    status: int
    out: bytes
    err: str

    @property
    def json(self) -> dict:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """stderr, but for what is true of every log that its ring has outgrown."""
        return re.sub(rf"(?m)^photon-dmesg: warning: {OVERWRITTEN}\n", "", self.err)


def photon_dmesg(*arguments: object, locale: str = "C.UTF-8", timezone: str = "UTC0",
                 cache: Path | None = None, binary: Path = BINARY, **options: object) -> Result:
    """Without `cache` nothing of earlier runs is used, and nothing is left for later ones."""
    environment = {**os.environ, "LC_ALL": locale, "TZ": timezone,
                   "XDG_CACHE_HOME": str(cache) if cache else "/dev/null"}
    done = subprocess.run([str(binary), *map(str, arguments)], capture_output=True,
                          env=environment, timeout=TIMEOUT, stdin=subprocess.DEVNULL, **options)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def peak_memory(*arguments: object) -> int:
    """Of photon-dmesg, in bytes."""
    result = paths.run("/usr/bin/env", "python3", "-c",
                       "import resource, subprocess, sys\n"
                       "subprocess.run(sys.argv[1:], capture_output=True)\n"
                       "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
                       BINARY, *map(str, arguments))
    return int(result.stdout) << 10


def on_terminal(*command: object, **options: object) -> Result:
    """What a command writes to a terminal that is its stdin and stdout, and to stderr, which is none. A
    pager can't ask whoever runs the tests for a key."""
    master, slave = pty.openpty()
    tty.setraw(slave)  # what is written there arrives as it is
    process = subprocess.Popen([str(word) for word in command], stdout=slave, stdin=slave,
                               stderr=subprocess.PIPE, start_new_session=True, **options)
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other end was closed
            break
        if not piece:
            break
        seen += piece
    os.close(master)
    err = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    return Result(process.wait(TIMEOUT), seen, err)


@functools.cache
def features() -> str:
    """What the binary says that it was built with."""
    return photon_dmesg("--version", "-v").out.decode()


def reads_kdump_files() -> bool:
    return "built without libkdumpfile" not in features()


def crash(vmlinux: Path, dump: Path, *commands: str) -> bytes:
    """What crash prints for the commands."""
    beside = dump.with_suffix(".vmem")  # the memory that belongs to a checkpoint
    with tempfile.NamedTemporaryFile("w", suffix=".crash") as script:
        script.write("\n".join([*commands, "quit"]) + "\n")
        script.flush()
        return answers.of(["crash", "-s", "-i", Path(script.name), vmlinux, dump],
                          reads=[beside] if beside.exists() else [])


def crash_log(vmlinux: Path, checkpoint: Path) -> list[bytes]:
    """The lines of crash's `log` command, without what crash says beside it."""
    said = crash(vmlinux, checkpoint, "log")
    lines = said.split(b"\n")
    first = next((i for i, line in enumerate(lines) if re.match(rb"\[ *\d+\.\d{6}\]", line)), None)
    if first is None:
        raise RuntimeError(f"crash found no log in {checkpoint.name}: {said[-500:]!r}")
    return lines[first:]
