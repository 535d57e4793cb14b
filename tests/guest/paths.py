"""Where test material is kept between runs, and small helpers shared by the harness."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

SOURCE = Path(__file__).resolve().parent


def cache() -> Path:
    """The folder that outlives a run: kernels, booted guests, packages, ISOs."""
    named = os.environ.get("PHOTON_DMESG_TEST_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(named) if named else Path(base) / "photon-dmesg-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def digest(*parts: str | Path) -> str:
    """A short key over strings and the contents of files and folders."""
    state = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            files = sorted(p for p in part.rglob("*") if p.is_file()) if part.is_dir() else [part]
            for file in files:
                state.update(file.name.encode() + b"\0" + file.read_bytes())
        else:
            state.update(part.encode() + b"\0")
    return state.hexdigest()[:12]


@contextlib.contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Nobody else holds `lock` meanwhile: neither another process nor another part of this one."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(target: Path, make: Callable[[Path], None]) -> Path:
    """The folder `target`, which `make` fills unless it is there already. It takes that name only when
    it is whole; of two processes that want it, one waits for the other."""
    if target.exists():
        return target
    lock = target.with_name(f".{target.name}.lock")
    with locked(lock):
        if not target.exists():
            work = target.with_name(f".{target.name}.work")
            shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
            work.mkdir()
            try:
                make(work)
                work.rename(target)
            finally:
                shutil.rmtree(work, ignore_errors=True)
        lock.unlink(missing_ok=True)  # who still waits for it finds the target
    return target


def write_whole(target: Path, content: bytes) -> None:
    """Writes a file that others see whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.with_name(f".{target.name}.{os.getpid()}")
    work.write_bytes(content)
    work.rename(target)


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess:
    """subprocess.run, with an error that shows what the command said."""
    result = subprocess.run([str(word) for word in command], capture_output=True, **options)
    if result.returncode != 0:
        said = result.stderr.decode(errors="replace") or result.stdout.decode(errors="replace")
        raise RuntimeError(f"{' '.join(map(str, command))}: status {result.returncode}: {said}")
    return result


def copy_sparse(source: Path, target: Path) -> None:
    """Copies a memory image; holes stay holes, and blocks are shared where the file system can."""
    run("cp", "--sparse=always", "--reflink=auto", source, target)
