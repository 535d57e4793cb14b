"""Traces of all tasks: beside drgn and crash on the same guest."""

import subprocess
from pathlib import Path

import boot
import checkpoint_writer
import packages
import timing
import tool

CROWD = "k61-crowd"  # its threads are what is to be seen, not the other programs
CRASH_SERIES = ("6.1",)  # what Debian's crash can read
# drgn 0.0.22 does not know the unwind tables of 6.12.
DRGN_SERIES = ("6.1",)
DRGN_SCRIPT = """
from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    try:
        print(task.pid.value_(), task.comm.string_(), prog.stack_trace(task))
    except (LookupError, ValueError) as error:
        print(error)
"""


def commands_for(guest: boot.Guest, work: Path) -> list[timing.Command]:
    checkpoint = checkpoint_writer.write(work / "vm", guest.memory, guest.vcpus)
    vmlinux = guest.kernel.vmlinux
    out = work / "out"

    def ours(name: str, *words: object) -> timing.Command:
        return timing.Command(name, [[tool.BINARY, *words, checkpoint]], out)
    commands = [ours("`photon-dmesg bt`, checkpoint alone", "bt"),
                ours("`photon-dmesg bt --all`, checkpoint alone", "bt", "--all"),
                ours("`photon-dmesg ps`, checkpoint alone", "ps"),
                ours("`photon-dmesg`, the log, checkpoint alone")]
    if guest.scenario.name == CROWD:
        return [*commands, ours("`photon-dmesg bt --all --json`, checkpoint alone", "bt", "--all", "--json")]
    commands += [ours("`photon-dmesg bt` with vmlinux", "bt", vmlinux),
                 ours("`photon-dmesg bt --lines` with vmlinux", "bt", "--lines", vmlinux),
                 ours("`photon-dmesg bt --all` with vmlinux", "bt", "--all", vmlinux),
                 ours("`photon-dmesg bt --all --lines` with vmlinux", "bt", "--all", "--lines", vmlinux)]
    package = packages.build(packages.debuginfo(vmlinux, guest.kernel.release, payload="w19.zstdio"))
    iso = packages.iso(f"bench-{guest.scenario.series}", {f"DEBUGRPMS/{package.name}": package})
    commands += [ours("`photon-dmesg bt` with the ISO, cold", "bt", "--no-cache", iso),
                 ours("`photon-dmesg`, the log, with the ISO, cold", "--no-cache", iso)]
    if guest.scenario.series in DRGN_SERIES:
        folder = work / "core"
        subprocess.run([tool.BINARY, "core", "-q", vmlinux, checkpoint, "-o", folder], check=True,
                       stdout=subprocess.DEVNULL)
        script = work / "traces.py"
        script.write_text(DRGN_SCRIPT)
        commands.append(timing.Command("`drgn`, every task's trace, on a core",
                                       [["drgn", "-q", "-c", folder / "vmss.core", "-s",
                                         folder / "vmlinux", script]], out))
    if guest.scenario.series in CRASH_SERIES:
        script = work / "bt.crash"
        script.write_text("bt -a\nquit\n")
        commands.append(timing.Command("`crash`'s `bt -a` with vmlinux",
                                       [["crash", "-s", "-i", script, vmlinux, checkpoint]], out))
    return commands
