"""A real guest's log with one bit of it flipped: nothing is missing, too much or renumbered in silence."""

import random
import re
import unittest
from pathlib import Path

import paths
from guest_files import GuestFiles
from tool import Result, photon_dmesg

IMAGE = 0xFFFFFFFF80000000  # __START_KERNEL_map
FLIPS = 40  # of each part


class Damage(GuestFiles):
    """Subclasses name a guest whose ring is in the kernel's image."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.memory = cls.folder / "damaged.vmem"
        paths.copy_sparse(cls.guest.memory, cls.memory)
        cls.damaged = cls.checkpoint_of(cls.memory)
        cls.right = cls.read(cls.damaged)
        said = photon_dmesg("-v", cls.damaged).err
        number = r"(0x[0-9a-f]+|\d+)"
        ring = re.search(rf"printk_ringbuffer at {number}: .*; {number} descriptors at {number}, infos at "
                         rf"{number}, {number} bytes of text at {number}", said)
        header, count, descriptors, infos, size, text = (int(value, 0) for value in ring.groups())
        phys_base = int(re.search(rf"phys_base {number}", said).group(1), 0)
        info_size = (header - infos if infos < header else descriptors - infos) // count
        cls.parts = {  # addresses, and whether a bit there is one record's own value
            "header": (header, 80, False),
            "descriptors": (descriptors, count * 24, False),
            "infos": (infos, count * min(info_size, 88), True),
            "texts": (text, size, True),
        }
        cls.physical = lambda _, address: (address - IMAGE + phys_base) % (1 << 64)

    @staticmethod
    def read(checkpoint: Path) -> Result:
        return photon_dmesg("--json", checkpoint)

    def flip(self, place: int, bit: int) -> None:
        with self.memory.open("r+b") as file:
            file.seek(place)
            byte = file.read(1)[0]
            file.seek(place)
            file.write(bytes([byte ^ 1 << bit]))

    def judge(self, found: Result, is_value: bool) -> str:
        if not found.out:
            self.assertIn(found.status, (3, 4), found.err)
            return "refused"
        if found.status == 1:
            self.assertIn("warning: ", found.err)
            return "said"
        right, records = self.right.json["dmesg"], found.json["dmesg"]
        if records == right:
            return "same"
        self.assertEqual([record["seq"] for record in records], [record["seq"] for record in right])
        differing = sum(1 for left, record in zip(right, records) if left != record)
        self.assertTrue(is_value)
        self.assertEqual(differing, 1)
        return "value"

    def test_no_flipped_bit_is_wrong_in_silence(self) -> None:
        self.assertEqual(self.right.status, 0, self.right.err)
        chance = random.Random(self.name)
        for part, (begin, size, is_value) in self.parts.items():
            outcomes: dict[str, int] = {}
            for _ in range(FLIPS):
                place, bit = self.physical(begin + chance.randrange(size)), chance.randrange(8)
                with self.subTest(part=part, place=hex(place), bit=bit):
                    self.flip(place, bit)
                    try:
                        outcome = self.judge(self.read(self.damaged), is_value)
                    finally:
                        self.flip(place, bit)
                    outcomes[outcome] = outcomes.get(outcome, 0) + 1
            print(f"    {self.name}, {part}: {outcomes}", flush=True)


class Wrapped61(Damage, unittest.TestCase):
    name = "k61-wrapped-pti"


class Ordinary510(Damage, unittest.TestCase):
    name = "k510"


class Newest(Damage, unittest.TestCase):
    name = "k7"
