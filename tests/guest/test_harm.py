"""Nothing of the user's is harmed: whatever an output is called, no file that was there before is
another one afterwards."""

import os
import subprocess
import unittest
from pathlib import Path

import packages
import paths
from checkpoint_writer import Form
from guest_files import GuestFiles
from tool import BINARY, TIMEOUT, Result, photon_dmesg

# Every option that writes to a file.
WRITERS = (("-o",), ("info", "-o"), ("profile", "-o"), ("core", "-o"), ("info", "--screenshot"),
           ("info", "--vmx"))
LOG, _, PROFILE, CORE, *_ = WRITERS


def identity(path: Path) -> tuple[int, ...]:
    """Of the file itself and of what a link leads to: other bytes would be another time or inode."""
    found = (path.lstat(), path.stat())
    return tuple(value for status in found
                 for value in (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns))


class HarmTests(GuestFiles, unittest.TestCase):
    """A folder as a customer's: a guest's files beside packages, a kernel and its symbols."""

    name = "k61"
    form = Form(screenshot=b"\x89PNG\r\n\x1a\n", configuration='displayName = "stuck"\n')

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        kernel = cls.guest.kernel
        cls.memory = cls.folder / "vm.vmem"
        cls.memory.unlink()
        paths.copy_sparse(cls.guest.memory, cls.memory)  # not the one that other tests read
        for name in ("vm.vmx", "vm.nvram", "vm.vmdk", "vm.vmsd", "vmware.log"):
            (cls.folder / name).write_text(f"the guest's {name}\n")
        package = packages.build(packages.Package(
            "linux", "6.1.10", "1.ph5", packages.GZIP,
            ((kernel.system_map, f"/boot/System.map-{kernel.release}"),)))
        cls.media = cls.folder / "media"
        cls.media.mkdir()
        cls.package = cls.link(package, cls.media / package.name)
        cls.iso = cls.link(packages.iso("harm", {f"RPMS/{package.name}": package}),
                           cls.folder / "photon.iso")
        cls.kernel = cls.link(kernel.vmlinux, cls.folder / "kernel")
        cls.system_map = cls.link(kernel.system_map, cls.folder / "map")
        cls.profile = cls.folder / "kernel.symbols"
        photon_dmesg("profile", cls.system_map, "--release", kernel.release, "-o", cls.profile)

    @staticmethod
    def link(source: Path, target: Path) -> Path:
        os.link(source, target)
        return target

    def setUp(self) -> None:
        self.before = {path: identity(path) for path in self.folder.rglob("*")}

    def check_unharmed(self, *, new: tuple[Path, ...] = ()) -> None:
        after = {path: identity(path) for path in self.folder.rglob("*") if path not in new}
        self.assertEqual(after, self.before)

    def check_refused(self, writer: tuple[str, ...], target: object, *inputs: object) -> Result:
        with self.subTest(writer=writer, target=target, inputs=inputs):
            result = photon_dmesg(*writer, target, *inputs)
            self.assertEqual((result.status, result.out), (2, b""), result.err)
            self.assertRegex(result.err, r"\Aphoton-dmesg: [^\n]*\n\Z")
            self.check_unharmed()
            return result

    def names_of(self, file: Path) -> list[Path]:
        """The file, a symbolic link to it, one to that, and a hard link; these go with the test."""
        names = [file]
        for name, target in (("log.txt", file), ("link.txt", self.folder / "log.txt")):
            (self.folder / name).symlink_to(target)
            names.append(self.folder / name)
        names.append(self.link(file, self.folder / "hard.txt"))
        for name in names[1:]:
            self.addCleanup(name.unlink, missing_ok=True)
            self.before[name] = identity(name)
        return names


