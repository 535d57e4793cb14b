"""What runs on this machine, to be told by its environment, and ended by its id."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


class Process:
    """One of this machine's."""

    def __init__(self, number: int) -> None:
        self.id = number
        folder = Path(f"/proc/{number}")
        self.environment = (folder / "environ").read_bytes().decode(errors="replace").split("\0")
        # Behind the name, in which anything may stand.
        self.parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        self.program = (folder / "exe").readlink()

    @classmethod
    def all(cls) -> Iterator["Process"]:
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with contextlib.suppress(OSError):  # it has ended
                    yield cls(int(entry.name))

    def value(self, name: str) -> str | None:
        """Of the environment that it was started with."""
        return next((text.partition("=")[2] for text in self.environment if text.startswith(f"{name}=")), None)

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.id, signal.SIGKILL)


def started_first(program: Path, variable: str, value: str) -> list[Process]:
    """Those that run `program` with the variable in their environment, but for those that they have started."""
    found = [process for process in Process.all()
             if process.program == program and process.value(variable) == value]
    ids = {process.id for process in found}
    return [process for process in found if process.parent not in ids]
