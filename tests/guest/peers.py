"""Other programs that read what photon-dmesg writes: the judges of its formats."""

import functools
import os
import re
import unittest
from pathlib import Path
from typing import TypeVar

import kernels
import paths

NEWER = "trixie"  # Debian 13: dmesg there reads /dev/kmsg's format from a file (util-linux 2.40)
# What dmesg of util-linux needs, and OpenTelemetry's protobuf files.
NEWER_PACKAGES = ("util-linux", "libc6", "libtinfo6", "opentelemetry-proto")
PYTHON = "/usr/bin/python3"  # the one that Debian's python3-* packages are for

T = TypeVar("T")


def judged(what: T) -> T:
    """Marks a test, or all those written in a class, as one in which another program judges what is the
    same for every build of photon-dmesg: a pass that is about memory errors need not run it."""
    if isinstance(what, type):
        for name, member in vars(what).items():
            if name.startswith("test"):
                judged(member)
    else:
        what.judged = True
    return what


def judges(test: unittest.TestCase) -> bool:
    method = getattr(test, test.id().rpartition(".")[2], None)
    return getattr(method, "judged", False)


@functools.cache
def newer_suite() -> Path:
    """Some packages of Debian 13, unpacked; the test that needs them is skipped, by name, where that
    suite is not to be had."""
    options = kernels.apt_options(NEWER)
    versions = {}
    for package in NEWER_PACKAGES:
        said = paths.run("apt-cache", *options, "policy", package).stdout.decode()
        versions[package] = re.search(r"Candidate: (\S+)", said).group(1)
    folder = paths.cache() / "peers" / f"{NEWER}-{paths.digest(*map(str, versions.items()))}"

    def make(work: Path) -> None:
        for package, version in versions.items():
            deb = kernels.download(package, version, options, work)
            paths.run("dpkg-deb", "--extract", deb, work)
            deb.unlink()

    return paths.made_once(folder, make)


@functools.cache
def fixed_clock() -> Path:
    """tests/guest/fixtures/fixed_clock.c, compiled."""
    source = paths.SOURCE / "fixtures/fixed_clock.c"

    def make(work: Path) -> None:
        paths.run("gcc", "-shared", "-fPIC", "-O1", "-o", work / "fixed_clock.so", source)

    folder = paths.cache() / "peers" / f"fixed-clock-{paths.digest(source)}"
    return paths.made_once(folder, make) / "fixed_clock.so"


def _environment(boot_usec: int, now_usec: int, locale: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": locale, "TZ": "UTC0", "TERM": "xterm",
            "FIXED_BOOT": str(boot_usec), "FIXED_NOW": str(now_usec)}


def newer_dmesg(*arguments: object, boot_usec: int, now_usec: int,
                locale: str = "C.UTF-8") -> bytes:
    """What dmesg of Debian 13 prints, as if on a machine booted at `boot_usec`, at `now_usec`."""
    folder = newer_suite()
    libraries = folder / "usr/lib/x86_64-linux-gnu"
    program = next(p for p in (folder / "usr/bin/dmesg", folder / "bin/dmesg") if p.exists())
    loader = libraries / "ld-linux-x86-64.so.2"
    environment = {**_environment(boot_usec, now_usec, locale),
                   "LOCPATH": str(folder / "usr/lib/locale")}
    return paths.run(loader, "--library-path", libraries, "--preload", fixed_clock(), program,
                     *arguments, env=environment).stdout


def dmesg(*arguments: object, boot_usec: int, now_usec: int, locale: str = "C.UTF-8") -> bytes:
    """The same with this machine's dmesg."""
    environment = {**_environment(boot_usec, now_usec, locale), "LD_PRELOAD": str(fixed_clock())}
    return paths.run("dmesg", *arguments, env=environment).stdout
