"""How scripts/demo, scripts/test and scripts/install-packages behave where something is missing: the scripts
themselves, with stand-ins for apt-get, sudo, df and whatever takes minutes."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import kernels
import paths

ROOT = paths.SOURCE.parent.parent
# What the scripts run that is not a stand-in. The PATH has nothing else: no sudo, unless a test brings one.
REAL = ("bash", "cat", "cut", "dirname", "du", "env", "grep", "ln", "ls", "mkdir", "mktemp", "nproc", "realpath",
        "rm", "sed", "sleep", "sort", "tail", "tee", "touch", "uniq")
CALLS = 'echo "${0##*/} $*" >> "$CALLS"\n'


class Scripts(unittest.TestCase):
    """Copies of the scripts in a folder of their own, and a PATH with stand-ins."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        for name in REAL:
            (self.programs / name).symlink_to(shutil.which(name))
        (self.folder / "scripts").mkdir()
        for name in ("check-disk", "demo", "install-packages", "test"):
            shutil.copy(ROOT / "scripts" / name, self.folder / "scripts")
        self.stand_in("dpkg-query", "printf installed")
        self.stand_in("apt-get", CALLS)
        self.user(0)
        self.disk(100000)

    def stand_in(self, name: str, script: str) -> None:
        file = self.folder / name if "/" in name else self.programs / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/usr/bin/env bash\n{script}\n")
        file.chmod(0o755)

    def user(self, number: int) -> None:
        self.stand_in("id", f"echo {number}")

    def disk(self, megabytes: int) -> None:
        self.stand_in("df", f"echo Avail Mounted; echo {megabytes} /")

    def missing(self, *names: str) -> None:
        self.stand_in("dpkg-query", f'case " {" ".join(names)} " in *" ${{*: -1}} "*) ;; *) printf installed ;; esac')

    def run_script(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        return subprocess.run([self.folder / "scripts" / words[0], *words[1:]], capture_output=True, text=True,
                              timeout=60, stdin=subprocess.DEVNULL,
                              env={"PATH": str(self.programs), "CALLS": str(self.folder / "calls"),
                                   "HOME": str(self.folder), **environment})

    def calls(self, program: str) -> list[str]:
        file = self.folder / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(f"{program} ")]


class Packages(Scripts):
    def test_nobody_is_asked_if_all_are_there(self) -> None:
        self.user(1000)
        done = self.run_script("install-packages", "build", "guest")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.calls("apt-get"), [])

    def test_what_is_missing_is_installed_after_its_size_is_said(self) -> None:
        self.missing("cmake", "xorriso")
        self.stand_in("apt-get", CALLS + 'case "$*" in *assume-no*) echo "Need to get 12 MB of archives."; exit 1; esac')
        done = self.run_script("install-packages", "build", "guest")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, r"(?s)lists.*installing cmake xorriso\nNeed to get 12 MB of archives\.\n$")
        update, asked, install = self.calls("apt-get")
        for call in (update, asked, install):
            self.assertIn("-o DPkg::Lock::Timeout=300 ", call)
        self.assertRegex(update, " update ")
        self.assertRegex(asked, "--assume-no .* cmake xorriso$")
        self.assertRegex(install, " install -y .* cmake xorriso$")

    def test_a_lock_is_waited_for(self) -> None:
        self.missing("cmake")
        self.stand_in("apt-get", CALLS + f"""
[ -e {self.folder}/once ] || {{
  touch {self.folder}/once
  echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 42' >&2
  exit 100
}}""")
        done = self.run_script("install-packages", "build")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("another program is using apt: waiting for it, at most 300 s\n", done.stdout)
        self.assertEqual(sum(" update " in f"{call} " for call in self.calls("apt-get")), 2)

    def test_a_lock_that_stays_is_an_error(self) -> None:
        self.missing("cmake")
        self.stand_in("apt-get", CALLS + "echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2; exit 100")
        done = self.run_script("install-packages", "build", PHOTON_DMESG_APT_WAIT="1")
        self.assertEqual((done.returncode, done.stderr), (1, "E: Could not get lock /var/lib/apt/lists/lock\n"))

    def test_what_apt_says_is_shown_when_it_fails(self) -> None:
        self.missing("cmake")
        self.stand_in("apt-get", CALLS + "echo 'E: Unable to locate package cmake' >&2; exit 100")
        done = self.run_script("install-packages", "build")
        self.assertEqual((done.returncode, done.stderr), (1, "E: Unable to locate package cmake\n"))
        self.assertEqual(len(self.calls("apt-get")), 1)

    def test_without_root_and_sudo_it_says_who_can_install_them(self) -> None:
        self.user(1000)
        self.missing("cmake", "g++")
        done = self.run_script("install-packages", "build")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr.splitlines(), [
            "these packages are missing, and only root or sudo can install them, neither of which is there: g++ cmake",
            "an administrator would run: apt-get update && apt-get install --no-install-recommends g++ cmake"])
        self.assertEqual(self.calls("apt-get"), [])

    def test_sudo_is_used_where_there_is_no_root(self) -> None:
        self.user(1000)
        self.missing("cmake")
        self.stand_in("sudo", CALLS + '"$@"')
        done = self.run_script("install-packages", "build")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.calls("sudo")), len(self.calls("apt-get")))
        self.assertEqual(len(self.calls("apt-get")), 3)

    def test_lists_that_cannot_be_had_stop_nothing(self) -> None:
        self.stand_in("apt-get", CALLS + "echo 'Could not resolve the mirror' >&2; exit 100")
        done = self.run_script("install-packages", "--lists", "test")
        self.assertEqual(done.returncode, 0)
        self.assertIn("apt's lists are left as they are", done.stdout)
        self.user(1000)
        done = self.run_script("install-packages", "--lists", "test")
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Disk(Scripts):
    def test_room_is_enough_or_it_is_not(self) -> None:
        self.disk(300)
        done = self.run_script("check-disk", "200", "build", "100", "/nowhere/at/all")
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (0, "disk: needs 300 MB, 300 MB are free in /\n", ""))
        done = self.run_script("check-disk", "200", "build", "101", "/")
        self.assertEqual((done.returncode, done.stdout), (1, "disk: needs 301 MB, 300 MB are free in /\n"))
        self.assertEqual(done.stderr, "disk: that is not enough; PHOTON_DMESG_ANY_DISK=1 goes on all the same\n")
        done = self.run_script("check-disk", "301", "/", PHOTON_DMESG_ANY_DISK="1")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("going on", done.stdout)


