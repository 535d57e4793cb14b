"""Logs of several guests in one output, in which each record says whose it is."""

import json
import mmap
import re
import shutil
import unittest
from pathlib import Path

import packages
import paths
import peers
from guest_files import GuestFiles
from tool import photon_dmesg


class Several(GuestFiles, unittest.TestCase):
    """Two guests with one kernel, from one ISO: one of them in a folder of its own, with the same name."""
    name = "k61"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        package = packages.build(packages.debuginfo(cls.vmlinux, cls.guest.kernel.release))
        cls.iso = packages.iso("several", {f"RPMS/{package.name}": package})
        folder = cls.folder / "second"
        folder.mkdir()
        cls.second = folder / cls.checkpoint.name
        cls.second.write_bytes(cls.checkpoint.read_bytes())
        paths.copy_sparse(cls.folder / "vm.vmem", folder / "vm.vmem")

    def alone(self, *options: object) -> list[dict]:
        out = photon_dmesg(*options, self.iso, self.checkpoint).out
        return [json.loads(line) for line in out.splitlines()]

    def test_ndjson_is_that_of_each(self) -> None:
        found = photon_dmesg("--ndjson", "-v", self.iso, self.second, self.checkpoint)
        self.assertEqual(found.status, 0)
        lines = [json.loads(line) for line in found.out.splitlines()]
        alone = self.alone("--ndjson")
        self.assertGreater(len(alone), 300)
        expected = [record | {"guest": str(guest), "hostname": None}
                    for guest in (self.second, self.checkpoint) for record in alone]
        self.assertEqual(len({line["hostname"] for line in lines}), 1)
        self.assertEqual([line | {"hostname": None} for line in lines], expected)
        # Its debug information is unpacked for the first guest, and shared with the second.
        once = photon_dmesg("--ndjson", "-v", self.iso, self.checkpoint).err
        digests = r"(?m)^.*digest.*$"
        self.assertTrue(re.findall(digests, once))
        self.assertEqual(re.findall(digests, found.err), re.findall(digests, once))

    def test_every_format_that_takes_several(self) -> None:
        names = {"ecs": "log", "journal-json": "PHOTON_CHECKPOINT"}
        for form, key in names.items():
            with self.subTest(form=form):
                out = photon_dmesg("--format", form, self.checkpoint, self.second).out
                lines = [json.loads(line) for line in out.splitlines()]
                count = len(lines) // 2
                whose = [line[key]["file"]["path"] if form == "ecs" else line[key]
                         for line in lines]
                self.assertEqual(whose, [str(self.checkpoint)] * count + [str(self.second)] * count)
        out = photon_dmesg("--format", "otlp", self.checkpoint, self.second).out
        resources = json.loads(out)["resourceLogs"]
        self.assertEqual(len(resources), 2)
        alone = json.loads(photon_dmesg("--format", "otlp", self.checkpoint).out)["resourceLogs"]
        self.assertEqual(resources[0], alone[0])
        self.assertEqual(resources[1]["scopeLogs"], alone[0]["scopeLogs"])
        syslog = photon_dmesg("--format", "syslog", self.checkpoint, self.second).out.decode()
        alone = photon_dmesg("--format", "syslog", self.checkpoint).out.decode()
        self.assertEqual(re.sub(r"\[photon-dmesg@32473 [^]]*\]", "", syslog), alone * 2)
        self.assertEqual(syslog.count(f'checkpoint="{self.second}"'), alone.count("\n"))

    @peers.judged
    def test_a_journal_of_both(self) -> None:
        out = photon_dmesg("--format", "journal-export", self.checkpoint, self.second).out
        export = self.folder / "both.export"
        export.write_bytes(out)
        journal = self.folder / "both.journal"
        paths.run("/lib/systemd/systemd-journal-remote", "-o", journal, export)
        fields = paths.run("journalctl", "--file", journal, "-o", "json",
                           f"PHOTON_CHECKPOINT={self.second}").stdout.splitlines()
        self.assertGreater(len(fields), 300)
        self.assertEqual(len(fields), out.count(f"\nPHOTON_CHECKPOINT={self.second}\n".encode()))

    def test_a_damaged_one_is_named(self) -> None:
        damaged = self.folder / "damaged.vmss"
        damaged.write_bytes(self.checkpoint.read_bytes()[:4])
        for order in ((damaged, self.checkpoint), (self.checkpoint, damaged)):
            found = photon_dmesg("--ndjson", *order)
            self.assertEqual(found.status, 1)
            self.assertRegex(found.err, rf"warning: [^\n]*{re.escape(str(damaged))}[^\n]*\n\Z")
            self.assertIn("this guest's log is not printed", found.err)
            self.assertEqual({json.loads(line)["guest"] for line in found.out.splitlines()},
                             {str(self.checkpoint)})
            json.loads(photon_dmesg("--format", "otlp", *order).out)
        other = self.folder / "other.vmss"
        other.write_bytes(damaged.read_bytes())
        none = photon_dmesg("--ndjson", damaged, other)
        self.assertEqual((none.status, none.out), (3, b""))
        strict = photon_dmesg("--ndjson", "--strict", damaged, self.checkpoint)
        self.assertEqual(strict.status, 3)

    def test_folders_count_as_their_checkpoints(self) -> None:
        out = photon_dmesg("--ndjson", self.checkpoint, self.second.parent).out
        self.assertEqual({json.loads(line)["guest"] for line in out.splitlines()},
                         {str(self.checkpoint), str(self.second)})

    def test_formats_for_one_say_which_are_for_several(self) -> None:
        for options in ((), ("--json",), ("-J",), ("--format", "kmsg")):
            found = photon_dmesg(*options, self.checkpoint, self.second)
            self.assertEqual((found.status, found.out), (2, b""))
            self.assertRegex(found.err, "expected one checkpoint, found 2: name the one to read, or "
                             "read all of them: --format ndjson, ecs, otlp, journal-json, "
                             "journal-export, syslog can hold several logs, and photon-dmesg batch")

    def test_redacted_alike(self) -> None:
        out = photon_dmesg("--redact", "--ndjson", self.checkpoint, self.second).out
        lines = [json.loads(line) for line in out.splitlines()]
        half = len(lines) // 2
        self.assertEqual([line["msg"] for line in lines[:half]],
                         [line["msg"] for line in lines[half:]])

    def with_lines(self, name: str, *lines: str) -> Path:
        """A guest like the first one, in whose log some records have other texts."""
        folder = self.folder / name
        folder.mkdir()
        paths.copy_sparse(self.folder / "vm.vmem", folder / "vm.vmem")
        texts = {record["msg"] for record in self.alone("--ndjson")}
        long = sorted(text for text in texts if text.isascii() and text.isprintable() and len(text) > 60)
        with (folder / "vm.vmem").open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            for old, line in zip(long, lines, strict=False):
                while (at := memory.find(old.encode())) >= 0:
                    memory[at:at + len(old)] = line.ljust(len(old)).encode()
        return Path(shutil.copy(self.checkpoint, folder))

    def test_one_guests_names_are_redacted_in_the_logs_of_all(self) -> None:
        guests = (self.with_lines("a", "systemd[1]: Hostname set to <node-aa>.", "lost member node-bb"),
                  self.with_lines("b", "systemd[1]: Hostname set to <node-bb>.", "lost member node-aa"))
        plain = photon_dmesg("--format", "syslog", *guests).out
        for name in (b"<node-aa>", b"<node-bb>", b"member node-aa", b"member node-bb"):
            self.assertIn(name, plain)
        redacted = photon_dmesg("--format", "syslog", "--redact", *guests)
        self.assertEqual(re.findall(b"node-(?:aa|bb)", redacted.out), [])
        self.assertEqual(redacted.out.count(b"lost member <host-"), 2)

    def test_lines_are_what_the_schema_says(self) -> None:
        documents = []
        for command in (("--json", self.checkpoint), ("--ndjson", self.checkpoint, self.second),
                        *((name, "--json", self.checkpoint)
                          for name in ("info", "bt", "ps", "triage"))):
            documents.append(self.folder / f"{len(documents)}.json")
            documents[-1].write_bytes(photon_dmesg(*command).out)
        paths.run(peers.PYTHON, paths.SOURCE / "fixtures/check_schemas.py",
                  paths.SOURCE.parents[1] / "share/schema", *documents)
