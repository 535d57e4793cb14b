"""The guest's root file system: busybox, the guest agent, and the real dmesg of util-linux."""

import re
import shutil
from pathlib import Path

import paths

FOLDERS = ("bin", "dev", "mnt", "proc", "tmp", "sys", "usr/lib/locale")
APPLETS = ("sh", "cat", "echo", "mount", "sleep", "taskset", "uname", "adjtimex", "date",
           "insmod", "dd", "head", "mkdir", "[")


def _copy_program(program: str, root: Path) -> None:
    """A dynamically linked program of this machine with its libraries."""
    listing = paths.run("ldd", program).stdout.decode()
    for library in re.findall(r"(/\S+)", listing):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    shutil.copy(program, root / "bin")


def archive(folder: Path, names: list[str]) -> bytes:
    """A cpio archive of files in a folder."""
    return paths.run("cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", cwd=folder,
                     input=("\n".join(names) + "\n").encode()).stdout


def build() -> Path:
    """The initramfs as a cpio file."""
    source = paths.SOURCE / "initramfs"
    target = paths.cache() / "initramfs" / paths.digest(source, Path(__file__))

    def make(work: Path) -> None:
        root = work / "root"
        for folder in FOLDERS:
            (root / folder).mkdir(parents=True)
        shutil.copy(source / "init", root / "init")
        shutil.copy("/bin/busybox", root / "bin")
        for applet in APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        paths.run("gcc", "-O2", "-static", "-Wall", "-Wextra", "-o", root / "bin/guest_agent",
                  source / "guest_agent.c")
        _copy_program("/usr/bin/dmesg", root)
        _copy_program("/usr/sbin/kexec", root)
        _copy_program("/usr/sbin/fsfreeze", root)
        shutil.copytree("/usr/lib/locale/C.utf8", root / "usr/lib/locale/C.utf8")
        names = [str(p.relative_to(root)) for p in sorted(root.rglob("*"))]
        (work / "initramfs.cpio").write_bytes(archive(root, names))
        shutil.rmtree(root)

    return paths.made_once(target, make) / "initramfs.cpio"