class Demo(Scripts):
    def setUp(self) -> None:
        super().setUp()
        self.user(1000)
        self.cache = self.folder / "cache"
        (self.cache / "kernels/6.1.0-9-cloud-amd64_6.1.9-1").mkdir(parents=True)
        self.stand_in("scripts/build", CALLS + 'mkdir -p "$1"; ln -sf "$(command -v photon-dmesg)" "$1/photon-dmesg"')
        self.stand_in("photon-dmesg", CALLS + "echo printed")
        self.stand_in("python3", CALLS + '[ "$2" != pack ] || touch "$3"/demo.{iso,vmss,vmem}')

    def demo(self, **environment: str) -> subprocess.CompletedProcess:
        return self.run_script("demo", PHOTON_DMESG_TEST_CACHE=str(self.cache), **environment)

    def test_what_is_there_needs_no_apt_and_no_root(self) -> None:
        done = self.demo()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.calls("apt-get"), [])
        self.assertEqual(re.findall(r"^\d+ s: step (\d) of 5", done.stdout, re.MULTILINE), list("12345"))
        self.assertEqual([call.split()[2] for call in self.calls("python3")], ["fetch", "boot", "pack"])
        self.assertEqual(done.stdout.count("printed"), 3)

    def test_lists_are_brought_up_to_date_only_to_download_a_kernel(self) -> None:
        shutil.rmtree(self.cache)
        self.user(0)
        done = self.demo()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("downloads 310 MB", done.stdout)
        self.assertEqual([call.split()[3] for call in self.calls("apt-get")], ["update"])

    def test_nothing_begins_without_room_on_the_disk(self) -> None:
        self.disk(100)
        done = self.demo()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^disk: needs \d+ MB, 100 MB are free in /\n$")
        self.assertEqual(self.calls("build") + self.calls("python3"), [])
        self.assertEqual(self.demo(PHOTON_DMESG_ANY_DISK="1").returncode, 0)

    def test_missing_packages_end_it_before_anything_is_built(self) -> None:
        self.missing("qemu-system-x86")
        done = self.demo()
        self.assertEqual(done.returncode, 1)
        self.assertIn("neither of which is there: qemu-system-x86\n", done.stderr)
        self.assertEqual(self.calls("build"), [])

    def test_readme_shows_the_commands_that_it_ends_with(self) -> None:
        shown = re.findall(r"^\$ (photon-dmesg .*)$", self.demo().stdout, re.MULTILINE)
        self.assertEqual(len(shown), 3)
        in_readme = re.findall(r"^\$ (photon-dmesg .*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
        self.assertEqual([command for command in shown if command not in in_readme], [])


class QuickTest(Scripts):
    def setUp(self) -> None:
        super().setUp()
        self.stand_in("scripts/build", CALLS)
        self.stand_in("scripts/guest-tests", CALLS + "echo guest tests: 40 passed, 1 failed, 2 skipped")
        self.stand_in("ctest", CALLS + "echo '100% tests passed, 0 tests failed out of 7'")

    def test_it_ends_with_the_total(self) -> None:
        done = self.run_script("test", "--quick")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.splitlines()[-1], "47 passed, 1 failed, 2 skipped")
        self.assertEqual(re.findall(r"^== (.*?) \(", done.stdout, re.MULTILINE),
                         ["packages of Debian", "build", "unit tests", "real guests"])
        self.assertRegex(done.stdout, r"^disk: needs \d+ MB, 100000 MB are free in /\n")

    def test_nothing_begins_without_room_on_the_disk(self) -> None:
        self.disk(100)
        done = self.run_script("test", "--quick")
        self.assertEqual((done.returncode, len(done.stdout.splitlines())), (1, 1))
        self.assertEqual(self.calls("build") + self.calls("apt-get"), [])

    def test_what_is_there_already_needs_no_more_room(self) -> None:
        before = self.needed()
        (self.folder / "build").mkdir()
        (self.folder / "build/file").write_bytes(b"built" * 1000000)
        self.assertIn(before - self.needed(), (5, 6))  # the folder takes room too

    def needed(self) -> int:
        """Megabytes."""
        said = self.run_script("test", "--quick").stdout
        return int(re.search(r"needs (\d+) MB", said).group(1))


