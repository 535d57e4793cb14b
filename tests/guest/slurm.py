"""A Slurm cluster of one node on this machine's loopback, without systemd and without its configuration:
munged, slurmctld and slurmd, which are started here and end by their process ids."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
from collections.abc import Callable
from pathlib import Path

import paths
from processes import Process

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
SEARCHED = "/usr/sbin:/usr/bin:/sbin:/bin"
PATIENCE = 60  # seconds; far more than anything here takes
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY"}
# A requeued job waits for as long as its credential lasts; 120 s if nobody says so.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_min_interval=0,sched_interval=1
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/completed
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
KillWait=2
SlurmdParameters=config_overrides
MinJobAge=3600
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus}
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def check_installed() -> None:
    """Skips the test where the cluster can't be."""
    missing = [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]
    if missing:
        raise unittest.SkipTest(f"Slurm is not installed: {', '.join(missing)} missing: scripts/install-packages peers")
    if os.geteuid() != 0:
        raise unittest.SkipTest("Slurm's daemons can't be started here: only root can")


def unused_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(done: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {patience} s for {what}")
        time.sleep(0.05)


def is_of_job(process: Process) -> bool:
    return "slurmstepd" in process.program.name or process.value("SLURM_JOB_ID") is not None


class Cluster:
    """One that runs while it is entered. What it keeps is in a folder that munge's user can reach, too."""

    def __init__(self, cpus: int = 4) -> None:
        self._cpus = cpus
        self._daemons: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Cluster":
        with contextlib.ExitStack() as undo:
            folder = undo.enter_context(tempfile.TemporaryDirectory(prefix="slurm-"))
            self.folder = Path(folder)
            self.folder.chmod(0o755)
            undo.callback(self._end)
            self._configure()
            self._start_munged()
            self._start("slurmctld", "-D", "-i")
            self.start_node()
            wait_until(lambda: self.run("sinfo", "-h", "-o", "%T") == "idle", "the node")
            self._cleanup = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def _configure(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self.node = socket.gethostname().partition(".")[0]
        controller_port, node_port = unused_ports(2)
        self.configuration = self.folder / "slurm.conf"
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder, host=self.node, cpus=self._cpus,
            controller_port=controller_port, node_port=node_port))

    @property
    def environment(self) -> dict[str, str]:
        return {"PATH": SEARCHED, "HOME": str(self.folder), "LC_ALL": "C.UTF-8", "TZ": "UTC0",
                "SLURM_CONF": str(self.configuration)}

    def _start_munged(self) -> None:
        """As its own user: it refuses to trust files that others could write."""
        folder = self.folder / "munge"
        folder.mkdir()
        (folder / "key").write_bytes(os.urandom(128))
        (folder / "key").chmod(0o400)
        for path in (folder, folder / "key"):
            shutil.chown(path, "munge", "munge")
        self._start("munged", "--foreground", f"--key-file={folder}/key", f"--socket={folder}/socket",
                    f"--pid-file={folder}/pid", f"--log-file={folder}/log", f"--seed-file={folder}/seed",
                    user="munge", group="munge", extra_groups=[])
        wait_until((folder / "socket").exists, "munged")

    def _start(self, name: str, *options: str, **how: object) -> None:
        """It does not outlive this process, should that be killed."""
        program = shutil.which(name, path=SEARCHED)
        with (self.folder / f"{name}.said").open("ab") as said:
            self._daemons[name] = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, *options], stdin=subprocess.DEVNULL, stdout=said,
                stderr=said, env=self.environment, start_new_session=True, **how)

    def start_node(self) -> None:
        self._start("slurmd", "-D")

    def kill_slurmd(self) -> None:
        """What it has started goes on."""
        slurmd = self._daemons.pop("slurmd")
        slurmd.kill()
        slurmd.wait()

    def kill_node(self) -> None:
        """As if the machine had lost its power: slurmd, those that watch its jobs, the jobs. The controller
        would notice some minutes later; an administrator tells it."""
        self.kill_slurmd()
        for process in self._processes():
            if is_of_job(process):
                process.kill()
        self.run("scontrol", "update", f"NodeName={self.node}", "State=DOWN", "Reason=power")

    def return_node(self) -> None:
        self.start_node()
        self.run("scontrol", "update", f"NodeName={self.node}", "State=RESUME")

    def _processes(self) -> list[Process]:
        """All of this cluster."""
        return [process for process in Process.all() if process.value("SLURM_CONF") == str(self.configuration)]

    def _end(self) -> None:
        for daemon in reversed(self._daemons.values()):
            daemon.kill()
            daemon.wait()
        for process in self._processes():
            process.kill()

    def run(self, *command: object, **options: object) -> str:
        environment = {**self.environment, **options.pop("environment", {})}
        return paths.run(*map(str, command), env=environment, **options).stdout.decode().strip()

    def states(self, job: str) -> list[str]:
        """Of each element of a job array."""
        return self.run("squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%T").split()

    def wait(self, job: str, patience: float = PATIENCE) -> None:
        wait_until(lambda: set(self.states(job)) <= ENDED, f"job {job}", patience)
