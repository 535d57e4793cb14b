"""Guests of either architecture: booted, and as a checkpoint."""

from pathlib import Path

import boot
import boot_arm64
import checkpoint_arm64
import checkpoint_writer
from checkpoint_writer import Form
from scenarios import Arm64Scenario, Scenario


def fetch(scenario: Scenario) -> boot.Guest:
    """The guest of a scenario, booted unless the cache has it."""
    if isinstance(scenario, Arm64Scenario):
        return boot_arm64.boot_guest(scenario)
    return boot.boot(scenario)


def write_checkpoint(stem: Path, guest: boot.Guest, form: Form | None = None, memory: Path | None = None) -> Path:
    """Writes stem.vmss or what the form says, of other memory if some is named."""
    image = memory or guest.memory
    if isinstance(guest.scenario, Arm64Scenario):
        return checkpoint_arm64.write(stem, image, guest.scenario.ram, guest.vcpus,
                                      form or checkpoint_arm64.Arm64Form())
    return checkpoint_writer.write(stem, image, guest.vcpus, form or Form())
