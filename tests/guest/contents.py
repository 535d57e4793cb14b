"""What a file holds, as a short key. Of a memory image it does not matter where its holes are."""

import functools
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import paths

BLOCK = 1 << 16
ZEROS = bytes(BLOCK)
# A file that is older than this many seconds lasts, and is not being written while it is read.
LASTING = 60


def data_blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of each block that holds anything but zeros."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        at = 0
        while at < size:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:  # nothing but a hole is left
                return
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            if end == at:  # the data begin within this block
                end = at + BLOCK
            file.seek(at)
            while at < end:
                block = file.read(BLOCK)
                if not block:
                    return
                if block != ZEROS[:len(block)]:
                    yield at, block
                at += len(block)


@functools.cache
def _read(path: Path, *_identity: int) -> str:
    state = hashlib.sha256(str(path.stat().st_size).encode())
    for offset, block in data_blocks(path):
        state.update(offset.to_bytes(8, "little") + block)
    return state.hexdigest()[:24]


def key(path: Path) -> str:
    """Of a regular file's size and bytes. Of files that last it is computed once."""
    status = path.stat()
    identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
    if time.time() - status.st_mtime < LASTING:
        return _read(path, *identity)
    kept = paths.cache() / "contents" / "-".join(map(str, identity))
    if not kept.exists():
        paths.write_whole(kept, _read(path, *identity).encode())
    return kept.read_text()
