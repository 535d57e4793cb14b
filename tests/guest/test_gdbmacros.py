"""The gdb macros of share/gdbmacros on real guests, and on a log of an older kernel's format."""

import re
import tempfile
import unittest
from pathlib import Path

import boot
import checkpoint_writer
import elf_core
import paths
import scenarios
from tool import photon_dmesg

MACROS = paths.SOURCE.parents[1] / "share/gdbmacros/photon.gdb"
NO_FRAME = b"#0  <unavailable> in ?? ()"  # gdb's own word on a core without registers


class RealGuest:
    """A core of a guest, its vmlinux loaded at the KASLR offset. Subclasses name the scenario."""

    name: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = boot.boot(scenarios.by_name(cls.name))
        cls._folder = tempfile.TemporaryDirectory(dir=cls.guest.folder)
        cls.addClassCleanup(cls._folder.cleanup)
        cls.folder = Path(cls._folder.name)
        cls.checkpoint = checkpoint_writer.write(cls.folder / "vm", cls.guest.memory,
                                                 cls.guest.vcpus)
        elf_core.write(cls.folder / "core", cls.guest)
        cls.document = photon_dmesg("-J", cls.guest.kernel.vmlinux, cls.checkpoint).json

    def gdb(self, command: str) -> list[bytes]:
        offset = self.document["guest"]["kaslr_offset"]
        lines = elf_core.gdb([f"symbol-file {self.guest.kernel.vmlinux} -o {offset}",
                              f"core-file {self.folder / 'core'}", f"source {MACROS}", command])
        return [line for line in lines if line != NO_FRAME]

    def test_dmesg_prints_what_photon_dmesg_prints(self) -> None:
        expected = photon_dmesg(self.guest.kernel.vmlinux, self.checkpoint, locale="C").out
        # dmesg(1) prints every kind of white space as it is, the macro tabs and newlines only.
        expected = re.sub(rb"[\x0b\x0c\r]", lambda found: b"\\x%02x" % found[0][0], expected)
        self.assertEqual(self.gdb("dmesg"), expected.split(b"\n"))

    def test_ps_lists_every_task_of_the_guest(self) -> None:
        heading, *lines = (line.decode() for line in self.gdb("ps") if line)
        self.assertEqual(heading.split(), ["PID", "TGID", "S", "TASK", "NAME"])
        tasks = {int(pid): (state, name) for pid, _, state, _, name in
                 (line.split(maxsplit=4) for line in lines)}
        self.assertEqual(tasks[0][1], "swapper/0")
        self.assertEqual(tasks[1][1], "init")
        self.assertEqual(tasks[2], ("S", "kthreadd"))
        self.assertIn(("I", "rcu_preempt"), tasks.values())
        for cpu in range(self.guest.scenario.vcpus):
            self.assertIn(("S", f"migration/{cpu}"), tasks.values())
        self.assertEqual(len(tasks), len(lines), "a task is listed twice")

    def test_btt_prints_the_stack_of_every_task(self) -> None:
        text = b"\n".join(self.gdb("btt")).decode()
        stacks = {stack.split()[4]: stack for stack in text.strip().split("\n\n")}
        kthreadd = stacks["kthreadd"]
        for function in ("schedule", "kthreadd", "ret_from_fork"):
            self.assertRegex(kthreadd, rf"\[0x[0-9a-f]{{16}}\] 0x[0-9a-f]{{16}} <{function}\+\d+>")
        self.assertLess(kthreadd.index("<schedule+"), kthreadd.index("<ret_from_fork+"))
        self.assertGreater(len(stacks), 30)


class WithKaslr61(RealGuest, unittest.TestCase):
    name = "k61"


class Panicked612(RealGuest, unittest.TestCase):
    name = "k612-panic"


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
        for command in ("dmesg", "ps", "btt"):
            text = b"\n".join(self.gdb(f"help {command}"))
            self.assertGreater(len(text), 80, command)
            self.assertNotIn(b"User-defined", text)


if __name__ == "__main__":
    unittest.main()
