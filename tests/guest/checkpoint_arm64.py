"""Writes checkpoints as VMware writes them of arm64 guests, as far as anything is known of that: LeechCore
takes the platform, the memory's size and the first page table, and does without regions."""

import dataclasses
from pathlib import Path

import checkpoint_writer
from checkpoint_writer import Form, block, number

ARM64 = 3  # the platform
# Names of tags, as LeechCore knows one of them, and registers by the names of boot_arm64.
TABLES = {"hv:ttbrEL1[0]": "ttbr0_el1", "hv:ttbrEL1[1]": "ttbr1_el1"}
CONTROL = {"hv:tcrEL1": "tcr_el1"}


@dataclasses.dataclass(frozen=True)
class Arm64Form(Form):
    """One of the shapes that such a checkpoint may have."""

    tags: tuple[tuple[str, str], ...] = tuple((TABLES | CONTROL).items())  # registers that it tells
    has_regions: bool = True


def cpu_group(vcpus: list[dict[str, int]], form: Arm64Form) -> bytes:
    data = number("cpu:numVCPUs", (), len(vcpus))
    for cpu, values in enumerate(vcpus):
        data += number("halted", (cpu,), 0, 1)
        for name, register in form.tags:
            data += number(name, (cpu,), values[register], 8)
    return data


def write(stem: Path, image: Path, ram: int, vcpus: list[dict[str, int]], form: Arm64Form = Arm64Form()) -> Path:
    """Writes stem.vmss, and stem.vmem unless the form is monolithic; returns the checkpoint. The guest's
    memory begins at `ram`."""
    size = image.stat().st_size
    page = checkpoint_writer.PAGE
    regions = ((ram // page, 0, size // page),) if form.has_regions else ()
    form = dataclasses.replace(form, regions=form.regions or regions)
    return checkpoint_writer.write_groups(stem, image, [
        ("Checkpoint", checkpoint_writer.checkpoint_group(size, form, ARM64)),
        ("cpu", cpu_group(vcpus, form)),
        ("Snapshot", block("cfgFile", (), form.configuration.encode(), form)),
        *checkpoint_writer.devices(),
        ("memory", checkpoint_writer.memory_group(size, form)),
    ], form)
