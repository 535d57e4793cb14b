"""Other systems to run in: releases of Debian, with nothing in them but what every Debian has, and less."""

import os
import re
import shutil
import unittest
from pathlib import Path

import kernels
import paths

# What debootstrap says of a container that lets nobody make devices or run programs of other folders.
FORBIDDEN = re.compile(r"mounted with noexec or nodev|Operation not permitted")
# What apt leaves behind, and what nobody reads here.
SUPERFLUOUS = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")


def only_for_root() -> None:
    """Skips the test, by name, where no other system may be entered."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("another system can't be made here: only root may enter it")


def system(suite: str) -> Path:
    """Its root folder, made unless the cache has it; the test that needs it is skipped, by name, where it
    can't be made."""
    only_for_root()
    folder = paths.cache() / "systems" / f"{suite}-{paths.digest(Path(__file__))}"
    if not folder.exists():
        kernels.apt_options(suite)  # knows whether the mirror has it
    return paths.made_once(folder, lambda work: _make(suite, work / "root")) / "root"


def _make(suite: str, root: Path) -> None:
    print(f"making a Debian {suite}", flush=True)
    try:
        paths.run("debootstrap", "--variant=minbase", "--include=less", suite, root, kernels.mirror(),
                  env=_environment())
    except RuntimeError as error:
        if not FORBIDDEN.search(str(error)):
            raise
        raise unittest.SkipTest(f"another system can't be made here: {error}") from error
    for name in SUPERFLUOUS:
        shutil.rmtree(root / name)


def _environment() -> dict[str, str]:
    """With apt's proxy, which debootstrap does not ask apt for."""
    said = paths.run("apt-config", "shell", "proxy", "Acquire::http::Proxy").stdout.decode()
    found = re.search("proxy='(.*)'", said)
    return {**os.environ, "http_proxy": found.group(1)} if found else dict(os.environ)
