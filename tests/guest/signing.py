"""Packages that somebody has signed."""

import os
import shutil
import subprocess
from pathlib import Path

import paths


def signed(package: Path, who: str, folder: Path) -> tuple[Path, Path]:
    """The package, signed by a new key, and that key: WHO.rpm and WHO.asc in the folder."""
    home = folder / who
    home.mkdir(mode=0o700)
    target = Path(shutil.copy(package, folder / f"{who}.rpm"))
    gpg = ["gpg", "--homedir", home, "--batch"]
    paths.run(*gpg, "--passphrase", "", "--quick-gen-key", f"{who} <{who}@localhost>", "rsa3072",
              "sign", "never")
    key = folder / f"{who}.asc"
    key.write_bytes(paths.run(*gpg, "--armor", "--export", who).stdout)
    paths.run("rpmsign", "--define", f"_gpg_name {who}", "--define", f"_gpg_path {home}",
              "--define", f"__gpg {shutil.which('gpg')}", "--addsign", target,
              env={**os.environ, "GNUPGHOME": str(home)})
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False)
    return target, key