class Kernels(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.enterContext(mock.patch.dict(os.environ, {"PHOTON_DMESG_TEST_CACHE": str(self.folder),
                                                       "PHOTON_DMESG_KEPT_KERNELS": "1"}))

    def test_a_kernel_that_was_kept_is_taken_and_nobody_asked(self) -> None:
        for number, name in enumerate(("6.1.0-8-cloud-amd64_6.1.8-1", "6.1.0-9-cloud-amd64_6.1.9-1",
                                       "6.1.0-9-rt-amd64_6.1.9-1", "6.12.9+deb12-cloud-amd64_6.12.9-1")):
            (self.folder / "kernels" / name).mkdir(parents=True)
            os.utime(self.folder / "kernels" / name, (number, number))
        with mock.patch.object(paths, "run", side_effect=AssertionError("asked")):
            self.assertEqual(kernels.fetch("6.1").folder.name, "6.1.0-9-cloud-amd64_6.1.9-1")
            self.assertEqual(kernels.fetch("6.1").release, "6.1.0-9-cloud-amd64")
            self.assertEqual(kernels.fetch("6.1-rt").release, "6.1.0-9-rt-amd64")
            self.assertEqual(kernels.fetch("6.12").release, "6.12.9+deb12-cloud-amd64")
            with self.assertRaisesRegex(AssertionError, "asked"):
                kernels.fetch("5.10")

    def test_files_are_taken_out_of_a_package_by_their_names(self) -> None:
        root = self.folder / "root"
        for name, content in (("boot/vmlinux-6", "kernel"), ("boot/System.map-6", "symbols"), ("lib/other", "")):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        (root / "a-vmlinux").symlink_to("boot/vmlinux-6")
        (root / "DEBIAN").mkdir()
        (root / "DEBIAN/control").write_text(
            "Package: p\nVersion: 1\nArchitecture: all\nMaintainer: m <m@m>\nDescription: d\n")
        deb = self.folder / "p.deb"
        paths.run("dpkg-deb", "-b", root, deb)
        vmlinux, symbols = self.folder / "vmlinux", self.folder / "symbols"
        kernels.extract(deb, {"*vmlinux*": vmlinux, "*/System.map*": symbols})
        self.assertEqual((vmlinux.read_text(), symbols.read_text()), ("kernel", "symbols"))
        with self.assertRaisesRegex(RuntimeError, r"p\.deb holds no \*/nothing"):
            kernels.extract(deb, {"*/nothing": vmlinux})


if __name__ == "__main__":
    unittest.main()
