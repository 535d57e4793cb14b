"""The one file that runs anywhere: what is in it, every way to start it, and other systems that it runs on."""

import filecmp
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path

import checkpoint_writer
import packages
import paths
import signing
import systems
import tool
from guest_files import GuestFiles
from tool import BINARY, TIMEOUT, Result

SOURCE = paths.SOURCE.parents[1]
MIB = 1 << 20
NOBODY = "65534:65534"


def run(*command: object, environment: dict[str, str] | None = None, **options: object) -> Result:
    """With nothing in the environment but what is named."""
    done = subprocess.run([str(word) for word in command], capture_output=True, env=environment or {},
                          timeout=TIMEOUT, stdin=subprocess.DEVNULL, **options)
    return Result(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


class Bundle(GuestFiles, unittest.TestCase):
    name = "k61"
    EPOCH = 1_700_000_000
    # What other systems are asked, with files in the folder that they are asked in.
    COMMANDS = ("vm.vmss", "photon.iso vm.vmss", "-v photon.iso vm.vmss", "--json vm.vmss", "vm.vmss -T",
                "-v signed.rpm vm.vmss --key signed.asc", "triage vm.vmss", "triage photon.iso vm.vmss",
                "bt --all vm.vmss", "bt --lines photon.iso vm.vmss", "ps vm.vmss", "info vm.vmss",
                "core photon.iso vm.vmss -o stuck")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.made = cls.folder / "made"
        cls.said = paths.run(SOURCE / "scripts/package", "--all", "--build", BINARY.parent, cls.made,
                             env={**os.environ, "SOURCE_DATE_EPOCH": str(cls.EPOCH)}).stdout.decode()
        cls.file, = cls.made.glob("*.tar.gz")
        cls.root = cls.unpacked(cls.folder / "unpacked")
        cls.program = cls.root / "photon-dmesg"
        cls.log = run(BINARY, cls.checkpoint).out
        assert cls.log
        cls.make_symbols()

    @classmethod
    def make_symbols(cls) -> None:
        """The ISO and the signed package."""
        kernel = cls.guest.kernel
        package = packages.build(packages.debuginfo(kernel.vmlinux, kernel.release))
        cls.iso = packages.iso("core", {f"RPMS/x86_64/{package.name}": package})
        small = packages.build(packages.Package("linux", "6.1.10", "1.ph5", packages.GZIP, (
            (kernel.system_map, f"/boot/System.map-{kernel.release}"),)))
        cls.signed, cls.key = signing.signed(small, "Signer", cls.folder)

    @classmethod
    def unpacked(cls, folder: Path) -> Path:
        """What tar makes of the file there."""
        folder.mkdir(parents=True)
        paths.run("tar", "-C", folder, "--no-same-owner", "-xf", cls.file)
        root, = folder.iterdir()
        return root

    def check_log(self, *command: object, **options: object) -> None:
        result = run(*command, self.checkpoint, **options)
        self.assertEqual((result.status, result.out, result.err), (0, self.log, ""))

    def test_sizes_and_sums_are_said(self) -> None:
        self.assertLess(self.file.stat().st_size, 25 * MIB)
        self.assertEqual(sorted(file.suffix for file in self.made.iterdir()), [".deb", ".gz", ".rpm"])
        for file in self.made.iterdir():
            digest = paths.run("sha256sum", file).stdout.decode().split()[0]
            self.assertIn(f"{file}\n  {file.stat().st_size} bytes, SHA-256 {digest}\n", self.said)

    def members(self) -> Iterator[tarfile.TarInfo]:
        with tarfile.open(self.file, "r:gz") as archive:
            yield from archive

    def test_the_same_content_gives_the_same_bytes(self) -> None:
        members = list(self.members())
        names = [member.name.split("/") for member in members]
        self.assertEqual(names, sorted(names))
        self.assertEqual({name[0] for name in names}, {self.file.name.removesuffix(".tar.gz")})
        self.assertEqual({(m.uid, m.gid, m.uname, m.gname) for m in members}, {(0, 0, "", "")})
        self.assertEqual({m.mtime for m in members}, {self.EPOCH})
        self.assertEqual({m.mode for m in members if not m.issym()}, {0o755, 0o644})

    def test_it_has_what_an_installation_has(self) -> None:
        for file in ("man/man1/photon-dmesg.1", "bash-completion/completions/photon-dmesg",
                     "zsh/site-functions/_photon-dmesg", "fish/vendor_completions.d/photon-dmesg.fish",
                     "photon-dmesg/gdbmacros/photon.gdb", "photon-dmesg/lnav/photon-dmesg.json",
                     "photon-dmesg/slurm/photon-dmesg.sbatch", "photon-dmesg/kubernetes/photon-dmesg-job.yaml",
                     "photon-dmesg/schema/photon-dmesg.schema.json", "doc/photon-dmesg/LICENSE"):
            self.assertTrue((self.root / "share" / file).stat().st_size, file)

    def test_everything_has_its_license(self) -> None:
        licenses = self.root / "LICENSES"
        readme = (licenses / "README").read_text()
        libraries = {f.name for f in (self.root / "lib/photon-dmesg").iterdir() if ".so" in f.name}
        named = dict(re.findall(r"(?m)^  lib/photon-dmesg/(\S+): (\S+) ", readme))
        self.assertEqual(set(named), libraries)
        self.assertIn("libc.so.6", named)
        compiled_in = re.findall(r"(?m)^  (\S+) \S+, source ", readme)
        self.assertIn("libcli11-dev", compiled_in)
        folders = {f.name for f in licenses.iterdir() if f.is_dir()}
        self.assertEqual(folders, {*named.values(), *compiled_in, "common-licenses"})
        for package in folders - {"common-licenses"}:
            text = (licenses / package / "copyright").read_text(errors="replace")
            for name in re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.+-]*[A-Za-z0-9])", text):
                self.assertTrue((licenses / "common-licenses" / name).stat().st_size, name)

    def test_from_any_folder_by_any_name(self) -> None:
        self.check_log(self.program)
        self.check_log("./photon-dmesg", cwd=self.root)
        self.check_log("./photon-dmesg", cwd=self.root / "bin")
        self.check_log(os.path.relpath(self.program, self.root / "share/man"), cwd=self.root / "share/man")

    def test_through_links_on_the_path(self) -> None:
        folders = [self.folder / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        (folders[0] / "photon-dmesg").symlink_to(os.path.relpath(self.program, folders[0]))
        (folders[1] / "dmesg-of-vm").symlink_to(folders[0] / "photon-dmesg")
        for folder, name in zip(folders, ("photon-dmesg", "dmesg-of-vm")):
            self.check_log("/bin/sh", "-c", f'exec {name} "$@"', "sh", cwd="/",
                           environment={"PATH": str(folder)})

    def test_from_a_folder_whose_name_means_something_to_the_loader(self) -> None:
        root = self.unpacked(self.folder / "a: b; $ORIGIN\nc")
        self.check_log(root / "photon-dmesg")

    def test_its_messages_have_its_name(self) -> None:
        for words in (("--help",), ("--version",), ("triage", "--help"), ("--absent",), ("absent",)):
            with self.subTest(words=words):
                result = run(self.program, *words)
                self.assertEqual(result, run(BINARY, *words))
                self.assertIn("photon-dmesg", result.out.decode() + result.err)

    def test_only_its_own_libraries_are_used(self) -> None:
        """Whatever the environment or the system has: the loader says what it loads."""
        opened = set((BINARY.parent / "opened-libraries").read_text().split())
        wrong = self.folder / "wrong"
        wrong.mkdir()
        for name in ("libfmt.so.9", *opened):
            (wrong / name).write_text("no library")
        of_packages = {name for name in opened if not name.startswith("libkdumpfile.")}
        inside = self.root / "lib/photon-dmesg"
        for files, expected in ((self.checkpoint,), set()), ((self.iso, self.checkpoint), of_packages):
            said = run(self.program, *files,
                       environment={"LD_LIBRARY_PATH": str(wrong), "LD_DEBUG": "files"}).err
            loaded = set(re.findall(r"calling init: (/\S+)", said))
            self.assertGreater(len(loaded), 5)
            self.assertEqual({name for name in loaded if Path(name).resolve().parent != inside}, set())
            self.assertEqual({Path(name).name for name in loaded} & opened, expected)

    def test_a_pager_is_the_systems_own(self) -> None:
        variables = {"PATH": os.environ["PATH"], "TERM": "xterm", "LD_LIBRARY_PATH": "/absent", "PAGER":
                     "env; cat /proc/$PPID/comm; cat"}
        result = tool.on_terminal(self.program, "-H", self.checkpoint, env=variables)
        self.assertEqual((result.status, result.err), (0, ""))
        seen = result.out.decode()
        loader = set(re.findall(r"(?m)^(?:LD|GCONV|LOC|RPM)_?\w*=.*$", seen))
        self.assertEqual(loader, {"LD_LIBRARY_PATH=/absent"})
        self.assertIn("\nphoton-dmesg\n", seen)  # what ps shows
        self.assertIn("Linux version", seen)

    def test_without_its_libraries_it_says_so(self) -> None:
        (self.folder / "bin").mkdir()
        alone = shutil.copy(self.root / "bin/photon-dmesg", self.folder / "bin")
        result = run(alone, "--version")
        self.assertEqual((result.status, result.out), (127, b""))
        self.assertEqual(result.err, f"photon-dmesg: {self.folder}/lib/photon-dmesg/run/photon-dmesg: "
                                     "can't be started: No such file or directory\n")

    def test_a_system_that_has_nothing_at_all(self) -> None:
        systems.only_for_root()
        system = self.folder / "empty"
        root = self.unpacked(system / "bundle")
        checkpoint_writer.write(system / "vm", self.guest.memory, self.guest.vcpus)
        program = Path("/bundle", root.name, "photon-dmesg")
        result = run("chroot", system, program, "vm.vmss", environment={"PATH": os.environ["PATH"]})
        self.assertEqual((result.status, result.out, result.err), (0, self.log, ""))

    def prepare(self, suite: str) -> None:
        """A folder of that system, of which this one's user may be anybody, with the bundle and files."""
        self.system = systems.system(suite)
        folder = tempfile.TemporaryDirectory(dir=self.system / "tmp")
        self.addCleanup(folder.cleanup)
        self.place = Path(folder.name)
        self.place.chmod(0o777)
        self.inside = "/" + str(self.place.relative_to(self.system))
        root = self.unpacked(self.place / "unpacked")
        (self.place / "photon-dmesg").symlink_to(os.path.relpath(root / "photon-dmesg", self.place))
        checkpoint_writer.write(self.place / "vm", self.guest.memory, self.guest.vcpus)
        checkpoint_writer.share(self.iso, self.place / "photon.iso")
        checkpoint_writer.share(self.signed, self.place / "signed.rpm")
        checkpoint_writer.share(self.key, self.place / "signed.asc")

    def enter(self, *command: object) -> list[object]:
        """Runs a command there, as a user of no rights."""
        return ["chroot", f"--userspec={NOBODY}", self.system, "env", "-i", "-C", self.inside, *command]

    def check_system(self, suite: str, libc: str) -> None:
        self.prepare(suite)
        path = {"PATH": os.environ["PATH"]}
        # It has neither our libraries nor, if it is older, our libc: else this would show nothing.
        shutil.copy(BINARY, self.place / "plain")
        self.assertEqual(run(*self.enter("./plain", "--version"), environment=path).status, 127)
        said = run(*self.enter("ldd", "--version"), environment=path).out.decode()
        self.assertIn(f" {libc}\n", said)
        for words in self.COMMANDS:
            with self.subTest(words=words):
                there = run(*self.enter("./photon-dmesg", *words.split()), environment=path)
                if "core" in words:
                    (self.place / "stuck").rename(self.place / "stuck there")
                self.assertEqual(there, run(BINARY, *words.split(), cwd=self.place))
        for name in ("vmss.core", "vmlinux", "photon.gdb", ".gdbinit"):
            self.assertTrue(filecmp.cmp(self.place / "stuck" / name, self.place / "stuck there" / name,
                                        shallow=False), name)
        self.check_pager(path)

    def check_pager(self, path: dict[str, str]) -> None:
        """It is that system's less, with that system's libraries."""
        version = run(*self.enter("less", "--version"), environment=path).out
        self.assertIn(b"less ", version)
        for pager, shown in ((), b"Linux version"), (("PAGER=less --version | cat",), version):
            result = tool.on_terminal(*self.enter("TERM=xterm", *pager, "./photon-dmesg", "-H", "--head", "5",
                                                  "vm.vmss"), env=path)
            self.assertEqual((result.status, result.err), (0, ""))
            self.assertIn(shown, result.out)

    def test_debian_11(self) -> None:
        self.check_system("bullseye", "2.31")

    def test_debian_13(self) -> None:
        self.check_system("trixie", "2.41")
