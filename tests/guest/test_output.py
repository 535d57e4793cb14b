"""How the log leaves the program: selections, terminals, pagers, pipes, files."""

import json
import os
import re
import resource
import select
import signal
import subprocess
import unittest
import uuid

import elf_core
import paths
import tool
from guest_files import GuestFiles
from tool import BINARY, TIMEOUT, photon_dmesg

ENVIRONMENT = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC0", "TERM": "xterm",
               "XDG_CACHE_HOME": "/dev/null"}


class OutputTests(GuestFiles, unittest.TestCase):
    name = "k61"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.document = photon_dmesg("--json", *cls.files).json
        cls.records = cls.document["dmesg"]

    def seqs(self, *options: str) -> list[int]:
        out = photon_dmesg("--format", "ndjson", *options, *self.files).out
        return [json.loads(line)["seq"] for line in out.splitlines()]


class Selections(OutputTests):
    def test_grep_is_what_grep_finds(self) -> None:
        for pattern, flags in (("ACPI", ()), ("acpi|pci", ("-i",)), ("^(usb|random): ", ()),
                               (r"\[mem 0x[0-9a-f]+", ())):
            with self.subTest(pattern=pattern):
                expected = [r["seq"] for r in self.records
                            if re.search(pattern, r["msg"],
                                         re.MULTILINE | (re.IGNORECASE if flags else 0))]
                self.assertGreater(len(expected), 0)
                self.assertEqual(self.seqs("--grep", pattern, *flags), expected)

    def test_context_is_that_of_grep(self) -> None:
        # One line a record, so that grep's lines are records.
        lines = self.folder / "lines"
        lines.write_bytes(b"".join(json.dumps([r["seq"], r["msg"]]).encode() + b"\n"
                                   for r in self.records))
        for context in (("-A", "2"), ("-B", "3"), ("-C", "1"), ("-A", "1", "-B", "4")):
            with self.subTest(context=context):
                out = subprocess.run(["grep", "-E", *context, "microcode|NET:", lines],
                                     capture_output=True, check=True).stdout
                expected = [json.loads(line)[0] for line in out.splitlines() if line != b"--"]
                self.assertEqual(self.seqs("--grep", "microcode|NET:", *context), expected)
                text = photon_dmesg("--grep", "microcode|NET:", *context, *self.files).out
                self.assertEqual(len(re.findall(rb"(?m)^--$", text)), out.count(b"\n--\n"))

    def test_the_first_the_last_and_by_number(self) -> None:
        all_seqs = [r["seq"] for r in self.records]
        self.assertEqual(self.seqs("--head", "5"), all_seqs[:5])
        self.assertEqual(self.seqs("--tail", "5"), all_seqs[-5:])
        self.assertEqual(self.seqs("--from-seq", "100", "--head", "3"), [100, 101, 102])
        self.assertEqual(self.seqs("--tail", "10", "--head", "2"), all_seqs[-10:-8])
        self.assertEqual(self.seqs("-l", "err+", "--tail", "2"),
                         [r["seq"] for r in self.records if r["pri"] % 8 <= 3][-2:])

    def test_userspace_and_kernel_are_all(self) -> None:
        kernel = self.seqs("-k")
        self.assertEqual(kernel, [r["seq"] for r in self.records if r["pri"] < 8])
        self.assertEqual(sorted(kernel + self.seqs("-u")), [r["seq"] for r in self.records])

    def test_before_the_suspend(self) -> None:
        out = photon_dmesg("--time-format", "suspend", "--tail", "3", *self.files).out.decode()
        found = re.findall(r"(?m)^\[ *(\d+\.\d{3}) s before suspend\] ", out)
        stopped = self.document["guest"]["clock"]
        self.assertEqual(len(found), 3)
        uptime = (self.usec(stopped["stopped"]) - self.usec(stopped["boot"])) / 1e6
        for seconds, record in zip(map(float, found), self.records[-3:], strict=True):
            self.assertAlmostEqual(seconds, max(0, uptime - record["time"]), delta=0.002)

    @staticmethod
    def usec(text: str) -> int:
        hours, minutes, seconds = text.rstrip("Z").split("T")[1].split(":")
        return round((int(hours) * 3600 + int(minutes) * 60 + float(seconds)) * 1e6)


