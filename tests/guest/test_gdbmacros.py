"""The gdb macros on a log of an older kernel's format; test_core has them on real guests."""

import tempfile
import unittest
from pathlib import Path

import elf_core
import paths

MACROS = paths.SOURCE.parents[1] / "share/gdbmacros/photon.gdb"


class PrintkLog(unittest.TestCase):
    """The format of 3.11 to 5.9, in a program that a compiler made of the kernel's declarations."""

    @classmethod
    def setUpClass(cls) -> None:
        cls._folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls._folder.cleanup)
        cls.program = Path(cls._folder.name) / "vmlinux"
        paths.run("gcc", "-g", "-w", "-o", cls.program, paths.SOURCE / "fixtures/printk_log.c")

    def gdb(self, *commands: str) -> list[bytes]:
        return elf_core.gdb([f"source {MACROS}", *commands], vmlinux=self.program)

    def test_dmesg_follows_the_log_around_its_wrap(self) -> None:
        self.assertEqual(self.gdb("dmesg"), [
            b"[    1.250000] Linux version 4.4.8",
            b"[    2.250000] one",
            b"               two\\x1b[m",
            b"[    3.250000] 100% ok",
            b"[40000.250000] seventeen letters",
            b"", b""])

    def test_every_command_is_documented(self) -> None:
        for command in ("dmesg", "ps", "btt", "btpid", "trapinfo"):
            text = b"\n".join(self.gdb(f"help {command}"))
            self.assertGreater(len(text), 80, command)
            self.assertNotIn(b"User-defined", text)


if __name__ == "__main__":
    unittest.main()
