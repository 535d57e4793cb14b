"""Real RPMs with Photon's names, paths and payload compressors, and real ISOs that hold them."""

import dataclasses
import os
import shutil
from pathlib import Path

import paths

# Photon compresses with gzip (w9.gzdio, rpm's default) up to 3.0 and with zstd (w19.zstdio) since
# 4.0. Lower levels here, for the time they save: the format is the same.
GZIP = "w6.gzdio"
ZSTD = "w3.zstdio"
XZ = "w0.xzdio"
NONE = "w.ufdio"


@dataclasses.dataclass(frozen=True)
class Package:
    """A package to build: its names, and which file goes where."""

    name: str  # such as linux-esx-debuginfo
    version: str
    release: str  # with the dist tag, such as 6.ph1
    payload: str
    files: tuple[tuple[Path, str], ...]  # source, absolute path in the package
    links: tuple[tuple[str, str], ...] = ()  # absolute path in the package, target
    architecture: str = "x86_64"

    @property
    def file_name(self) -> str:
        return f"{self.name}-{self.version}-{self.release}.{self.architecture}.rpm"


def debuginfo(vmlinux: Path, release: str, *, flavor: str = "linux", payload: str = ZSTD,
              path: str | None = None, version: str = "6.1.0", build: str = "1.ph5",
              architecture: str = "x86_64") -> Package:
    """A kernel's debuginfo package. `path` is vmlinux's in the package; default since 4.4.35-2."""
    folder = f"/usr/lib/debug/lib/modules/{release}"
    inside = path or f"{folder}/vmlinux-{release}"
    links = () if path else ((f"{folder}/vmlinux", f"vmlinux-{release}"),)
    return Package(f"{flavor}-debuginfo", version, build, payload, ((vmlinux, inside),), links, architecture)


def build(package: Package) -> Path:
    """The RPM, built unless the cache has it."""
    sources = [f"{source}:{source.stat().st_size}:{source.stat().st_mtime_ns}"
               for source, _ in package.files]
    folder = paths.cache() / "packages" / paths.digest(repr(package), *sources, Path(__file__))

    def make(work: Path) -> None:
        print(f"building {package.file_name} ({package.payload})", flush=True)
        _rpmbuild(package, work)

    return paths.made_once(folder, make) / package.file_name


def build_once(package: Package, folder: Path) -> Path:
    """The RPM in `folder`, which it is not to outlive."""
    folder.mkdir()
    _rpmbuild(package, folder)
    return folder / package.file_name


def _rpmbuild(package: Package, work: Path) -> None:
    root = work / "root"
    for source, inside in package.files:
        target = root / inside.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:
            shutil.copy(source, target)
    for inside, link_target in package.links:
        (root / inside.lstrip("/")).symlink_to(link_target)
    listed = "\n".join([inside for _, inside in package.files] + [p for p, _ in package.links])
    # Nothing may touch the files: they are as the kernel's build left them.
    (work / "package.spec").write_text(f"""\
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
%global _build_id_links none
%define _binary_payload {package.payload}
Name: {package.name}
Version: {package.version}
Release: {package.release}
Summary: Test package
License: GPLv2
Group: Test
Vendor: Test
AutoReqProv: no
%description
Made by the tests.
%files
%defattr(-,root,root)
{listed}
""")
    paths.run("rpmbuild", "-bb", "--target", package.architecture, "--nodeps", "--define", f"_topdir {work}",
              "--define", f"_rpmdir {work}", "--define", "_rpmfilename %{NAME}-%{VERSION}-"
              "%{RELEASE}.%{ARCH}.rpm", "--buildroot", root, "--noclean", work / "package.spec")
    for leftover in work.iterdir():
        if leftover.is_dir():
            shutil.rmtree(leftover)
    (work / "package.spec").unlink()


def iso(name: str, contents: dict[str, Path]) -> Path:
    """An ISO with the given files (path in the ISO: file), as Photon's mkisofs -R makes it."""
    sources = [f"{inside}={source}:{source.stat().st_size}" for inside, source in contents.items()]
    folder = paths.cache() / "isos" / f"{name}-{paths.digest(*sources, Path(__file__))}"

    def make(work: Path) -> None:
        print(f"building {name}.iso", flush=True)
        grafts = [f"/{inside}={source}" for inside, source in contents.items()]
        paths.run("xorriso", "-as", "mkisofs", "-R", "-V", "PHOTON_20260101", "-graft-points",
                  "-o", work / f"{name}.iso", *grafts)

    return paths.made_once(folder, make) / f"{name}.iso"
