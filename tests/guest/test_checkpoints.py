"""Every variant of a checkpoint that is described, over a real guest's memory: the log must be the
same in all of them, and crash must agree where it can read the variant."""

import os
import tempfile
import unittest
from pathlib import Path

import boot
import checkpoint_writer
import elf_core
import paths
import scenarios
import tool
from checkpoint_writer import PAGE, Form, Memory, Registers
from tool import photon_dmesg

MIB = 1 << 20
GIB = 1 << 30
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 100

CRASH_READS = {
    "partial": Form(magic=0xBED3BED3),
    "restored": Form(magic=0xBAD1BAD1),
    "not to be restored": Form(magic=0xBAD2BAD2, suffix=".vmsn"),
    "regions of 8 bytes": Form(region_bytes=8),
    "no regions": Form(regions=()),
    "groups in reverse": Form(reversed=True),
    "monolithic, blocks": Form(memory=Memory.MONOLITHIC, registers=Registers.BLOCK),
}
CRASH_DOES_NOT = {
    "old magic of VMware's reader": Form(magic=0xBED0BED0, lengths=4),
    "old magic of Volatility": Form(magic=0xBED2BED0, lengths=4, registers=Registers.BLOCK),
    "old, monolithic": Form(magic=0xBED2BED0, lengths=4, memory=Memory.MONOLITHIC),
    "padded blocks": Form(padding=5, registers=Registers.BLOCK),
    "padded blocks, regions of 8 bytes": Form(padding=65535, region_bytes=8),
    "memory group twice": Form(twice=True),
    "rsp before rbp": Form(registers=Registers.BLOCK, rsp_first=True),
    "monolithic, regions of 8 bytes": Form(memory=Memory.MONOLITHIC, region_bytes=8),
}


