"""How the time grows with the log, the memory and the vCPUs: one table and one plot each."""

import dataclasses
import os
from pathlib import Path

import boot
import checkpoint_writer
import paths
import plot
import scenarios
import timing
import tool

MIB = 1 << 20
GIB = 1 << 30
# log_buf_len, and how many records fill it.
LOGS = ((256 << 10, 2_500), (MIB, 8_000), (4 * MIB, 25_000), (16 * MIB, 100_000),
        (64 * MIB, 400_000))
MEMORIES = tuple(GIB << power for power in (-1, 0, 1, 2, 3, 4, 5, 6) if power >= 0)
VCPUS = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclasses.dataclass(frozen=True)
class Series:
    name: str
    unit: str
    points: list[tuple[str, float, dict[str, float]]]  # label, size, seconds by source


def _guest(size: int, fill: int) -> boot.Guest:
    return boot.boot(scenarios.Scenario(f"growth-{size >> 10}k", "6.1", 2, 512 * MIB,
                                        f"log_buf_len={size} loglevel=0", fill=fill))


def _time(vmlinux: Path, checkpoints: list[tuple[str, float, Path]], work: Path,
          rounds: int) -> list[tuple[str, float, dict[str, float]]]:
    commands = []
    for label, _, checkpoint in checkpoints:
        for source, files in (("vmlinux", [vmlinux, checkpoint]), ("memory", [checkpoint])):
            commands.append((label, source, timing.Command(
                f"{label} {source}", [[tool.BINARY, *files]], work / "out")))
    timing.measure([command for _, _, command in commands], rounds)
    return [(label, size, {source: command.median for name, source, command in commands
                           if name == label}) for label, size, _ in checkpoints]


def by_log(work: Path, rounds: int) -> Series:
    checkpoints = []
    for size, fill in LOGS:
        guest = _guest(size, fill)
        checkpoint = checkpoint_writer.write(work / f"log-{size}", guest.memory, guest.vcpus)
        records = len(tool.photon_dmesg("--format", "ndjson", checkpoint).out.splitlines())
        checkpoints.append((f"{size >> 10} KiB, {records} records", size / MIB, checkpoint))
    return Series("log", "MiB of log buffer",
                  _time(guest.kernel.vmlinux, checkpoints, work, rounds))


def by_memory(guest: boot.Guest, work: Path, rounds: int) -> Series:
    checkpoints = []
    for size in (512 * MIB, *MEMORIES):
        image = work / f"{size}.raw"
        paths.copy_sparse(guest.memory, image)
        os.truncate(image, size)
        checkpoint = checkpoint_writer.write(work / f"memory-{size}", image, guest.vcpus)
        checkpoints.append((f"{size / GIB:g} GiB", size / GIB, checkpoint))
    return Series("memory", "GiB of memory, sparse",
                  _time(guest.kernel.vmlinux, checkpoints, work, rounds))


def by_vcpus(guest: boot.Guest, work: Path, rounds: int) -> Series:
    checkpoints = []
    for count in VCPUS:
        vcpus = [guest.vcpus[index % len(guest.vcpus)] for index in range(count)]
        checkpoint = checkpoint_writer.write(work / f"vcpus-{count}", guest.memory, vcpus)
        checkpoints.append((str(count), count, checkpoint))
    return Series("vCPUs", "vCPUs in the checkpoint",
                  _time(guest.kernel.vmlinux, checkpoints, work, rounds))


def table(series: Series) -> str:
    lines = [f"| {series.unit} | with vmlinux, s | checkpoint alone, s |", "|---|---:|---:|"]
    lines += [f"| {label} | {seconds['vmlinux']:.3f} | {seconds['memory']:.3f} |"
              for label, _, seconds in series.points]
    return "\n".join(lines)


def draw(series: Series) -> str:
    return plot.draw(series.unit, "seconds",
                     {"with vmlinux": [(size, seconds["vmlinux"]) for _, size, seconds in series.points],
                      "checkpoint alone": [(size, seconds["memory"])
                                           for _, size, seconds in series.points]})
