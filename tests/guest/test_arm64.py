"""arm64 guests: their log as photon-dmesg prints it, from every source and form of memory, against what they
themselves said."""

import json
import mmap
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import boot_arm64
import checkpoint_arm64
import checkpoint_writer
import elf_core
import elf_core_arm64
import guests
import kdump_file_arm64
import packages
import paths
import peers
import scenarios
from checkpoint_arm64 import Arm64Form
from checkpoint_writer import Memory
from guest_files import GuestFiles
from scenarios import VMWARE_RAM
from test_images import needs_libkdumpfile
from test_log import GuestTests, PanicTests, check_recovered, text_of
from test_tasks import DiskTests, OneFolder, by_pid, functions
from tool import losses, photon_dmesg

TABLES = tuple(checkpoint_arm64.TABLES.items())
FORMS = {
    "separate memory, tables and their form": Arm64Form(),
    "separate memory, tables": Arm64Form(tags=TABLES),
    "monolithic, tables": Arm64Form(Memory.MONOLITHIC, suffix=".vmsn", tags=TABLES),
}
NO_REGISTER = Arm64Form(tags=())
NO_KERNEL_TABLES = {
    "separate memory, what LeechCore knows": Arm64Form(tags=TABLES[:1]),
    "separate memory": NO_REGISTER,
    "monolithic": Arm64Form(Memory.MONOLITHIC, tags=()),
}
LEFT_OVER = "may be left from an earlier boot"  # of a kernel that no vCPU leads to
ARCHITECTURE = "aarch64"  # as Photon's packages are named


