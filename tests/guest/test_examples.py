"""Every example of README, docs, --help and the man pages, run as it stands there, in a folder with the
files that they name."""

import contextlib
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import unittest
from collections.abc import Iterator
from pathlib import Path

import boot
import checkpoint_writer
import examples
import packages
import paths
import peers
import png
import scenarios
import snapshots
from examples import ROOT, Example
from tool import BINARY, TIMEOUT

# Which guest is under which name.
GUESTS = {"vm": "k61-hung", "panic": "k61-panic", "stuck": "k61-softlockup"}
ALIASES = {"hung.vmss": "vm.vmss", "hung.vmem": "vm.vmem", "demo.vmss": "panic.vmss",
           "demo.vmem": "panic.vmem", "demo.iso": "photon.iso", "share": ROOT / "share"}
SNAPSHOTS = {"before": "first", "after": "second"}
ESX = "6.1.138-1.ph5-esx"  # the release that examples name; here it is the guests' kernel's

# What can't be run here, and why; what is left of it is run.
NOT_RUN = {
    r"^scripts/(demo|test)\b.*": "they run all of this, and more",
    r"^(cmake|cpack|sudo (dpkg|apt-get|rpm|dnf)|dpkg|rpm|tar|scripts/(package|install-packages)) .*":
        "test_install builds and installs",
    r"^photon-dmesg \[OPTIONS\].*": "it is the form of all commands",
    r"^(job=\$\(sbatch|sbatch|  --wrap|kubectl) .*": "test_cluster runs Slurm, and what Kubernetes would",
    r"^(scp|ssh|vim-cmd|vmrun|vmware-cmd) .*": "there is no host of VMware's here",
}
# Programs that want a terminal do the same without one; crash is told to end, or it has failed.
WITHOUT_TERMINAL = ((r"\blnav (?=vm)", "lnav -n "), (r"(?m)^crash ", "echo quit | crash "))


class StandIn(http.server.BaseHTTPRequestHandler):
    """Takes what is sent to Elasticsearch or to a collector, which are not here, and keeps it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["Content-Type"], body))
        answer = b'{"errors":false}' if self.path.endswith("_bulk") else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def stand_in(port: int) -> Iterator[list[tuple[str, str, bytes]]]:
    """What it has received."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), StandIn)
    server.received = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.received
    finally:
        server.shutdown()
        server.server_close()


