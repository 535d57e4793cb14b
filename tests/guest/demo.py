"""Makes the three files that the owner of a stuck machine has: demo.iso, demo.vmss, demo.vmem.

    python3 demo.py fetch | boot | pack FOLDER      each makes what the one before it makes, if it isn't there"""

import sys
from pathlib import Path

import boot
import checkpoint_writer
import kernels
import packages
import paths
import scenarios


def fetch() -> kernels.Kernel:
    return kernels.fetch(scenarios.by_name("k61-panic").series)


def booted() -> boot.Guest:
    return boot.boot(scenarios.by_name("k61-panic"))


def without_relocations(kernel: kernels.Kernel) -> Path:
    """The vmlinux without the half of it that nobody reads: it is linked, and a kernel that can't be moved
    has no such sections either."""
    folder = paths.cache() / "demo" / kernel.folder.name
    folder.parent.mkdir(exist_ok=True)

    def make(work: Path) -> None:
        paths.run("objcopy", "--remove-section", ".rela*", kernel.vmlinux, work / "vmlinux")

    return paths.made_once(folder, make) / "vmlinux"


def pack(folder: Path) -> None:
    guest = booted()
    package = packages.build(packages.debuginfo(without_relocations(guest.kernel), guest.kernel.release))
    iso = packages.iso("demo", {f"DEBUGRPMS/x86_64/{package.name}": package})
    checkpoint_writer.share(iso, folder / "demo.iso")
    checkpoint_writer.write(folder / "demo", guest.memory, guest.vcpus)


def main() -> None:
    match sys.argv[1:]:
        case ["fetch"]:
            fetch()
        case ["boot"]:
            booted()
        case ["pack", folder]:
            pack(Path(folder))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"demo: {error}")
