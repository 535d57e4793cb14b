"""The guests' own kernel module (lab/photon_lab.c), built against the headers of each guest's kernel."""

import re
import shutil
import unittest
from pathlib import Path

import kernels
import paths
import peers

SOURCE = paths.SOURCE / "lab"
MODULE_FILES = ("photon_lab.c", "Makefile")
FILES = (*MODULE_FILES, "bystanders.c")
NEWER_LIBRARIES = ("libc6", "libelf1t64", "zlib1g", "libzstd1")

# Kernels are built by the compiler of their suite, which may be newer than the one here and then has
# been asked for what this one doesn't know. None of that changes how code and kernel call each other.
COMPILER = r"""#!/bin/bash
for word; do
  case $word in
    -fmin-function-alignment=*) set -- "$@" "-falign-functions=${word#*=}" ;;
    -fstrict-flex-arrays=*|-fzero-init-padding-bits=*|-ftrivial-auto-var-init=*|-fdiagnostics-show-context=*) ;;
    *) set -- "$@" "$word" ;;
  esac
  shift
done
exec gcc "$@"
"""


def _headers_packages(kernel: kernels.Kernel, options: tuple[str, ...]) -> list[str]:
    package = f"linux-headers-{kernel.release}"
    depends = paths.run("apt-cache", *options, "depends", package).stdout.decode()
    return [package, *re.findall(r"Depends: (linux-headers-\S+-common\S*|linux-kbuild-\S+)", depends)]


def _run_with_newer_libraries(root: Path) -> None:
    """Makes a newer suite's build tools run here: each under that suite's loader and libraries."""
    options = kernels.apt_options(peers.NEWER)
    libraries = root / "libraries"
    libraries.mkdir()
    for package in NEWER_LIBRARIES:
        deb = kernels.download_current(package, options, root)
        paths.run("dpkg-deb", "--extract", deb, libraries)
        deb.unlink()
    loader = "libraries/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
    for tool in sorted((root / "usr/lib").glob("linux-kbuild-*/**/*")):
        if tool.is_symlink() or not tool.is_file() or tool.read_bytes()[:4] != b"\x7fELF":
            continue
        of_machine = [tool.with_name(f"{tool.name}.real-{machine}") for machine in ("x86", "lsb-64")]
        if found := next(filter(Path.exists, of_machine), None):  # the tool only starts that
            tool.unlink()
            tool.symlink_to(found.name)
            continue
        tool.rename(tool.with_name(f"{tool.name}.elf"))
        up = "/".join(".." for _ in tool.relative_to(root).parts[1:])
        tool.write_text(f"""#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
loader=$here/{up}/{loader}
exec "$loader" --library-path "$(dirname "$loader")" "$here/{tool.name}.elf" "$@"
""")
        tool.chmod(0o755)


def _headers(kernel: kernels.Kernel) -> Path:
    """The folder to build modules in for one of Debian's kernels."""
    _, suite = kernels.META_PACKAGES[kernel.series]
    options = kernels.apt_options(suite)
    target = paths.cache() / "headers" / f"{kernel.folder.name}-{paths.digest(Path(__file__))}"

    def make(work: Path) -> None:
        for package in _headers_packages(kernel, options):
            deb = kernels.download_current(package, options, work)
            paths.run("dpkg-deb", "--extract", deb, work)
            deb.unlink()
        makefile = work / "usr/src" / f"linux-headers-{kernel.release}" / "Makefile"
        makefile.write_text(makefile.read_text().replace("/usr/src/", f"{target}/usr/src/"))
        if suite and suite.startswith(peers.NEWER):
            _run_with_newer_libraries(work)

    return paths.made_once(target, make) / "usr/src" / f"linux-headers-{kernel.release}"


def build(kernel: kernels.Kernel) -> Path:
    """A folder that holds lab/photon_lab.ko for a kernel and lab/bystanders; the test that needs a
    module which can't be built is skipped, by name."""
    tree = kernel.build_tree or _headers(kernel)
    folder = paths.cache() / "lab"
    target = folder / f"{kernel.folder.name}-{paths.digest(Path(__file__), *map(SOURCE.joinpath, FILES))}"

    def make(work: Path) -> None:
        module = work / "module"
        module.mkdir()
        for name in MODULE_FILES:
            shutil.copy(SOURCE / name, module)
        compiler = module / "compiler"
        compiler.write_text(COMPILER)
        compiler.chmod(0o755)
        # BTF of modules would need pahole and the kernel's own.
        paths.run("make", "-s", "-C", tree, f"M={module}", f"CC={compiler}",
                  "CONFIG_DEBUG_INFO_BTF_MODULES=", "modules")
        (work / "lab").mkdir()
        (module / "photon_lab.ko").rename(work / "lab/photon_lab.ko")
        shutil.rmtree(module)
        paths.run("gcc", "-O2", "-static", "-pthread", "-Wall", "-Wextra", "-o",
                  work / "lab/bystanders", SOURCE / "bystanders.c")

    try:
        return paths.made_once(target, make)
    except RuntimeError as error:
        raise unittest.SkipTest(f"photon_lab can't be built for {kernel.release}: {error}") from error
