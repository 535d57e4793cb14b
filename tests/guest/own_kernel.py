"""The kernel that the tests build themselves, since Debian has none like it: lab/esx.config."""

import os
import shutil
import unittest
from pathlib import Path

import kernels
import paths

SERIES = "esx"  # what scenarios call it
SOURCE = "linux-source-6.1"
CONFIG = paths.SOURCE / "lab/esx.config"
# The same sources give the same kernel, and so the same build id.
SAME = ("KBUILD_BUILD_TIMESTAMP=2026-01-01", "KBUILD_BUILD_USER=tests", "KBUILD_BUILD_HOST=photon-dmesg")
# What is left of the sources when the kernel is built: enough to build modules.
NEEDED_FOR_MODULES = ("Makefile", ".config", "Module.symvers", "arch/x86", "include", "scripts",
                      "tools/objtool")
NICE = ("nice", "-n", "15")  # it takes minutes, in which other guests boot


def fetch() -> kernels.Kernel:
    """The kernel, built unless the cache has it; the test that needs it is skipped, by name, where
    that can't be done."""
    version = kernels.current_version(SOURCE, ())
    target = paths.cache() / "kernels" / f"esx_{version}-{paths.digest(CONFIG, Path(__file__))}"
    try:
        folder = paths.made_once(target, lambda work: _build(work, version))
    except RuntimeError as error:
        raise unittest.SkipTest(f"a kernel like linux-esx can't be built here: {error}") from error
    return kernels.Kernel(SERIES, (folder / "release").read_text(), folder, folder / "tree")


def _build(work: Path, version: str) -> None:
    deb = kernels.download(SOURCE, version, (), work)
    paths.run("bash", "-c", 'set -o pipefail; dpkg-deb --fsys-tarfile "$0" | '
              'tar -xO --wildcards "./usr/src/*.tar.xz" | tar -xJ', deb, cwd=work)
    deb.unlink()
    source = work / SOURCE
    _make(source, "allnoconfig", KCONFIG_ALLCONFIG=str(CONFIG))
    _expect(CONFIG.read_text(), (source / ".config").read_text())
    print("building a kernel like linux-esx: some minutes", flush=True)
    _make(source, f"-j{os.cpu_count()}", "bzImage", "modules")
    (work / "release").write_text((source / "include/config/kernel.release").read_text().strip())
    shutil.copy(source / "arch/x86/boot/bzImage", work / "vmlinuz")
    for name in ("vmlinux", "System.map"):
        shutil.copy(source / name, work)
    for name in NEEDED_FOR_MODULES:
        (work / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).rename(work / "tree" / name)
    shutil.rmtree(source)
    for built in (work / "tree/arch").rglob("*.[oa]"):
        built.unlink()


def _make(source: Path, *words: str, **variables: str) -> None:
    compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
    # The folder's name is in the debug information only.
    environment = {**os.environ, "CCACHE_NOHASHDIR": "1", **variables}
    paths.run(*NICE, "make", "-s", f"CC={compiler}", *SAME, *words, cwd=source, env=environment)


def _expect(wanted: str, configured: str) -> None:
    """Kconfig drops in silence what it doesn't know or what lacks something."""
    lacking = set(line for line in wanted.splitlines() if not line.startswith("#"))
    lacking -= set(configured.splitlines())
    if lacking:
        raise RuntimeError(f"{SOURCE} can't be configured: {', '.join(sorted(lacking))}")