class Arm64Tests(GuestTests):
    """What must hold for every arm64 guest, besides what does for all guests."""

    forms = FORMS
    image_place = "kimage_voffset"
    # It is no compressed executable with a head of its own, as x86's is.
    test_boot_image_alone_gives_the_same = None

    @property
    def names_functions_only(self) -> bool:
        """Of the kernel's own table: Debian's 6.1 for arm64 has no CONFIG_KALLSYMS_ALL, as linux-esx."""
        return self.guest.kernel.series.startswith("6.1-")

    def check_by(self, symbols: tuple[Path, ...], found: dict) -> None:
        """The same log and guest, as far as what names the kernel's variables tells."""
        if symbols or not self.names_functions_only:
            self.assertEqual(found["dmesg"], self.document["dmesg"])
            return
        self.check_records(found)

    def test_checkpoint_alone_gives_the_same(self) -> None:
        if not self.names_functions_only:
            super().test_checkpoint_alone_gives_the_same()
            return
        found = photon_dmesg("--json", self.checkpoint)
        self.assertEqual((found.status, found.said), (0, ""))
        self.check_records(found.json)
        self.assertEqual(found.json["source"]["symbols_in_memory"], "vmcoreinfo")
        for key in ("release", "banner", "architecture", "kaslr_offset", self.image_place):
            self.assertEqual(found.json["guest"][key], self.document["guest"][key])

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.text = photon_dmesg(*cls.files).out

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.folder)
        self.addCleanup(folder.cleanup)
        self.own = Path(folder.name)

    def sources(self) -> list[tuple[Path, ...]]:
        return [(self.vmlinux,), (self.guest.kernel.system_map,), ()]

    def check(self, *files: Path, vcpus: int | None = None) -> None:
        """The same of other files, in silence but for the doubt that a memory without registers leaves; what
        they don't tell of is the number of vCPUs, and what VMware calls the machine."""
        expected = self.document["guest"] | {"vm": None}
        if vcpus is not None:
            expected["vcpus"] = vcpus
        for symbols in self.sources():
            with self.subTest(files=[file.name for file in (*symbols, *files)]):
                result = photon_dmesg("--json", *symbols, *files)
                self.assertEqual(result.status, 0, result.err)
                self.check_by(symbols, result.json)
                self.assertEqual([text for text in losses(result.json) if LEFT_OVER not in text], [])
                if not symbols and self.names_functions_only:
                    continue
                self.assertEqual(result.json["guest"] | {"vm": None}, expected)
                text = photon_dmesg(*symbols, *files)
                self.assertEqual(text.status, 0, text.err)
                self.assertEqual(text.out, self.text)

    def test_guest_is_described(self) -> None:
        super().test_guest_is_described()
        guest, scenario = self.document["guest"], self.guest.scenario
        self.assertEqual(guest["architecture"], ARCHITECTURE)
        for symbols in self.sources():
            found = photon_dmesg("info", "--json", *symbols, self.checkpoint)
            self.assertEqual((found.status, found.err), (0, ""))
            self.assertEqual(found.json["problems"], [])
            if symbols or not self.names_functions_only:
                self.assertEqual(found.json["guest"], guest)
            self.assertEqual(found.json["memory_ranges"],
                             [{"begin": f"{scenario.ram:#x}", "size": scenario.memory}])
            text = photon_dmesg("info", *symbols, self.checkpoint).out.decode()
            self.assertRegex(text, rf"(?m)^architecture +{ARCHITECTURE}$")
            self.assertIn(f"physical {scenario.ram:#x} to {scenario.ram + scenario.memory:#x}", text)

    def test_image_lies_where_vmcoreinfo_says(self) -> None:
        info = elf_core.vmcoreinfo(self.guest).decode()
        self.assertEqual(int(self.document["guest"]["kimage_voffset"], 16),
                         elf_core_arm64.number(info, r"NUMBER\(kimage_voffset\)"))

    def test_independent_evidence_agrees(self) -> None:
        said = photon_dmesg("-v", self.vmlinux, self.checkpoint).err
        for agreement in ("VMCOREINFO: KASLR offset", "VMCOREINFO: kimage_voffset"):
            self.assertRegex(said, f"{agreement}.* agrees")

    def test_without_a_usable_vcpu_gives_the_same(self) -> None:
        """The kernel is looked for in all memory: no register is known, or those of the firmware."""
        for name, form in NO_KERNEL_TABLES.items():
            with self.subTest(form=name):
                self.check(guests.write_checkpoint(self.own / "bare", self.guest, form))
        vcpus = [dict.fromkeys(vcpu, 0) for vcpu in self.guest.vcpus]
        self.check(checkpoint_arm64.write(self.own / "firmware", self.guest.memory, self.guest.scenario.ram,
                                          vcpus))

    def test_without_a_usable_vcpu_and_any_table(self) -> None:
        """As linux-esx, and VMware tells of no register: the symbols and the memory are all there is. Nothing
        proves a System.map then, which is said."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            memory = Path(folder) / "blanked.raw"
            self.blank(memory)
            checkpoint = guests.write_checkpoint(self.own / "bare", self.guest, NO_REGISTER, memory)
            for symbols in self.sources():
                with self.subTest(symbols=[file.name for file in symbols]):
                    found = photon_dmesg("--json", *symbols, checkpoint)
                    unproved = self.guest.kernel.system_map in symbols
                    self.assertEqual(found.status, 1 if unproved else 0, found.err)
                    self.assertEqual("no kallsyms that could prove its addresses" in found.err, unproved)
                    self.check_records(found.json)

    def test_where_no_region_says_where_memory_begins(self) -> None:
        """At 2 GiB, as under VMware's firmware. If the image lies elsewhere, that is believed, and said."""
        checkpoint = guests.write_checkpoint(self.own / "bare", self.guest, Arm64Form(has_regions=False))
        for symbols in self.sources():
            with self.subTest(symbols=[file.name for file in symbols]):
                found = photon_dmesg("--json", *symbols, checkpoint)
                self.assertEqual(found.status, 0, found.err)
                self.check_by(symbols, found.json)
                doubts = [text for text in losses(found.json) if LEFT_OVER not in text]
                if self.guest.scenario.ram == VMWARE_RAM:
                    self.assertEqual(doubts, [])
                else:
                    self.assertEqual(len(doubts), 1, doubts)
                    self.assertIn(f"{self.guest.scenario.ram:#x}", doubts[0])
                    self.assertIn(f"{VMWARE_RAM:#x}", doubts[0])

    def test_memory_alone(self) -> None:
        """It does not say where it begins: the image does."""
        memory = self.own / "alone.vmem"
        checkpoint_writer.share(self.guest.memory, memory)
        self.check(memory, vcpus=0)

    def test_memory_that_begins_where_no_machine_has_it(self) -> None:
        """Its first 512 KiB are missing: what is left lies higher than a machine's memory begins."""
        missing = 512 << 10
        memory = self.own / "rest.vmem"
        with self.guest.memory.open("rb") as whole, memory.open("wb") as rest:
            whole.seek(missing)
            shutil.copyfileobj(whole, rest, 1 << 24)
        for symbols in self.sources():
            with self.subTest(symbols=[file.name for file in symbols]):
                found = photon_dmesg("--json", *symbols, memory)
                self.assertEqual(found.status, 0, found.err)
                self.check_by(symbols, found.json)
        described = photon_dmesg("info", "-v", "--json", memory)
        begin = self.guest.scenario.ram + missing
        self.assertEqual(described.json["memory_ranges"],
                         [{"begin": f"{begin:#x}", "size": self.guest.scenario.memory - missing}])
        self.assertRegex(described.err, rf"RAM begins {begin:#x}: .*page tables lead to each other")
        memory.unlink()

    def test_elf_cores(self) -> None:
        for kdump in (True, False):
            core = self.own / f"core{kdump}"
            elf_core_arm64.write(core, self.guest, kdump=kdump)
            self.check(core)
            for symbols in self.sources()[:2]:
                registers = photon_dmesg("info", "--json", *symbols, core).json["registers"]
                for found, vcpu in zip(registers, self.guest.vcpus, strict=True):
                    self.assertIn(found["symbol"], self.names(vcpu["pc"]))

    def test_lime(self) -> None:
        ram, dump = self.guest.scenario.ram, self.own / "memory.lime"
        dump.write_bytes(struct.pack("<IIQQQ", 0x4C694D45, 1, ram, ram + self.guest.scenario.memory - 1, 0))
        checkpoint_writer.append_memory(dump, self.guest.memory)
        self.check(dump, vcpus=0)

    def names(self, address: int) -> list[str | None]:
        """What a place of the kernel may be called, by the System.map; [None] of a program's."""
        if not address >> 63:
            return [None]
        offset = int(self.document["guest"]["kaslr_offset"], 16)
        linked = (address - offset) % (1 << 64)
        symbols: dict[int, list[str]] = {}
        for line in self.guest.kernel.system_map.read_text().splitlines():
            value, _, name = line.split(" ", 2)
            symbols.setdefault(int(value, 16), []).append(name)
        nearest = max(value for value in symbols if value <= linked)
        return [f"{name}+{linked - nearest:#x}" for name in symbols[nearest]]

    @peers.judged
    def test_drgn_reads_the_same_log(self) -> None:
        """Of the core that photon-dmesg writes."""
        if shutil.which("drgn") is None:
            self.skipTest("drgn is not installed")
        core = self.own / "core"
        made = photon_dmesg("core", *self.files, "-o", core)
        self.assertEqual(made.status, 0, made.err)
        self.assertEqual([line for line in made.err.splitlines() if "lacks registers of it" not in line], [])
        said = paths.run("drgn", "-q", "-c", core / "vmss.core", "-s", self.vmlinux,
                         paths.SOURCE / "fixtures/drgn_log.py").stdout
        found = json.loads(said)
        self.assertEqual([(seq, nsec) for seq, nsec, _ in found],
                         [(record["seq"], record["ts_nsec"]) for record in self.log])
        different = [seq for (seq, _, text), record in zip(found, self.log, strict=True)
                     if bytes.fromhex(text) != text_of(record)]
        # Debian's reads a record that did not fit at the ring's end 8 bytes too early.
        self.assertLessEqual(len(different), 1, different)


