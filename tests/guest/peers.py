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


# U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
_CONTROLS = re.compile(rb"\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]")


def without_controls(text: bytes, style: tuple[object, ...] = ()) -> bytes:
    """dmesg's text with what it prints as it is and photon-dmesg escapes: ends of lines and turns of
    direction outside ASCII."""
    if "--noescape" in style:
        return text
    if "-J" in style:
        return _CONTROLS.sub(lambda found: b"\\u%04x" % ord(found.group().decode()), text)
    return _CONTROLS.sub(lambda found: b"".join(b"\\x%02x" % byte for byte in found.group()), text)


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
    done = paths.run(loader, "--library-path", libraries, "--preload", fixed_clock(), program,
                     *arguments, env=environment)
    return without_controls(done.stdout, arguments)


def dmesg(*arguments: object, boot_usec: int, now_usec: int, locale: str = "C.UTF-8") -> bytes:
    """The same with this machine's dmesg."""
    environment = {**_environment(boot_usec, now_usec, locale), "LD_PRELOAD": str(fixed_clock())}
    done = paths.run("dmesg", *arguments, env=environment)
    return without_controls(done.stdout, arguments)
