"""A guest's memory in other forms than a checkpoint's: the same log comes out of all of them."""

import contextlib
import os
import random
import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import boot
import checkpoint_writer
import elf_core
import kernels
import memory_images
import paths
import scenarios
from guest_files import GuestFiles
from scenarios import MIB, Scenario
from tool import BINARY, photon_dmesg, reads_kdump_files


needs_libkdumpfile = unittest.skipUnless(reads_kdump_files(), "built without libkdumpfile")


class CoreFiles(GuestFiles):
    """A guest as a core that makedumpfile takes, and a folder of each test's own."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.records = photon_dmesg("--json", *cls.files).json["dmesg"]
        assert len(cls.records) > 300
        cls.vmcore = cls.folder / "vmcore"
        elf_core.write_for_makedumpfile(cls.vmcore, cls.guest)

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.guest.folder)
        self.addCleanup(folder.cleanup)
        self.own = Path(folder.name)


class CutImages(CoreFiles, unittest.TestCase):
    """The kernel lies low in this guest's memory, so that the first cuts leave it whole."""

    name = "k61-nokaslr"

    def test_core_that_is_cut_short(self) -> None:
        """What the log takes may be in what is left; if not, nothing is shown."""
        texts = {record["seq"]: record["msg"] for record in self.records}
        core = self.own / "cut"
        paths.copy_sparse(self.vmcore, core)
        printed = 0
        for eighths in (7, 6, 4, 2):
            os.truncate(core, self.vmcore.stat().st_size * eighths // 8)
            result = photon_dmesg("--json", core)
            with self.subTest(eighths=eighths):
                if result.out:
                    self.assertEqual(result.status, 1)
                    self.assertIn("cut: incomplete", result.err)
                    for record in result.json["dmesg"]:
                        self.assertEqual(record["msg"], texts[record["seq"]])
                    printed += 1
                else:
                    self.assertEqual(result.status, 3, result.err)
                strict = photon_dmesg("--strict", core)
                self.assertEqual((strict.status, strict.out), (3, b""))
                self.assertIn("cut: truncated", strict.err)
        self.assertGreater(printed, 0)


class Images(CoreFiles, unittest.TestCase):
    name = "k61"

    def check(self, *files: Path, vcpus: int = 0) -> None:
        """The log, with vmlinux and with nothing but the files."""
        for symbols in ([self.vmlinux], []):
            with self.subTest(files=[file.name for file in files], symbols=bool(symbols)):
                result = photon_dmesg("--json", *symbols, *files)
                self.assertEqual(result.status, 0, result.err)
                self.assertEqual(result.json["dmesg"], self.records)
                self.assertEqual(result.json["guest"]["vcpus"], vcpus)

    def test_elf_core_of_kdump(self) -> None:
        self.check(self.vmcore)

    @needs_libkdumpfile
    def test_kdump_files(self) -> None:
        for name, *options in (("zlib", "-c"), ("lzo", "-l"), ("filtered", "-c", "-d", "31"),
                               ("filtered-lzo", "-l", "-d", "31"), ("filtered-elf", "-E", "-d", "31")):
            paths.run("makedumpfile", *options, self.vmcore, self.own / name)
            self.check(self.own / name)

    def test_what_is_no_kdump_file_needs_no_libkdumpfile(self) -> None:
        """Whether this build reads the one or refuses it, it reads what makedumpfile makes of it."""
        paths.run("makedumpfile", "-c", "-d", "31", self.vmcore, self.own / "dump")
        paths.run("makedumpfile", "-E", "-d", "31", self.vmcore, self.own / "core")
        self.check(self.own / "core")
        if reads_kdump_files():
            self.check(self.own / "dump")
            return
        for command in ([], ["bt"], ["--json"]):
            result = photon_dmesg(*command, self.own / "dump")
            self.assertEqual((result.status, result.out), (3, b""))
            self.assertRegex(result.err, r"\Aphoton-dmesg: \S+/dump: a kdump file, which this "
                             r"photon-dmesg can't read, as it was built without libkdumpfile: .*\n\Z")
        info = photon_dmesg("info", self.own / "dump")
        self.assertEqual(info.status, 3)
        self.assertRegex(info.out.decode(), r"(?s)/dump: kdump file, .*built without libkdumpfile")

    @needs_libkdumpfile
    def test_a_kdump_file_without_its_library(self) -> None:
        """What lies in its place is none, and nothing else needs it."""
        paths.run("makedumpfile", "-c", "-d", "31", self.vmcore, self.own / "dump")
        library, = re.findall(r"(?m)^libkdumpfile\.so.*$", (BINARY.parent / "opened-libraries").read_text())
        (self.own / library).write_text("no library")
        with mock.patch.dict(os.environ, LD_LIBRARY_PATH=str(self.own)):
            self.check(self.vmcore)
            for command in ([], ["bt"]):
                result = photon_dmesg(*command, self.own / "dump")
                self.assertEqual((result.status, result.out), (3, b""))
                self.assertRegex(result.err, rf"\Aphoton-dmesg: \S+/dump: {library}: can't be loaded: .*\n\Z")

    @needs_libkdumpfile
    def test_kdump_files_of_other_compressions(self) -> None:
        paths.run("makedumpfile", "-c", "-d", "31", self.vmcore, self.own / "zlib")
        for compression in memory_images.KDUMP_COMPRESSIONS:
            memory_images.recompress(self.own / "zlib", self.own / compression, compression)
            self.check(self.own / compression)

    @needs_libkdumpfile
    def test_a_damaged_kdump_file_never_gives_a_wrong_log(self) -> None:
        paths.run("makedumpfile", "-c", "-d", "31", self.vmcore, self.own / "whole")
        whole = (self.own / "whole").read_bytes()
        generator = random.Random(4)
        messages = {record["seq"]: record["msg"] for record in self.records}
        for attempt in range(25):
            damaged = bytearray(whole)
            if attempt % 5 == 0:
                damaged = damaged[:generator.randrange(len(whole))]
            else:
                for _ in range(4):
                    damaged[generator.randrange(len(whole) // 40)] = generator.randrange(256)
            (self.own / "damaged").write_bytes(damaged)
            result = photon_dmesg("--json", self.own / "damaged")
            with self.subTest(attempt=attempt):
                self.assertIn(result.status, (0, 1, 3), result.err)
                for record in result.json["dmesg"] if result.out else []:
                    self.assertEqual(record["msg"], messages[record["seq"]])

    @needs_libkdumpfile
    def test_a_page_that_can_not_be_unpacked_costs_what_is_on_it(self) -> None:
        dump = self.own / "dump"
        paths.run("makedumpfile", "-c", "-d", "31", self.vmcore, dump)
        linked = elf_core.linked_address(self.guest, "__log_buf") + 2 * memory_images.PAGE
        offset = int(photon_dmesg("--json", self.vmlinux, self.vmcore).json["guest"]["kaslr_offset"], 16)
        with self.guest.memory.open("rb") as memory:
            physical = elf_core.PageTables(self.guest, memory).translate(linked + offset)
        memory_images.damage_kdump_page(dump, physical)
        expected = {record["seq"]: record for record in self.records}
        for symbols in ([self.vmlinux], []):
            result = photon_dmesg("--json", *symbols, dump)
            self.assertEqual(result.status, 1, result.err)
            self.assertIn("can't be read and counts as missing: the page at physical "
                          f"{physical & -memory_images.PAGE:#x}: ", result.err)
            found = [r for r in result.json["dmesg"] if r.get("state") != "text-lost"]
            self.assertGreater(len(found), len(expected) - 100)
            self.assertLess(len(found), len(expected))
            for record in found:
                self.assertEqual(record, expected[record["seq"]])
        core = photon_dmesg("core", self.vmlinux, dump, "-o", self.own / "core")
        self.assertEqual(core.status, 1)
        self.assertIn("counts as missing", core.err)

    @needs_libkdumpfile
    def test_kdump_file_in_several_parts(self) -> None:
        parts = [self.own / f"part{number}" for number in range(3)]
        paths.run("makedumpfile", "--split", "-l", "-d", "31", self.vmcore, *parts)
        self.check(*parts)

    @needs_libkdumpfile
    def test_flattened_kdump_file(self) -> None:
        flat = self.own / "flat"
        flat.write_bytes(paths.run("makedumpfile", "-F", "-l", "-d", "31", self.vmcore).stdout)
        self.check(flat)
        os.truncate(flat, flat.stat().st_size // 2)
        result = photon_dmesg(flat)
        self.assertEqual((result.status, result.out), (3, b""))
        self.assertIn("flat: truncated", result.err)

    def test_flattened_core(self) -> None:
        flat = self.own / "flat"
        flat.write_bytes(paths.run("makedumpfile", "-F", "-E", "-d", "31", self.vmcore).stdout)
        self.check(flat)

    @needs_libkdumpfile
    def test_part_of_a_split_dump_alone_gives_no_wrong_log(self) -> None:
        parts = [self.own / f"part{number}" for number in range(2)]
        paths.run("makedumpfile", "--split", "-l", "-d", "31", self.vmcore, *parts)
        for part in parts:
            result = photon_dmesg("--json", part)
            if result.status == 0:
                self.assertEqual(result.json["dmesg"], self.records)

    def test_lime(self) -> None:
        image = self.own / "guest.lime"
        memory_images.write_lime(image, self.guest)
        self.check(image)

    def test_memory_alone(self) -> None:
        self.check(self.guest.memory)

    def test_packed_memory(self) -> None:
        checkpoint = checkpoint_writer.write(self.own / "vm", self.guest.memory, self.guest.vcpus)
        memory = checkpoint.with_suffix(".vmem")
        memory.unlink()
        memory_images.write_packed(memory, self.guest)
        self.assertLess(memory.stat().st_size, self.guest.memory.stat().st_size)
        self.check(checkpoint, vcpus=2)
        self.check(checkpoint, memory, vcpus=2)

    def test_debug_guest(self) -> None:
        state = memory_images.write_debug_guest(self.own, self.guest)
        self.check(state, vcpus=2)
        self.check(state.with_name("debug.vmem"), vcpus=2)

    def test_packed_with_gzip(self) -> None:
        state = memory_images.write_debug_guest(self.own, self.guest)
        state = memory_images.write_gzip(state)
        memory = memory_images.write_gzip(self.own / "debug.vmem")
        self.check(state, vcpus=2)
        self.check(memory, state, vcpus=2)
        os.truncate(memory, memory.stat().st_size - 4)
        result = photon_dmesg(state)
        self.assertEqual((result.status, result.out), (3, b""))
        self.assertIn("debug.vmem.gz: truncated", result.err)


class LargeMemoryAlone(unittest.TestCase):
    """Beyond 3 GiB the kernel in it tells whether the file has the PCI hole."""

    def test_with_and_without_the_hole(self) -> None:
        guest = boot.boot(scenarios.by_name("k612-large"))
        with tempfile.TemporaryDirectory(dir=guest.folder) as folder:
            checkpoint = checkpoint_writer.write(Path(folder) / "vm", guest.memory, guest.vcpus)
            expected = photon_dmesg(guest.kernel.vmlinux, checkpoint).out
            flat = Path(folder) / "flat"
            memory_images.write_with_hole(flat, guest)
            for memory, high in ((guest.memory, "0x100000000"), (flat, None)):
                with self.subTest(memory=memory.name):
                    result = photon_dmesg(memory)
                    self.assertEqual((result.status, result.out), (0, expected), result.err)
                    self.assertNotIn("not certain", result.err)
                    ranges = photon_dmesg("info", "--json", memory).json["memory_ranges"]
                    self.assertEqual(ranges[1]["begin"] if len(ranges) > 1 else None, high)


class QemuDumps(unittest.TestCase):
    """What QEMU's own dump-guest-memory writes of a guest, and what makedumpfile makes of that."""

    def check(self, *files: Path) -> None:
        for symbols in ([self.vmlinux], []):
            with self.subTest(dump=files[0].name, symbols=bool(symbols)):
                result = photon_dmesg("--json", *symbols, *files)
                self.assertEqual(result.status, 0, result.err)
                self.assertEqual(result.json["dmesg"], self.expected)
                self.assertEqual(result.json["guest"]["vcpus"], 2)

    @needs_libkdumpfile
    def test_every_format(self) -> None:
        kernel = kernels.fetch("6.1")
        self.vmlinux = kernel.vmlinux
        # Under KASLR makedumpfile needs VMCOREINFO, which QEMU puts there for few guests.
        scenario = Scenario("k61-dumped", "6.1", 2, 512 * MIB, "nokaslr no5lvl")
        with contextlib.ExitStack() as cleanup:
            work = Path(cleanup.enter_context(tempfile.TemporaryDirectory(dir=paths.cache())))
            monitor = cleanup.enter_context(boot.running(scenario, kernel, work))
            monitor.call("stop")
            checkpoint = checkpoint_writer.write(work / "vm", work / "memory.raw",
                                                 monitor.registers())
            self.expected = photon_dmesg("--json", self.vmlinux, checkpoint).json["dmesg"]
            self.assertGreater(len(self.expected), 300)
            known = monitor.call("query-dump-guest-memory-capability")["formats"]
            forms = [form for form in known if form == "elf" or form.startswith("kdump")]
            self.assertIn("kdump-zlib", forms)
            for form in forms:
                monitor.call("dump-guest-memory", paging=False, protocol=f"file:{work / form}",
                             format=form)
                self.check(work / form)
            memory_images.move_segment_table(work / "elf")
            for name, *options in (("zlib", "-c"), ("lzo", "-l"), ("filtered", "-l", "-d", "31")):
                paths.run("makedumpfile", "-x", self.vmlinux, *options, work / "elf", work / name)
                self.check(work / name)


if __name__ == "__main__":
    unittest.main()