class KdumpTests(Arm64Tests):
    """What libkdumpfile makes of a dump depends on the size of pages, and on nothing else of a guest."""

    @needs_libkdumpfile
    def test_kdump_files(self) -> None:
        for compressed in (True, False):
            dump = self.own / f"dump-{compressed}"
            kdump_file_arm64.write(dump, self.guest, compressed=compressed)
            self.check(dump)
            self.assertEqual(self.memory_ranges(dump), self.memory_ranges(self.checkpoint))
            dump.unlink()

    def memory_ranges(self, file: Path) -> list[dict]:
        return photon_dmesg("info", "--json", file).json["memory_ranges"]


class VMware(KdumpTests, unittest.TestCase):
    """As Photon 5.0 on Apple silicon."""

    name = "arm-vmware"


class LargePanic(PanicTests, Arm64Tests, unittest.TestCase):
    name = "arm-large-panic"

    def test_memory_above_4_gib_is_used(self) -> None:
        self.assertGreater(self.guest.scenario.ram + self.guest.scenario.memory, 1 << 32)
        with self.guest.memory.open("rb") as memory:
            memory.seek((1 << 32) - self.guest.scenario.ram)
            self.assertTrue(any(memory.read(1 << 30)))


class Wrapped(Arm64Tests, unittest.TestCase):
    name = "arm-wrapped"

    def test_the_ring_has_wrapped(self) -> None:
        self.assertGreater(self.document["dmesg"][0]["seq"], 1000)


