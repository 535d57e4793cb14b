"""Traces of all tasks, and what is wrong with the guest: beside drgn and crash on the same guest."""

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
DRGN_TRACES = """
from drgn.helpers.linux.pid import for_each_task
for task in for_each_task(prog):
    try:
        print(task.pid.value_(), task.comm.string_(), prog.stack_trace(task))
    except (LookupError, ValueError) as error:
        print(error)
"""
# What an engineer looks at first: the log, what the CPUs do, what is in D and since when, who runs.
DRGN_TICKET = """
from drgn.helpers.linux.cpumask import for_each_online_cpu
from drgn.helpers.linux.percpu import per_cpu
from drgn.helpers.linux.pid import for_each_task
from drgn.helpers.linux.printk import get_dmesg
from drgn.helpers.linux.sched import idle_task, task_state_to_char

print(get_dmesg(prog).decode(errors="replace"))
for cpu in for_each_online_cpu(prog):
    print(cpu, per_cpu(prog["runqueues"], cpu).curr.comm.string_(), idle_task(prog, cpu))
for task in for_each_task(prog):
    state = task_state_to_char(task)
    print(task.pid.value_(), state, task.comm.string_(), task.sched_info.last_arrival.value_())
    if state not in "RD":
        continue
    try:
        print(prog.stack_trace(task))
    except (LookupError, ValueError) as error:
        print(error)
"""
CRASH_TICKET = "log\nbt -a\nforeach UN bt\nps -m\nquit\n"


def commands_for(guest: boot.Guest, work: Path) -> list[timing.Command]:
    checkpoint = checkpoint_writer.write(work / "vm", guest.memory, guest.vcpus)
    vmlinux = guest.kernel.vmlinux
    out = work / "out"

    def ours(name: str, *words: object) -> timing.Command:
        return timing.Command(name, [[tool.BINARY, *words, checkpoint]], out)
    commands = [ours("`photon-dmesg bt`, checkpoint alone", "bt"),
                ours("`photon-dmesg bt --all`, checkpoint alone", "bt", "--all"),
                ours("`photon-dmesg ps`, checkpoint alone", "ps"),
                ours("`photon-dmesg`, the log, checkpoint alone"),
                ours("`photon-dmesg triage`, checkpoint alone", "triage"),
                ours("`photon-dmesg triage --format html`, checkpoint alone", "triage", "--format", "html")]
    if guest.scenario.name == CROWD:
        return [*commands, ours("`photon-dmesg bt --all --json`, checkpoint alone", "bt", "--all", "--json")]
    commands += [ours("`photon-dmesg bt` with vmlinux", "bt", vmlinux),
                 ours("`photon-dmesg bt --lines` with vmlinux", "bt", "--lines", vmlinux),
                 ours("`photon-dmesg bt --all` with vmlinux", "bt", "--all", vmlinux),
                 ours("`photon-dmesg bt --all --lines` with vmlinux", "bt", "--all", "--lines", vmlinux),
                 ours("`photon-dmesg triage` with vmlinux", "triage", vmlinux)]
    package = packages.build(packages.debuginfo(vmlinux, guest.kernel.release, payload="w19.zstdio"))
    iso = packages.iso(f"bench-{guest.scenario.series}", {f"DEBUGRPMS/{package.name}": package})
    commands += [ours("`photon-dmesg bt` with the ISO, cold", "bt", "--no-cache", iso),
                 ours("`photon-dmesg`, the log, with the ISO, cold", "--no-cache", iso)]
    if guest.scenario.series in DRGN_SERIES:
        folder = work / "core"
        subprocess.run([tool.BINARY, "core", "-q", vmlinux, checkpoint, "-o", folder], check=True,
                       stdout=subprocess.DEVNULL)
        for name, text in (("every task's trace", DRGN_TRACES), ("log, CPUs, tasks in R and D", DRGN_TICKET)):
            script = work / f"{name[:3]}.py"
            script.write_text(text)
            commands.append(timing.Command(f"`drgn`, {name}, on a core",
                                           [["drgn", "-q", "-c", folder / "vmss.core", "-s",
                                             folder / "vmlinux", script]], out))
    if guest.scenario.series in CRASH_SERIES:
        for name, text in (("`bt -a`", "bt -a\nquit\n"), ("`log; bt -a; foreach UN bt; ps -m`", CRASH_TICKET)):
            script = work / f"{len(text)}.crash"
            script.write_text(text)
            commands.append(timing.Command(f"`crash`'s {name} with vmlinux",
                                           [["crash", "-s", "-i", script, vmlinux, checkpoint]], out))
    return commands
