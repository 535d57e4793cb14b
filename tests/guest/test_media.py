"""Where packages come from: every kind of ISO, block devices, pipes, folders, several at once; and
what proves that a package is what was packed."""

import os
import resource
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

import boot
import checkpoint_writer
import packages
import paths
import scenarios
import signing
import tool
from tool import photon_dmesg

GIB = 1 << 30


class MediaTests(unittest.TestCase):
    """A guest, its log, and packages that its symbols can be had from."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = boot.boot(scenarios.by_name("k61"))
        kernel = cls.guest.kernel
        folder = tempfile.TemporaryDirectory(dir=cls.guest.folder)
        cls.addClassCleanup(folder.cleanup)
        cls.shared = Path(folder.name)
        cls.checkpoint = checkpoint_writer.write(cls.shared / "vm", cls.guest.memory,
                                                 cls.guest.vcpus)
        cls.debuginfo = packages.build(packages.debuginfo(kernel.vmlinux, kernel.release))
        # Small, and enough for the log: most of these tests are about the way to a package.
        cls.small = packages.build(packages.Package(
            "linux", "6.1.10", "1.ph5", packages.GZIP,
            ((kernel.system_map, f"/boot/System.map-{kernel.release}"),)))
        cls.other = packages.build(packages.Package(
            "linux-esx", "6.1.10", "1.ph5", packages.GZIP,
            ((kernel.system_map, "/boot/System.map-6.1.10-1.ph5-esx"),)))
        cls.expected = photon_dmesg(kernel.vmlinux, cls.checkpoint).out
        assert cls.expected

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.guest.folder)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def check_log(self, *files: object, **options: object) -> tool.Result:
        result = photon_dmesg(*files, self.checkpoint, **options)
        self.assertEqual((result.status, result.out), (0, self.expected), result.err)
        return result

    def check_refused(self, status: int, part: str, *files: object) -> None:
        """Not used, and not in the way of the log either, unless the user wants it to be."""
        result = photon_dmesg("--strict", *files, self.checkpoint)
        self.assertEqual((result.status, result.out), (status, b""), result.err)
        self.assertIn(part, result.err)
        self.assertEqual(result.err.count("\n"), 1, result.err)
        result = photon_dmesg(*files, self.checkpoint)
        self.assertEqual((result.status, result.out), (1, self.expected), result.err)
        self.assertIn("warning: not used: ", result.err)
        self.assertIn(part, result.err)

    def make_iso(self, options: list[str], grafts: dict[str, Path]) -> Path:
        """Written through a pipe that leaves zeros out: one of several GiB takes no room on the disk."""
        target = self.folder / "photon.iso"
        words = [f"/{inside}={source}" for inside, source in grafts.items()]
        write = shlex.join(["xorriso", "-as", "mkisofs", *options, "-graft-points", "-o", "-", *words])
        sparse = shlex.join(["dd", f"of={target}", "conv=sparse", "bs=1M", "iflag=fullblock", "status=none"])
        paths.run("bash", "-o", "pipefail", "-c", f"{write} | {sparse}")
        return target


class Isos(MediaTests):
    def test_names_longer_than_a_directory_record(self) -> None:
        """A Rock Ridge name goes on in a second NM entry, and that in a continuation area."""
        deep = "/".join(f"a-folder-with-a-name-of-some-length-{number}" * 4 for number in range(3))
        self.check_log(self.make_iso(["-R"], {f"RPMS/{deep}/{self.small.name}": self.small}))

    def test_names_of_joliet_alone(self) -> None:
        iso = self.make_iso(["-J", "-joliet-long", "--norock"], {f"RPMS/{self.small.name}": self.small})
        self.check_log(iso)

    def test_a_package_with_several_names(self) -> None:
        """Of such (hard links), the ISO has the content once."""
        for other in ("AAA.rpm", "zzz.rpm"):
            tree = self.folder / other
            tree.mkdir()
            shutil.copy(self.small, tree / other)
            (tree / self.small.name).hardlink_to(tree / other)
            iso = self.folder / f"{other}.iso"
            paths.run("xorriso", "-as", "mkisofs", "-R", "-o", iso, tree)
            with self.subTest(other=other):
                self.check_log(iso)
                with subprocess.Popen(["cat", iso], stdout=subprocess.PIPE) as source:
                    piped = subprocess.run([tool.BINARY, "--no-cache", "-", self.checkpoint],
                                           stdin=source.stdout, capture_output=True, check=False)
                self.assertEqual((piped.returncode, piped.stdout), (0, self.expected), piped.stderr)

    def test_symbolic_links_and_loops_of_them(self) -> None:
        tree = self.folder / "tree"
        (tree / "RPMS").mkdir(parents=True)
        os.link(self.small, tree / "RPMS" / self.small.name)
        (tree / "RPMS/linux-debuginfo-6.1.10-1.ph5.x86_64.rpm").symlink_to("../RPMS/" + "x/" * 60)
        (tree / "loop").symlink_to("RPMS/loop")
        (tree / "RPMS/loop").symlink_to("../loop")
        target = self.folder / "photon.iso"
        paths.run("xorriso", "-as", "mkisofs", "-R", "-o", target, tree)
        self.check_log(target)

    def test_more_than_4_gib_and_a_file_of_several_extents(self) -> None:
        large = self.folder / "large.bin"
        with large.open("wb") as file:
            file.truncate(4 * GIB + 5000)
        iso = self.make_iso(["-R", "-iso-level", "3", "--sort-weight", "10", "/large.bin",
                             "--sort-weight", "1", "/RPMS"],
                            {"large.bin": large, f"RPMS/{self.small.name}": self.small})
        large.unlink()
        self.assertLess(iso.stat().st_blocks * 512, GIB, "the zeros were to take no room")
        at = self.place_of_package(iso)
        self.assertGreater(at, 4 * GIB, "the package was to lie behind the large file")
        self.check_log(iso)

    def place_of_package(self, iso: Path) -> int:
        with iso.open("rb") as file:
            file.seek(4 * GIB)
            tail = file.read()
        return 4 * GIB + tail.index(self.small.read_bytes()[:200])

    def test_a_package_of_two_extents_that_lie_apart(self) -> None:
        """No tool here writes one: two files' records are made one file's, with another between."""
        content = self.small.read_bytes()
        cut = 2048 * 100
        halves = {}
        for letter, part in (("A", content[:cut]), ("B", content[cut:])):
            halves[letter] = self.folder / letter
            halves[letter].write_bytes(part)
        between = self.folder / "between"
        between.write_bytes(b"another file" * 1000)
        stem = self.small.name.removesuffix("m")
        iso = self.make_iso(["-R", "--sort-weight", "9", f"/RPMS/{stem}A", "--sort-weight", "8",
                             "/RPMS/between", "--sort-weight", "7", f"/RPMS/{stem}B"],
                            {f"RPMS/{stem}A": halves["A"], "RPMS/between": between,
                             f"RPMS/{stem}B": halves["B"]})
        image = bytearray(iso.read_bytes())
        identifiers = []  # where each half's record has its ISO 9660 name
        for letter in halves:
            name = image.index(f"{stem}{letter}".encode())  # in Rock Ridge's NM entry
            image[name:name + len(stem) + 1] = f"{stem}m".encode()
            # A record says its extent in both byte orders.
            record = next(at for at in range(name - 256, name) if name < at + image[at]
                          and image[at + 2:at + 6] == image[at + 6:at + 10][::-1]
                          and image[at + 10:at + 14] == image[at + 14:at + 18][::-1]
                          and any(image[at + 10:at + 14]))
            identifiers.append((record, image[record + 33:record + 33 + image[record + 32]]))
        (first, identifier), (second, _) = identifiers
        image[first + 25] |= 0x80  # ECMA-119, 9.1.6: not the final record of the file
        image[second + 33:second + 33 + len(identifier)] = identifier
        iso.write_bytes(image)
        extents = [int.from_bytes(image[at + 2:at + 6], "little") for at in (first, second)]
        self.assertGreater(extents[1], extents[0] + cut // 2048, "the halves were to lie apart")
        self.check_log(iso)

    def test_an_image_that_claims_absurd_sizes_ends_soon(self) -> None:
        iso = self.make_iso(["-R"], {f"RPMS/{self.small.name}": self.small})
        content = bytearray(iso.read_bytes())
        name = content.index(b"LINUX_6_")  # the file's directory record, 33 bytes before its name
        for offset in (2, 10):  # extent and size, in both byte orders
            damaged = bytearray(content)
            damaged[name - 33 + offset:name - 33 + offset + 8] = b"\xff" * 8
            iso.write_bytes(damaged)
            result = photon_dmesg("--strict", iso, self.checkpoint)
            self.assertEqual((result.status, result.out), (3, b""), result.err)


class Media(MediaTests):
    def test_a_block_device(self) -> None:
        iso = self.make_iso(["-R"], {f"RPMS/{self.small.name}": self.small})
        loop = subprocess.run(["losetup", "-f", "--show", "-r", iso], capture_output=True,
                              text=True, check=False)
        if loop.returncode != 0:
            self.skipTest(f"no loop device can be had here: {loop.stderr.strip()}")
        device = loop.stdout.strip()
        self.addCleanup(subprocess.run, ["losetup", "-d", device], check=True)
        self.check_log(device)

    def test_a_pipe(self) -> None:
        for package in (self.small, self.debuginfo):
            iso = self.make_iso(["-R"], {f"RPMS/{self.other.name}": self.other,
                                         f"RPMS/{package.name}": package})
            for file in (iso, package):
                with self.subTest(file=file.name):
                    with subprocess.Popen(["cat", file], stdout=subprocess.PIPE) as source:
                        result = subprocess.run(
                            [tool.BINARY, "--no-cache", "-", self.checkpoint], stdin=source.stdout,
                            capture_output=True, check=False)
                    self.assertEqual((result.returncode, result.stdout), (0, self.expected),
                                     result.stderr)
                    self.assertEqual(source.returncode, 0)
        with subprocess.Popen(["cat", self.guest.kernel.vmlinux], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as source:
            result = subprocess.run([tool.BINARY, "-", self.checkpoint], stdin=source.stdout,
                                    capture_output=True, check=False)
            source.stdout.close()
        self.assertEqual((result.returncode, result.stdout), (1, self.expected))
        self.assertIn(b"standard input: expected an ISO or a package", result.stderr)

    def test_a_cache_whose_files_must_not_grow_costs_no_log(self) -> None:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        cache = self.folder / "cache"
        said = self.check_log("-v", self.small, cache=cache, preexec_fn=limit).err
        self.assertRegex(said, r"not stored.*File too large")
        self.assertEqual(list((cache / "photon-dmesg").glob("*.symbols")), [])

    def test_a_folder_such_as_a_mounted_iso(self) -> None:
        tree = self.folder / "cdrom"
        (tree / "RPMS/x86_64").mkdir(parents=True)
        for package in (self.small, self.other):
            os.link(package, tree / "RPMS/x86_64" / package.name)
        (tree / "RPMS/up").symlink_to("..")
        result = self.check_log("-v", tree)
        self.assertIn(f"RPMS/x86_64/{self.small.name}", result.err)
        document = photon_dmesg("--json", tree, self.checkpoint).json
        self.assertEqual(document["source"]["package"],
                         str(tree / "RPMS/x86_64" / self.small.name))

    def test_several_at_once(self) -> None:
        iso = self.make_iso(["-R"], {f"RPMS/{self.other.name}": self.other})
        self.check_log(iso, self.small)
        self.check_log(self.other, self.small)
        # Types are better than none, wherever they lie.
        self.check_log(self.small, iso, self.debuginfo)
        document = photon_dmesg("--json", self.small, iso, self.debuginfo, self.checkpoint).json
        self.assertEqual(document["source"]["package"], str(self.debuginfo))

    def test_what_is_there_is_listed_when_the_right_one_is_not(self) -> None:
        iso = self.make_iso(["-R"], {f"RPMS/{self.other.name}": self.other})
        self.check_refused(4, "found kernels of 6.1.10-1.ph5-esx (linux-esx-6.1.10-1.ph5.x86_64)",
                           iso)


class Libraries(MediaTests):
    """Those that are loaded when a file needs them: what lies in the place of one is none."""

    def replace(self, name: str) -> str:
        """What the library is called for which there is a wrong one in the folder now."""
        library, = (found for found in (tool.BINARY.parent / "opened-libraries").read_text().split()
                    if found.startswith(f"{name}.so"))
        (self.folder / library).write_text("no library")
        return library

    def check_without(self, name: str, file: Path) -> None:
        library = self.replace(name)
        with mock.patch.dict(os.environ, LD_LIBRARY_PATH=str(self.folder)):
            alone = photon_dmesg(self.checkpoint)
            self.assertEqual((alone.status, alone.out, alone.err), (0, self.expected, ""))
            self.check_refused(3, f"{library}: can't be loaded: {self.folder}/{library}: ", file)

    def test_packages_without_librpm(self) -> None:
        self.check_without("librpm", self.small)

    def test_an_iso_without_libarchive(self) -> None:
        self.check_without("libarchive", self.make_iso(["-R"], {self.small.name: self.small}))

    def test_a_second_run_needs_neither_while_the_medium_is_what_it_was(self) -> None:
        iso = self.make_iso(["-R"], {f"DEBUGRPMS/{self.debuginfo.name}": self.debuginfo})
        package = Path(shutil.copy(self.small, self.folder / self.small.name))
        commands = ([], ["--json"], ["info", "--json"], ["bt", "--json"], ["triage", "--json"])
        for medium in (iso, package):
            while time.time() - medium.stat().st_ctime < 4:  # it might change again unseen
                time.sleep(0.1)
            cache = self.folder / f"cache-{medium.name}"
            first = [photon_dmesg(*command, medium, self.checkpoint, cache=cache) for command in commands]
            self.assertEqual(first[0].out, self.expected)
            self.assertEqual(sorted(file.suffix for file in (cache / "photon-dmesg").iterdir()),
                             [".medium", ".symbols"])
            for name in ("librpm", "libarchive"):
                self.replace(name)
            with (self.subTest(medium=medium.name),
                  mock.patch.dict(os.environ, LD_LIBRARY_PATH=str(self.folder))):
                for command, expected in zip(commands, first, strict=True):
                    again = photon_dmesg(*command, medium, self.checkpoint, cache=cache)
                    self.assertEqual(again, expected, command)
                said = photon_dmesg("-v", medium, self.checkpoint, cache=cache).err
                self.assertIn("the medium has not changed since", said)
                os.utime(medium)
                changed = photon_dmesg(medium, self.checkpoint, cache=cache)
                self.assertEqual((changed.status, changed.out), (1, self.expected))
                self.assertIn("can't be loaded", changed.err)

    def test_a_vmlinux_without_libdw(self) -> None:
        self.check_without("libdw", self.guest.kernel.vmlinux)


class Verification(MediaTests):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.signed, cls.key = signing.signed(cls.small, "Signer", cls.shared)
        signing.signed(cls.small, "Stranger", cls.shared)

    def damaged(self, package: Path, place: int) -> Path:
        """The package with one byte changed, `place` bytes from its end."""
        target = self.folder / "damaged.rpm"
        content = bytearray(package.read_bytes())
        content[-place] ^= 1
        target.write_bytes(content)
        return target

    def test_every_digest_is_named(self) -> None:
        said = self.check_log("-v", self.debuginfo).err
        for what in ("SHA-256 of the header", "SHA-1 of the header", "digest of the payload",
                     "MD5 of header and payload"):
            self.assertIn(what, said)

    def test_a_signature_without_its_key_is_not_taken_for_proof(self) -> None:
        said = self.check_log("-v", self.signed).err
        self.assertRegex(said, r"not verified: [^\n]*RSA[^\n]*its public key is not known: --key")
        said = self.check_log("-v", "--key", self.shared / "Stranger.asc", self.signed).err
        self.assertIn("its public key is not known", said)

    def test_a_signature_with_its_key(self) -> None:
        said = self.check_log("-v", "--key", self.key, self.signed).err
        self.assertRegex(said, r"verified: [^\n]*RSA/SHA\d+ [Ss]ignature, key ID")
        self.assertNotIn("not verified", said)

    def test_a_signature_of_another_package_is_refused(self) -> None:
        """The signed package's signature header in front of another's header and payload."""
        forged = self.folder / "forged.rpm"
        forged.write_bytes(self.lead_and_signature(self.signed) + self.header_and_payload(self.other))
        self.check_refused(3, "the package is damaged or was changed", "--key", self.key, forged)

    @staticmethod
    def signature_end(content: bytes) -> int:
        entries, size = struct.unpack(">II", content[104:112])
        end = 96 + 16 + 16 * entries + size
        return end + -end % 8

    def lead_and_signature(self, package: Path) -> bytes:
        content = package.read_bytes()
        return content[:self.signature_end(content)]

    def header_and_payload(self, package: Path) -> bytes:
        content = package.read_bytes()
        return content[self.signature_end(content):]

    def test_a_file_that_is_no_key(self) -> None:
        self.check_refused(3, "expected a public key", "--key", self.guest.kernel.system_map,
                           self.signed)

    def test_damage_behind_what_is_needed_is_found(self) -> None:
        """Half of vmlinux is never unpacked; the digest covers it all the same."""
        damaged = self.damaged(self.debuginfo, 40)
        self.check_refused(3, "digest of the payload: expected", damaged)

    def test_it_can_be_used_all_the_same(self) -> None:
        damaged = self.damaged(self.debuginfo, 40)
        result = self.check_log("--no-verify", damaged)
        self.assertIn("warning: not what was packed:", result.err)
        self.assertIn("digest of the payload", result.err)
        document = photon_dmesg("--json", "--no-verify", damaged, self.checkpoint).json
        self.assertTrue(any("not what was packed" in line for line in document["warnings"]))


class Hostile(MediaTests):
    """Bounded time and memory, a clear error, nothing written."""

    MOST_MEMORY = 600 << 10  # KiB
    LONGEST = 60  # seconds, on the slowest of machines
    # Runs a command and writes its status and peak memory; from a process that is small itself, as
    # which its child begins.
    MEASURE = ("import os, sys\n"
               "child = os.spawnv(os.P_NOWAIT, sys.argv[2], sys.argv[2:])\n"
               "_, status, usage = os.wait4(child, 0)\n"
               "with open(sys.argv[1], 'w') as out:\n"
               "    print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, file=out)\n")

    def check_hostile(self, package: Path, part: str) -> None:
        measured = self.folder / "measured"
        before = {*self.folder.rglob("*"), measured}
        started = time.monotonic()
        done = subprocess.run([sys.executable, "-c", self.MEASURE, measured, tool.BINARY, "--no-cache",
                               "--strict", package, self.checkpoint], capture_output=True, check=True,
                              cwd=self.folder)
        self.assertLess(time.monotonic() - started, self.LONGEST)
        self.assertEqual(set(self.folder.rglob("*")), before)
        status, peak = map(int, measured.read_text().split())
        self.assertEqual((status, done.stdout), (3, b""), done.stderr)
        self.assertIn(part, done.stderr.decode())
        if b"AddressSanitizer" not in tool.BINARY.read_bytes():  # which needs more by itself
            self.assertLess(peak, self.MOST_MEMORY)

    def package(self, content: Path, payload: str = packages.ZSTD) -> Path:
        made = packages.build_once(packages.debuginfo(content, self.guest.kernel.release,
                                                      payload=payload), self.folder / "package")
        content.unlink()
        return made

    def sparse(self, size: int, begin: bytes = b"") -> Path:
        target = self.folder / "content.bin"
        with target.open("wb") as file:
            file.write(begin)
            file.truncate(size)
        return target

    def test_a_vmlinux_that_unpacks_to_nothing_but_zeros(self) -> None:
        self.check_hostile(self.package(self.sparse(2 * GIB)), "expected a 64-bit ELF file")

    def test_sections_of_absurd_size(self) -> None:
        header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, 0, 64, 64, 0, 64, 56,
                             0, 64, 0xFFF0, 1)
        sections = struct.pack("<IIQQQQIIQQ", 0, 2, 2, 0, 1 << 62, 1 << 62, 0, 0, 0, 24) * 0xFFF0
        self.check_hostile(self.package(self.sparse(8 << 20, header + sections)), "vmlinux")

    def test_units_of_debug_information_that_lead_nowhere(self) -> None:
        """Every 64 KiB of .debug_info says another length; the real ones are gone."""
        with self.guest.kernel.vmlinux.open("rb") as vmlinux:
            content = bytearray(vmlinux.read(120 << 20))
        for at in range(56 << 20, len(content), 1 << 16):
            content[at:at + 11] = struct.pack("<IHIB", 0xFFFFFF00, 4, 0xFFFFFFF0, 8)
        target = self.folder / "nowhere.bin"
        target.write_bytes(content)
        self.check_hostile(self.package(target), "vmlinux")


if __name__ == "__main__":
    unittest.main()
