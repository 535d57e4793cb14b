"""Every output format, read by the programs it is for, of real guests' logs."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import boot
import checkpoint_writer
import paths
import peers
import scenarios
import truth
from tool import BINARY, TIMEOUT, photon_dmesg

# Every option of dmesg that shapes text, alone and with those it goes together with.
STYLES = (
    (), ("-t",), ("-T",), ("-d",), ("-e",), ("-x",), ("-p",), ("--noescape",), ("-k",), ("-u",),
    ("-l", "err"), ("-l", "warn,notice"), ("-f", "daemon,user"), ("-f", "kern", "-l", "info"),
    ("-T", "-d"), ("-e", "-x"), ("-x", "-T"), ("-x", "-p"), ("-e", "-p"),
    ("-T", "-k", "-l", "warn"), ("-d", "-u"), ("-e", "-l", "err,warn"),
    ("--time-format", "ctime"), ("--time-format", "iso"), ("--time-format", "reltime"),
    ("--time-format", "delta"), ("--time-format", "notime"),
    ("--color=always",), ("--color=always", "-e"), ("--color=always", "-x", "-T"),
    ("--color=always", "-p"), ("-H", "-P", "--color=always"), ("-H", "-P"), ("-L",),
)
# What only dmesg since 2.40 knows or does right.
NEWER_STYLES = (
    ("-r",), ("-r", "-p"), ("-r", "-l", "err"), ("-r", "--noescape"), ("-r", "-u"),
    ("-l", "err+"), ("-l", "+notice"), ("-J",), ("-J", "-x"), ("-J", "-l", "warn+"), ("-J", "-T"),
    ("--time-format", "iso", "--time-format", "raw"), ("--time-format", "ctime", "-e"),
    ("--time-format", "raw", "--time-format", "delta"), ("-T", "--time-format", "delta"),
    ("-e", "-d"), ("-d", "-e"), ("-d", "--time-format", "iso"), ("-T", "-d", "--time-format", "raw"),
)
# What dmesg 2.41 does otherwise than those before and behind it: there, -t drops the difference too.
OLDER_STYLES = (("-t", "-d"), ("-d", "-t"))
# Facilities that dmesg 2.38 has names for.
OLDER_FACILITIES = "kern,user,mail,daemon,auth,syslog,lpr,news,uucp,cron,authpriv,ftp"


class FormatTests:
    """Subclasses name the guest."""

    name: str

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = boot.boot(scenarios.by_name(cls.name))
        cls._folder = tempfile.TemporaryDirectory(dir=cls.guest.folder)
        cls.addClassCleanup(cls._folder.cleanup)
        cls.folder = Path(cls._folder.name)
        cls.checkpoint = checkpoint_writer.write(cls.folder / "vm", cls.guest.memory,
                                                 cls.guest.vcpus)
        cls.files = (cls.guest.kernel.vmlinux, cls.checkpoint)
        cls.document = photon_dmesg("--json", *cls.files).json
        cls.records = cls.document["dmesg"]
        clock = cls.document["guest"]["clock"]
        cls.boot_usec = clock["realtime_offset_nsec"] // 1000
        stopped = cls.run_tool("--format", "ndjson", "--tail", "1")
        cls.stopped_usec = cls.usec_of(clock["stopped"])
        assert stopped, "no record"

    @staticmethod
    def usec_of(text: str) -> int:
        """Of an RFC 3339 time in UTC, since 1970."""
        whole, fraction = text.rstrip("Z").split(".")
        seconds = int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))) - time.timezone
        return seconds * 1_000_000 + int(fraction)

    @classmethod
    def run_tool(cls, *options: str, **how: object) -> bytes:
        result = photon_dmesg(*options, *cls.files, **how)
        assert (result.status, result.err) == (0, ""), result
        return result.out

    def written(self, form: str, *options: str) -> Path:
        """The log in a format, as a file."""
        file = self.folder / f"log.{form}"
        file.write_bytes(self.run_tool("--format", form, *options))
        return file


class DmesgTests(FormatTests):
    def by_dmesg(self, program, *arguments: object, **how: object) -> bytes:
        return program(*arguments, boot_usec=self.boot_usec, now_usec=self.stopped_usec, **how)

    def test_kmsg_is_what_dev_kmsg_gave(self) -> None:
        found = dict(self.split_kmsg(self.written("kmsg").read_bytes()))
        expected = dict(self.split_kmsg(self.guest.blob("truth.kmsg")))
        compared = 0
        for seq, record in expected.items():
            if seq in found:
                compared += 1
                self.assertEqual(found[seq], record)
        self.assertGreater(compared, 300)

    @staticmethod
    def split_kmsg(data: bytes) -> list[tuple[int, bytes]]:
        return [(int(record.split(b",")[1]), record) for record in data.split(b"\0")[:-1]]

    def test_text_is_what_a_new_dmesg_makes_of_kmsg(self) -> None:
        kmsg = self.written("kmsg")
        for style in STYLES + NEWER_STYLES:
            with self.subTest(style=" ".join(style)):
                expected = self.by_dmesg(peers.newer_dmesg, "-K", kmsg, *style)
                if "-J" in style:
                    expected = self.as_valid_json(expected)
                self.assert_same_lines(self.run_tool(*style), expected)
        with self.subTest(locale="C"):
            expected = self.by_dmesg(peers.newer_dmesg, "-K", kmsg, "-x", locale="C")
            self.assert_same_lines(self.run_tool("-x", locale="C"), expected)

    def assert_same_lines(self, found: bytes, expected: bytes) -> None:
        """As assertEqual, but the message is the first line that differs."""
        if found == expected:
            return
        pairs = zip(found.split(b"\n"), expected.split(b"\n"), strict=False)
        self.assertEqual(*next((pair for pair in pairs if pair[0] != pair[1]), (found, expected)))

    @staticmethod
    def as_valid_json(text: bytes) -> bytes:
        """What dmesg prints is no JSON where the log is no UTF-8: such bytes as \\xNN. And control
        characters that a terminal would obey are escaped."""
        decoded = text.decode(errors="surrogateescape")
        decoded = re.sub("[\udc80-\udcff]", lambda c: f"\\\\x{ord(c.group()) - 0xdc00:02x}", decoded)
        return re.sub("[\x80-\x9f]", lambda c: f"\\u{ord(c.group()):04x}", decoded).encode()

    def test_text_is_what_dmesg_2_38_makes_of_the_raw_log(self) -> None:
        # It cuts the time of the boot to a second, and adds a record's microseconds to that.
        shift = self.boot_usec % 1_000_000
        for style in STYLES + OLDER_STYLES:
            # "only kmsg supports multi-line messages"; -u forgets facilities; what is shifted has no
            # record at 0, from which dmesg counts no difference.
            if {"-p", "-u", "-e", "-H", "reltime"} & set(style) or {"-T", "-d"} <= set(style):
                continue
            raw = self.raw_log(shift if {"-T", "ctime", "iso"} & set(style) else 0)
            if {"-x", "-l"} & set(style) and not {"-f", "-k"} & set(style):
                style = (*style, "-f", OLDER_FACILITIES)
            with self.subTest(style=" ".join(style)):
                expected = peers.dmesg("-F", raw, *style, boot_usec=self.boot_usec - shift,
                                       now_usec=self.stopped_usec)
                # Behind a newline that ends a text, it sees the next record and indents that.
                self.assert_same_lines(*(re.sub(rb"(?m)^ +$", b"", text)
                                         for text in (self.run_tool(*style), expected)))

    def raw_log(self, shift_usec: int) -> Path:
        """What syslog(2) would give, but a record is one, however many lines it has."""
        file = self.folder / "raw"
        with file.open("wb") as out:
            for pri, usec, text in self.raw_records():
                usec += shift_usec
                out.write(b"<%d>[%5d.%06d] %s\n" % (pri, usec // 1000000, usec % 1000000, text))
        return file

    def raw_records(self) -> list[tuple[int, int, bytes]]:
        return [(record.pri, record.usec, record.text)
                for record in truth.parse(self.written("kmsg").read_bytes())]

    def test_since_and_until_are_dmesgs(self) -> None:
        kmsg = self.written("kmsg")
        middle = self.records[len(self.records) // 2]["ts_nsec"] // 1000 + self.boot_usec
        clock = time.strftime("%H:%M:%S", time.gmtime(middle // 1000000))
        for option in (("--since", clock), ("--until", clock), ("--since", "-1h"),
                       ("--since", "2s ago"), ("--until", "-1 second"), ("--since", "today"),
                       ("--since", f"@{middle // 1000000}", "--until", "now"),
                       ("--since", time.strftime("%Y-%m-%d %H:%M", time.gmtime(middle // 1000000))),
                       ("--since", "tomorrow")):
            with self.subTest(option=option):
                expected = self.by_dmesg(peers.newer_dmesg, "-K", kmsg, *option)
                self.assertEqual(self.run_tool(*option), expected)


class Ordinary(DmesgTests, unittest.TestCase):
    name = "k61"


class Panic(DmesgTests, unittest.TestCase):
    name = "k612-panic"
