"""Debian's kernels, with the debug information that belongs to them, as apt has them today."""

import dataclasses
import fnmatch
import lzma
import functools
import os
import re
import shutil
import subprocess
import tarfile
import time
import unittest
from pathlib import Path

import paths

# Meta packages that always depend on the current build of a series, and the suite that has them if
# it is not one of this machine's.
META_PACKAGES = {
    "5.10": ("linux-image-cloud-amd64", "bullseye"),
    "6.1": ("linux-image-cloud-amd64", None),
    "6.1-rt": ("linux-image-rt-amd64", None),  # PREEMPT_RT
    "6.12": ("linux-image-6.12-cloud-amd64", None),
    # Whatever is newest there: 7.3 in November 2026.
    "7": ("linux-image-cloud-amd64", "trixie-backports"),
    "6.1-arm64": ("linux-image-cloud-arm64", "bookworm"),
    "6.12-arm64": ("linux-image-cloud-arm64", "trixie"),
    "6.12-arm64-16k": ("linux-image-arm64-16k", "trixie"),  # pages of 16 KiB
}
LISTS_LAST = 3600  # seconds: so that one run of all tests asks once
# What apt says of a suite that the mirror does not have, and of no other trouble with it.
GONE = re.compile(r"does not have a Release file|404 +Not Found")


@dataclasses.dataclass(frozen=True)
class Kernel:
    """One kernel build, unpacked."""

    series: str
    release: str  # as `uname -r`
    folder: Path
    build_tree: Path | None = None  # to build modules in, if it has its own

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


@functools.cache
def mirror() -> str:
    """Where this machine's own packages come from."""
    return paths.run("apt-get", "indextargets", "--format", "$(REPO_URI)",
                     "Created-By: Packages").stdout.decode().split()[0]


@functools.cache
def apt_options(suite: str | None, architecture: str | None = None) -> tuple[str, ...]:
    """What makes apt see another suite of this machine's own mirror, of another architecture if one is
    named. The test that needs one which is gone is skipped, by name."""
    if suite is None:
        return ()
    folder = paths.cache() / "apt" / (f"{suite}-{architecture}" if architecture else suite)
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    source = folder / "sources.list"
    line = f"deb {mirror()} {suite} main\n"
    if not source.exists() or source.read_text() != line:  # a new file makes apt read its lists anew
        source.write_text(line)
    options = ("-o", f"Dir::Etc::SourceList={source}", "-o", "Dir::Etc::SourceParts=-",
               "-o", f"Dir::State::Lists={folder / 'lists'}",
               "-o", f"Dir::Cache::pkgcache={folder / 'pkgcache.bin'}",
               "-o", f"Dir::Cache::srcpkgcache={folder / 'srcpkgcache.bin'}")
    if architecture:
        options += ("-o", f"APT::Architecture={architecture}", "-o", f"APT::Architectures={architecture}")
    updated = folder / "updated"
    try:
        with paths.locked(folder / "lock"):
            if not updated.exists() or time.time() - updated.stat().st_mtime > LISTS_LAST:
                paths.run("apt-get", *options, "update")
                updated.touch()
    except RuntimeError as error:
        if not GONE.search(str(error)):
            raise
        raise unittest.SkipTest(f"Debian no longer offers its suite {suite}") from error
    return options


def _current_package(meta: str, options: tuple[str, ...]) -> str:
    text = paths.run("apt-cache", *options, "depends", meta).stdout.decode()
    found = re.search(r"Depends: (linux-image-\S+)", text)
    if not found:
        raise RuntimeError(f"apt knows no kernel behind {meta}: run apt-get update first")
    return found.group(1)


def current_version(package: str, options: tuple[str, ...]) -> str:
    text = paths.run("apt-cache", *options, "show", "--no-all-versions", package).stdout.decode()
    return re.search(r"^Version: (\S+)", text, re.MULTILINE).group(1)


