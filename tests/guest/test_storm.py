"""Guests that are stopped again and again while three writers fill the log: whatever printk was
doing then, every finished record must come out as it was written, and none may be invented."""

import random
import re
import tempfile
import time
import unittest
from pathlib import Path

import boot
import checkpoint_writer
import kernels
import paths
from scenarios import MIB, Scenario
from tool import losses, photon_dmesg

STOPS = 100  # of each kernel
LISTED = re.compile(r"\(sequence numbers? ([^)]+)\)")


def expected_filling(writer: int, number: int) -> str:
    return chr(ord("a") + (number + writer) % 26) * ((number * 7919 + writer * 31) % 331)


class Storm:
    """Subclasses name the kernel."""

    series: str
    command_line = ""

    @classmethod
    def setUpClass(cls) -> None:
        cls.kernel = kernels.fetch(cls.series)
        scenario = Scenario(f"storm-{cls.series}", cls.series, 2, 512 * MIB, cls.command_line,
                            mode="storm")
        folder = tempfile.TemporaryDirectory(dir=paths.cache())
        cls.addClassCleanup(folder.cleanup)
        cls.work = Path(folder.name)
        cls.monitor = cls.enterClassContext(boot.running(scenario, cls.kernel, cls.work))

    def stop(self) -> Path:
        self.monitor.call("stop")
        return checkpoint_writer.write(self.work / "vm", self.work / "memory.raw",
                                       self.monitor.registers())

    def check_records(self, document: dict) -> int:
        """Checks each record of the storm; returns how many there are."""
        last: dict[int, int] = {}
        expected_seq = None
        seen = 0
        for record in document["dmesg"]:
            # Behind a gap, or a record without text, it is not known whose records were lost.
            if record["seq"] != expected_seq or record.get("state") == "text-lost":
                last.clear()
            expected_seq = record["seq"] + 1
            # The kernel itself cuts a text for which there is too little room.
            found = re.fullmatch(r"storm (\d+) (\d+)( ?)([a-z]*)(<truncated>)?", record["msg"])
            if not found:
                self.assertNotRegex(record["msg"], "^storm")
                continue
            writer, number = int(found.group(1)), int(found.group(2))
            _, _, space, letters, cut = found.groups()
            if cut and not space:  # in the middle of the number, maybe
                last.pop(writer, None)
                continue
            filling = expected_filling(writer, number)
            if cut:
                filling = filling[:len(letters)]
            self.assertEqual(letters, filling, record)
            # A writer goes on when the kernel has taken its record, so none can be missing.
            self.assertEqual(number, last.get(writer, number - 1) + 1, record)
            last[writer] = number
            seen += 1
        return seen

    def check_unlogged(self, document: dict) -> int:
        """A record being written is the beginning of what would have been; returns how many texts
        there are. Behind the point that textbuf was filled to stands an earlier text's end."""
        for entry in document["unlogged"]:
            self.assertIn(entry["source"], ("reserved", "textbuf"))
            if entry["source"] == "textbuf":
                self.assertIn(entry["msg"][:6], "storm ")
            elif found := re.fullmatch(r"storm (\d+) (\d+) ([a-z]*)", entry["msg"]):
                filling = expected_filling(int(found.group(1)), int(found.group(2)))
                self.assertTrue(filling.startswith(found.group(3)), entry)
        return len(document["unlogged"])

    def check_sequence(self, document: dict) -> None:
        """Every number between the first and the last record is there or reported as lost."""
        seqs = [record["seq"] for record in document["dmesg"]]
        self.assertEqual(seqs, sorted(set(seqs)))
        missing = set(range(seqs[0], seqs[-1] + 1)) - set(seqs)
        reported = set()
        for listed in LISTED.findall(" ".join(document["warnings"])):
            for part in listed.replace("... ", "").split(", "):
                first, _, last = part.partition(" to ")
                reported |= set(range(int(first), int(last or first) + 1))
        self.assertEqual(missing - reported, set())

    def test_every_stop_gives_a_sound_log(self) -> None:
        generator = random.Random(1)
        total = incomplete = torn = 0
        for stop in range(STOPS):
            checkpoint = self.stop()
            symbols = [] if stop % 5 == 0 else [self.kernel.vmlinux]
            with self.subTest(stop=stop, symbols=symbols):
                result = photon_dmesg("--json", *symbols, checkpoint)
                self.assertIn(result.status, (0, 1), result.err)
                document = result.json
                self.assertEqual(result.status == 1, bool(losses(document)), result.err)
                incomplete += result.status
                self.check_sequence(document)
                total += self.check_records(document)
                torn += self.check_unlogged(document)
            self.monitor.call("cont")
            # A moment whose length is never the same.
            time.sleep(generator.uniform(0.001, 0.03))
        self.assertGreater(total, 100 * STOPS)
        print(f"{total} records checked in {STOPS} stops; {incomplete} logs had lost some; "
              f"{torn} texts were no record yet")


class Storm510(Storm, unittest.TestCase):
    series = "5.10"


class Storm61(Storm, unittest.TestCase):
    series = "6.1"


class Storm612(Storm, unittest.TestCase):
    series = "6.12"


if __name__ == "__main__":
    unittest.main()
