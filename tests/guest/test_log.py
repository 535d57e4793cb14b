"""The log of real guests, as photon-dmesg prints it, against what the guests themselves said."""

import base64
import concurrent.futures
import datetime
import filecmp
import json
import re
import tempfile
import unittest
from pathlib import Path

import boot
import checkpoint_writer
import elf_core
import guests
import packages
import paths
import patterns
import peers
import scenarios
import truth
from checkpoint_writer import Form, Memory, Registers
from guest_files import GuestFiles
from tool import crash_log, losses, photon_dmesg

FORMS = {
    "separate memory, registers inline": Form(),
    "separate memory, registers in blocks": Form(registers=Registers.BLOCK),
    "monolithic, registers inline": Form(Memory.MONOLITHIC, suffix=".vmsn"),
    "monolithic, registers in blocks": Form(Memory.MONOLITHIC, Registers.BLOCK),
}
# What no table of /proc/kallsyms can be read without.
KALLSYMS_TOKENS = b"".join(b"%d\0" % digit for digit in range(10))
LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")


def text_of(record: dict) -> bytes:
    """The exact bytes of a JSON record's text."""
    return base64.b64decode(record["raw"]) if "raw" in record else record["msg"].encode()


def iso_times(text: bytes) -> dict[bytes, datetime.datetime]:
    """When each line was logged that has its own text, as --time-format iso prints it."""
    times: dict[bytes, datetime.datetime] = {}
    twice = set()
    for line in text.split(b"\n"):
        if found := re.match(rb"(\d{4}-\d\d-\d\dT[\d:]+,\d{6}\+00:00) (.+)", line):
            twice |= {found.group(2)} & times.keys()
            stamp = found.group(1).decode().replace(",", ".")
            times[found.group(2)] = datetime.datetime.fromisoformat(stamp)
    return {text: time for text, time in times.items() if text not in twice}


def flatten(lines: list[bytes]) -> list[bytes]:
    """Lines as crash prints them: a dot for what isn't ASCII, blank lines left out."""
    dotted = (re.sub(rb"[^ -~]", b".", line).rstrip(b" .") for line in lines)
    return [line for line in dotted if line and not re.fullmatch(rb"\[ *\d+\.\d{6}\]", line)]