class Identity(OutputTests):
    """What tells this guest and this boot from others; written into the guest's memory where another
    implementation of page tables says it is, as systemd would have had the kernel do."""

    HOSTNAME = b"photon-42"
    BOOT_ID = uuid.UUID("0a1b2c3d-4e5f-4a6b-8c7d-8e9fa0b1c2d3")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.memory = cls.folder / "named.vmem"
        cls.named = cls.checkpoint_of(cls.memory)
        paths.copy_sparse(cls.guest.memory, cls.memory)
        with cls.memory.open("r+b") as file:
            tables = elf_core.PageTables(cls.guest, file)
            offset = cls.kaslr_offset()
            names = tables.translate(elf_core.linked_address(cls.guest, "init_uts_ns") + offset)
            file.seek(names)
            at = names + file.read(512).index(b"(none)\0")
            file.seek(at)
            file.write(cls.HOSTNAME + b"\0")
            file.seek(tables.translate(elf_core.linked_address(cls.guest, "sysctl_bootid") + offset))
            file.write(cls.BOOT_ID.bytes)

    @classmethod
    def kaslr_offset(cls) -> int:
        return int(cls.document["guest"]["kaslr_offset"], 16)

    def test_they_are_unknown_where_the_kernel_has_none(self) -> None:
        self.assertIsNone(self.document["guest"]["hostname"])
        self.assertIsNone(self.document["guest"]["boot_id"])

    def test_every_source_of_symbols_finds_them(self) -> None:
        profile = self.folder / "kernel.symbols"
        photon_dmesg("profile", self.vmlinux, "-o", profile)
        for source in ((self.vmlinux,), (self.guest.kernel.system_map,), (profile,), ()):
            with self.subTest(source=source):
                guest = photon_dmesg("--json", *source, self.named).json["guest"]
                self.assertEqual(guest["hostname"], self.HOSTNAME.decode())
                self.assertEqual(guest["boot_id"], str(self.BOOT_ID))
                self.assertEqual(guest["vm"], "photon")

    def test_the_journal_knows_the_boot_and_the_host(self) -> None:
        export = self.folder / "log.export"
        export.write_bytes(photon_dmesg("--format", "journal-export", self.vmlinux, self.named).out)
        journal = self.folder / "log.journal"
        paths.run("/lib/systemd/systemd-journal-remote", "-o", journal, export)
        out = paths.run("journalctl", "--file", journal, "-o", "json", "-n", "1",
                        f"_BOOT_ID={self.BOOT_ID.hex}").stdout
        self.assertEqual(json.loads(out)["_HOSTNAME"], self.HOSTNAME.decode())


