"""Many tickets on many machines: Slurm, run for real on this machine's loopback, GNU parallel, and what a
Kubernetes Job's containers run. Whatever is killed meanwhile, in the end there is what one run would have
made, each ticket once."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path

import boot
import checkpoint_writer
import examples
import packages
import paths
import processes
import scenarios
import slurm
from processes import Process
from slurm import wait_until
from tool import BINARY, photon_dmesg

SHARE = examples.ROOT / "share"
SCRIPT = SHARE / "slurm/photon-dmesg.sbatch"
JOB = SHARE / "kubernetes/photon-dmesg-job.yaml"
PARTS = 4
# The first has a package in the ISO, the second none, so that it is read with a warning.
GUESTS = ("k61", "k612-panic")
EACH = 6


def ticket_of(folder: Path) -> dict:
    """What a ticket's folder says of it, but for how long it took."""
    document = json.loads((folder / "ticket.json").read_text())
    del document["seconds"]
    return document


class ManyTickets:
    """A list of tickets, and what one run makes of them."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(dir=paths.cache())
        cls.addClassCleanup(folder.cleanup)
        cls.shared = Path(folder.name)
        cls.guests = [boot.boot(scenarios.by_name(name)) for name in GUESTS]
        kernel = cls.guests[0].kernel
        package = packages.build(packages.debuginfo(kernel.vmlinux, kernel.release))
        cls.isos = cls.shared / "isos"
        cls.isos.mkdir()
        (cls.isos / "photon.iso").symlink_to(packages.iso("core", {f"RPMS/x86_64/{package.name}": package}))
        cls.list = cls.write_list()
        reference = cls.shared / "reference"
        cache = cls.shared / "reference-cache"
        cls.reference_status = photon_dmesg("batch", "-q", "--list", cls.list, "--symbols", cls.isos,
                                            "-o", reference, cache=cache).status
        cls.expected = cls.content(reference)
        cls.stored, = (file.name for file in (cache / "photon-dmesg").glob("*.symbols"))

    @classmethod
    def write_list(cls) -> Path:
        """Those without a package first, so that they are done when the others wait for theirs; and one that
        is not there."""
        lines = ["gone\tgone.vmss"]
        for guest in reversed(cls.guests):
            for number in range(EACH):
                name = f"{guest.scenario.name}-{number}"
                (cls.shared / name).mkdir()
                checkpoint = checkpoint_writer.write(cls.shared / name / "vm", guest.memory, guest.vcpus)
                lines.append(f"{name}\t{checkpoint}")
        listed = cls.shared / "tickets.tsv"
        listed.write_text("\n".join(lines) + "\n")
        return listed

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.shared)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.results = self.folder / "results"
        self.cache = self.folder / "cache"

    @staticmethod
    def content(results: Path) -> dict[str, object]:
        """All that is in a folder of results, but for summaries of parts and how long each ticket took."""
        found: dict[str, object] = {}
        for file in results.rglob("*"):
            name = str(file.relative_to(results))
            if file.is_dir() or re.fullmatch(r"summary-\d+-of-\d+\.\w+", name):
                continue
            if file.name == "ticket.json":
                found[name] = ticket_of(file.parent)
            elif file.suffix == ".ndjson":
                found[name] = [json.loads(line) | {"seconds": 0} for line in file.read_text().splitlines()]
            else:
                found[name] = file.read_bytes()
        return found

    @contextlib.contextmanager
    def package_held(self) -> Iterator[None]:
        """Nobody can read the package meanwhile: all wait for who seems to be doing so."""
        folder = self.cache / "photon-dmesg"
        folder.mkdir(parents=True)
        with (folder / f"{self.stored}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def running(self) -> list[Process]:
        """The program, once for each part that is being done."""
        return processes.started_first(BINARY.resolve(), "XDG_CACHE_HOME", str(self.cache))

    def done(self) -> dict[str, int]:
        """The tickets that are done, and which file says so."""
        return {file.parent.name: file.stat().st_ino for file in self.results.glob("*/ticket.json")}

    def wait_for_middle(self) -> dict[str, int]:
        """Until what needs no package is done; the rest waits for it."""
        first = EACH + 1
        wait_until(lambda: len(self.done()) == first, f"{first} tickets")
        return self.done()

    def gather(self) -> None:
        gathered = photon_dmesg("batch", "-q", "--gather", self.results, "--list", self.list, "-o", self.results)
        self.assertEqual((gathered.status, gathered.err), (self.reference_status, ""))

    def check_whole(self, already: dict[str, int] | None = None) -> None:
        """As of one run; what was done `already` has not been done again, but for what could not be read."""
        self.assertEqual(self.content(self.results), self.expected)
        done = self.done()
        kept = {name: file for name, file in (already or {}).items() if not ticket_of(self.results / name)["error"]}
        self.assertEqual({name: done[name] for name in kept}, kept)
        self.assertEqual(len(list(self.cache.rglob("*.symbols"))), 1)


class Slurm(ManyTickets, unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        slurm.check_installed()
        super().setUpClass()
        cls.cluster = cls.enterClassContext(slurm.Cluster(cpus=PARTS))

    def submit(self, *options: str) -> str:
        """Returns the number of the job."""
        return self.cluster.run(
            "sbatch", "--parsable", f"--array=1-{PARTS}", "--cpus-per-task=1", *options, SCRIPT, self.list,
            self.results, "--symbols", self.isos, cwd=self.folder,
            environment={"PHOTON_DMESG": str(BINARY.resolve()), "XDG_CACHE_HOME": str(self.cache)})

    def logs(self, job: str) -> str:
        return "".join((self.folder / f"photon-dmesg-{job}_{part}.log").read_text()
                       for part in range(1, PARTS + 1))

    def check_ended(self, job: str) -> None:
        self.cluster.wait(job)
        self.assertEqual(self.cluster.states(job), ["COMPLETED"] * PARTS, self.logs(job))
        self.gather()

    def test_an_array_makes_what_one_run_makes(self) -> None:
        """With the command that docs/many.md has for the end."""
        job = self.submit()
        command, = re.findall(r"(?m)^sbatch --dependency=afterany.*\n.*--wrap '(.*)'$",
                              (examples.ROOT / "docs/many.md").read_text())
        said = self.folder / "gathered.log"
        status = subprocess.run(
            ["sbatch", "--wait", "--dependency", f"afterany:{job}", "--output", said, "--wrap",
             command.replace("tickets.tsv", str(self.list))], cwd=self.folder, stdout=subprocess.DEVNULL,
            env={**self.cluster.environment, "PATH": f"{BINARY.parent.resolve()}:{slurm.SEARCHED}"}, check=False,
        ).returncode
        self.assertEqual(status, self.reference_status, said.read_text())
        self.assertEqual(self.cluster.states(job), ["COMPLETED"] * PARTS)
        self.check_whole()
        # Every part with a guest that has no package says so, and no other.
        warned = {int(part) for part in re.findall(r"warning: part (\d+) of 4 is done", self.logs(job))}
        incomplete = {part for part in range(1, PARTS + 1)
                      if any(json.loads(line)["status"] for line in
                             (self.results / f"summary-{part}-of-4.ndjson").read_text().splitlines())}
        self.assertEqual(warned, incomplete)
        self.assertGreater(len(warned), 0)

    def test_a_killed_program_is_started_again_and_does_what_is_left(self) -> None:
        with self.package_held():
            job = self.submit()
            already = self.wait_for_middle()
            victim = self.running()[0]
            victim.kill()
            wait_until(lambda: "PENDING" in self.cluster.states(job), "the part to be requeued")
        self.check_ended(job)
        part = victim.value("SLURM_ARRAY_TASK_ID")
        self.assertIn(f"part {part} of 4 was killed: what is left of it is done again", self.logs(job))
        self.check_whole(already)

    def test_a_job_that_was_cancelled_is_submitted_again(self) -> None:
        with self.package_held():
            job = self.submit()
            already = self.wait_for_middle()
            self.cluster.run("scancel", job)
            self.cluster.wait(job)
            self.assertIn("CANCELLED", self.cluster.states(job))
            wait_until(lambda: not self.running(), "the programs to end")
        missing = photon_dmesg("batch", "--gather", self.results, "--list", self.list, "-o",
                               self.folder / "so-far")
        self.assertEqual(missing.status, 1)
        self.assertIn("6 tickets of the list have no result: k61-0, k61-1, k61-2, k61-3, k61-4, k61-5", missing.err)
        self.check_ended(self.submit())
        self.check_whole(already)

    def test_jobs_go_on_without_slurmd(self) -> None:
        with self.package_held():
            job = self.submit()
            already = self.wait_for_middle()
            self.cluster.kill_slurmd()
        self.cluster.start_node()
        self.check_ended(job)
        self.check_whole(already)

    def test_a_node_that_has_lost_its_power_begins_again(self) -> None:
        with self.package_held():
            job = self.submit()
            already = self.wait_for_middle()
            self.assertGreater(len(self.running()), 0)
            self.cluster.kill_node()
            self.assertEqual(self.running(), [])
            wait_until(lambda: "RUNNING" not in self.cluster.states(job), "Slurm to notice")
            self.cluster.return_node()
        self.check_ended(job)
        self.check_whole(already)

    def test_what_can_not_work_is_not_tried_again(self) -> None:
        job = self.cluster.run("sbatch", "--parsable", "--array=1-1", SCRIPT, "gone.tsv", self.results,
                               cwd=self.folder, environment={"PHOTON_DMESG": str(BINARY.resolve())})
        self.cluster.wait(job)
        self.assertEqual(self.cluster.states(job), ["FAILED"])
        said = (self.folder / f"photon-dmesg-{job}_1.log").read_text()
        self.assertEqual(said, "photon-dmesg: gone.tsv: can't be opened: No such file or directory\n"
                               "photon-dmesg.sbatch: part 1 of 1 ended with status 2: it would again\n")


class SlurmScript(unittest.TestCase):
    def check_refused(self, said: str, *arguments: str, **environment: str) -> None:
        done = subprocess.run([SCRIPT, *arguments], env={"PATH": "/usr/bin:/bin", **environment},
                              capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr.decode()), (2, f"photon-dmesg.sbatch: {said}\n"))

    def test_what_would_divide_the_list_otherwise_is_refused(self) -> None:
        self.check_refused("expected a list of tickets and a folder for results, found 1 arguments", "list")
        self.check_refused("expected a job array: sbatch --array=1-N", "list", "results")
        for first, last, count in (("3", "3", "1"), ("0", "7", "8"), ("1", "8", "4")):
            self.check_refused("expected --array=1-N; for some of the N parts, PARTS=N as well", "list", "results",
                               SLURM_ARRAY_TASK_ID=first, SLURM_ARRAY_TASK_MIN=first, SLURM_ARRAY_TASK_MAX=last,
                               SLURM_ARRAY_TASK_COUNT=count)


class Parallel(ManyTickets, unittest.TestCase):
    """The command of docs/many.md."""

    @classmethod
    def setUpClass(cls) -> None:
        if shutil.which("parallel") is None:
            raise unittest.SkipTest("GNU parallel is not installed: scripts/install-packages peers")
        super().setUpClass()
        command, = re.findall(r"(?m)^    (parallel .*\\\n.*)$", (examples.ROOT / "docs/many.md").read_text())
        cls.command = command.replace("tickets.tsv", str(cls.list)).replace(" isos ", f" {cls.isos} ")

    def start(self) -> subprocess.Popen:
        environment = {**os.environ, "PATH": f"{BINARY.parent.resolve()}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
                       "TZ": "UTC0", "XDG_CACHE_HOME": str(self.cache), "HOME": str(self.folder)}
        return subprocess.Popen(["bash", "-c", self.command], cwd=self.folder, env=environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def failed(self) -> list[str]:
        """Which parts the log of GNU parallel says have failed, each as it ended last."""
        log = self.folder / "parts.log"
        lines = log.read_text().splitlines()[1:] if log.exists() else []
        ends = {row[0]: row[6] for row in (line.split("\t") for line in lines)}
        return [part for part, status in ends.items() if status != "0"]

    def test_what_has_failed_is_run_once_more(self) -> None:
        with contextlib.ExitStack() as held:
            held.enter_context(self.package_held())
            running = self.start()
            wait_until(lambda: len(self.done()) > 1 and len(self.running()) > 0, "a part that is being done")
            already = self.done()
            self.running()[0].kill()
            wait_until(lambda: len(self.failed()) == 1, "a part that has failed")
            held.close()
            self.assertEqual(running.wait(slurm.PATIENCE), 1)
        self.assertEqual(len(self.failed()), 1)
        self.assertEqual(self.start().wait(slurm.PATIENCE), 0)
        self.assertEqual(self.failed(), [])
        self.gather()
        self.check_whole(already)


class Kubernetes(ManyTickets, unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        read = "print encode_json(CPAN::Meta::YAML->read($ARGV[0])->[0])"
        cls.job = json.loads(paths.run("perl", "-MCPAN::Meta::YAML", "-MJSON::PP", "-e", read, JOB).stdout)
        cls.container, = cls.job["spec"]["template"]["spec"]["containers"]

    def run_pod(self, index: int, parts: int, evidence: Path) -> subprocess.CompletedProcess:
        """What its container runs, with folders of this machine for the volumes."""
        volumes = {"/evidence": evidence, "/results": self.results, "/kernels": self.cache}
        mounted = {mount["mountPath"] for mount in self.container["volumeMounts"]}
        self.assertEqual(mounted, {*volumes, "/tmp"})
        script, = self.container["args"]
        given = {entry["name"]: entry["value"] for entry in self.container["env"]} | {"PARTS": str(parts)}
        for inside, outside in volumes.items():
            script = re.sub(rf"{inside}\b", str(outside), script)
            given = {name: re.sub(rf"^{inside}\b", str(outside), value) for name, value in given.items()}
        return subprocess.run([*self.container["command"], script], capture_output=True, check=False, env={
            "PATH": f"{BINARY.parent.resolve()}:/usr/bin:/bin", "TZ": "UTC0", "LC_ALL": "C.UTF-8",
            "JOB_COMPLETION_INDEX": str(index), **given})

    def test_all_pods_make_what_one_run_makes(self) -> None:
        for index in range(PARTS):
            pod = self.run_pod(index, PARTS, self.shared)
            self.assertEqual((pod.returncode, pod.stdout), (0, b""), pod.stderr)
        self.gather()
        self.check_whole()

    def test_a_list_that_is_not_there_fails_the_index(self) -> None:
        pod = self.run_pod(0, PARTS, self.folder)
        self.assertEqual((pod.returncode, pod.stderr.decode()),
                         (2, f"photon-dmesg: {self.folder}/tickets.tsv: can't be opened: No such file or directory\n"))
        rules = {rule["action"]: rule for rule in self.job["spec"]["podFailurePolicy"]["rules"]}
        self.assertEqual(rules["FailIndex"]["onExitCodes"],
                         {"containerName": self.container["name"], "operator": "In", "values": ["2", "3", "4"]})

    def test_there_are_as_many_pods_as_parts(self) -> None:
        parts, = (entry["value"] for entry in self.container["env"] if entry["name"] == "PARTS")
        self.assertEqual(self.job["spec"]["completions"], parts)
        self.assertEqual((self.job["spec"]["completionMode"], self.job["spec"]["template"]["spec"]["restartPolicy"]),
                         ("Indexed", "Never"))