class GuestTests(GuestFiles):
    """What must hold for every guest."""

    # The agent's last record has no newline, so /dev/kmsg does not give it yet; unless the kernel
    # has logged something behind it.
    later_states: list[str | None] = ["partial"]
    as_in_guest: tuple[str, ...] = ()  # options for what dmesg in the guest showed
    forms: dict[str, Form] = FORMS  # of checkpoints, by what is said of them
    image_place = "phys_base"  # the key under which the image's place in memory is told

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.truth = truth.parse(cls.guest.blob("truth.kmsg"))
        cls.result = photon_dmesg("--json", cls.vmlinux, cls.checkpoint)
        assert cls.result.status == 0, cls.result.err
        cls.document = cls.result.json
        cls.records = {record["seq"]: record for record in cls.document["dmesg"]}
        # What only the buffer of early boot still has.
        cls.recovered = [r for r in cls.document["dmesg"] if "source" in r]
        cls.log = cls.document["dmesg"][len(cls.recovered):]

    def later_records(self) -> list[dict]:
        """Records behind the last one that /dev/kmsg gave."""
        return [r for r in self.document["dmesg"] if r["seq"] > self.truth[-1].seq]

    def expected_records(self) -> list[truth.Record]:
        """What /dev/kmsg gave and the ring still held when the guest stopped."""
        if not self.later_records():
            return self.truth
        return [record for record in self.truth if record.seq >= self.log[0]["seq"]]

    def test_every_record_equals_the_truth(self) -> None:
        expected = self.expected_records()
        self.assertGreater(len(expected), 300)
        for record in expected:
            found = self.records[record.seq]
            with self.subTest(seq=record.seq):
                self.assertEqual(found["pri"], record.pri)
                self.assertEqual(found["ts_nsec"] // 1000, record.usec)
                self.assertEqual(found["time"], record.usec / 1e6)
                self.assertEqual(text_of(found), record.text)
                self.assertEqual(found.get("dict", {}), record.dictionary)
                self.assertEqual(found["level"], LEVELS[record.pri % 8])
                self.assertNotIn("state", found)

    def test_no_record_is_invented(self) -> None:
        self.assertEqual([r["seq"] for r in self.log],
                         list(range(self.log[0]["seq"], self.log[-1]["seq"] + 1)))
        if self.log[0]["seq"] > 0:
            self.assertGreaterEqual(self.log[0]["seq"], self.truth[0].seq)
        self.assertEqual(self.document["unlogged"], [])
        self.assertEqual([r.get("state") for r in self.later_records()], self.later_states)

    def test_text_is_what_dmesg_printed_in_the_guest(self) -> None:
        for locale, name in (("C.UTF-8", "dmesg-utf8.txt"), ("C", "dmesg-c.txt")):
            with self.subTest(locale=locale):
                result = photon_dmesg(*self.as_in_guest, self.vmlinux, self.checkpoint,
                                      locale=locale)
                self.assertEqual(result.said, "")
                expected = self.guest.blob(name)
                if locale == "C.UTF-8":
                    expected = peers.without_controls(expected)
                out = result.out
                if self.recovered:
                    out = out.partition(b"-- the log, from record %d on --\n"
                                        % self.log[0]["seq"])[2]
                self.assertEqual(out[:len(expected)], expected)
                rest = out[len(expected):]
                self.assertEqual(rest.count(b"\n"), len(self.later_records()))

    def test_json_is_a_superset_of_dmesg_json(self) -> None:
        # dmesg -J copies bytes that are no UTF-8, and leaves out empty records.
        expected = json.loads(self.guest.blob("dmesg.json").decode(errors="surrogateescape"))
        found = [r for r in self.log if r["msg"] and "cleared" not in r]
        for ours, theirs in zip(found, expected["dmesg"], strict=False):
            # util-linux before 2.40 forgot to shift the facility here (its issue 2325), and knows
            # none above ftp: such records have no priority.
            facility, level = divmod(ours["pri"], 8)
            if facility < 12 or "pri" in theirs:
                self.assertIn(theirs["pri"], (ours["pri"], facility | level))
            self.assertEqual(ours["time"], theirs["time"])
            self.assertEqual(text_of(ours), theirs["msg"].encode(errors="surrogateescape"))
        self.assertEqual(len(found), len(expected["dmesg"]) + len(self.later_records()))

    def test_times_of_day_are_those_of_dmesg_in_the_guest(self) -> None:
        result = photon_dmesg("--time-format", "iso", self.checkpoint, locale="C")
        self.assertEqual((result.status, result.said), (0, ""))
        # dmesg cuts the time of the boot to a second, and reads two clocks to know it.
        tolerance = datetime.timedelta(milliseconds=20)
        second = datetime.timedelta(seconds=1)
        found = iso_times(result.out)
        expected = iso_times(self.guest.blob("dmesg-iso.txt"))
        self.assertGreater(len(expected), 40)
        for text, time in expected.items():
            self.assertGreater(found[text] - time, -tolerance, text)
            self.assertLess(found[text] - time, second + tolerance, text)
        stopped = datetime.datetime.fromisoformat(self.document["guest"]["clock"]["stopped"])
        self.assertGreater(stopped, max(expected.values()) - tolerance)
        self.assertLess(stopped, max(expected.values()) + datetime.timedelta(seconds=60))

    def test_guest_is_described(self) -> None:
        guest = self.document["guest"]
        scenario = self.guest.scenario
        self.assertEqual(guest["release"], self.guest.kernel.release)
        self.assertEqual(guest["vcpus"], scenario.vcpus)
        self.assertEqual(guest["memory_bytes"], scenario.memory)
        self.assertIn(guest["banner"], self.vmlinux.read_bytes().decode("latin-1"))
        self.assertRegex(guest["build_id"], "^[0-9a-f]{40}$")
        offset = int(guest["kaslr_offset"], 16)
        self.assertEqual(offset == 0, "nokaslr" in scenario.command_line)
        self.assertEqual(losses(self.document), [])
        self.assertEqual(self.document["source"]["checkpoint"], str(self.checkpoint))

    def test_every_form_of_checkpoint_gives_the_same(self) -> None:
        expected = photon_dmesg(self.vmlinux, self.checkpoint).out
        for name, form in self.forms.items():
            with self.subTest(form=name), tempfile.TemporaryDirectory(dir=self.folder) as folder:
                checkpoint = guests.write_checkpoint(Path(folder) / "vm", self.guest, form)
                result = photon_dmesg(self.vmlinux, checkpoint)
                self.assertEqual((result.status, result.said), (0, ""))
                self.assertEqual(result.out, expected)

    def test_system_map_alone_gives_the_same(self) -> None:
        found = photon_dmesg("--json", self.guest.kernel.system_map, self.checkpoint)
        self.assertEqual((found.status, found.said), (0, ""))
        self.assertEqual(found.json["dmesg"], self.document["dmesg"])
        self.assertEqual(found.json["guest"], self.document["guest"])

    def test_boot_image_alone_gives_the_same(self) -> None:
        vmlinuz = self.guest.kernel.vmlinuz
        found = photon_dmesg("--json", vmlinuz, self.checkpoint)
        self.assertEqual((found.status, found.said), (0, ""))
        self.assertEqual(found.json["dmesg"], self.document["dmesg"])
        self.assertEqual(found.json["guest"], self.document["guest"])
        self.assertEqual(found.json["source"]["boot_image"], str(vmlinuz))
        self.assertIsNone(found.json["source"]["symbols_in_memory"])

    def test_checkpoint_alone_gives_the_same(self) -> None:
        found = photon_dmesg("--json", self.checkpoint)
        self.assertEqual((found.status, found.said), (0, ""))
        self.assertEqual(found.json["dmesg"], self.document["dmesg"])
        self.assertEqual(found.json["guest"], self.document["guest"])
        self.assertEqual(found.json["source"]["symbols_in_memory"], "kallsyms")

    def blank(self, target: Path, tables: tuple[bytes, ...] = (KALLSYMS_TOKENS, b"OSRELEASE=")) -> None:
        """A copy of the memory in which nothing is left of some tables."""
        paths.copy_sparse(self.guest.memory, target)
        for pattern in tables:
            patterns.blank(target, self.guest.memory, pattern)

    def check_records(self, found: dict) -> None:
        """The same log, all but the marks that variables are needed for which only tables name."""
        marks = ("cleared", "unprinted")
        self.assertEqual(*([{key: record[key] for key in record if key not in marks}
                            for record in document["dmesg"]]
                           for document in (found, self.document)))

    def check_without(self, tables: tuple[bytes, ...], origin: str) -> None:
        """The same log when nothing in memory is left of some tables."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            memory = Path(folder) / "blanked.vmem"
            self.blank(memory, tables)
            found = photon_dmesg("--json", self.checkpoint_of(memory))
        self.assertEqual((found.status, found.said), (0, ""))
        self.assertEqual(found.json["positions"], {"cleared": None, "console": None})
        self.check_records(found.json)
        self.assertEqual(found.json["source"]["symbols_in_memory"], origin)
        self.check_clock(found.json["guest"]["clock"])
        for key in ("release", "banner", "kaslr_offset", self.image_place):
            self.assertEqual(found.json["guest"][key], self.document["guest"][key])

    def check_clock(self, found: dict) -> None:
        """Where neither the log nor a variable says how far printk's clock is ahead, it is not."""
        expected = self.document["guest"]["clock"]
        if found["printk_ahead_nsec"] == expected["printk_ahead_nsec"]:
            self.assertEqual(found, expected)
            return
        self.assertAlmostEqual(found["realtime_offset_nsec"] - expected["realtime_offset_nsec"],
                               expected["printk_ahead_nsec"], delta=1000)
        for key in ("stopped", "uptime_nsec", "drift_nsec", "sleep_nsec", "steps"):
            self.assertEqual(found[key], expected[key])

    def test_checkpoint_alone_without_kallsyms_gives_the_same(self) -> None:
        if "none yet" in photon_dmesg("-v", self.vmlinux, self.checkpoint).err:
            self.skipTest(f"{self.name} has no VMCOREINFO")
        self.check_without((KALLSYMS_TOKENS,), "vmcoreinfo")

    def test_checkpoint_alone_without_any_table_gives_the_same(self) -> None:
        """As linux-esx, whose kallsyms hold no variable, and which has no VMCOREINFO."""
        self.check_without((KALLSYMS_TOKENS, b"OSRELEASE="), "ring")

    def test_without_a_usable_vcpu_gives_the_same(self) -> None:
        """Registers as of a machine in its firmware: the kernel is looked for in all memory."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            vcpus = [{**vcpu, "cr0": 0x10, "cr3": 0, "cr4": 0} for vcpu in self.guest.vcpus]
            checkpoint = checkpoint_writer.write(Path(folder) / "vm", self.guest.memory, vcpus)
            for source in ((), (self.vmlinux,)):
                with self.subTest(source=source):
                    found = photon_dmesg("--json", *source, checkpoint)
                    self.assertEqual(found.status, 0)
                    self.assertEqual(found.json["dmesg"], self.document["dmesg"])
                    self.assertEqual(found.json["guest"], self.document["guest"])
                    self.assertEqual(len(losses(found.json)), 1)
                    self.assertIn("may be left from an earlier boot", losses(found.json)[0])

    def test_independent_evidence_agrees(self) -> None:
        said = photon_dmesg("-v", self.vmlinux, self.checkpoint).err
        for agreement in ("the variable phys_base at", "VMCOREINFO: KASLR offset",
                          "VMCOREINFO: phys_base"):
            self.assertRegex(said, f"{agreement}.* agrees")
        self.assertIn("leads to the handler of divide errors", said)
        self.assertRegex(said, "the first image page that the page tables lead to is 0x[0-9a-f]+: _text\n")

    def test_profile_gives_the_same(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            profile = Path(folder) / "kernel.symbols"
            made = photon_dmesg("profile", self.vmlinux, "-o", profile)
            self.assertEqual((made.status, made.out, made.err), (0, b"", ""))
            self.assertLess(profile.stat().st_size, 8 << 20)
            found = photon_dmesg("--json", profile, self.checkpoint)
            self.assertEqual(self.places(profile), self.places(self.vmlinux))
        self.assertEqual((found.status, found.said), (0, ""))
        self.assertEqual(found.json["dmesg"], self.document["dmesg"])
        self.assertEqual(found.json["guest"], self.document["guest"])

    def places(self, symbols: Path) -> list[dict]:
        """Where the vCPUs were, by these symbols."""
        return photon_dmesg("info", "--json", symbols, self.checkpoint).json["registers"]

    def test_ndjson_has_the_same_records(self) -> None:
        lines = photon_dmesg("--format", "ndjson", self.vmlinux, self.checkpoint).out.splitlines()
        for line, record in zip(lines, self.document["dmesg"], strict=True):
            found = json.loads(line)
            self.assertEqual(found.pop("release"), self.guest.kernel.release)
            self.assertEqual(found.pop("checkpoint"), self.checkpoint.name)
            self.assertEqual(found.pop("schema"), 2)
            self.assertEqual(found.pop("boot_time"), self.document["guest"]["clock"]["boot"])
            self.assertEqual(found.pop("vm"), "photon")
            self.assertRegex(found.pop("timestamp"), r"^20\d\d-\d\d-\d\dT[\d:]{8}\.\d{6}Z$")
            self.assertEqual(found, record)


class CrashTests:
    """The crash utility must find the same log: Debian's reads 6.1 guests, not 6.12."""

    @peers.judged
    def test_crash_reads_the_same_log(self) -> None:
        expected = flatten(photon_dmesg(self.vmlinux, self.checkpoint, locale="C").out.split(b"\n"))
        # Where dmesg escapes a byte, crash prints a dot.
        expected = [re.sub(rb"(\\x[0-9a-f]{2})", b".", line).rstrip(b" .") for line in expected]
        for name, form in (list(FORMS.items())[0], list(FORMS.items())[3]):
            with self.subTest(form=name), tempfile.TemporaryDirectory(dir=self.folder) as folder:
                checkpoint = checkpoint_writer.write(Path(folder) / "vm", self.guest.memory,
                                                     self.guest.vcpus, form)
                lines = crash_log(self.vmlinux, checkpoint)
                # crash prints backslashes as they are, so literal \x41 needs the same treatment.
                found = [re.sub(rb"(\\x[0-9a-f]{2})", b".", line).rstrip(b" .")
                         for line in flatten(lines)]
                self.assertEqual(found, expected)


class MakedumpfileTests:
    """makedumpfile must find the same log on an ELF core of the same memory."""

    @peers.judged
    def test_makedumpfile_reads_the_same_log(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            core, log = Path(folder) / "core", Path(folder) / "log"
            elf_core.write_for_makedumpfile(core, self.guest)
            paths.run("makedumpfile", "--dump-dmesg", core, log)
            found = log.read_bytes().split(b"\n")
        ours = photon_dmesg(self.vmlinux, self.checkpoint, locale="C").out.split(b"\n")
        # It indents further lines by another rule, prints bytes above 127 in a form of its own, and
        # leaves out empty records.
        plain = re.compile(rb"\[ *\d+\.\d{6}\] (?!.*\\x)[ -~]+")
        self.assertEqual(*([line for line in lines if plain.fullmatch(line)]
                           for lines in (found, ours)))
        self.assertGreater(len(found), 300)


class PanicTests:
    """A guest that panicked: what came after the truth was taken is on its console."""

    def test_no_record_is_invented(self) -> None:
        seqs = [r["seq"] for r in self.document["dmesg"]]
        self.assertEqual(seqs, list(range(seqs[0], seqs[-1] + 1)))

    def test_every_line_of_the_panic_is_there(self) -> None:
        console = [line.rstrip(b"\r") for line in self.guest.blob("console.log").split(b"\n")]
        start = next(i for i, line in enumerate(console) if b"sysrq: Trigger a crash" in line)
        expected = [line for line in console[start:] if line]
        found = photon_dmesg(self.vmlinux, self.checkpoint).out.split(b"\n")
        start = next(i for i, line in enumerate(found) if b"sysrq: Trigger a crash" in line)
        self.assertEqual([line for line in found[start:] if line][:len(expected)], expected)
        self.assertTrue(any(b"---[ end Kernel panic" in line for line in found))


class Ordinary(GuestTests, CrashTests, MakedumpfileTests, unittest.TestCase):
    name = "k61"


class LargeMemory(GuestTests, MakedumpfileTests, unittest.TestCase):
    name = "k612-large"

    def test_memory_above_4_gib_is_used(self) -> None:
        regions = checkpoint_writer.regions(self.guest.scenario.memory)
        self.assertEqual([region[0] for region in regions], [0, 0x100000])


class WrappedWithPti(GuestTests, CrashTests, unittest.TestCase):
    name = "k61-wrapped-pti"

    def test_the_ring_has_wrapped(self) -> None:
        first = self.document["dmesg"][0]["seq"]
        self.assertGreater(first, 1000)
        self.assertIn(f"the kernel has overwritten the {first} oldest records",
                      photon_dmesg("-v", self.vmlinux, self.checkpoint).err)


class NoKaslr(GuestTests, CrashTests, unittest.TestCase):
    name = "k61-nokaslr"


class Panicked61(PanicTests, GuestTests, CrashTests, unittest.TestCase):
    name = "k61-panic"


class Panicked612(PanicTests, GuestTests, unittest.TestCase):
    name = "k612-panic"


class DynamicRing(GuestTests, unittest.TestCase):
    name = "k612-dynamic"


    def test_the_beginning_of_the_boot_is_recovered(self) -> None:
        check_recovered(self)


class Newest(GuestTests, unittest.TestCase):
    name = "k7"


class PossibleCpus(GuestTests, unittest.TestCase):
    name = "k510-possible-cpus"

    def test_the_beginning_of_the_boot_is_recovered(self) -> None:
        check_recovered(self)

    def test_what_is_gone_behind_it_is_said(self) -> None:
        last, first = self.recovered[-1]["seq"], self.log[0]["seq"]
        self.assertGreater(first, last + 1)
        self.assertEqual(self.document["warnings"], [
            f"the kernel has overwritten the {first - last - 1} records behind record {last}: up to "
            "that they are of the buffer of early boot, the log itself begins with record "
            f"{first}"])
        self.assertEqual(self.result.status, 0)


def check_recovered(test: GuestTests) -> None:
    """The static ring's records: from the first on, without a gap, marked, as on the console."""
    test.assertGreater(len(test.recovered), 10)
    test.assertEqual([r["seq"] for r in test.recovered], list(range(len(test.recovered))))
    test.assertEqual({r["source"] for r in test.recovered}, {"static-buffer"})
    console = test.guest.blob("console.log")
    for record in test.recovered:
        if record["level"] != "debug":  # which the console does not get
            test.assertIn(text_of(record), console)


class ClearTests:
    """A guest that ran dmesg -C: its dmesg showed what came behind, the log holds all."""

    def test_cleared_records_are_marked(self) -> None:
        cleared = ["cleared" in r for r in self.log]
        self.assertEqual(cleared, sorted(cleared, reverse=True))
        self.assertGreater(cleared.count(True), 300)
        # What came before the clearing and had no end yet was not cleared.
        self.assertEqual(cleared.count(False), 51)

    def test_either_part_can_be_selected(self) -> None:
        both = [photon_dmesg("--json", option, self.vmlinux, self.checkpoint).json["dmesg"]
                for option in ("--cleared", "--since-clear")]
        self.assertEqual(both[0] + both[1], self.document["dmesg"])
        unprinted = photon_dmesg("--json", "--unprinted", self.vmlinux, self.checkpoint).json["dmesg"]
        self.assertEqual(unprinted, [r for r in self.document["dmesg"] if "unprinted" in r])


class Clear61(ClearTests, GuestTests, unittest.TestCase):
    name = "k61-clear"
    as_in_guest = ("--since-clear",)


class Clear510(ClearTests, GuestTests, unittest.TestCase):
    name = "k510-clear"
    as_in_guest = ("--since-clear",)


class K510(GuestTests, CrashTests, MakedumpfileTests, unittest.TestCase):
    name = "k510"

    def test_nmi_buffers_of_a_wedged_guest(self) -> None:
        """As a guest leaves them that can't flush them any more: written into its memory, where
        another implementation of page tables says they are."""
        text = b"\x014NMI backtrace for cpu 1\n\x01cRIP: 0010:native_halt+0xa/0x10\n"
        buffer = (elf_core.variable(self.guest, "__per_cpu_offset", 1)
                  + elf_core.linked_address(self.guest, "nmi_print_seq"))
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            memory = Path(folder) / "wedged.vmem"
            paths.copy_sparse(self.guest.memory, memory)
            with memory.open("r+b") as file:
                at = elf_core.PageTables(self.guest, file).translate(buffer)
                file.seek(at)
                file.write(len(text).to_bytes(4, "little"))
                file.seek(at + 32)
                file.write(text)
            checkpoint = self.checkpoint_of(memory)
            found = [photon_dmesg("--json", *source, checkpoint).json
                     for source in ((self.vmlinux,), (self.guest.kernel.system_map,), ())]
            out = photon_dmesg(self.vmlinux, checkpoint).out
        for document in found:
            self.assertEqual(document["unlogged"], [
                {"source": "nmi_print_seq", "cpu": 1, "msg": "NMI backtrace for cpu 1",
                 "level": "warn"},
                {"source": "nmi_print_seq", "cpu": 1, "msg": "RIP: 0010:native_halt+0xa/0x10"}])
            self.assertEqual(document["dmesg"], self.document["dmesg"])
        self.assertTrue(out.endswith(b"-- not in the log yet: CPU 1, printk in an NMI --\n"
                                     b"NMI backtrace for cpu 1\n"
                                     b"RIP: 0010:native_halt+0xa/0x10\n"))


class Kdump(unittest.TestCase):
    """The crash-dump kernel runs; the log wanted is that of the kernel that crashed."""

    def test_every_source_gives_the_log_of_the_kernel_that_crashed(self) -> None:
        guest = boot.boot(scenarios.by_name("k61-kdump"))
        expected = truth.parse(guest.blob("truth.kmsg"))
        with tempfile.TemporaryDirectory(dir=guest.folder) as folder:
            checkpoint = checkpoint_writer.write(Path(folder) / "vm", guest.memory, guest.vcpus)
            profile = Path(folder) / "kernel.symbols"
            photon_dmesg("profile", guest.kernel.vmlinux, "-o", profile)
            results = [photon_dmesg("--json", *source, checkpoint)
                       for source in ((guest.kernel.vmlinux,), (guest.kernel.system_map,),
                                      (profile,), ())]
        for result in results:
            self.assertEqual(result.status, 0, result.err)
            self.assertEqual(result.json["dmesg"], results[0].json["dmesg"])
            self.assertEqual(result.json["guest"], results[0].json["guest"])
            self.assertEqual(len(result.json["warnings"]), 1)
            self.assertIn("this is of the kernel that crashed", result.json["warnings"][0])
        records = {record["seq"]: record for record in results[0].json["dmesg"]}
        self.assertGreater(len(expected), 300)
        for record in expected:
            found = records[record.seq]
            self.assertEqual((found["pri"], found["ts_nsec"] // 1000, text_of(found)),
                             (record.pri, record.usec, record.text))
        texts = [record["msg"] for record in results[0].json["dmesg"]]
        self.assertIn("sysrq: Trigger a crash", texts)
        self.assertTrue(any("crashkernel reserved" in text or "crashkernel=256M" in text
                            for text in texts))
        self.assertFalse(any("elfcorehdr=" in text for text in texts))


class SysrqTests:
    """A long log: every task's stack, and every processor's by NMI."""

    def test_stacks_and_backtraces_are_there(self) -> None:
        texts = [r["msg"] for r in self.document["dmesg"]]
        self.assertGreater(len(texts), 1500)
        for wanted in ("sysrq: Show State", "sysrq: Show backtrace of all active CPUs",
                       "NMI backtrace for cpu 1", "Call Trace:"):
            self.assertTrue(any(wanted in text for text in texts), wanted)


class Sysrq61(SysrqTests, GuestTests, unittest.TestCase):
    name = "k61-sysrq"
    later_states = []


class Sysrq510(SysrqTests, GuestTests, unittest.TestCase):
    name = "k510-sysrq"
    later_states = []


class OutOfMemory(GuestTests, unittest.TestCase):
    name = "k612-oom"
    later_states = []

    def test_the_kill_is_there(self) -> None:
        self.assertTrue(any("Out of memory: Killed process" in r["msg"]
                            for r in self.document["dmesg"]))


class EarlyBoot(unittest.TestCase):
    """Stopped before drivers, timers and the second processor: only the console knows."""

    def test_every_source_gives_what_the_console_said(self) -> None:
        guest = boot.boot(scenarios.by_name("k61-early"))
        console = [line.rstrip(b"\r") for line in guest.blob("console.log").split(b"\n")]
        start = next(i for i, line in enumerate(console) if b"Linux version" in line)
        with tempfile.TemporaryDirectory(dir=guest.folder) as folder:
            checkpoint = checkpoint_writer.write(Path(folder) / "vm", guest.memory, guest.vcpus)
            profile = Path(folder) / "kernel.symbols"
            photon_dmesg("profile", guest.kernel.vmlinux, "-o", profile)
            results = [photon_dmesg(*source, checkpoint)
                       for source in ((guest.kernel.vmlinux,), (guest.kernel.system_map,),
                                      (profile,), ())]
        for result in results:
            self.assertEqual((result.status, result.said), (0, ""))
            self.assertEqual(result.out, results[0].out)
        found = results[0].out.split(b"\n")
        # Not all that the console shows comes from printk; its last line may have been cut.
        expected = [line for line in console[start:-1] if line.startswith(b"[")]
        self.assertGreater(len(expected), 50)
        self.assertEqual(found[:len(expected)], expected)


class UserMode(GuestTests, CrashTests, unittest.TestCase):
    name = "k61-user"

    def test_every_vcpu_was_in_user_mode(self) -> None:
        self.assertEqual({vcpu["cpl"] for vcpu in self.guest.vcpus}, {3})


class SymbolSources(GuestFiles, unittest.TestCase):
    """The same log from every kind of package and ISO."""

    name = "k61"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.other = boot.boot(scenarios.by_name("k612-panic"))
        cls.expected = photon_dmesg(*cls.files).out

    def package(self, guest: boot.Guest, **options: object) -> Path:
        return packages.build(packages.debuginfo(guest.kernel.vmlinux, guest.kernel.release,
                                                 **options))

    def check(self, *files: Path) -> dict:
        result = photon_dmesg(*files, self.checkpoint)
        self.assertEqual((result.status, result.said), (0, ""))
        self.assertEqual(result.out, self.expected)
        return photon_dmesg("--json", *files, self.checkpoint).json["source"]

    def test_every_payload_compressor(self) -> None:
        for payload in (packages.GZIP, packages.ZSTD, packages.XZ, packages.NONE):
            with self.subTest(payload=payload):
                self.check(self.package(self.guest, payload=payload))

    def test_main_iso_of_photon_1(self) -> None:
        release = self.guest.kernel.release
        package = self.package(self.guest, payload=packages.GZIP,
                               path=f"/usr/lib/debug/lib/modules/{release}/vmlinux-{release}.debug")
        source = self.check(packages.iso("main", {f"RPMS/x86_64/{package.name}": package}))
        self.assertEqual(source["package"], f"RPMS/x86_64/{package.name}")
        self.assertTrue(source["vmlinux"].endswith(".debug"))

    def test_debug_iso_with_the_guests_kernel_among_others(self) -> None:
        right = self.package(self.guest, flavor="linux-esx")
        wrong = self.package(self.other)
        for layout in ("DEBUGRPMS/x86_64", "DEBUGRPMS"):
            with self.subTest(layout=layout):
                # The wrong one is first by name and by place.
                source = self.check(packages.iso("debug", {f"{layout}/{wrong.name}": wrong,
                                                           f"{layout}/{right.name}": right}))
                self.assertEqual(source["package"], f"{layout}/{right.name}")

    def test_any_order_and_any_name(self) -> None:
        folder = self.folder
        for name, target in (("a", self.guest.kernel.vmlinux), ("b", self.checkpoint),
                             ("c", self.checkpoint.with_suffix(".vmem"))):
            (folder / name).symlink_to(target)
        for order in ("abc", "cba", "bca"):
            with self.subTest(order=order):
                result = photon_dmesg(*(folder / name for name in order))
                self.assertEqual((result.status, result.said), (0, ""))
                self.assertEqual(result.out, self.expected)

    def kernel_package(self, guest: boot.Guest, flavor: str = "linux-esx") -> Path:
        """A kernel's own package: its System.map, no types."""
        release = guest.kernel.release
        return packages.build(packages.Package(
            flavor, "6.1.0", "1.ph5", packages.GZIP,
            ((guest.kernel.system_map, f"/boot/System.map-{release}"),)))

    def test_main_iso_without_debuginfo(self) -> None:
        right, wrong = self.kernel_package(self.guest), self.kernel_package(self.other, "linux")
        iso = packages.iso("release", {f"RPMS/x86_64/{wrong.name}": wrong,
                                       f"RPMS/x86_64/{right.name}": right})
        for file in (iso, right, self.guest.kernel.system_map):
            with self.subTest(file=file.name):
                source = self.check(file)
                self.assertIsNone(source["vmlinux"])
                self.assertIn("System.map", source["system_map"])

    def test_types_are_preferred_to_a_system_map(self) -> None:
        kernel, debug = self.kernel_package(self.guest), self.package(self.guest)
        iso = packages.iso("both", {f"RPMS/{kernel.name}": kernel, f"RPMS/{debug.name}": debug})
        self.assertIn("vmlinux", self.check(iso)["vmlinux"])

    def test_a_boot_image_stands_between_a_vmlinux_and_a_system_map(self) -> None:
        kernel = self.guest.kernel
        with_map = self.check(kernel.system_map, kernel.vmlinuz)
        self.assertEqual((with_map["boot_image"], with_map["system_map"]),
                         (str(kernel.vmlinuz), None))
        for better in (kernel.vmlinux, self.package(self.guest)):
            with self.subTest(better=better.name):
                self.assertIsNone(self.check(kernel.vmlinuz, better)["boot_image"])

    def test_a_boot_image_serves_where_memory_has_no_tables(self) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            memory = Path(folder) / "blanked.vmem"
            paths.copy_sparse(self.guest.memory, memory)
            for pattern in (KALLSYMS_TOKENS, b"OSRELEASE="):
                patterns.blank(memory, self.guest.memory, pattern)
            result = photon_dmesg(self.guest.kernel.vmlinuz, self.checkpoint_of(memory))
        self.assertEqual((result.status, result.out, result.said), (0, self.expected, ""))

    def test_a_profile_of_a_boot_image_serves_like_it(self) -> None:
        profile = self.folder / "boot.symbols"
        made = photon_dmesg("profile", self.guest.kernel.vmlinuz, "-o", profile)
        self.assertEqual((made.status, made.out, made.err), (0, b"", ""))
        self.check(profile)

    def test_another_kernels_boot_image_is_not_used(self) -> None:
        result = photon_dmesg(self.other.kernel.vmlinuz, self.checkpoint)
        self.assertEqual((result.status, result.out), (1, self.expected))
        self.assertIn(f'not the guest\'s kernel: the guest runs "Linux version '
                      f"{self.guest.kernel.release} ", result.said)
        self.assertIn("symbols are taken from the guest's memory", result.said)

    def test_profile_from_an_iso(self) -> None:
        right, wrong = self.package(self.guest), self.package(self.other)
        iso = packages.iso("profiles", {f"DEBUGRPMS/{wrong.name}": wrong,
                                        f"DEBUGRPMS/{right.name}": right})
        by_checkpoint = photon_dmesg("profile", iso, self.checkpoint)
        release = self.guest.kernel.release
        by_release = photon_dmesg("profile", "--release", release, iso)
        self.assertEqual((by_checkpoint.status, by_checkpoint.said), (0, ""))
        self.assertEqual(by_release.out, by_checkpoint.out)
        self.assertTrue(by_release.out.startswith(b"PHDMSYMS"))
        self.assertIn(release.encode(), by_release.out)
        self.assertIn(right.name.encode(), by_release.out)
        unsaid = photon_dmesg("profile", iso)
        self.assertEqual((unsaid.status, unsaid.out), (2, b""))
        self.assertIn("expected --release or a checkpoint", unsaid.err)

    def test_a_second_run_on_the_same_iso_unpacks_nothing(self) -> None:
        for package in (self.package(self.guest), self.kernel_package(self.guest)):
            iso = packages.iso("cached", {f"RPMS/{package.name}": package})
            with (self.subTest(package=package.name),
                  tempfile.TemporaryDirectory(dir=self.guest.folder) as folder):
                runs = [photon_dmesg("-v", iso, self.checkpoint, cache=Path(folder))
                        for _ in range(2)]
                for run in runs:
                    self.assertEqual((run.status, run.out), (0, self.expected))
                self.assertIn("cache: stored in", runs[0].err)
                self.assertNotIn("cache: stored in", runs[1].err)
                self.assertIn("the package need not be unpacked", runs[1].err)
                anew = photon_dmesg("-v", "--no-cache", iso, self.checkpoint, cache=Path(folder))
                self.assertEqual((anew.status, anew.out), (0, self.expected))
                self.assertNotIn("cache:", anew.err)

    def test_a_second_run_answers_as_the_first(self) -> None:
        commands = (("info",), ("info", "--json"), (), ("--json",), ("--format", "ndjson"))
        for package in (self.package(self.guest), self.kernel_package(self.guest)):
            iso = packages.iso("cached", {f"RPMS/{package.name}": package})
            with (self.subTest(package=package.name),
                  tempfile.TemporaryDirectory(dir=self.guest.folder) as folder):
                for number, command in enumerate(commands):
                    cache = Path(folder) / f"cache{number}"
                    first, second = (photon_dmesg(*command, iso, self.checkpoint, cache=cache)
                                     for _ in range(2))
                    self.assertEqual(first, second, command)
                    self.assertEqual(first.status, 0, first.err)
                    self.assertEqual(len(list((cache / "photon-dmesg").glob("*.symbols"))), 1)
                cores = [Path(folder) / f"core{run}" for run in range(2)]
                made = [photon_dmesg("core", iso, self.checkpoint, "-o", core,
                                     cache=Path(folder) / "cache") for core in cores]
                self.assertEqual((made[0].status, made[0].err), (made[1].status, made[1].err))
                for file in sorted(cores[0].iterdir()):
                    self.assertTrue(filecmp.cmp(file, cores[1] / file.name, shallow=False), file)

    def test_many_first_runs_unpack_a_package_once(self) -> None:
        package = self.package(self.guest)
        iso = packages.iso("cached", {f"RPMS/{package.name}": package})
        with tempfile.TemporaryDirectory(dir=self.guest.folder) as folder:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                runs = list(pool.map(
                    lambda _: photon_dmesg("-v", iso, self.checkpoint, cache=Path(folder)),
                    range(4)))
            for run in runs:
                self.assertEqual((run.status, run.out), (0, self.expected))
            self.assertEqual(sum("cache: stored in" in run.err for run in runs), 1)
            kept = {file.suffix for file in (Path(folder) / "photon-dmesg").iterdir()}
            self.assertLessEqual(kept, {".symbols", ".medium"}, "no lock is left, nothing unfinished")

    def test_another_kernels_iso_is_refused_with_both_releases(self) -> None:
        wrong = self.package(self.other)
        iso = packages.iso("wrong", {f"RPMS/x86_64/{wrong.name}": wrong})
        for file in (iso, wrong, self.other.kernel.vmlinux, self.kernel_package(self.other)):
            with self.subTest(file=file.name):
                strict = photon_dmesg("--strict", file, self.checkpoint)
                self.assertEqual((strict.status, strict.out), (4, b""))
                result = photon_dmesg(file, self.checkpoint)
                self.assertEqual((result.status, result.out),
                                 (1, photon_dmesg(self.checkpoint).out))
                for said in (strict.err, result.err):
                    self.assertIn(self.guest.kernel.release, said)
                    self.assertIn(self.other.kernel.release, said)
                    self.assertEqual(said.count("\n"), 1)


if __name__ == "__main__":
    unittest.main()