class User(Arm64Tests, unittest.TestCase):
    """The kernel's tables are those of the trampoline, which maps next to nothing."""

    name = "arm-user"

    def test_every_vcpu_was_in_user_mode(self) -> None:
        self.assertEqual({vcpu["pstate"] & boot_arm64.EXCEPTION_LEVEL for vcpu in self.guest.vcpus}, {0})

    def test_the_tables_are_those_of_the_trampoline(self) -> None:
        info = elf_core.vmcoreinfo(self.guest).decode()
        trampoline = (elf_core.run_time_address(self.guest, "tramp_pg_dir")
                      - elf_core_arm64.number(info, r"NUMBER\(kimage_voffset\)")) % (1 << 64)
        self.assertEqual({vcpu["ttbr1_el1"] & 0xFFFFFFFFF000 for vcpu in self.guest.vcpus}, {trampoline})


class Kernel52OnProcessor48(PanicTests, Arm64Tests, unittest.TestCase):
    name = "arm-48-of-52"


class Dynamic(Arm64Tests, unittest.TestCase):
    name = "arm-dynamic"

    def test_the_beginning_of_the_boot_is_recovered(self) -> None:
        check_recovered(self)


class Efi(Arm64Tests, unittest.TestCase):
    name = "arm-efi"

    def test_the_image_lies_anywhere(self) -> None:
        """Not even at a multiple of 2 MiB, which booting without firmware makes it."""
        info = elf_core.vmcoreinfo(self.guest).decode()
        place = elf_core_arm64.kdump_segments(self.guest, info)[0][1]
        self.assertNotEqual(place, self.guest.scenario.ram + boot_arm64.KERNEL)
        self.assertEqual(place % 0x10000, 0)


class Pages16(KdumpTests, unittest.TestCase):
    name = "arm-16k"


class Pages16Bits47(PanicTests, Arm64Tests, unittest.TestCase):
    name = "arm-16k-47"


class Frozen(DiskTests, OneFolder, unittest.TestCase):
    """Tasks that hang, and the traces of all: return addresses on their stacks carry authentication codes."""

    name = "arm-frozen"
    waits = {comm: ("percpu_rwsem_wait", "percpu_rw_semaphore",
                    r"frozen file system nvme0n1 \(ext4\)") for comm in ("dd", "mkdir")}
    # The names of this kernel's variables are not in its memory, which those of file systems take.
    with_vmlinux = True

    def test_a_checkpoint_does_not_tell_where_processors_were(self) -> None:
        for vcpu in self.bt["vcpus"]:
            self.assertEqual((vcpu["mode"], vcpu["trace"]["frames"], vcpu["trace"]["why"]),
                             (None, [], "the checkpoint lacks its registers"))
            self.assertIn("rq.curr", vcpu["task_by"])

    def test_a_core_does(self) -> None:
        core = self.folder / "core"
        elf_core_arm64.write(core, self.guest, kdump=True)
        result = photon_dmesg("bt", "--json", self.vmlinux, core)
        self.assertEqual((result.status, result.said), (0, ""))
        for vcpu in result.json["vcpus"]:
            self.assertIn("the stack", vcpu["task_by"])
            self.assertEqual((vcpu["task"]["pid"], vcpu["trace"]["complete"]), (0, True))
            self.assertIn("do_idle", functions(vcpu["trace"]))

    def test_without_types_the_tasks_themselves_show_where_all_is(self) -> None:
        memory, header = self.folder / "untyped.raw", bytes.fromhex("9feb010018000000")  # BTF's
        subprocess.run(["cp", "--sparse=always", self.guest.memory, memory], check=True)
        with memory.open("r+b") as file, mmap.mmap(file.fileno(), 0) as image:
            places = [found.start() for found in re.finditer(re.escape(header), image)]
            self.assertGreater(len(places), 0)
            for place in places:
                image[place:place + len(header)] = bytes(len(header))
        checkpoint = guests.write_checkpoint(self.folder / "untyped", self.guest, memory=memory)
        result = photon_dmesg("bt", "--all", "-v", "--json", checkpoint)
        self.assertIn("which show where the members of a task are", result.err)
        found = by_pid(result.json)
        self.assertEqual(found.keys(), self.tasks.keys())
        for pid, task in self.tasks.items():
            with self.subTest(task=task["comm"], pid=pid):
                self.assertEqual([frame["address"] for frame in found[pid]["trace"]["frames"]],
                                 [frame["address"] for frame in task["trace"]["frames"]])
                for member in ("comm", "state", "tgid", "ppid"):
                    self.assertEqual(found[pid][member], task[member])

    def test_memory_alone_tells_all_but_names_and_clocks(self) -> None:
        alone = by_pid(self.document("ps", symbols=[]))
        self.assertEqual(alone.keys(), self.ps.keys())
        waiting = 0
        for pid, task in self.ps.items():
            with self.subTest(task=task["comm"], pid=pid):
                expected = {**task, "since_it_ran_nsec": None}
                if task["waits_for"]:
                    waiting += 1
                    expected["waits_for"] = {**task["waits_for"], "name": alone[pid]["waits_for"]["name"]}
                self.assertEqual(alone[pid], expected)
        self.assertGreaterEqual(waiting, len(self.waits))


