"""What other programs said of files, kept between runs: the same version of a program says of the same
bytes the same. What photon-dmesg says is never kept, for it is what the tests are about."""

import functools
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import contents
import paths

TIMEOUT = 1800  # seconds; gdb takes one minute, and many on a busy machine
# Nothing of whoever runs the tests is to have a part in it.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C", "TZ": "UTC0",
               "TERM": "dumb"}


@functools.cache
def version(program: str) -> str:
    """What a program says its version is, and its file: Debian mends without a new version."""
    said = subprocess.run([program, "--version"], capture_output=True, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, env=ENVIRONMENT)
    return said.stdout.decode(errors="replace") + contents.key(Path(shutil.which(program)))


def key(command: list[str | Path], reads: Iterable[Path] = ()) -> str:
    """Of a command whose file arguments are Paths, and the files that it `reads` without being told
    their names, by what is in all of them."""
    words = [contents.key(word) if isinstance(word, Path) else f"={word}" for word in command]
    others = [f"{file.name}:{contents.key(file)}" for file in sorted(reads)]
    return paths.digest(version(str(command[0])), *words, "reads", *others)


def of(command: list[str | Path], reads: Iterable[Path] = (), **options: object) -> bytes:
    """What the command prints; only if it ends well is it kept."""
    kept = paths.cache() / "answers" / key(command, reads)
    if kept.exists():
        return kept.read_bytes()
    done = subprocess.run([str(word) for word in command], capture_output=True, timeout=TIMEOUT,
                          stdin=subprocess.DEVNULL, env=ENVIRONMENT, **options)
    if done.returncode == 0:
        paths.write_whole(kept, done.stdout)
    return done.stdout
