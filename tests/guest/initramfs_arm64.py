"""The root file system of arm64 guests: that of the others, from arm64's packages. Debian's package lists for
that architecture are the tests' own."""

import re
import shutil
from pathlib import Path

import initramfs
import kernels
import paths

SUITE = "bookworm"
COMPILER = "aarch64-linux-gnu-gcc"
SEND = re.compile(r"^static void send\(.*?^}\n", re.MULTILINE | re.DOTALL)  # of the agent, by x86's port
# Package: what is taken of it, and where it goes.
FILES = {
    "busybox-static": {"*/busybox": "bin/busybox"},
    "util-linux": {"*/dmesg": "bin/dmesg", "*/fsfreeze": "bin/fsfreeze"},
    "libc6": {"*/ld-linux-aarch64.so.1": "lib/ld-linux-aarch64.so.1", "*/libc.so.6": "lib/libc.so.6"},
    "libtinfo6": {"*/libtinfo.so.6.*": "lib/libtinfo.so.6"},
}


def _unpack(root: Path, work: Path) -> None:
    options = kernels.apt_options(SUITE, "arm64")
    for package, files in FILES.items():
        deb = kernels.download_current(package, options, work)
        kernels.extract(deb, {pattern: root / target for pattern, target in files.items()})
        deb.unlink()
        for target in files.values():
            (root / target).chmod(0o755)


def _agent(root: Path, work: Path) -> None:
    """The guest agent, but for how it sends."""
    folder = paths.SOURCE / "arm64"
    ported, count = SEND.subn('#include "send.h"\n', (paths.SOURCE / "initramfs/guest_agent.c").read_text())
    if count != 1:
        raise RuntimeError("guest_agent.c no longer has one function that sends")
    source = work / "guest_agent.c"
    source.write_text(ported)
    paths.run(COMPILER, "-O2", "-static", "-Wall", "-Wextra", f"-I{folder}", f"-I{folder / 'include'}",
              "-o", root / "bin/guest_agent", source)
    source.unlink()


def build() -> Path:
    """The initramfs as a cpio file."""
    key = paths.digest(paths.SOURCE / "initramfs", paths.SOURCE / "arm64", Path(__file__),
                       Path(initramfs.__file__))
    target = paths.cache() / "initramfs" / f"arm64-{key}"

    def make(work: Path) -> None:
        root = work / "root"
        for folder in (*initramfs.FOLDERS, "lib"):
            (root / folder).mkdir(parents=True)
        shutil.copy(paths.SOURCE / "initramfs/init", root / "init")
        _unpack(root, work)
        _agent(root, work)
        for applet in initramfs.APPLETS:
            (root / "bin" / applet).symlink_to("busybox")
        shutil.copytree("/usr/lib/locale/C.utf8", root / "usr/lib/locale/C.utf8")
        names = [str(p.relative_to(root)) for p in sorted(root.rglob("*"))]
        (work / "initramfs.cpio").write_bytes(initramfs.archive(root, names))
        shutil.rmtree(root)

    return paths.made_once(target, make) / "initramfs.cpio"
