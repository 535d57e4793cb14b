"""Debian's kernels, with the debug information that belongs to them, as apt has them today."""

import dataclasses
import re
import subprocess
from pathlib import Path

import paths

# Meta packages that always depend on the current build of a series.
META_PACKAGES = {
    "6.1": "linux-image-cloud-amd64",
    "6.12": "linux-image-6.12-cloud-amd64",
}


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One kernel build, unpacked."""

    series: str
    release: str  # as `uname -r`
    folder: Path

    @property
    def vmlinuz(self) -> Path:
        return self.folder / "vmlinuz"

    @property
    def vmlinux(self) -> Path:
        """With symbols and DWARF."""
        return self.folder / "vmlinux"

    @property
    def system_map(self) -> Path:
        return self.folder / "System.map"


def _current_package(meta: str) -> str:
    text = paths.run("apt-cache", "depends", meta).stdout.decode()
    found = re.search(r"Depends: (linux-image-\S+)", text)
    if not found:
        raise RuntimeError(f"apt knows no kernel behind {meta}: run apt-get update first")
    return found.group(1)


def _version(package: str) -> str:
    text = paths.run("apt-cache", "show", "--no-all-versions", package).stdout.decode()
    return re.search(r"^Version: (\S+)", text, re.MULTILINE).group(1)


def _download(package: str, version: str, folder: Path) -> Path:
    print(f"downloading {package} {version}", flush=True)
    paths.run("apt-get", "download", f"{package}={version}", cwd=folder)
    return next(folder.glob(f"{package}_*.deb"))


def _extract(deb: Path, member: str, target: Path) -> None:
    """One regular file of a Debian package, by the end of its name."""
    stream = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE)
    with target.open("wb") as out:
        subprocess.run(["tar", "-xO", "--wildcards", member], stdin=stream.stdout, stdout=out,
                       stderr=subprocess.DEVNULL, check=False)
    stream.stdout.close()
    stream.wait()
    if target.stat().st_size == 0:
        raise RuntimeError(f"{deb.name} holds no {member}")


def fetch(series: str) -> Kernel:
    """The current build of a series, downloaded unless the cache has it."""
    package = _current_package(META_PACKAGES[series])
    release = package.removeprefix("linux-image-")
    version = _version(package)
    folder = paths.cache() / "kernels" / f"{release}_{version}"
    if not folder.exists():
        with paths.made_whole(folder) as work:
            image = _download(package, version, work)
            _extract(image, f"./boot/vmlinuz-{release}", work / "vmlinuz")
            image.unlink()
            debug = _download(f"{package}-dbg", version, work)
            _extract(debug, f"./usr/lib/debug/boot/vmlinux-{release}", work / "vmlinux")
            _extract(debug, f"./usr/lib/debug/boot/System.map-{release}", work / "System.map")
            debug.unlink()
    return Kernel(series, release, folder)