class Inputs(HarmTests):
    """By each of their names, by each option that writes."""

    def check_all(self, file: Path, *inputs: Path) -> None:
        for target in self.names_of(file):
            for writer in WRITERS:
                self.check_refused(writer, target, *inputs)

    def test_a_checkpoint(self) -> None:
        self.check_all(self.checkpoint, self.kernel, self.checkpoint)

    def test_memory_that_is_named(self) -> None:
        self.check_all(self.memory, self.kernel, self.checkpoint, self.memory)

    def test_memory_that_is_found_beside_the_checkpoint(self) -> None:
        self.check_all(self.memory, self.kernel, self.checkpoint)

    def test_a_checkpoint_that_is_found_beside_the_memory(self) -> None:
        for target in self.names_of(self.checkpoint):
            for writer in (LOG, PROFILE, CORE):
                self.check_refused(writer, target, self.kernel, self.memory)

    def test_an_iso(self) -> None:
        self.check_all(self.iso, self.iso, self.checkpoint)

    def test_a_package(self) -> None:
        self.check_all(self.package, self.package, self.checkpoint)

    def test_a_package_that_is_found_in_a_folder(self) -> None:
        self.check_all(self.package, self.media, self.checkpoint)

    def test_a_vmlinux(self) -> None:
        self.check_all(self.kernel, self.kernel, self.checkpoint)

    def test_a_system_map(self) -> None:
        self.check_all(self.system_map, self.system_map, self.checkpoint)

    def test_a_profile(self) -> None:
        self.check_all(self.profile, self.profile, self.checkpoint)

    def test_an_iso_that_comes_through_stdin(self) -> None:
        target = self.names_of(self.iso)[-1]
        with self.iso.open("rb") as iso:
            done = subprocess.run([BINARY, "--no-cache", "-o", target, "-", self.checkpoint],
                                  stdin=iso, capture_output=True, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.check_unharmed()

    def test_memory_that_the_shell_appends_to(self) -> None:
        for command in ((), ("info",), ("profile",)):
            for name in (self.memory, self.checkpoint):
                with self.subTest(command=command, name=name), name.open("ab") as out:
                    done = subprocess.run([BINARY, *command, self.kernel, self.checkpoint],
                                          stdout=out, stderr=subprocess.PIPE, timeout=TIMEOUT)
                    self.assertEqual(done.returncode, 2)
                    self.assertIn(b"this is one of the inputs", done.stderr)
                    self.check_unharmed()

    def test_memory_that_the_shell_appends_messages_to(self) -> None:
        link = self.folder / "messages"
        link.symlink_to(self.memory)
        self.addCleanup(link.unlink)
        for command in (("-v", self.kernel, self.checkpoint), ("info", "-v", self.checkpoint), ("--wrong",),
                        ("core", "-v", self.kernel, self.checkpoint, "-o", self.folder / "made")):
            for name in (self.memory, self.checkpoint, link):
                with self.subTest(command=command, name=name), name.open("ab") as err:
                    done = subprocess.run([BINARY, *command], stdout=subprocess.PIPE, stderr=err,
                                          timeout=TIMEOUT)
                    self.assertEqual((done.returncode, done.stdout), (2, b""))
        for name in (self.kernel, self.iso):
            with self.subTest(name=name), name.open("ab") as err:
                done = subprocess.run([BINARY, "-v", name, self.checkpoint], stdout=subprocess.PIPE, stderr=err,
                                      timeout=TIMEOUT)
                self.assertEqual((done.returncode, done.stdout), (2, b""))
        self.check_unharmed(new=(link,))

    def test_memory_that_the_shell_appends_what_was_made_to(self) -> None:
        made = self.folder / "made"
        for command in (("core", self.kernel, self.checkpoint), ("batch", self.checkpoint)):
            with self.subTest(command=command), self.memory.open("ab") as out:
                done = subprocess.run([BINARY, *command, "-o", made], stdout=out, stderr=subprocess.PIPE,
                                      timeout=TIMEOUT)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.check_unharmed()


class Neighbours(HarmTests):
    """Files that are no inputs."""

    def test_other_files_of_the_guest(self) -> None:
        for name in ("vm.vmx", "vm.nvram", "vm.vmdk", "vm.vmsd", "vmware.log"):
            for writer in WRITERS:
                self.check_refused(writer, self.folder / name, self.kernel, self.checkpoint)

    def test_another_guest(self) -> None:
        for name in ("other.vmss", "other.vmem", "other.vmem.gz", "OTHER.VMSN"):
            (self.folder / name).write_bytes(b"evidence")
            self.addCleanup((self.folder / name).unlink)
            self.before[self.folder / name] = identity(self.folder / name)
        for name in ("other.vmss", "other.vmem", "other.vmem.gz", "OTHER.VMSN"):
            for writer in WRITERS:
                self.check_refused(writer, self.folder / name, self.kernel, self.checkpoint)

    def test_symbols_and_packages_of_others(self) -> None:
        for file in (self.package, self.iso, self.system_map):
            for writer in WRITERS:
                self.check_refused(writer, file, self.kernel, self.checkpoint)

    def test_a_profile_is_replaced_by_a_profile_only(self) -> None:
        for writer in WRITERS:
            if writer != PROFILE:
                self.check_refused(writer, self.profile, self.kernel, self.checkpoint)
        target = self.folder / "mine.symbols"
        self.addCleanup(target.unlink)
        for source in (self.system_map, self.kernel):
            result = photon_dmesg("profile", source, self.checkpoint, "-o", target)
            self.assertEqual((result.status, result.err), (0, ""))
        self.check_unharmed(new=(target,))

    def test_no_file_gets_the_name_of_a_guest_s(self) -> None:
        for name in ("new.vmem", "new.vmss", "new.nvram"):
            for writer in WRITERS:
                self.check_refused(writer, self.folder / name, self.kernel, self.checkpoint)

    def test_a_configuration_is_written_where_there_is_none(self) -> None:
        target = self.folder / "new.vmx"
        self.addCleanup(target.unlink)
        self.assertEqual(photon_dmesg("info", "--vmx", target, self.checkpoint).status, 0)
        self.assertEqual(target.read_text(), self.form.configuration)
        self.check_unharmed(new=(target,))
        self.assertEqual(photon_dmesg("info", "--vmx", target, self.checkpoint).status, 2)

    def test_a_log_is_replaced_by_a_log(self) -> None:
        target = self.folder / "vm.log"
        self.addCleanup(target.unlink)
        for options in ((), ("--json",), ("--format", "kmsg"), ("--format", "journal-export"), ()):
            result = photon_dmesg("-o", target, *options, *self.files)
            self.assertEqual((result.status, result.err), (0, ""))
        self.check_unharmed(new=(target,))


class OpenFiles(HarmTests):
    """What a file holds that is open already stays."""

    def run_between(self, *words: object) -> tuple[int, bytes]:
        """The status, and what a file holds that something else is written to before and after."""
        target = self.folder / "redirected"
        self.addCleanup(target.unlink, missing_ok=True)
        done = subprocess.run(["sh", "-c", '(echo before; "$@"; status=$?; echo behind; exit $status)'
                               f' > {target}', "sh", BINARY, *map(str, words)], timeout=TIMEOUT,
                              stderr=subprocess.DEVNULL)
        return done.returncode, target.read_bytes()

    def test_stdout_by_each_of_its_names(self) -> None:
        for command in ((), ("info",), ("profile",)):
            expected = photon_dmesg(*command, *self.files).out
            self.assertNotEqual(expected, b"")
            for name in ("-", "/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"):
                with self.subTest(command=command, name=name):
                    status, found = self.run_between(*command, *self.files, "-o", name)
                    self.assertEqual((status, found), (0, b"before\n" + expected + b"behind\n"))

    def test_a_file_that_another_process_has_open(self) -> None:
        target = self.folder / "open"
        self.addCleanup(target.unlink)
        with target.open("wb") as file:
            file.write(b"before")
            file.flush()
            name = f"/proc/{os.getpid()}/fd/{file.fileno()}"
            result = photon_dmesg(*self.files, "-o", name)
            self.assertEqual((result.status, result.out), (2, b""))
            self.assertIn("another process has it open", result.err)
            self.assertEqual(target.read_bytes(), b"before")

    def test_a_pipe_that_another_process_has_open(self) -> None:
        reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        result = photon_dmesg(*self.files, "-o", f"/proc/{reader.pid}/fd/0")
        self.assertEqual((result.status, result.err), (0, ""))
        self.assertEqual(reader.communicate()[0], photon_dmesg(*self.files).out)

    def test_a_link_to_stdout(self) -> None:
        link = self.folder / "link"
        link.symlink_to("/dev/stdout")
        self.addCleanup(link.unlink)
        status, found = self.run_between(*self.files, "-o", link)
        expected = photon_dmesg(*self.files).out
        self.assertEqual((status, found), (0, b"before\n" + expected + b"behind\n"))

    def test_what_is_taken_out_of_a_checkpoint(self) -> None:
        report = self.folder / "report"
        self.addCleanup(report.unlink, missing_ok=True)
        for option, content in (("--screenshot", self.form.screenshot),
                                ("--vmx", self.form.configuration.encode())):
            for name in ("-", "/dev/stdout"):
                with self.subTest(option=option, name=name):
                    status, found = self.run_between("info", self.checkpoint, option, name, "-o",
                                                     report)
                    self.assertEqual((status, found), (0, b"before\n" + content + b"behind\n"))
                    result = photon_dmesg("info", self.checkpoint, option, name)
                    self.assertEqual((result.status, result.out), (2, b""))
                    self.assertIn("expected a file for each output, found one", result.err)

    def test_a_core_s_folder_is_no_stdout(self) -> None:
        for name in ("-", "/dev/stdout"):
            status, found = self.run_between("core", self.checkpoint, "-o", name)
            self.assertEqual((status, found), (2, b"before\nbehind\n"))

    def test_a_program_without_stderr_writes_no_message_elsewhere(self) -> None:
        done = subprocess.run(["sh", "-c", '"$@" 2>&- <&-', "sh", BINARY, "-v", *self.files, "-o",
                               self.folder / "log"], timeout=TIMEOUT)
        self.addCleanup((self.folder / "log").unlink, missing_ok=True)
        self.assertEqual(done.returncode, 0)
        self.assertEqual((self.folder / "log").read_bytes(), photon_dmesg(*self.files).out)


if __name__ == "__main__":
    unittest.main()
