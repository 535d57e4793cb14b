"""Boots that the emulator kills are repeated; a guest that dies later is an error."""

from collections.abc import Callable
from typing import TypeVar

REPEATS = 3
MARK = "boot repeated: "  # begins the line that says so, which the summary counts

Started = TypeVar("Started")


class DiedBeforeScript(RuntimeError):
    """A guest that never came to the beginning of its script: nothing of ours has run in it."""


def started(name: str, start: Callable[[], Started]) -> Started:
    """What `start` returns, which is called again when the guest died too early to be at fault."""
    for repeat in range(REPEATS + 1):
        try:
            return start()
        except DiedBeforeScript as death:
            if repeat == REPEATS:
                raise
            print(f"{MARK}{name}: {death}", flush=True)
    raise AssertionError("unreachable")
