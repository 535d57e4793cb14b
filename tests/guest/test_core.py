"""What photon-dmesg core writes: gdb and crash must open it, and both must say of the guest what the
tool and crash say of the checkpoint."""

import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import answers
import boot
import checkpoint_writer
import elf_core
import packages
import scenarios
import tool
from checkpoint_writer import Form, Memory, Registers
from guest_files import GuestFiles
from tool import photon_dmesg

START_GDB = ["gdb", "-q", "-batch", "-iex", "add-auto-load-safe-path ./.gdbinit", "-ex",
             "set pagination off"]


def gdb(folder: Path, *commands: str) -> list[str]:
    """What gdb, started in the folder as the user is told to, prints for each command."""
    words = list(START_GDB)
    for number, command in enumerate(commands):
        words += ["-ex", f"echo ==== {number}\\n", "-ex", command]
    text = answers.of(words, reads=list(folder.iterdir()), cwd=folder).decode(errors="surrogateescape")
    return [part.partition("\n")[2] for part in text.split("==== ")[1:]]


class CoreTests(GuestFiles):
    """Subclasses also say where the guest's processors were."""

    frames: tuple[str, ...] = ()  # in this order in the backtrace of one of the vCPUs

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.core = cls.folder / "core"
        cls.result = photon_dmesg("core", cls.vmlinux, cls.checkpoint, "-o", cls.core)
        assert (cls.result.status, cls.result.err) == (0, ""), cls.result.err
        # One session: gdb takes seconds to read vmlinux.
        commands = ("dmesg", "info threads", "thread apply all info registers rip rsp",
                    "thread apply all bt", "ps", "btt", "btpid 2", "btpid 99999", "btpid",
                    "trapinfo 2", "trapinfo 99999")
        cls.gdb = dict(zip(commands, gdb(cls.core, *commands), strict=True))

    def test_the_folder_holds_what_the_user_is_told_of(self) -> None:
        self.assertEqual(sorted(file.name for file in self.core.iterdir()),
                         [".gdbinit", "photon.gdb", "vmlinux", "vmss.core"])
        self.assertEqual((self.core / "vmss.core").stat().st_mode & 0o777, 0o600)
        text = self.result.out.decode()
        self.assertIn(f'cd {self.core} && gdb -iex "add-auto-load-safe-path ./.gdbinit"', text)
        self.assertIn(f"crash {self.core}/vmlinux {self.core}/vmss.core", text)

    def test_holes_stay_holes(self) -> None:
        core = (self.core / "vmss.core").stat()
        memory = self.guest.memory.stat()
        self.assertGreater(core.st_size, memory.st_size)
        self.assertLess(core.st_blocks, memory.st_blocks + (4 << 20) // 512)

    def test_the_core_gives_the_same_log(self) -> None:
        expected = photon_dmesg("--json", self.vmlinux, self.checkpoint).json
        for symbols in ([self.vmlinux], []):
            found = photon_dmesg("--json", *symbols, self.core / "vmss.core")
            self.assertEqual((found.status, found.err), (0, ""))
            self.assertEqual(found.json["dmesg"], expected["dmesg"])
            for key in ("vcpus", "kaslr_offset", "phys_base", "memory_bytes", "build_id"):
                self.assertEqual(found.json["guest"][key], expected["guest"][key])

    def test_gdb_prints_the_log_as_photon_dmesg(self) -> None:
        expected = photon_dmesg(self.vmlinux, self.checkpoint, locale="C").out
        # dmesg(1) prints every kind of white space as it is, the macro tabs and newlines only.
        expected = re.sub(rb"[\x0b\x0c\r]", lambda found: b"\\x%02x" % found[0][0], expected)
        self.assertEqual(self.gdb["dmesg"].split("\n"), expected.decode().split("\n"))

    def test_gdb_has_every_vcpu_and_its_backtrace(self) -> None:
        registers = self.gdb["thread apply all info registers rip rsp"]
        traces = self.gdb["thread apply all bt"]
        ran = photon_dmesg("bt", "--json", self.vmlinux, self.checkpoint).json["vcpus"]
        for index, vcpu in enumerate(self.guest.vcpus):
            # gdb can't tell idle tasks apart by their pid, which is 0 for all: no task has these numbers.
            thread = ran[index]["task"]["pid"] or (1 << 22) + index
            self.assertRegex(self.gdb["info threads"], rf"(?m)^[* ] +{index + 1} +LWP {thread} ")
            for name in ("rip", "rsp"):
                self.assertRegex(registers, rf"(?m)^{name} +{vcpu[name]:#x}\b")
        if self.frames:
            pattern = r"(?s)" + r".*?".join(rf"\b(in )?{re.escape(name)} \(" for name in self.frames)
            self.assertTrue(any(re.search(pattern, trace) for trace in traces.split("\nThread ")),
                            traces)

    def test_gdb_lists_every_task(self) -> None:
        heading, *lines = self.gdb["ps"].rstrip("\n").split("\n")
        self.assertEqual(heading.split(), ["PID", "TGID", "S", "TASK", "NAME"])
        tasks = {int(pid): (state, name) for pid, _, state, _, name in
                 (line.split(maxsplit=4) for line in lines)}
        self.assertEqual(tasks[0][1], "swapper/0")
        self.assertEqual(tasks[1][1], "init")
        self.assertEqual(tasks[2], ("S", "kthreadd"))
        for cpu in range(self.guest.scenario.vcpus):
            self.assertIn(f"migration/{cpu}", [name for _, name in tasks.values()])
        self.assertEqual(len(tasks), len(lines), "a task is listed twice")

    def test_gdb_prints_stacks_of_all_tasks_and_of_one(self) -> None:
        stacks = self.gdb["btt"].strip("\n").split("\n\n")
        self.assertGreater(len(stacks), 30)
        kthreadd = next(stack for stack in stacks if stack.rstrip().split("\n")[0].endswith("kthreadd"))
        self.assertRegex(kthreadd, r"<(__)?schedule\+")
        self.assertIn("<kthreadd+", kthreadd)
        self.assertEqual(self.gdb["btpid 2"].strip("\n"), kthreadd.strip("\n"))
        self.assertEqual(self.gdb["btpid 99999"], "no task has the thread id 99999\n")
        self.assertIn("expected one thread id", self.gdb["btpid"])

    def test_gdb_tells_of_traps(self) -> None:
        self.assertRegex(self.gdb["trapinfo 2"],
                         r"\A +2 +2  S  0x[0-9a-f]{16}  kthreadd\n  no trap was recorded\n\Z")
        self.assertEqual(self.gdb["trapinfo 99999"], "no task has the thread id 99999\n")


class CrashTests:
    """crash must see the same in the core as in the checkpoint."""

    def test_crash_agrees_with_itself_on_the_checkpoint(self) -> None:
        commands = ("bt -a", "ps", "log", "sys")
        of_checkpoint, of_core = (tool.crash(self.vmlinux, dump, *commands).decode(errors="replace")
                                  for dump in (self.checkpoint, self.core / "vmss.core"))
        names = r"(?m)^ *(KERNEL|DUMPFILE|DATE): .*\n"
        self.assertEqual(re.sub(names, "", of_core), re.sub(names, "", of_checkpoint))
        self.assertGreater(of_core.count("\n"), 300)
        self.assertIn("swapper/0", of_core)
        for name in self.frames:
            self.assertRegex(of_core, rf"(?m)^ *#\d+ .* {re.escape(name)} at ")


class Idle61(CoreTests, CrashTests, unittest.TestCase):
    name = "k61"


class Idle510(CoreTests, CrashTests, unittest.TestCase):
    name = "k510"
    form = Form(memory=Memory.MONOLITHIC)


class Large612(CoreTests, unittest.TestCase):
    """RAM on both sides of the PCI hole; crash 8.0.2 can't read 6.12."""

    name = "k612-large"


class WithoutKaslr(CoreTests, unittest.TestCase):
    name = "k61-nokaslr"


class BusyInPanic61(CoreTests, CrashTests, unittest.TestCase):
    """A processor that loops for ever, in a function that is known."""

    name = "k61-panic"
    form = Form(registers=Registers.BLOCK)
    frames = ("panic", "sysrq_handle_crash", "write_sysrq_trigger", "vfs_write")


class UserMode(CoreTests, unittest.TestCase):
    """Every processor in user mode, under page-table isolation."""

    name = "k61-user"


class Folders(unittest.TestCase):
    """Where the core goes, and what becomes of a run that does not end well."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = boot.boot(scenarios.by_name("k61"))
        cls.vmlinux = cls.guest.kernel.vmlinux

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.guest.folder)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.checkpoint = checkpoint_writer.write(self.folder / "vm", self.guest.memory,
                                                  self.guest.vcpus)
        self.core = self.folder / "core"

    def test_vmlinux_out_of_an_iso(self) -> None:
        release = self.guest.kernel.release
        package = packages.build(packages.debuginfo(self.vmlinux, release))
        iso = packages.iso("core", {f"RPMS/x86_64/{package.name}": package})
        result = photon_dmesg("core", iso, self.checkpoint, "-o", self.core / "deep" / "er")
        self.assertEqual((result.status, result.err), (0, ""))
        found = self.core / "deep/er/vmlinux"
        self.assertEqual(subprocess.run(["cmp", str(found), str(self.vmlinux)]).returncode, 0)

    def test_without_vmlinux_the_user_is_told(self) -> None:
        for symbols in ([], [self.guest.kernel.system_map]):
            result = photon_dmesg("core", *symbols, self.checkpoint, "-o", self.core)
            self.assertEqual(result.status, 0)
            self.assertIn("no vmlinux was given", result.err)
            self.assertFalse((self.core / "vmlinux").exists())
            self.assertRegex((self.core / ".gdbinit").read_text(),
                             r"# With the guest's vmlinux: symbol-file vmlinux -o 0x[1-9a-f]")

    def test_a_second_run_takes_the_place_of_the_first(self) -> None:
        command = ("core", self.vmlinux, self.checkpoint, "-o", self.core)
        self.assertEqual(photon_dmesg(*command).status, 0)
        names = ("vmss.core", "vmlinux", "photon.gdb", ".gdbinit")
        first = {name: (self.core / name).stat().st_ino for name in names}
        self.assertEqual(photon_dmesg(*command).status, 0)
        second = {name: (self.core / name).stat().st_ino for name in names}
        self.assertEqual([name for name in names if first[name] == second[name]], ["vmlinux"])

    def test_files_of_others_are_not_replaced(self) -> None:
        for name in ("vmss.core", "vmlinux", "photon.gdb", ".gdbinit"):
            with self.subTest(name=name):
                folder = self.folder / f"with {name}"
                folder.mkdir()
                (folder / name).write_text("set print pretty on\n")
                result = photon_dmesg("core", self.vmlinux, self.checkpoint, "-o", folder)
                self.assertEqual(result.status, 2)
                self.assertEqual(result.err, f"photon-dmesg: {folder / name}: the file that is there is "
                                             "not overwritten: photon-dmesg core has not written it\n")
                self.assertEqual([file.name for file in folder.iterdir()], [name])
                self.assertEqual((folder / name).read_text(), "set print pretty on\n")

    def test_a_core_of_another_program_is_not_replaced(self) -> None:
        self.core.mkdir()
        elf_core.write_for_makedumpfile(self.core / "vmss.core", self.guest)
        def state() -> tuple[int, ...]:  # but for when it was read
            stat = (self.core / "vmss.core").stat()
            return stat.st_ino, stat.st_size, stat.st_mode, stat.st_mtime_ns
        before = state()
        result = photon_dmesg("core", self.checkpoint, "-o", self.core)
        self.assertEqual(result.status, 2)
        self.assertIn("photon-dmesg core has not written it", result.err)
        self.assertEqual(state(), before)

    def test_the_vmlinux_of_another_kernel_is_not_replaced(self) -> None:
        self.core.mkdir()
        other = boot.boot(scenarios.by_name("k510")).kernel.vmlinux
        os.link(other, self.core / "vmlinux")
        result = photon_dmesg("core", self.vmlinux, self.checkpoint, "-o", self.core)
        self.assertEqual(result.status, 2)
        self.assertIn("it is not the vmlinux of the guest's kernel", result.err)
        self.assertEqual([file.name for file in self.core.iterdir()], ["vmlinux"])

    def test_inputs_are_never_overwritten(self) -> None:
        self.core.mkdir()
        shutil.copy(self.vmlinux, self.core / "vmlinux")
        result = photon_dmesg("core", self.core / "vmlinux", self.checkpoint, "-o", self.core)
        self.assertEqual((result.status, result.err), (0, ""))
        before = (self.core / "vmss.core").stat()
        again = photon_dmesg("core", self.core / "vmlinux", self.core / "vmss.core", "-o",
                             self.core)
        self.assertEqual(again.status, 2)
        self.assertIn("this is one of the inputs", again.err)
        self.assertEqual((self.core / "vmss.core").stat().st_ino, before.st_ino)

    def test_an_interrupted_run_leaves_no_core(self) -> None:
        # Not sparse, so that writing takes a while.
        (self.folder / "vm.vmem").unlink()
        shutil.copyfile(self.guest.memory, self.folder / "vm.vmem")
        with (self.folder / "vm.vmem").open("r+b") as memory:
            os.posix_fallocate(memory.fileno(), 0, self.guest.memory.stat().st_size)
        for delay in (0.05, 0.02, 0.005, 0):
            process = subprocess.Popen([str(tool.BINARY), "core", str(self.checkpoint), "-o",
                                        str(self.core)], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while not self.core.exists() and process.poll() is None:
                time.sleep(0.001)
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            if process.wait() == -signal.SIGKILL:
                self.assertNotIn("vmss.core", [file.name for file in self.core.iterdir()])
                return
            shutil.rmtree(self.core)
        self.skipTest("writing the core takes no time here")

    def test_a_signal_leaves_nothing_where_files_need_names(self) -> None:
        """As on file systems without O_TMPFILE; and it ends the run as it would any other."""
        shim = self.folder / "shim.so"
        source = Path(__file__).parent / "fixtures/no_tmpfile.c"
        subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source], check=True)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

        def expect_signals() -> None:  # what a shell has its background jobs ignore stays ignored
            for number in numbers:
                signal.signal(number, signal.SIG_DFL)

        for number in numbers:
            with self.subTest(signal=number):
                process = subprocess.Popen([tool.BINARY, "core", self.checkpoint, "-o", self.core],
                                           env={**os.environ, "LD_PRELOAD": str(shim)},
                                           preexec_fn=expect_signals,
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while process.poll() is None and not (self.core.exists() and
                                                      list(self.core.iterdir())):
                    time.sleep(0.01)
                left = [file.name for file in self.core.iterdir()]
                process.send_signal(number)
                self.assertEqual(process.wait(tool.TIMEOUT), -number)
                self.assertRegex("".join(left), r"\A\.photon-dmesg-[0-9a-f]{16}\Z")
                self.assertEqual(list(self.core.iterdir()), [])

    def test_files_keep_the_mode_of_those_they_replace(self) -> None:
        command = ("core", self.checkpoint, "-o", self.core)
        self.assertEqual(photon_dmesg(*command).status, 0)
        modes = {"vmss.core": 0o640, ".gdbinit": 0o600, "photon.gdb": 0o664}
        for name, mode in modes.items():
            (self.core / name).chmod(mode)
        self.assertEqual(photon_dmesg(*command).status, 0)
        self.assertEqual({name: (self.core / name).stat().st_mode & 0o777 for name in modes}, modes)

    def test_gdb_runs_nothing_that_a_vmlinux_or_the_folder_holds(self) -> None:
        ran = self.folder / "ran"
        script = f'import os; os.close(os.open("{ran}", os.O_CREAT))\n'
        section = self.folder / "section"
        section.write_bytes(b"\4inlined\n" + script.encode() + b"\0\1beside.py\0")
        hostile = self.folder / "hostile"
        subprocess.run(["objcopy", "--add-section", f".debug_gdb_scripts={section}", self.vmlinux,
                        hostile], check=True)
        self.core.mkdir()
        for name in ("beside.py", "vmlinux-gdb.py"):
            (self.core / name).write_text(script)
        result = photon_dmesg("core", hostile, self.checkpoint, "-o", self.core)
        self.assertEqual(result.status, 0, result.err)
        start = re.search(r"&& (gdb .*?)    then", result.out.decode())[1]
        words = [*shlex.split(start), "-q", "-batch", "-ex", "btpid 99999"]
        done = subprocess.run(words, cwd=self.core, capture_output=True, timeout=tool.TIMEOUT)
        # The macros are there, so that .gdbinit was read.
        self.assertIn(b"no task has the thread id 99999", done.stdout)
        self.assertFalse(ran.exists())
        # Or else this would test nothing.
        words[words.index("-iex") + 1] = "add-auto-load-safe-path ."
        subprocess.run(words, cwd=self.core, capture_output=True, timeout=tool.TIMEOUT)
        self.assertTrue(ran.exists())

    def test_a_disk_that_fills_up_is_an_error_that_leaves_nothing(self) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        result = photon_dmesg("core", self.checkpoint, "-o", self.core, preexec_fn=limit)
        self.assertEqual((result.status, result.out), (1, b""))
        self.assertRegex(result.err, r"vmss\.core: can't be written: ")
        self.assertEqual(list(self.core.iterdir()), [])

    def test_a_folder_that_is_a_file_is_an_error(self) -> None:
        self.core.write_bytes(b"")
        result = photon_dmesg("core", self.checkpoint, "-o", self.core)
        self.assertEqual(result.status, 2)
        self.assertIn("expected a folder, found a file", result.err)

    def test_a_folder_that_can_not_be_made_is_an_error(self) -> None:
        result = photon_dmesg("core", self.checkpoint, "-o", "/proc/nowhere")
        self.assertEqual(result.status, 1)
        self.assertIn("can't be made", result.err)

    def test_without_a_folder_the_command_makes_no_sense(self) -> None:
        self.assertEqual(photon_dmesg("core", self.checkpoint).status, 2)


if __name__ == "__main__":
    unittest.main()