class Packages(GuestFiles, unittest.TestCase):
    """What holds a kernel of arm64; what holds one of the other architecture is no source, and is called so."""

    name = "arm-vmware"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.other = guests.fetch(scenarios.by_name("k61"))
        cls.expected = photon_dmesg(*cls.files).out
        cls.package = packages.build(packages.debuginfo(cls.vmlinux, cls.guest.kernel.release,
                                                        architecture=ARCHITECTURE))
        cls.wrong = packages.build(packages.debuginfo(cls.other.kernel.vmlinux, cls.other.kernel.release))

    def check(self, source: Path) -> dict:
        result = photon_dmesg("--json", source, self.checkpoint)
        self.assertEqual((result.status, result.said), (0, ""))
        self.assertEqual(photon_dmesg(source, self.checkpoint).out, self.expected)
        return result.json["source"]

    def test_package(self) -> None:
        self.assertEqual(self.package.suffixes[-2:], [".aarch64", ".rpm"])
        self.assertEqual(self.check(self.package)["package"], str(self.package))

    def test_iso_with_packages_of_both(self) -> None:
        for folder in ("RPMS", "DEBUGRPMS"):
            iso = packages.iso(f"both-{folder}", {f"{folder}/{ARCHITECTURE}/{self.package.name}": self.package,
                                                  f"{folder}/x86_64/{self.wrong.name}": self.wrong})
            self.assertEqual(self.check(iso)["package"], f"{folder}/{ARCHITECTURE}/{self.package.name}")

    def test_profiles_of_one_release_for_both(self) -> None:
        same = packages.build(packages.debuginfo(self.other.kernel.vmlinux, self.guest.kernel.release))
        iso = packages.iso("one-release", {f"DEBUGRPMS/{ARCHITECTURE}/{self.package.name}": self.package,
                                           f"DEBUGRPMS/x86_64/{same.name}": same})
        store = self.folder / "store"
        made = photon_dmesg("profile", "--all", iso, "-o", store)
        self.assertEqual(made.status, 0, made.err)
        self.assertEqual(sorted(file.name for file in store.iterdir()),
                         [f"linux-{self.guest.kernel.release}.{architecture}.symbols"
                          for architecture in (ARCHITECTURE, "x86_64")])
        self.assertEqual(photon_dmesg(store, self.checkpoint).out, self.expected)

    def test_each_is_refused_for_the_other(self) -> None:
        checkpoint = guests.write_checkpoint(self.folder / "other", self.other)
        for source, dump in ((self.other.kernel.vmlinux, self.checkpoint), (self.wrong, self.checkpoint),
                             (self.vmlinux, checkpoint), (self.package, checkpoint)):
            with self.subTest(source=source.name):
                strict = photon_dmesg("--strict", source, dump)
                self.assertEqual((strict.status, strict.out), (4, b""))
                result = photon_dmesg(source, dump)
                self.assertEqual((result.status, result.out), (1, photon_dmesg(dump).out))
                for said in (strict.err, result.err):
                    self.assertRegex(said, r"\b(aarch64|arm64)\b")
                    self.assertRegex(said, r"\bx86[-_]64\b")


if __name__ == "__main__":
    unittest.main()
