"""Where certain bytes stand in a guest's memory: looked for once, then known."""

import json
import mmap
from pathlib import Path

import contents
import paths


def _search(memory: Path, pattern: bytes) -> list[int]:
    found = []
    with memory.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
        at = image.find(pattern)
        while at >= 0:
            found.append(at)
            at = image.find(pattern, at + len(pattern))
    return found


def offsets(memory: Path, pattern: bytes) -> list[int]:
    """Every place of `pattern` in a memory image."""
    kept = paths.cache() / "offsets" / paths.digest(contents.key(memory), repr(pattern))
    if not kept.exists():
        paths.write_whole(kept, json.dumps(_search(memory, pattern)).encode())
    return json.loads(kept.read_text())


def blank(copy: Path, original: Path, pattern: bytes) -> None:
    """Zeroes every place of `pattern` in a copy of a memory image."""
    with copy.open("r+b") as file:
        for offset in offsets(original, pattern):
            file.seek(offset)
            file.write(bytes(len(pattern)))
