"""What users install: packages, man pages, completions; and --help."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import paths
from guest_files import GuestFiles
from tool import BINARY, photon_dmesg

SOURCE = paths.SOURCE.parents[1]
COMMANDS = ("", "triage", "bt", "ps", "info", "core", "profile", "batch")


def options_of(command: str) -> set[str]:
    """By --help."""
    text = photon_dmesg(*command.split(), "--help").out.decode()
    lines = re.findall(r"(?m)^  (-\w(?:, --[\w-]+)*|    --[\w-]+)", text)
    return {name for line in lines for name in re.findall(r"--?[\w-]+", line)}


class Sources(unittest.TestCase):
    """What the program is built from; what its tests take besides need not be there."""

    def configure(self, *options: str) -> subprocess.CompletedProcess:
        folder = tempfile.TemporaryDirectory(dir=paths.cache())
        self.addCleanup(folder.cleanup)
        return subprocess.run(["cmake", "-S", SOURCE, "-B", folder.name, "-G", "Ninja",
                               "-DCMAKE_DISABLE_FIND_PACKAGE_Catch2=ON", *options],
                              capture_output=True, text=True)

    def test_where_the_tests_library_is_missing_they_are_left_out(self) -> None:
        made = self.configure()
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertIn("unit tests: left out, as Catch2 or rpmbuild is missing", made.stdout)

    def test_whoever_asks_for_them_hears_what_is_missing(self) -> None:
        made = self.configure("-DPHOTON_DMESG_TESTS=ON")
        self.assertNotEqual(made.returncode, 0)
        self.assertIn("Catch2", made.stderr)


class Packages(GuestFiles, unittest.TestCase):
    name = "k61"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.manifest = BINARY.parent / "install_manifest.txt"
        cls.installed = cls.manifest.read_text() if cls.manifest.exists() else None
        paths.run("cpack", "-G", "DEB;RPM", "-B", cls.folder / "packages",
                  "--config", BINARY.parent / "CPackConfig.cmake")

    def package(self, suffix: str) -> Path:
        return next((self.folder / "packages").glob(f"*.{suffix}"))

    def test_what_cmake_has_installed_is_still_known(self) -> None:
        now = self.manifest.read_text() if self.manifest.exists() else None
        self.assertEqual(now, self.installed)

    def check_program(self, root: Path, zsh: str) -> None:
        program = root / "usr/bin/photon-dmesg"
        self.assertEqual(photon_dmesg("--version", binary=program).out,
                         photon_dmesg("--version").out)
        self.assertEqual(photon_dmesg(*self.files, binary=program).out,
                         photon_dmesg(*self.files).out)
        for file in (*(f"man/man1/{page.name}" for page in (SOURCE / "share/man").iterdir()),
                     "bash-completion/completions/photon-dmesg",
                     f"zsh/{zsh}/_photon-dmesg",
                     "fish/vendor_completions.d/photon-dmesg.fish",
                     "photon-dmesg/gdbmacros/photon.gdb", "photon-dmesg/lnav/photon-dmesg.json",
                     "photon-dmesg/slurm/photon-dmesg.sbatch", "photon-dmesg/kubernetes/photon-dmesg-job.yaml",
                     "photon-dmesg/schema/photon-dmesg.schema.json",
                     "photon-dmesg/schema/photon-dmesg-info.schema.json",
                     "photon-dmesg/schema/photon-dmesg-bt.schema.json",
                     "photon-dmesg/schema/photon-dmesg-ps.schema.json", "doc/photon-dmesg/README.md"):
            self.assertTrue((root / "usr/share" / file).stat().st_size, file)
        self.assertEqual([f.name for f in (root / "usr/share/zsh").iterdir()], [zsh])

    def test_deb_is_installed_and_runs(self) -> None:
        root = self.folder / "deb-root"
        # dpkg's own knowledge of this machine, so that the package's dependencies are checked.
        shutil.copytree("/var/lib/dpkg", root / "var/lib/dpkg")
        paths.run("dpkg", f"--instdir={root}", f"--admindir={root / 'var/lib/dpkg'}", "--no-triggers",
                  "--install", self.package("deb"))
        self.check_program(root, "vendor-completions")
        looked_in = paths.run("zsh", "-fc", "print -l $fpath").stdout.decode().splitlines()
        self.assertIn("/usr/share/zsh/vendor-completions", looked_in)
        paths.run("dpkg", f"--instdir={root}", f"--admindir={root / 'var/lib/dpkg'}", "--no-triggers",
                  "--purge", "photon-dmesg")
        left = [p for p in root.rglob("*photon*") if "var/lib/dpkg" not in str(p)]
        self.assertEqual(left, [])

    def test_the_container_has_the_libraries_that_the_deb_needs(self) -> None:
        """Which those are, dpkg-shlibdeps has found out."""
        depends = paths.run("dpkg-deb", "-f", self.package("deb"), "Depends").stdout.decode()
        needed = {name.split()[0] for name in depends.split(",")}
        self.assertIn("libfmt9", needed)
        stage = (SOURCE / "Containerfile").read_text().split("\nFROM ")[2]
        listed = re.search(r"apt-get install ((?:[^&]|\\\n)*)&&", stage).group(1).replace("\\\n", " ")
        self.assertEqual(sorted(word for word in listed.split() if not word.startswith("-")),
                         sorted(needed))

    def test_rpm_is_installed_and_runs(self) -> None:
        root = self.folder / "rpm-root"
        root.mkdir()
        # This machine's libraries are Debian's, of which rpm knows nothing: they are looked for.
        requires = paths.run("rpm", "-qp", "--requires", self.package("rpm")).stdout.decode()
        libraries = set(re.findall(r"(?m)^(lib[^(]+)\(", requires))
        self.assertIn("libdw.so.1", libraries)
        opened = (BINARY.parent / "opened-libraries").read_text().split()
        self.assertEqual(set(opened) - libraries, set())
        known = paths.run("/sbin/ldconfig", "-p").stdout.decode()
        self.assertEqual([name for name in libraries if f"\t{name} " not in known], [])
        paths.run("rpm", "--root", root, "--nodeps", "--install", self.package("rpm"))
        self.check_program(root, "site-functions")
        paths.run("rpm", "--root", root, "--erase", "photon-dmesg")
        self.assertFalse((root / "usr/bin/photon-dmesg").exists())


class PhotonSpec(unittest.TestCase):
    SPEC = SOURCE / "packaging/photon/photon-dmesg.spec"

    def test_it_packs_all_that_cmake_installs(self) -> None:
        """All but compiling, which this build has done already: an rpmbuild that finds a file which %files
        does not name, or misses one that it names, fails."""
        with tempfile.TemporaryDirectory(dir=paths.cache()) as folder:
            root, rpms = Path(folder, "root"), Path(folder, "rpms")
            paths.run("cmake", "--install", BINARY.parent, "--strip", "--prefix", root / "usr")
            installed = {f"/{file.relative_to(root)}" for file in root.rglob("*") if file.is_file()}
            self.assertIn("/usr/bin/photon-dmesg", installed)
            (rpms / "BUILD/photon-dmesg-0.1.0").mkdir(parents=True)
            paths.run("rpmbuild", "-bb", "--short-circuit", "--nodeps", "--buildroot", root,
                      "--define", f"_topdir {rpms}", "--define", "dist .ph5",
                      "--define", "_binary_payload w1.gzdio", self.SPEC)
            package = next(rpms.rglob("*.rpm"))
            packed = paths.run("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", package)
            needs = paths.run("rpm", "-qp", "--requires", package).stdout.decode().splitlines()
            self.assertEqual({"elfutils", "libarchive", "rpm-libs", "xz-libs", "zstd-libs"} - set(needs), set())
            files = {name.removesuffix(".gz") for mode, name in
                     map(str.split, packed.stdout.decode().splitlines()) if mode.startswith("-")}
            self.assertEqual(files, {name.removesuffix(".gz") for name in installed})

    def test_both_releases_can_be_built_for(self) -> None:
        version = re.search(r"VERSION ([\d.]+) LANGUAGES", (SOURCE / "CMakeLists.txt").read_text())[1]
        for release, isal in ((".ph4", False), (".ph5", True)):
            defined = ("--define", f"dist {release}", "--target", "x86_64")
            name = paths.run("rpmspec", "-q", *defined, "--qf", "%{NVR}", self.SPEC).stdout.decode()
            self.assertEqual(name, f"photon-dmesg-{version}-1{release}")
            needs = paths.run("rpmspec", "-q", "--buildrequires", *defined, self.SPEC).stdout.decode()
            self.assertEqual("isa-l-devel" in needs.split(), isal)
            text = paths.run("rpmspec", "-P", *defined, self.SPEC).stdout.decode()
            self.assertIn(f"-DPHOTON_DMESG_ISAL={'ON' if isal else 'OFF'} ", text)
        self.assertIn(f"photon-dmesg-{version}.tar.gz HEAD", self.SPEC.read_text())


class ManPages(unittest.TestCase):
    FOLDER = SOURCE / "share/man"

    def page(self, command: str) -> Path:
        return self.FOLDER / f"photon-dmesg{command and '-'}{command}.1"

    def text(self, command: str) -> str:
        text = paths.run("mandoc", "-T", "utf8", self.page(command)).stdout.decode()
        return re.sub(".\b", "", text).replace("\N{HYPHEN}", "-")  # bold, as on a printer

    def options_in(self, command: str) -> set[str]:
        options = re.search("(?ms)^OPTIONS$.*?^(?:COMMANDS|EXIT STATUS)$", self.text(command)).group()
        return set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w-]*", options))

    def test_each_command_has_one(self) -> None:
        self.assertEqual(sorted(self.FOLDER.iterdir()), sorted(map(self.page, COMMANDS)))
        main = self.text("")
        for command in COMMANDS[1:]:
            self.assertIn(f"photon-dmesg-{command}(1)", main)
            self.assertIn("photon-dmesg(1)", self.text(command))

    def test_each_has_every_option_of_its_command_and_none_besides(self) -> None:
        shared = set.intersection(*map(options_of, COMMANDS))
        self.assertGreater(len(shared), 8)
        self.assertEqual(shared - self.options_in(""), set())
        # Of others: gpg's, uname's, dmesg's, journalctl's; those that a command does not have.
        others = {"--armor", "--export", "-r", "-E", "-J"}
        for command in COMMANDS:
            with self.subTest(command=command):
                expected, named = options_of(command), self.options_in(command)
                self.assertEqual(expected - named, set())
                self.assertEqual(named - expected - others, set())

    def test_what_an_option_of_all_commands_does_is_said_once(self) -> None:
        shared = {name for name in set.intersection(*map(options_of, COMMANDS)) if name.startswith("--")}
        for command in COMMANDS[1:]:
            own = self.text(command).partition("Options of all commands")[0]
            described = set(re.findall(r"(?m)^       (?:-\w, )?(--[\w-]+)", own))
            self.assertEqual(described & shared - {"--output"}, set(), command)

    def test_they_are_well_formed(self) -> None:
        for command in COMMANDS:
            paths.run("mandoc", "-T", "lint", "-W", "warning,stop", self.page(command))


class Help(unittest.TestCase):
    def test_it_fits_a_terminal(self) -> None:
        for command in COMMANDS:
            text = photon_dmesg(*command.split(), "--help").out.decode()
            self.assertGreater(len(text.splitlines()), 8, command)
            self.assertEqual([line for line in text.splitlines() if len(line) > 80], [], command)
            self.assertNotIn("\n\n\n", text, command)

    def test_help_of_a_command_is_its_own(self) -> None:
        for command in COMMANDS:
            self.assertEqual(photon_dmesg("help", *command.split()),
                             photon_dmesg(*command.split(), "--help"), command)
        self.assertEqual(photon_dmesg("help", "bts").status, 2)

    def test_every_command_is_listed(self) -> None:
        text = photon_dmesg("--help").out.decode()
        listed = re.findall(r"(?m)^  (\w+) ", re.search("(?ms)^Commands:$.*?^$", text).group())
        self.assertEqual(listed, [*COMMANDS[1:], "help"])
        for command in listed:
            self.assertIn(f"\n       photon-dmesg {command} [", text)

    def test_levels_are_listed_as_dmesg_lists_them(self) -> None:
        def levels(text: bytes) -> list[bytes]:
            return re.findall(rb"(?m)^ +(\w+ - [\w -]+?)(?: \(\w+\))?$",
                              re.search(rb"(?m)^(?:Supported log levels|Levels).*\n((?:.+\n)+)",
                                        text).group(1))
        self.assertEqual(levels(photon_dmesg("--help").out), levels(paths.run("dmesg", "--help").stdout))


class Completions(unittest.TestCase):
    FOLDER = SOURCE / "share/completions"

    def bash(self, *words: str) -> set[str]:
        script = """source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"
            _photon_dmesg photon-dmesg; printf '%s\n' "${COMPREPLY[@]}" """
        return set(paths.run("bash", "--norc", "-c", script, self.FOLDER / "photon-dmesg.bash",
                             "photon-dmesg", *words, cwd=self.FOLDER).stdout.decode().split())

    def fish(self, line: str) -> set[str]:
        with tempfile.TemporaryDirectory() as home:
            out = paths.run("fish", "--no-config", "-c",
                            f"source {self.FOLDER}/photon-dmesg.fish; complete -C '{line}'",
                            env={"HOME": home, "PATH": os.environ["PATH"]}, cwd=self.FOLDER).stdout
        return {word.split("\t")[0] for word in out.decode().splitlines()}

    def test_bash_and_fish_know_every_option(self) -> None:
        for command in COMMANDS:
            with self.subTest(command=command):
                expected = options_of(command)
                self.assertEqual(expected - self.bash(*command.split(), "-"), set())
                long = {name for name in expected if name.startswith("--")}
                self.assertEqual(long - self.fish(f"photon-dmesg {command} --"), set())

    def test_zsh_knows_every_option(self) -> None:
        text = (self.FOLDER / "_photon-dmesg").read_text()
        for command in COMMANDS:
            for name in options_of(command):
                self.assertRegex(text, rf"(?<![\w-]){re.escape(name)}(?![\w-])", command)
        paths.run("zsh", "-n", self.FOLDER / "_photon-dmesg")

    def test_values_are_those_the_program_takes(self) -> None:
        for option, bad in (("--format", "x"), ("--time-format", "x")):
            said = photon_dmesg(f"{option}={bad}", "file").err
            names = set(said.rstrip().partition("expected one of ")[2].split(", "))
            self.assertGreater(len(names), 5)
            self.assertEqual(self.bash(option, ""), names)
            self.assertEqual(self.fish(f"photon-dmesg {option} "), names)
            text = (self.FOLDER / "_photon-dmesg").read_text()
            for name in names:
                self.assertRegex(text, rf"[( ]{name}[ ):]")
        self.assertEqual(self.bash("--color", "=", ""), {"auto", "always", "never"})

    def test_a_list_is_completed_at_its_end(self) -> None:
        self.assertEqual(self.bash("-l", "err,wa"), {"err,warn"})
        self.assertEqual(self.bash("-f", "loc"), {f"local{i}" for i in range(8)})
        self.assertEqual(self.bash("core", "--rel"), set())
        self.assertEqual(self.bash("co"), {"core"})
        self.assertEqual(self.bash("--time-format", "iso,ra"), {"iso,raw"})
        self.assertEqual(self.bash("help", "tr"), {"triage"})
        self.assertIn("ps", self.fish("photon-dmesg help "))