class Pipes(OutputTests):
    def run_closed(self, *options: str, ignore: bool) -> tuple[int, bytes, str]:
        """Reads the beginning of what is printed, then closes the pipe."""
        def prepare() -> None:
            signal.signal(signal.SIGPIPE, signal.SIG_IGN if ignore else signal.SIG_DFL)
        process = subprocess.Popen([BINARY, *options, *self.files], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=ENVIRONMENT, preexec_fn=prepare)
        first = process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read().decode()
        process.stderr.close()
        return process.wait(TIMEOUT), first, err

    def test_a_reader_who_has_enough_ends_the_run_quietly(self) -> None:
        for options in ((), ("--json",), ("--format", "kmsg"), ("--format", "otlp")):
            for ignore in (True, False):
                with self.subTest(options=options, ignore=ignore):
                    status, first, err = self.run_closed(*options, ignore=ignore)
                    self.assertEqual((status, err), (0, ""))
                    self.assertNotEqual(first, b"")

    def test_a_full_disk_is_an_error(self) -> None:
        for options in ((), ("--json",), ("--format", "journal-export")):
            with self.subTest(options=options), open("/dev/full", "wb") as full:
                done = subprocess.run([BINARY, *options, *self.files], stdout=full, env=ENVIRONMENT,
                                      stderr=subprocess.PIPE, timeout=TIMEOUT)
                self.assertEqual(done.returncode, 1)
                self.assertEqual(done.stderr.decode(), "photon-dmesg: the output: can't be written: "
                                                       "No space left on device\n")

    def every_command(self) -> list[list[object]]:
        return [[*self.files], ["--json", *self.files], ["info", *self.files],
                ["info", "--json", *self.files], ["profile", *self.files],
                ["core", *self.files, "-o", self.folder / "core"],
                ["--help"], ["info", "--help"], ["--version"]]

    def redirected(self, how: str, *words: object) -> tuple[int, str]:
        """The status of a run with redirections of the shell, and what it says on stderr."""
        done = subprocess.run(["sh", "-c", f'"$@" {how}', "sh", BINARY, *words], env=ENVIRONMENT,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=TIMEOUT)
        return done.returncode, done.stderr.decode()

    def test_a_stdout_that_can_not_be_written_is_an_error_of_every_command(self) -> None:
        for words in self.every_command():
            for how in (">&-", ">/dev/full", "<&- >&-"):
                with self.subTest(words=words, how=how):
                    status, said = self.redirected(how, *words)
                    self.assertEqual(status, 1)
                    self.assertIn("photon-dmesg: the output: can't be written: ", said)
                    self.assertEqual(self.redirected(f"{how} 2>&-", *words), (1, ""))

    def test_a_stderr_that_can_not_be_written_costs_its_messages_only(self) -> None:
        quiet = photon_dmesg("--json", *self.files).out
        for how in ("2>&-", "2>/dev/full", "<&- 2>&-"):
            with self.subTest(how=how):
                target = self.folder / "whole"
                self.assertEqual(self.redirected(f"{how} >{target}", "-v", "--json", *self.files)[0], 0)
                self.assertEqual(target.read_bytes(), quiet)
                status, _ = self.redirected(f"{how} >{target}", self.folder / "absent")
                self.assertEqual(status, 3)

    def test_a_reader_of_stderr_who_has_enough_costs_its_messages_only(self) -> None:
        for words in self.every_command():
            with self.subTest(words=words):
                target = self.folder / "status"
                verbose = [] if words[-1] in ("--help", "--version") else ["-v"]
                subprocess.run(["sh", "-c", f'{{ "$@" 2>&1 >/dev/null; echo $? > {target}; }} | head -1',
                                "sh", BINARY, *words, *verbose], env=ENVIRONMENT, check=True,
                               stdout=subprocess.DEVNULL, timeout=TIMEOUT)
                self.assertEqual(target.read_text(), "0\n")

    def test_no_file_becomes_a_descriptor_that_was_closed(self) -> None:
        target = self.folder / "log"
        expected = photon_dmesg(*self.files).out
        for how in ("<&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(how=how):
                self.assertEqual(self.redirected(how, "-v", *self.files, "-o", target)[0], 0)
                self.assertEqual(target.read_bytes(), expected)

    def test_records_leave_before_all_are_decoded(self) -> None:
        """A reader takes the beginning and waits: the program can't be further ahead than a pipe and a
        buffer hold."""
        process = subprocess.Popen([BINARY, "-v", "--json", *self.files], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=ENVIRONMENT)
        first = os.read(process.stdout.fileno(), 65536)
        readable, _, _ = select.select([process.stderr], [], [], 1)
        said = os.read(process.stderr.fileno(), 1 << 20).decode() if readable else ""
        self.assertTrue(first.startswith(b"{"))
        # What it says when the last record has been read.
        self.assertNotIn("; the kernel has overwritten", said)
        self.assertNotRegex(said, r"records \d+ to \d+")
        rest = process.stdout.read()
        said += process.stderr.read().decode()
        process.stdout.close()
        process.stderr.close()
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertRegex(said, r"records \d+ to \d+")
        json.loads(first + rest)


class Files(OutputTests):
    def test_a_file_has_what_stdout_would(self) -> None:
        for options in ((), ("--json",), ("--format", "kmsg"), ("--format", "journal-export")):
            with self.subTest(options=options):
                target = self.folder / "out"
                result = photon_dmesg(*options, "-o", target, *self.files)
                self.assertEqual((result.status, result.out, result.err), (0, b"", ""))
                self.assertEqual(target.read_bytes(), photon_dmesg(*options, *self.files).out)

    def test_a_file_that_can_not_be_made_whole_is_not_there(self) -> None:
        """The log is longer than a file may be, which fails as a full disk does."""
        def prepare() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
        small = self.folder / "small"
        small.mkdir()
        done = subprocess.run([BINARY, "--json", "-o", small / "log.json", *self.files],
                              capture_output=True, env=ENVIRONMENT, timeout=TIMEOUT,
                              preexec_fn=prepare)
        self.assertEqual((done.returncode, done.stdout), (1, b""))
        self.assertEqual(done.stderr.decode(), f"photon-dmesg: {small / 'log.json'}: can't be written: "
                                               "File too large\n")
        self.assertEqual(list(small.iterdir()), [])

    def test_a_fifo_gets_it_as_it_comes(self) -> None:
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE)
        result = photon_dmesg("-o", fifo, *self.files)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(reader.communicate()[0], photon_dmesg(*self.files).out)
        self.assertTrue(fifo.is_fifo())