@peers.judged
class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(dir=paths.cache())
        cls.addClassCleanup(folder.cleanup)
        cls.files = Path(folder.name) / "files"
        (cls.files / "bin").mkdir(parents=True)
        (cls.files / "bin/photon-dmesg").symlink_to(BINARY.resolve())
        for name, guest in GUESTS.items():
            cls.write_guest(name, boot.boot(scenarios.by_name(guest)))
        taken = snapshots.fetch()
        for name, which in SNAPSHOTS.items():
            checkpoint_writer.write(cls.files / name, taken / f"{which}.raw",
                                    json.loads((taken / f"{which}.json").read_text()),
                                    checkpoint_writer.Form(suffix=".vmsn"))
        kernel = boot.boot(scenarios.by_name("k61-hung")).kernel
        cls.write_iso("photon", packages.debuginfo(kernel.vmlinux, kernel.release))
        cls.release = kernel.release
        cls.write_iso("photon.debug", packages.debuginfo(
            kernel.vmlinux, kernel.release, flavor="linux-esx"))
        for alias, name in ALIASES.items():
            (cls.files / alias).symlink_to(name)
        cls.home = Path(folder.name) / "home"
        cls.home.mkdir()
        cls.write_tickets()
        (cls.files / "dmesg.txt").write_bytes(cls.run_bash("photon-dmesg vm.vmss", cls.files).stdout)

    @classmethod
    def write_guest(cls, name: str, guest: boot.Guest) -> None:
        checkpoint_writer.write(cls.files / name, guest.memory, guest.vcpus,
                                checkpoint_writer.Form(screenshot=png.one_pixel()))

    @classmethod
    def write_tickets(cls) -> None:
        """What batch is shown with: a tree, a list, symbols for all, results of two parts."""
        for name in ("vm", "stuck"):
            (cls.files / "cases" / name).mkdir(parents=True)
            for ending in ("vmss", "vmem"):
                os.link(cls.files / f"{name}.{ending}", cls.files / "cases" / name / f"vm.{ending}")
        (cls.files / "isos").mkdir()
        (cls.files / "isos/photon.iso").symlink_to(cls.files / "photon.iso")
        (cls.files / "tickets.tsv").write_text("4711\tvm.vmss\n4712\tpanic.vmss\n")
        for part in ("1", "2"):
            cls.run_bash(f"photon-dmesg batch -q --list tickets.tsv --shard {part}/2 -o part{part}",
                         cls.files)

    @classmethod
    def write_iso(cls, name: str, package: packages.Package) -> None:
        rpm = packages.build(package)
        (cls.files / f"{name}.iso").symlink_to(packages.iso(name, {f"RPMS/x86_64/{rpm.name}": rpm}))

    @classmethod
    def run_bash(cls, command: str, folder: Path) -> subprocess.CompletedProcess:
        environment = {"PATH": f"{cls.files / 'bin'}:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": str(cls.home),
                       "LC_ALL": "C.UTF-8", "TZ": "UTC0", "URL": f"file://{folder}/photon.iso"}
        return subprocess.run(["bash", "-o", "pipefail", "-e", "-c", command], cwd=folder,
                              env=environment, capture_output=True, timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """One with all the files; what is written there goes."""
        with tempfile.TemporaryDirectory(dir=self.files.parent) as name:
            for file in self.files.iterdir():
                (Path(name) / file.name).symlink_to(file)
            yield Path(name)

    def check(self, example: Example, folder: Path) -> None:
        lines = re.split(r"(?<![\\|])\n", example.command.strip())
        kept = [line for line in lines if not any(re.match(what, line) for what in NOT_RUN)]
        command = "\n".join(kept)
        for what, instead in (*WITHOUT_TERMINAL, (re.escape(ESX), self.release)):
            command = re.sub(what, instead, command)
        done = self.run_bash(command, folder)
        differs = re.search("(?m)^diff ", command) is not None
        self.assertEqual(done.returncode, 1 if differs else 0, done.stderr.decode() + done.stdout.decode()[-500:])
        if example.shown is not None and kept == lines:
            output = done.stdout.decode()
            self.assertTrue(examples.is_shown(example.shown, output),
                            f"shown:\n{example.shown}\nprinted:\n{output[:20000]}")

    def check_all(self, chosen: dict[str, list[Example]]) -> int:
        count = 0
        for where, listed in chosen.items():
            with self.folder() as folder:
                for example in listed:
                    count += 1
                    with self.subTest(where=where, command=example.command):
                        self.check(example, folder)
        return count

    def test_help_and_man_pages(self) -> None:
        found = examples.documents()
        self.assertGreater(self.check_all({name: listed for name, listed in found.items()
                                           if not name.endswith(".md")}), 40)

    def test_documents(self) -> None:
        found = examples.documents()
        with stand_in(9200) as elasticsearch, stand_in(4318) as collector:
            self.assertGreater(self.check_all({name: listed for name, listed in found.items()
                                               if name.endswith(".md")}), 30)
        for path, kind, body in elasticsearch:
            self.assertRegex(path, "/_bulk$")
            self.assertEqual(kind, "application/x-ndjson")
            lines = [json.loads(line) for line in body.splitlines()]
            self.assertGreater(len(lines), 100)
            self.assertEqual([line for line in lines[::2] if line != {"create": {}}], [])
            self.assertEqual([line for line in lines[1::2] if not line["@timestamp"]], [])
        for path, kind, body in collector:
            self.assertEqual((path, kind), ("/v1/logs", "application/json"))
            self.assertGreater(len(json.loads(body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]), 100)
        self.assertEqual((len(elasticsearch) > 0, len(collector) > 0), (True, True))

    def test_what_is_not_run_is_in_a_document(self) -> None:
        commands = [line for listed in examples.documents().values() for example in listed
                    for line in example.command.splitlines()]
        for what in NOT_RUN:
            self.assertTrue(any(re.match(what, line) for line in commands), what)