class OneGuest(unittest.TestCase):
    """A guest whose checkpoint is written in many ways."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = boot.boot(scenarios.by_name("k61"))
        cls.vmlinux = cls.guest.kernel.vmlinux
        cls._folder = tempfile.TemporaryDirectory(dir=cls.guest.folder)
        cls.addClassCleanup(cls._folder.cleanup)
        cls.folder = Path(cls._folder.name)
        cls.checkpoint = cls.write("plain", Form())
        cls.expected = photon_dmesg(cls.vmlinux, cls.checkpoint).out
        assert cls.expected.count(b"\n") > 300

    @classmethod
    def write(cls, name: str, form: Form, image: Path | None = None,
              vcpus: list[dict[str, int]] | None = None) -> Path:
        return checkpoint_writer.write(cls.folder / name, image or cls.guest.memory,
                                       vcpus or cls.guest.vcpus, form)

    def check_log(self, *files: object) -> None:
        result = photon_dmesg(*files)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(result.out, self.expected)


class Variants(OneGuest):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.crash = tool.crash_log(cls.vmlinux, cls.checkpoint)

    def test_every_variant_gives_the_same_log(self) -> None:
        for number, (name, form) in enumerate((CRASH_READS | CRASH_DOES_NOT).items()):
            with self.subTest(variant=name):
                self.check_log(self.vmlinux, self.write(f"variant{number}", form))

    def test_crash_agrees_where_it_can_read_the_variant(self) -> None:
        for number, (name, form) in enumerate(CRASH_READS.items()):
            with self.subTest(variant=name):
                checkpoint = self.write(f"crash{number}", form)
                self.assertEqual(tool.crash_log(self.vmlinux, checkpoint), self.crash)

    @staticmethod
    def free_ranges(memory: Path, count: int) -> list[tuple[int, int]]:
        """The first ranges of 1 MiB in which the guest has never written anything."""
        found = []
        with memory.open("rb") as image:
            at = MIB
            while len(found) < count:
                data = os.lseek(image.fileno(), at, os.SEEK_DATA)
                if data - at >= 2 * MIB:
                    begin = -(-at // MIB) * MIB
                    found.append((begin, begin + MIB))
                    at = begin + 2 * MIB
                else:
                    at = os.lseek(image.fileno(), data, os.SEEK_HOLE)
        return found

    def guest_above_two_holes(self) -> tuple[boot.Guest, list[tuple[int, int]]]:
        """A guest whose kernel KASLR has loaded above two ranges that can be taken out."""
        for name in ("k61", "k61-user", "k61-wrapped-pti", "k61-panic", "k61-clear"):
            guest = boot.boot(scenarios.by_name(name))
            checkpoint = checkpoint_writer.write(self.folder / name, guest.memory, guest.vcpus)
            kernel = photon_dmesg("--json", self.vmlinux, checkpoint).json["guest"]
            load = int(kernel["phys_base"], 0) + int(kernel["kaslr_offset"], 0) + 16 * MIB
            holes = self.free_ranges(guest.memory, 2)
            if load % (1 << 64) >= holes[-1][1]:
                return guest, holes
        raise RuntimeError("every guest's kernel lies too low")

    def test_two_holes_are_counted_right_where_crash_is_wrong(self) -> None:
        guest, ((first, first_end), (second, second_end)) = self.guest_above_two_holes()
        plain = self.folder / f"{guest.scenario.name}.vmss"
        expected = photon_dmesg(self.vmlinux, plain).out
        pieces = [(0, first), (first_end, second), (second_end, guest.memory.stat().st_size)]
        image = self.folder / "without holes"
        regions, at = [], 0
        image.touch()
        for begin, end in pieces:
            regions.append((begin // PAGE, at // PAGE, (end - begin) // PAGE))
            paths.run("dd", f"if={guest.memory}", f"of={image}", "bs=1M", "conv=notrunc,sparse",
                      f"skip={begin // MIB}", f"count={(end - begin) // MIB}", f"seek={at // MIB}")
            at += end - begin
        os.truncate(image, at)
        for memory in (Memory.MONOLITHIC, Memory.SEPARATE):
            checkpoint = self.write(f"holes {memory.value}", Form(memory, regions=tuple(regions)),
                                    image, guest.vcpus)
            result = photon_dmesg(self.vmlinux, checkpoint)
            self.assertEqual((result.status, result.out), (0, expected), result.err)
        try:
            crash = tool.crash_log(self.vmlinux, checkpoint)
        except RuntimeError:
            crash = None
        self.assertNotEqual(crash, tool.crash_log(self.vmlinux, plain),
                            "crash counts both holes right: drop this test")

    def test_the_order_of_rsp_and_rbp_is_found_out_and_noted(self) -> None:
        # As it was, and as a kernel without frame pointers may have it: rbp holds anything.
        anything = [vcpu | {"rbp": 0x1234 + index} for index, vcpu in enumerate(self.guest.vcpus)]
        for vcpus in (self.guest.vcpus, anything):
            for rsp_first in (False, True):
                form = Form(registers=Registers.BLOCK, rsp_first=rsp_first)
                checkpoint = self.write(f"order{rsp_first}", form, vcpus=vcpus)
                result = photon_dmesg("-v", self.vmlinux, checkpoint)
                self.assertEqual(result.out, self.expected)
                self.assertEqual(result.err.count("rsp stands before rbp in gpregs"), rsp_first)

    def test_a_sparse_memory_of_128_gib(self) -> None:
        image = self.folder / "128 GiB"
        paths.copy_sparse(self.guest.memory, image)
        os.truncate(image, 128 * GIB)
        checkpoint = self.write("large", Form(), image)
        self.check_log(self.vmlinux, checkpoint)
        self.assertLess(image.stat().st_blocks * 512, GIB)
        # Alone as well: holes are not searched for a kernel.
        alone = photon_dmesg(self.vmlinux, image)
        self.assertEqual((alone.status, alone.out), (0, self.expected), alone.err)

    def test_a_checkpoint_cut_off_behind_what_is_needed(self) -> None:
        checkpoint = self.write("cut", Form(reversed=True))
        whole = checkpoint.read_bytes()
        # The last group is the first of those written in order: the product's name.
        os.truncate(checkpoint, whole.index(b"ProductName") + 20)
        result = photon_dmesg(self.vmlinux, checkpoint)
        self.assertEqual((result.status, result.out), (0, self.expected))
        self.assertIn("truncated: 1 of", result.err)
        # Of the other order the last ones are devices and memory: nothing can be missing.
        self.assertRegex(photon_dmesg("info", checkpoint).out.decode(), r"Checkpoint \(cut off\)")


class Info(OneGuest):
    """photon-dmesg info, on the same files."""

    def places(self, vcpu: int) -> list[str]:
        """What a vCPU's RIP may be called, by the System.map; [None] in user mode."""
        rip = self.guest.vcpus[vcpu]["rip"]
        offset = elf_core.run_time_address(self.guest, "_text") - elf_core.linked_address(
            self.guest, "_text")
        symbols: dict[int, list[str]] = {}
        for line in self.guest.kernel.system_map.read_text().splitlines():
            address, _, name = line.split(" ", 2)
            symbols.setdefault(int(address, 16) + offset, []).append(name)
        nearest = max((address for address in symbols if address <= rip), default=0)
        if rip < 1 << 63:
            return [None]
        return [f"{name}+{rip - nearest:#x}" for name in symbols[nearest]]

    def test_says_what_is_in_front_of_the_user(self) -> None:
        result = photon_dmesg("info", self.vmlinux, self.checkpoint)
        self.assertEqual((result.status, result.err), (0, ""))
        text = result.out.decode()
        self.assertTrue(any(f"RIP {self.guest.vcpus[1]['rip']:#x}, {place or 'user mode'}" in text
                            for place in self.places(1)), text)
        for part in ("VMware checkpoint", "magic 0xbed2bed2", "VMware ESX 7.0.3",
                     "512 MiB", "region       PPN 0x0, 0x20000 pages",
                     f"release      {self.guest.kernel.release}",
                     f"536870912 bytes in {self.checkpoint.with_suffix('.vmem')}"):
            self.assertIn(part, text)
        self.assertRegex(text, r"uptime       [1-9]\d*\.\d{3} s")

    def test_json_agrees_with_the_log_and_the_registers(self) -> None:
        log = photon_dmesg("--json", self.vmlinux, self.checkpoint).json
        for symbols in ([self.vmlinux], [self.guest.kernel.system_map], []):
            with self.subTest(symbols=symbols):
                found = photon_dmesg("info", "--json", *symbols, self.checkpoint).json
                self.assertEqual(found["problems"], [])
                self.assertEqual(found["guest"], log["guest"])
                if symbols == [self.vmlinux]:
                    self.assertEqual(found["source"], log["source"])
                for cpu, vcpu in zip(found["registers"], self.guest.vcpus, strict=True):
                    self.assertEqual(int(cpu["rip"], 16), vcpu["rip"])
                    self.assertEqual(int(cpu["cr3"], 16), vcpu["cr3"])
                    self.assertIn(cpu["symbol"], self.places(cpu["index"]))
                self.assertEqual(found["memory_ranges"],
                                 [{"begin": "0x0", "size": 512 * MIB}])

    def test_what_a_checkpoint_lacks_does_not_keep_the_rest_back(self) -> None:
        checkpoint = self.write("without", Form(configuration='displayName = "stuck"\n'))
        picture, vmx = self.folder / "none.png", self.folder / "taken.vmx"
        result = photon_dmesg("info", "--screenshot", picture, "--vmx", vmx, checkpoint)
        self.assertEqual(result.status, 3, result.err)
        self.assertIn(b"holds no screenshot", result.out)
        self.assertIn(b"memory", result.out)
        self.assertEqual(vmx.read_text(), 'displayName = "stuck"\n')
        self.assertFalse(picture.exists())

    def test_tags_screenshot_and_configuration(self) -> None:
        form = Form(screenshot=PNG, configuration='displayName = "stuck"\nmemsize = "512"\n')
        checkpoint = self.write("screen", form)
        picture, vmx = self.folder / "screen.png", self.folder / "stuck.vmx"
        result = photon_dmesg("info", "--tags", "--screenshot", picture, "--vmx", vmx, checkpoint)
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(picture.read_bytes(), PNG)
        self.assertEqual(vmx.read_text(), form.configuration)
        text = result.out.decode()
        rip = self.guest.vcpus[1]["rip"]
        self.assertIn(f"tag          cpu/rip[1] = {rip:#x}\n", text)
        self.assertIn("tag          memory/regionSize[0] = 0x20000\n", text)
        self.assertRegex(text, r"MKSVMX/imageData\[0\]: \d+ bytes at 0x")
        found = photon_dmesg("info", "--json", "--tags", checkpoint).json["tags"]
        self.assertIn({"group": "cpu", "name": "cpu:numVCPUs", "number": 2},
                      [{key: tag[key] for key in ("group", "name", "number")} for tag in found])

    def test_without_its_memory_a_checkpoint_still_tells_of_itself(self) -> None:
        checkpoint = self.write("alone", Form())
        checkpoint.with_suffix(".vmem").unlink()
        result = photon_dmesg("info", checkpoint)
        self.assertEqual(result.status, 3)
        text = result.out.decode()
        self.assertIn("VMware ESX 7.0.3", text)
        self.assertIn(f"vCPU 0       RIP {self.guest.vcpus[0]['rip']:#x}", text)
        self.assertRegex(text, r"problem      .*there is no alone\.vmem beside it")

    def test_other_files_are_named(self) -> None:
        result = photon_dmesg("info", self.vmlinux)
        self.assertEqual(result.status, 0)
        self.assertRegex(result.out.decode(), r"\Afile +\S+: vmlinux, \d+ bytes\n\Z")
        wrong = photon_dmesg("info", "--tags", self.guest.memory)
        self.assertEqual(wrong.status, 2)
        self.assertIn("expected a VMware checkpoint", wrong.err)


if __name__ == "__main__":
    unittest.main()
