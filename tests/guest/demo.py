"""Makes the three files that the owner of a stuck machine has: demo.iso, demo.vmss, demo.vmem.

    python3 demo.py FOLDER"""

import sys
from pathlib import Path

import boot
import checkpoint_writer
import kernels
import packages
import paths
import scenarios


def main() -> None:
    folder = Path(sys.argv[1])
    print(f"3/5 a kernel of Debian with its debug information, unless {paths.cache()} has it: downloads "
          "310 MB, takes a minute or two; 900 MB of disk, 600 MB of it to stay", flush=True)
    scenario = scenarios.by_name("k61-panic")
    kernels.fetch(scenario.series)
    print("4/5 booting it until it panics, unless it has been: 10 to 30 seconds, 110 MB of disk",
          flush=True)
    guest = boot.boot(scenario)
    print("5/5 packing its debug information into a package and an ISO: some 20 seconds, 300 MB of disk",
          flush=True)
    package = packages.build(packages.debuginfo(guest.kernel.vmlinux, guest.kernel.release))
    iso = packages.iso("demo", {f"DEBUGRPMS/x86_64/{package.name}": package})
    checkpoint_writer.share(iso, folder / "demo.iso")
    checkpoint_writer.write(folder / "demo", guest.memory, guest.vcpus)


if __name__ == "__main__":
    main()