def download(package: str, version: str, options: tuple[str, ...], folder: Path) -> Path:
    print(f"downloading {package} {version}", flush=True)
    paths.run("apt-get", *options, "download", f"{package}={version}", cwd=folder)
    return next(folder.glob(f"{package}_*.deb"))


def download_current(package: str, options: tuple[str, ...], folder: Path) -> Path:
    return download(package, current_version(package, options), options, folder)


def extract(deb: Path, wanted: dict[str, Path]) -> None:
    """Regular files of a Debian package, each by a pattern of its name; reads no further than the last."""
    left = dict(wanted)
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as unpacker:
        with tarfile.open(fileobj=unpacker.stdout, mode="r|", bufsize=1 << 20) as archive:
            for member in archive:
                pattern = next((p for p in left if fnmatch.fnmatchcase(member.name, p)), None)
                if pattern is None or not member.isreg() or member.size == 0:
                    continue
                with left.pop(pattern).open("wb") as out:
                    shutil.copyfileobj(archive.extractfile(member), out, 1 << 20)
                if not left:
                    break
        unpacker.kill()
    if left:
        raise RuntimeError(f"{deb.name} holds no {', '.join(left)}")


def architecture(series: str) -> str | None:
    """Debian's name of the architecture of a series, if it is not this machine's."""
    return "arm64" if "-arm64" in series else None


def _kept(series: str) -> Path | None:
    """The newest build of a series that the cache has."""
    number, _, flavor = series.partition("-")
    if architecture(series):
        pattern = f"{number}.*-{flavor if flavor != 'arm64' else 'cloud-arm64'}_*"
    else:
        pattern = f"{number}.*-{flavor or 'cloud'}-amd64_*"
    builds = (paths.cache() / "kernels").glob(pattern)
    return max(builds, key=lambda folder: folder.stat().st_mtime, default=None)


def fetch(series: str) -> Kernel:
    """The current build of a series, downloaded unless the cache has it. With PHOTON_DMESG_KEPT_KERNELS,
    any build that the cache has will do: nobody is asked which is current."""
    if os.environ.get("PHOTON_DMESG_KEPT_KERNELS") and (kept := _kept(series)):
        return Kernel(series, kept.name.partition("_")[0], kept)
    meta, suite = META_PACKAGES[series]
    options = apt_options(suite, architecture(series))
    package = _current_package(meta, options)
    release = package.removeprefix("linux-image-")
    version = current_version(package, options)
    folder = paths.cache() / "kernels" / f"{release}_{version}"

    def make(work: Path) -> None:
        # Since 7.3 the image has a package of its own, and debug files are where the modules are.
        depends = paths.run("apt-cache", *options, "depends", package).stdout.decode()
        binary = f"linux-binary-{release}"
        image = download(binary if binary in depends else package, version, options, work)
        extract(image, {"*/vmlinuz*": work / "vmlinuz"})
        image.unlink()
        debug = download(f"{package}-dbg", version, options, work)
        extract(debug, {"./usr/lib/debug/*/vmlinux*": work / "vmlinux",
                         "./usr/lib/debug/*/System.map*": work / "System.map"})
        debug.unlink()

    return Kernel(series, release, paths.made_once(folder, make))


def modules(kernel: Kernel, names: tuple[str, ...]) -> Path:
    """A folder that holds modules/NAME.ko of one of Debian's kernels before 7.3."""
    _, suite = META_PACKAGES[kernel.series]
    version = kernel.folder.name.removeprefix(f"{kernel.release}_")
    target = paths.cache() / "modules" / f"{kernel.folder.name}-{'-'.join(names)}"

    def make(work: Path) -> None:
        deb = download(f"linux-image-{kernel.release}", version, apt_options(suite), work)
        (work / "modules").mkdir()
        files = [work / "modules" / f"{name}.ko" for name in names]
        extract(deb, {f"*/{file.name}*": file for file in files})
        deb.unlink()
        for file in files:  # since 6.12 they are packed
            if not (content := file.read_bytes()).startswith(b"\x7fELF"):
                file.write_bytes(lzma.decompress(content))

    return paths.made_once(target, make)
