"""Many guests in one run: which tickets are found, that each result is what the program says of it
alone, that damage, death and interruption of one stop no other, and that a run can be gone on with."""

import csv
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import boot
import checkpoint_writer
import packages
import scenarios
import tool
from tool import photon_dmesg

GUESTS = ("k61", "k61-oops", "k612-spins")


class Batch(unittest.TestCase):
    """Three guests of two kernels as tickets in a tree of folders, as a support team has them."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.guests = {name: boot.boot(scenarios.by_name(name)) for name in GUESTS}
        first = cls.guests["k61"]
        folder = tempfile.TemporaryDirectory(dir=first.folder)
        cls.addClassCleanup(folder.cleanup)
        cls.shared = Path(folder.name)
        cls.cases = cls.shared / "cases"
        for name, guest in cls.guests.items():
            (cls.cases / name).mkdir(parents=True)
            checkpoint_writer.write(cls.cases / name / "vm", guest.memory, guest.vcpus)
        (cls.cases / "notes.txt").write_text("three tickets\n")
        kernels = [cls.guests[name].kernel for name in ("k61", "k612-spins")]
        cls.iso = packages.iso("batch", {
            f"DEBUGRPMS/{kernel.release}/linux-debuginfo-6.1.0-1.ph5.x86_64.rpm":
                packages.build(packages.debuginfo(kernel.vmlinux, kernel.release))
            for kernel in kernels})

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.shared)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.results = self.folder / "results"

    def batch(self, *arguments: object, results: Path | None = None,
              **options: object) -> tool.Result:
        return photon_dmesg("batch", *arguments, "-o", results or self.results, **options)

    def ticket(self, name: str, results: Path | None = None) -> dict:
        return json.loads(((results or self.results) / name / "ticket.json").read_text())

    def summary(self, results: Path | None = None, name: str = "summary.ndjson") -> list[dict]:
        text = ((results or self.results) / name).read_text()
        return [json.loads(line) for line in text.splitlines()]

    def check_single(self, name: str, *symbols: object) -> None:
        """That a ticket's results are what the program prints of it alone."""
        checkpoint = self.cases / name / "vm.vmss"
        single = photon_dmesg(*symbols, checkpoint)
        folder = self.results / f"{name}-vm"
        self.assertEqual((folder / "log.txt").read_bytes(), single.out)
        self.assertEqual(self.ticket(folder.name)["status"], single.status)
        triage = photon_dmesg("triage", "--json", *symbols, checkpoint).json
        written = json.loads((folder / "triage.json").read_text())
        for report in (written, triage):
            report["inputs"].sort(key=lambda source: source["path"])
        self.assertEqual(written, triage)
        self.assertEqual((folder / "triage.txt").read_bytes(),
                         photon_dmesg("triage", *symbols, checkpoint).out)

    def test_results_are_those_of_each_guest_alone(self) -> None:
        result = self.batch(self.cases)
        self.assertEqual(result.status, 0, result.err)
        for name in GUESTS:
            self.check_single(name)
        self.assertEqual(result.out, (self.results / "summary.txt").read_bytes())
        self.assertEqual([ticket["ticket"] for ticket in self.summary()],
                         ["k61-oops-vm", "k612-spins-vm", "k61-vm"], "the worst first")
        kinds = [[finding["kind"] for finding in ticket["findings"]][:1]
                 for ticket in self.summary()]
        self.assertEqual(kinds, [["oops"], ["hard_lockup"], []])
        with (self.results / "summary.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["ticket"] for row in rows],
                         ["k61-oops-vm", "k612-spins-vm", "k61-vm"])
        self.assertEqual({row["release"] for row in rows},
                         {guest.kernel.release for guest in self.guests.values()})

    def test_symbols_for_all_are_read_once_for_each_kernel(self) -> None:
        cache = self.folder / "cache"
        result = self.batch("-j", 3, self.iso, "--", self.cases, cache=cache)
        self.assertEqual(result.status, 0, result.err)
        for name in GUESTS:
            self.check_single(name, self.iso)
            self.assertIn(".rpm", self.ticket(f"{name}-vm")["symbols"])
        self.assertEqual(len(list((cache / "photon-dmesg").glob("*.symbols"))), 2)

    def test_without_cache_nothing_is_kept(self) -> None:
        temporary = self.folder / "tmp"
        temporary.mkdir()
        with mock.patch.dict(os.environ, TMPDIR=str(temporary)):
            result = self.batch("--no-cache", "--symbols", self.iso, self.cases,
                                cache=self.folder / "cache")
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(list(temporary.iterdir()), [])
        self.assertFalse((self.folder / "cache").exists())

    def test_profiles_of_all_kernels_serve_as_symbols(self) -> None:
        store = self.folder / "store"
        made = photon_dmesg("profile", "--all", self.iso, "-o", store)
        self.assertEqual(made.status, 0, made.err)
        self.assertEqual(len(list(store.glob("*.symbols"))), 2)
        result = self.batch("--symbols", store, self.cases)
        self.assertEqual(result.status, 0, result.err)
        for name in GUESTS:
            self.assertIn(str(store), self.ticket(f"{name}-vm")["symbols"])

    def test_symbols_of_other_kernels_are_passed_over(self) -> None:
        vmlinux = self.guests["k612-spins"].kernel.vmlinux
        result = self.batch("--symbols", vmlinux, self.cases)
        self.assertEqual(result.status, 1, result.err)
        self.assertEqual(self.ticket("k612-spins-vm")["status"], 0)
        self.assertIn("found those of other kernels", "".join(self.ticket("k61-vm")["warnings"]))
        self.assertIn("kallsyms", self.ticket("k61-vm")["symbols"])

    def test_a_damaged_ticket_stops_no_other(self) -> None:
        cases = self.folder / "cases"
        shutil.copytree(self.cases / "k61", cases / "well", copy_function=os.link)
        (cases / "cut").mkdir()
        content = (self.cases / "k61" / "vm.vmss").read_bytes()
        (cases / "cut" / "vm.vmss").write_bytes(content[:3000])
        (cases / "empty").mkdir()
        (cases / "empty" / "vm.vmss").write_bytes(b"")
        result = self.batch(cases, self.folder / "absent.vmss")
        self.assertEqual(result.status, 1)
        self.assertEqual(self.ticket("well-vm")["status"], 0)
        for name in ("cut-vm", "empty-vm"):
            self.assertEqual(self.ticket(name)["status"], 3)
            self.assertIn(self.ticket(name)["error"], result.err)
        self.assertEqual(len(self.summary()), 4)
        self.assertIsNotNone(self.summary()[0]["findings"], "what was read comes first")
        with self.subTest("going on tries again what failed"):
            def made() -> dict[str, int]:
                return {name: (self.results / name / "ticket.json").stat().st_ino
                        for name in ("well-vm", "cut-vm")}

            before = made()
            self.batch("--resume", cases)
            self.assertEqual(made()["well-vm"], before["well-vm"])
            self.assertNotEqual(made()["cut-vm"], before["cut-vm"])

    def test_bundles_are_looked_into(self) -> None:
        cases = self.folder / "cases"
        cases.mkdir()
        with tarfile.open(cases / "4711.tgz", "w:gz", compresslevel=1) as bundle:
            for name in ("k61", "k61-oops"):
                for file in (self.cases / name).iterdir():
                    bundle.add(file, f"vmfs/volumes/ds1/{name}/{file.name}")
        with tarfile.open(cases / "sources.tar.gz", "w:gz") as other:
            other.add(self.cases / "notes.txt", "notes.txt")
        result = self.batch(cases)
        self.assertEqual(result.status, 0, result.err)
        names = {name: f"4711.tgz-vmfs-volumes-ds1-{name}-vm" for name in ("k61", "k61-oops")}
        self.assertEqual({ticket["ticket"] for ticket in self.summary()}, set(names.values()))
        for name, ticket in names.items():
            expected = photon_dmesg(self.cases / name / "vm.vmss").out
            self.assertEqual((self.results / ticket / "log.txt").read_bytes(), expected)
        before = [(self.results / ticket / "ticket.json").stat().st_ino for ticket in names.values()]
        self.batch("--resume", cases)
        self.assertEqual([(self.results / ticket / "ticket.json").stat().st_ino
                          for ticket in names.values()], before)

    def test_logs_of_the_host_where_there_is_nothing_else(self) -> None:
        gone = self.folder / "cases/gone"
        gone.mkdir(parents=True)
        (gone / "vmware.log").write_text(
            "2026-11-25T02:10:01.000Z In(05) vmx - Log for VMware ESX pid=1\n"
            "2026-11-25T02:10:02.000Z In(05) vcpu-0 - Guest: "
            "<0>[   20.000000] Kernel panic - not syncing: Fatal exception\n")
        result = self.batch(self.folder / "cases")
        self.assertEqual(result.status, 1, result.err)
        [ticket] = self.summary()
        self.assertEqual((ticket["ticket"], ticket["status"]), ("gone-vmware", 1))
        self.assertEqual([finding["kind"] for finding in ticket["findings"]], ["panic"])
        self.assertIn("Fatal exception", (self.results / "gone-vmware/log.txt").read_text())

    def test_formats_and_options_of_the_log(self) -> None:
        result = self.batch("--ndjson", "-l", "err+", self.cases / "k61-oops")
        self.assertEqual(result.status, 0, result.err)
        expected = photon_dmesg("--ndjson", "-l", "err+", self.cases / "k61-oops" / "vm.vmss").out
        self.assertEqual((self.results / "k61-oops-vm" / "log.ndjson").read_bytes(), expected)

    def test_redacted_results_do_not_name_the_tickets(self) -> None:
        secret = self.folder / "customer-host"
        secret.mkdir()
        for file in (self.cases / "k61").iterdir():
            os.link(file, secret / f"web-server-7{file.suffix}")
        (secret / "web-server-8.vmss").write_bytes(b"")
        result = self.batch("--redact", secret)
        self.assertEqual((result.status, len(self.summary())), (1, 2), result.err)
        self.assertNotIn("web-server", result.err)
        for path in self.results.rglob("*"):
            self.assertNotIn("web-server", str(path.relative_to(self.results)))
            if path.name == "ticket.json" or path.parent == self.results and path.is_file():
                self.assertNotIn(b"web-server", path.read_bytes(), path)
                self.assertNotIn(b"customer-host", path.read_bytes(), path)

    def test_lists_of_tickets(self) -> None:
        listed = self.folder / "tickets.tsv"
        listed.write_text(f"4711\t{self.iso}\t{self.cases}/k61/vm.vmss\n{self.cases}/k61-oops\n")
        result = self.batch("--list", listed)
        self.assertEqual(result.status, 0, result.err)
        self.assertIn(".rpm", self.ticket("4711")["symbols"])
        self.assertIn("kallsyms", self.ticket("k61-oops-vm")["symbols"])
        with self.subTest("before zeros, from stdin"):
            paths = b"\0".join(str(self.cases / name).encode() for name in GUESTS)
            zeros = self.folder / "zeros"
            done = subprocess.run([tool.BINARY, "batch", "-q", "--list", "-", "-o", zeros],
                                  input=paths, check=False)
            self.assertEqual((done.returncode, len(self.summary(zeros))), (0, 3))

    def test_shards_together_are_the_whole(self) -> None:
        self.assertEqual(self.batch(self.cases, results=self.folder / "whole").status, 0)
        names = []
        for shard in range(1, 5):
            result = self.batch("--shard", f"{shard}/4", self.cases)
            self.assertEqual(result.status, 0, result.err)
            names += [ticket["ticket"] for ticket in
                      self.summary(name=f"summary-{shard}-of-4.ndjson")]
        self.assertEqual(len(names), len(set(names)))
        gathered = self.folder / "gathered"
        result = photon_dmesg("batch", "--gather", self.results, self.folder / "whole",
                              "-o", gathered)
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual([ticket["ticket"] for ticket in self.summary(gathered)],
                         [ticket["ticket"] for ticket in self.summary(self.folder / "whole")])

    def test_what_is_missing_is_said_when_parts_are_gathered(self) -> None:
        listed = self.folder / "tickets"
        listed.write_text("".join(f"{self.cases / name}\n" for name in GUESTS))
        self.batch("--list", listed, "--shard", "1/3")
        result = photon_dmesg("batch", "--gather", "--list", listed, self.results,
                              "-o", self.folder / "all")
        self.assertEqual(result.status, 1)
        self.assertIn("2 tickets of the list have no result", result.err)

    def test_going_on_does_what_is_not_done_by_content(self) -> None:
        cases = self.folder / "cases"
        shutil.copytree(self.cases / "k61", cases / "a", copy_function=os.link)
        shutil.copytree(self.cases / "k61-oops", cases / "b", copy_function=os.link)
        self.batch(cases)

        def made() -> dict[str, int]:
            return {name: (self.results / name / "ticket.json").stat().st_ino
                    for name in ("a-vm", "b-vm")}

        before = made()
        os.utime(cases / "a" / "vm.vmss")
        self.batch("--resume", cases)
        self.assertEqual(made(), before, "another date is not another content")
        checkpoint = bytearray((cases / "a" / "vm.vmss").read_bytes())
        checkpoint[-1] ^= 1
        (cases / "a" / "vm.vmss").unlink()
        (cases / "a" / "vm.vmss").write_bytes(checkpoint)
        (self.results / "b-vm" / "log.txt").write_text("changed\n")
        result = self.batch("--resume", cases)
        self.assertEqual(len(self.summary()), 2, result.err)
        self.assertNotEqual(made()["a-vm"], before["a-vm"])
        self.assertNotEqual(made()["b-vm"], before["b-vm"])
        self.assertEqual((self.results / "b-vm" / "log.txt").read_bytes(),
                         photon_dmesg(cases / "b" / "vm.vmss").out)
        with self.subTest("other options make other results"):
            again = made()
            self.batch("--resume", "--json", cases)
            self.assertNotEqual(made(), again)
            self.assertFalse((self.results / "a-vm" / "log.txt").exists())

    def test_nothing_else_in_the_results_folder_is_touched(self) -> None:
        self.results.mkdir()
        for name in ("k61-vm", "summary.csv"):
            with self.subTest(name):
                path = self.results / name
                path.write_text("mine\n")
                result = self.batch(self.cases / "k61")
                self.assertEqual((result.status, path.read_text()), (2, "mine\n"), result.err)
                path.unlink()
        self.assertEqual(list(self.results.iterdir()), [])
        with self.subTest("nor is evidence put beside results"):
            self.assertEqual(self.batch(self.cases, results=self.cases).status, 2)

    def test_results_that_can_not_be_written_are_no_success(self) -> None:
        result = self.batch(self.cases / "k61", results=Path("/proc/results"))
        self.assertEqual(result.status, 3, result.err)
        self.batch(self.cases / "k61")
        earlier = self.ticket("k61-vm")
        blocked = self.results / "k61-vm" / "log.json"
        blocked.mkdir()
        (blocked / "mine").write_text("in the way\n")
        result = self.batch("--json", self.cases / "k61")
        self.assertEqual(result.status, 3, result.err)
        self.assertIn("its results could not be written", result.out.decode())
        self.assertEqual((blocked / "mine").read_text(), "in the way\n")
        self.assertEqual(self.ticket("k61-vm")["key"], earlier["key"])

    @staticmethod
    def heed_interrupts() -> None:
        """As a shell's foreground does; what runs the tests may have been started to ignore them."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def test_an_interrupted_run_ends_cleanly_and_can_be_gone_on_with(self) -> None:
        cases = self.folder / "cases"
        for number in range(150):
            shutil.copytree(self.cases / "k61-oops", cases / f"{number:03}", copy_function=os.link)
        process = subprocess.Popen([tool.BINARY, "batch", "-q", "-j", "1", cases,
                                    "-o", self.results], stderr=subprocess.PIPE,
                                   preexec_fn=self.heed_interrupts)
        deadline = time.monotonic() + 60
        while not list(self.results.glob("*/ticket.json")) and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, -signal.SIGINT, said)
        self.assertEqual(list(self.results.glob(".*")), [], "nothing unfinished stays")
        done = len(list(self.results.glob("*/ticket.json")))
        self.assertEqual(len(self.summary()), done)
        self.assertLess(done, 150)
        result = self.batch("--resume", cases)
        self.assertEqual((result.status, len(self.summary())), (0, 150), result.err)

    def test_an_interrupted_run_without_cache_leaves_nothing_of_it(self) -> None:
        temporary = self.folder / "tmp"
        temporary.mkdir()
        cases = self.folder / "cases"
        for number in range(150):
            shutil.copytree(self.cases / "k61-oops", cases / f"{number:03}", copy_function=os.link)
        process = subprocess.Popen([tool.BINARY, "batch", "-q", "--no-cache", "-j", "1",
                                    "--symbols", self.iso, cases, "-o", self.results],
                                   stderr=subprocess.PIPE,
                                   env=os.environ | {"TMPDIR": str(temporary)},
                                   preexec_fn=self.heed_interrupts)
        deadline = time.monotonic() + 60
        while not list(self.results.glob("*/ticket.json")) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(len(list(temporary.iterdir())), 1)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, -signal.SIGINT, said)
        self.assertEqual(list(temporary.iterdir()), [])

    def test_a_ticket_whose_process_is_killed_is_said_to_be(self) -> None:
        for number in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(number):
                self.check_killed(number)
                shutil.rmtree(self.results)

    def check_killed(self, number: signal.Signals) -> None:
        cases = self.folder / f"cases-{number}"
        for copy in range(3):
            shutil.copytree(self.cases / "k61-oops", cases / f"{copy}", copy_function=os.link)
        process = subprocess.Popen([tool.BINARY, "batch", "-j", "1", cases, "-o", self.results],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        killed = False
        while not killed and time.monotonic() < deadline and process.poll() is None:
            for folder in self.results.glob(".*.unfinished-*"):
                try:
                    os.kill(int(folder.name.rsplit("-", 1)[1]), number)
                    killed = True
                except ProcessLookupError:
                    continue
        said = process.communicate(timeout=60)[1].decode()
        self.assertEqual(process.returncode, 1, said)
        self.assertIn(f"was ended by signal {number.value}", said)
        self.assertEqual(sorted(ticket["status"] for ticket in self.summary()), [0, 0, 3])
        self.assertEqual(list(self.results.glob(".*")), [], "nothing unfinished stays")
