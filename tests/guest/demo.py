"""Makes the three files that the owner of a stuck machine has: demo.iso, demo.vmss, demo.vmem.

    python3 demo.py FOLDER"""

import sys
from pathlib import Path

import boot
import checkpoint_writer
import packages
import scenarios


def main() -> None:
    folder = Path(sys.argv[1])
    guest = boot.boot(scenarios.by_name("k61-panic"))
    package = packages.build(packages.debuginfo(guest.kernel.vmlinux, guest.kernel.release))
    iso = packages.iso("demo", {f"DEBUGRPMS/x86_64/{package.name}": package})
    checkpoint_writer.share(iso, folder / "demo.iso")
    checkpoint_writer.write(folder / "demo", guest.memory, guest.vcpus)


if __name__ == "__main__":
    main()
