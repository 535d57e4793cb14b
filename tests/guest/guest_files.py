"""What tests of one guest have in common."""

import shutil
import tempfile
from pathlib import Path

import guests
import scenarios
from checkpoint_writer import Form


class GuestFiles:
    """A booted guest with a checkpoint of it, in a folder that goes with the test class. Subclasses
    name the guest."""

    name: str
    form: Form | None = None  # of the checkpoint; None: what is usual

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = guests.fetch(scenarios.by_name(cls.name))
        folder = tempfile.TemporaryDirectory(dir=cls.guest.folder)
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.checkpoint = guests.write_checkpoint(cls.folder / "vm", cls.guest, cls.form)
        cls.vmlinux = cls.guest.kernel.vmlinux
        cls.files = (cls.vmlinux, cls.checkpoint)

    @classmethod
    def checkpoint_of(cls, memory: Path) -> Path:
        """The checkpoint under the name of another memory, in whose folder it goes."""
        return Path(shutil.copy(cls.checkpoint, memory.with_suffix(cls.checkpoint.suffix)))