class Terminals(OutputTests):
    @staticmethod
    def on_screen(out: bytes) -> bytes:
        """What a terminal gets where a pipe gets `out`: no character of a record moves its cursor."""
        return re.sub(rb"[\x0b\x0c\r]", lambda found: b"\\x%02x" % found[0][0], out)

    def test_no_character_of_a_record_moves_the_cursor(self) -> None:
        out = self.plain()
        for byte in (b"\r", b"\x0b", b"\x0c"):
            self.assertIn(byte, out, "this guest's log does not show it")
        self.assertEqual(self.on_terminal("--color=never"), self.on_screen(out))
        self.assertEqual(self.on_terminal("--color=never", "-o", "/dev/stdout"), self.on_screen(out))
        self.assertEqual(self.on_terminal("-r"), self.on_screen(self.plain("-r")))
        self.assertEqual(self.on_terminal("--color=never", "--noescape"), self.plain("--noescape"))

    def on_terminal(self, *options: str, said: str = "", **variables: str) -> bytes:
        """What a terminal gets that stdout is; `said` is part of what stderr gets, or all if empty."""
        result = tool.on_terminal(BINARY, *options, *self.files, env=ENVIRONMENT | variables)
        self.assertEqual(result.status, 0)
        if said:
            self.assertIn(said, result.err)
        else:
            self.assertEqual(result.err, "")
        return result.out

    def plain(self, *options: str) -> bytes:
        return photon_dmesg(*options, *self.files).out

    def test_colors_are_for_terminals(self) -> None:
        colored = self.on_screen(self.plain("--color=always"))
        self.assertIn(b"\x1b[32m[    0.000000] \x1b[0m", colored)
        self.assertEqual(self.on_terminal(), colored)
        self.assertEqual(self.on_terminal("-L"), colored)
        self.assertNotIn(b"\x1b", self.plain("-L"))
        self.assertEqual(self.on_terminal("-L", NO_COLOR="1"), self.on_screen(self.plain()))
        self.assertEqual(self.on_terminal(TERM="dumb"), self.on_screen(self.plain()))
        self.assertEqual(self.on_terminal("--color=never"), self.on_screen(self.plain()))
        self.assertEqual(self.on_terminal("--color=always", NO_COLOR="1"), colored)
        self.assertEqual(self.on_terminal("-r"), self.on_screen(self.plain("-r")))

    def test_machines_formats_have_no_colors(self) -> None:
        for options in (("--json",), ("-J",), ("--format", "ecs")):
            self.assertNotIn(b"\x1b", self.on_terminal(*options))

    def test_human_output_goes_through_the_pager(self) -> None:
        human = self.on_screen(self.plain("-H", "--color=always"))
        paged = self.on_terminal("-H", PAGER="sed s/^/paged:/")
        self.assertEqual(paged, re.sub(rb"(?m)^(?=.|\n)", b"paged:", human))
        self.assertEqual(self.on_terminal("-H", "-P", PAGER="sed s/^/paged:/"), human)
        self.assertEqual(self.plain("-H"), self.plain("-e"))  # no terminal, no pager

    def test_less_is_told_to_leave_colors_in(self) -> None:
        self.assertEqual(self.on_terminal("-H", PAGER="printenv LESS; cat >/dev/null"), b"FRSX\n")
        self.assertEqual(self.on_terminal("-H", PAGER="printenv LESS; cat >/dev/null", LESS="M"),
                         b"M\n")

    def test_a_pager_that_is_left_early_ends_the_run_quietly(self) -> None:
        first = self.on_terminal("-H", PAGER="head -n 1")
        self.assertEqual(first.count(b"\n"), 1)

    def test_an_interrupt_from_the_keyboard_is_the_pagers(self) -> None:
        # As Ctrl-C does: to all that the terminal's shell has started. less ends a search at it.
        pager = "sh -c 'trap : INT; kill -INT 0; cat'"
        self.assertEqual(self.on_terminal("-H", PAGER=pager),
                         self.on_screen(self.plain("-H", "--color=always")))

    def test_without_a_pager_the_log_is_printed(self) -> None:
        self.assertEqual(self.on_terminal("-H", PAGER="/absent/pager", said="not found"),
                         self.on_screen(self.plain("-H", "--color=always")))
