"""Bad input: one clear line that names the file, what was expected and what was found; the right
exit status; no output that could be taken for a log."""

import os
import pty
import re
import shutil
import struct
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

import boot
import checkpoint_writer
import packages
import paths
import scenarios
import tool
from checkpoint_writer import Form, Memory, Registers
from tool import BINARY, photon_dmesg

NOBODY = 65534


class BadInputTests(unittest.TestCase):
    """A sound guest to spoil, and a folder of each test's own."""

    name = "k61"

    @classmethod
    def setUpClass(cls) -> None:
        cls.guest = boot.boot(scenarios.by_name(cls.name))
        cls.vmlinux = cls.guest.kernel.vmlinux
        with tempfile.TemporaryDirectory(dir=cls.guest.folder) as folder:
            checkpoint = checkpoint_writer.write(Path(folder) / "vm", cls.guest.memory,
                                                 cls.guest.vcpus)
            cls.log = photon_dmesg(cls.vmlinux, checkpoint).out

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.guest.folder)
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write_checkpoint(self, form: Form = Form(), name: str = "vm") -> Path:
        return checkpoint_writer.write(self.folder / name, self.guest.memory, self.guest.vcpus,
                                       form)

    def writable_memory(self, checkpoint: Path) -> Path:
        """The checkpoint's memory file as a copy that may be spoiled."""
        memory = checkpoint.with_suffix(".vmem")
        memory.unlink()
        paths.copy_sparse(self.guest.memory, memory)
        return memory

    def file(self, name: str, content: bytes) -> Path:
        (self.folder / name).write_bytes(content)
        return self.folder / name

    def package(self, **options: object) -> Path:
        return packages.build(packages.debuginfo(self.vmlinux, self.guest.kernel.release,
                                                 **options))

    def check_result(self, result: tool.Result, status: int, *parts: str) -> None:
        self.assertEqual((result.status, result.out), (status, b""), result.err)
        self.assertRegex(result.err, r"\Aphoton-dmesg: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, result.err)

    def check(self, status: int, *parts: str, files: list[object]) -> None:
        self.check_result(photon_dmesg(*files), status, *parts)

    def check_passed_over(self, status: int, *parts: str, files: list[object]) -> None:
        """What can't be used does not stop the log, unless the user wants it to."""
        self.check_result(photon_dmesg("--strict", *files), status, *parts)
        self.check_log_without(*parts, files=files)

    def check_log_without(self, *parts: str, files: list[object]) -> None:
        result = photon_dmesg(*files)
        self.assertEqual((result.status, result.out), (1, self.log), result.err)
        for part in ("warning: not used: ", *parts):
            self.assertIn(part, result.err)


class Files(BadInputTests):
    def test_missing_file(self) -> None:
        checkpoint = self.write_checkpoint()
        message = "absent: can't be opened: No such file or directory"
        self.check_passed_over(3, message, files=[self.folder / "absent", checkpoint])
        self.check(3, message, files=[self.vmlinux, self.folder / "absent"])

    def test_unreadable_file(self) -> None:
        checkpoint = self.write_checkpoint()
        checkpoint.chmod(0)
        options = {}
        if os.getuid() == 0:  # root may read anything: let nobody try, where nobody may look
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            Path(folder.name).chmod(0o755)
            checkpoint = Path(shutil.copy(checkpoint, folder.name))
            binary = Path(shutil.copy(tool.BINARY, folder.name))
            options = {"user": NOBODY, "group": NOBODY, "binary": binary}
        result = photon_dmesg(checkpoint, **options)
        self.check_result(result, 3, f"{checkpoint.name}: can't be opened: Permission denied")

    def test_folder_without_packages(self) -> None:
        empty = self.folder / "empty"
        empty.mkdir()
        self.check_passed_over(3, "expected a kernel package (linux-*.rpm", "found none",
                               files=[empty, self.write_checkpoint()])

    def test_empty_file(self) -> None:
        empty = self.file("empty", b"")
        self.check_passed_over(3, "empty: the file is empty",
                               files=[empty, self.write_checkpoint()])
        self.check(3, "empty: the file is empty", files=[self.vmlinux, empty])

    def test_several_checkpoints(self) -> None:
        checkpoint = self.write_checkpoint()
        other = self.write_checkpoint(name="other")
        self.check(2, "expected one checkpoint, found 2", "vm.vmss (20", "other.vmss (20",
                   files=[self.vmlinux, checkpoint, other])

    def test_several_sources_of_symbols(self) -> None:
        checkpoint = self.write_checkpoint()
        result = photon_dmesg(self.vmlinux, self.package(), self.guest.kernel.system_map,
                              checkpoint)
        self.assertEqual((result.status, result.err, result.out), (0, "", self.log))
        other = self.file("vmlinux", b"\x7fELF" + bytes(100))
        self.check_log_without("vmlinux: ", files=[other, self.package(), checkpoint])

    def test_one_file_named_twice(self) -> None:
        checkpoint = self.write_checkpoint()
        result = photon_dmesg(checkpoint, checkpoint, self.folder, checkpoint.with_suffix(".vmem"))
        self.assertEqual((result.status, result.err, result.out), (0, "", self.log))

    def test_role_that_nobody_takes(self) -> None:
        self.check(2, "expected a checkpoint", files=[self.vmlinux])


class Checkpoints(BadInputTests):
    def test_wrong_magic(self) -> None:
        odd = self.file("odd.vmss", b"\x01\x02\x03\x04" + bytes(1000))
        self.check(3, "odd.vmss", "expected a checkpoint", "0xbed2bed2", "0x4030201",
                   files=[self.vmlinux, odd])

    def test_encrypted_checkpoint(self) -> None:
        encrypted = self.file("vm.vmss", struct.pack("<I", 0x8943DD9E) + bytes(1000))
        self.check(3, "vm.vmss: a file of an encrypted virtual machine",
                   files=[self.vmlinux, encrypted])

    def test_encrypted_memory(self) -> None:
        checkpoint = self.write_checkpoint()
        memory = checkpoint.with_suffix(".vmem")
        memory.unlink()
        memory.write_bytes(struct.pack("<I", 0x8943DD9E) + bytes(1000))
        self.check(3, "vm.vmem: a file of an encrypted virtual machine",
                   files=[self.vmlinux, checkpoint])

    def test_truncated_checkpoint(self) -> None:
        checkpoint = self.write_checkpoint()
        whole = checkpoint.read_bytes()
        groups = struct.unpack_from("<I", whole, 8)[0]
        memory_entry = 12 + 80 * (groups - 1)
        position = struct.unpack_from("<Q", whole, memory_entry + 64)[0]
        for length in (4, 8, 11, 12, 12 + 64, 12 + 80, memory_entry, position, position + 1,
                       position + 2, position + 12):
            with self.subTest(length=length):
                checkpoint.write_bytes(whole[:length])
                self.check_passed_over(3, "vm.vmss: truncated", files=[self.vmlinux, checkpoint])

    def test_group_that_ends_inside_a_tag(self) -> None:
        checkpoint = self.write_checkpoint()
        with checkpoint.open("r+b") as file:
            groups = struct.unpack_from("<I", file.read(12), 8)[0]
            file.seek(12 + 80 * (groups - 1) + 72)
            file.write(struct.pack("<Q", 5))
        self.check_passed_over(3, 'vm.vmss: group "memory": truncated', "a tag's name",
                               files=[self.vmlinux, checkpoint])

    def test_compressed_memory(self) -> None:
        checkpoint = self.write_checkpoint(Form(Memory.MONOLITHIC))
        with checkpoint.open("r+b") as file:
            place = file.read(1 << 20).index(b"\xbf\x06Memory")
            file.seek(place)
            file.write(bytes([0xBE]))
        self.check(3, 'vm.vmss: group "memory": the memory in tag "Memory"', "is compressed",
                   files=[self.vmlinux, checkpoint])

    def test_snapshot_without_memory(self) -> None:
        checkpoint = self.write_checkpoint(Form(suffix=".vmsn"))
        checkpoint.with_suffix(".vmem").unlink()
        self.check(3, "vm.vmsn: holds no memory", "vm.vmem", files=[self.vmlinux, checkpoint])


class CutShort(BadInputTests):
    """The kernel lies low in this guest's memory, so that the first cuts leave it whole."""

    name = "k61-nokaslr"

    def test_monolithic_checkpoint_cut_short(self) -> None:
        checkpoint = self.write_checkpoint(Form(Memory.MONOLITHIC))
        os.truncate(checkpoint, checkpoint.stat().st_size // 8 * 7)
        self.check_result(photon_dmesg("--strict", checkpoint), 3, "vm.vmss: truncated")
        result = photon_dmesg(checkpoint)
        self.assertEqual((result.status, result.out), (1, self.log), result.err)
        self.assertIn("vm.vmss: incomplete: it holds", result.err)
        os.truncate(checkpoint, 1 << 20)
        self.check(3, "vm.vmss: truncated", files=[self.vmlinux, checkpoint])

    def test_memory_that_is_cut_short(self) -> None:
        """All that the log takes may be in what is left; if not, that is said and nothing shown."""
        checkpoint = self.write_checkpoint()
        memory = self.writable_memory(checkpoint)
        whole = memory.stat().st_size
        printed = 0
        for eighths in range(7, 0, -1):
            os.truncate(memory, whole * eighths // 8 + 123)
            result = photon_dmesg(checkpoint)
            with self.subTest(eighths=eighths):
                self.assertIn("vm.vmem", result.err)
                if result.out:
                    self.assertEqual((result.status, result.out), (1, self.log), result.err)
                    self.assertIn("warning: ", result.err)
                    self.assertIn("incomplete", result.err)
                    printed += 1
                else:
                    self.assertIn(result.status, (3, 4))
        self.assertGreater(printed, 0)


class UnusableCheckpoints(BadInputTests):
    """Of no use itself, a checkpoint still tells by its name which memory is meant: all of the log is in that."""

    CONTENTS = {"empty": b"", "zeros": bytes(5000), "zeros as large as a memory": bytes(8 << 20)}

    def spoiled(self, content: bytes, suffix: str = ".vmss") -> Path:
        checkpoint = self.write_checkpoint(Form(suffix=suffix))
        checkpoint.write_bytes(content)
        return checkpoint

    def check_named_once(self, result: tool.Result, name: str = "vm.vmss") -> None:
        self.assertEqual((result.status, result.out), (1, self.log), result.err)
        warnings = [line for line in result.err.splitlines() if ": warning: not used: " in line]
        self.assertEqual(len(warnings), 1, result.err)
        self.assertRegex(warnings[0], f"{name}.*(the file is empty|expected a checkpoint)")

    def test_the_memory_of_its_name_is_read(self) -> None:
        for what, content in self.CONTENTS.items():
            checkpoint = self.spoiled(content)
            memory = checkpoint.with_suffix(".vmem")
            configuration = self.file("vm.vmx", b'checkpoint.vmState = "vm.vmss"\n')
            for files in ((checkpoint,), (memory,), (checkpoint, memory), (self.folder,), (configuration,),
                          (self.vmlinux, checkpoint)):
                with self.subTest(what, files=[file.name for file in files]):
                    self.check_named_once(photon_dmesg(*files))
                    self.check_result(photon_dmesg("--strict", *files), 3, "vm.vmss")

    def test_of_a_snapshot_too(self) -> None:
        self.check_named_once(photon_dmesg(self.spoiled(b"", ".vmsn")), "vm.vmsn")

    def test_without_the_memory_there_is_none(self) -> None:
        checkpoint = self.spoiled(b"")
        checkpoint.with_suffix(".vmem").unlink()
        self.check(3, "vm.vmss: the file is empty", files=[checkpoint])

    def test_one_that_is_not_there_is_not_guessed_at(self) -> None:
        checkpoint = self.write_checkpoint()
        checkpoint.unlink()
        self.check(3, "vm.vmss: can't be opened", files=[checkpoint])

    def test_a_sound_one_is_read_beside_it(self) -> None:
        sound = self.write_checkpoint(name="sound")
        self.check_named_once(photon_dmesg(self.file("vm.vmss", b""), sound))

    def test_in_a_bundle(self) -> None:
        checkpoint = self.spoiled(b"")
        bundle = self.folder / "ticket.tgz"
        with tarfile.open(bundle, "w:gz", compresslevel=1) as file:
            for path in (checkpoint, checkpoint.with_suffix(".vmem")):
                file.add(path, f"vm/{path.name}")
        for named in (bundle, bundle / "vm/vm.vmss"):
            self.check_named_once(photon_dmesg(named))

    def test_in_a_batch(self) -> None:
        self.spoiled(b"")
        result = photon_dmesg("batch", self.folder, "-o", self.folder / "results")
        self.assertEqual(result.status, 1, result.err)
        ticket = self.folder / "results" / f"{self.folder.name}-vm"
        self.assertEqual(next(ticket.glob("*.txt")).read_bytes(), self.log)
        self.assertIn("vm.vmss: the file is empty", (ticket / "ticket.json").read_text())

    def test_among_several_guests(self) -> None:
        sound = self.write_checkpoint(name="sound")
        for what, content in self.CONTENTS.items():
            with self.subTest(what):
                result = photon_dmesg("--ndjson", sound, self.spoiled(content))
                self.assertEqual((result.status, len(result.out.splitlines())),
                                 (1, 2 * len(photon_dmesg("--ndjson", sound).out.splitlines())), result.err)


class MemoryFiles(BadInputTests):
    """A memory that was named and isn't the checkpoint's: the one beside the checkpoint is used, and
    without that there is no log."""

    def check_both(self, checkpoint: Path, memory: Path, *parts: str) -> None:
        self.check_log_without(*parts, files=[self.vmlinux, checkpoint, memory])
        self.check_result(photon_dmesg("--strict", checkpoint, memory), 4, *parts)
        checkpoint.with_suffix(".vmem").rename(self.folder / "elsewhere")
        try:
            self.check(4, *parts, files=[self.vmlinux, checkpoint, memory])
        finally:
            (self.folder / "elsewhere").rename(checkpoint.with_suffix(".vmem"))

    def test_memory_of_another_size(self) -> None:
        checkpoint = self.write_checkpoint()
        size = self.guest.memory.stat().st_size
        for other in (size // 2, size - 1, size + 0x10000, size * 2):
            with self.subTest(size=other):
                memory = self.file("other.vmem", b"")
                os.truncate(memory, other)
                self.check_both(checkpoint, memory, "other.vmem", str(size), str(other))

    def test_memory_of_another_machine(self) -> None:
        checkpoint = self.write_checkpoint()
        for name in ("k61-user", "k612-panic"):
            with self.subTest(machine=name):
                other = boot.boot(scenarios.by_name(name))
                self.check_both(checkpoint, other.memory,
                                "memory.raw: not the memory of this checkpoint")

    def test_memory_without_anything(self) -> None:
        checkpoint = self.write_checkpoint()
        memory = self.file("zero.vmem", b"")
        os.truncate(memory, self.guest.memory.stat().st_size)
        self.check_both(checkpoint, memory, "zero.vmem: not the memory of this checkpoint")

    def test_memory_alone_without_a_kernel_in_it(self) -> None:
        memory = self.file("zero.vmem", b"")
        os.truncate(memory, self.guest.memory.stat().st_size)
        self.check(3, "zero.vmem: no vCPU leads to a kernel", files=[memory])
        self.check(4, "not found in", "zero.vmem", files=[self.vmlinux, memory])


class Symbols(BadInputTests):
    def test_iso_without_a_kernel(self) -> None:
        other = packages.build(packages.Package(
            "linux-api-headers", "6.1.10", "1.ph5", packages.GZIP,
            ((self.guest.kernel.system_map, "/usr/include/nothing"),)))
        iso = packages.iso("plain", {f"RPMS/noarch/{other.name}": other})
        self.check_passed_over(3, "plain.iso: expected a kernel package", "debuginfo package, found none",
                   files=[iso, self.write_checkpoint()])

    def test_package_without_a_kernel(self) -> None:
        other = packages.build(packages.Package(
            "linux-debuginfo", "6.1.10", "1.ph5", packages.GZIP,
            ((self.guest.kernel.system_map, "/usr/lib/debug/nothing"),)))
        self.check_passed_over(3, other.name, "expected a vmlinux", "or a System.map", "found neither",
                   files=[other, self.write_checkpoint()])

    def test_damaged_system_map(self) -> None:
        damaged = self.file("System.map", b"ffffffff81000000 T _text\nnot a line\n")
        self.check_passed_over(3, "System.map: line 2: expected an address",
                   files=[damaged, self.write_checkpoint()])

    def test_damaged_payload(self) -> None:
        checkpoint = self.write_checkpoint()
        for payload in (packages.GZIP, packages.ZSTD, packages.NONE):
            package = self.package(payload=payload)
            for place in (0.1, 0.5):
                with self.subTest(payload=payload, place=place):
                    damaged = self.folder / package.name
                    shutil.copy(package, damaged)
                    with damaged.open("r+b") as file:
                        file.seek(int(damaged.stat().st_size * place))
                        file.write(b"damaged here")
                    self.check_passed_over(3, package.name, files=[damaged, checkpoint])
                    damaged.unlink()

    def test_truncated_package_and_iso(self) -> None:
        checkpoint = self.write_checkpoint()
        package = self.package()
        iso = packages.iso("cut", {f"RPMS/x86_64/{package.name}": package})
        for whole in (package, iso):
            for place in (0.0001, 0.5):
                with self.subTest(file=whole.suffix, place=place):
                    cut = self.folder / f"short{whole.suffix}"
                    shutil.copy(whole, cut)
                    # Not below the descriptors by which an ISO is told from other files.
                    os.truncate(cut, max(40960, int(whole.stat().st_size * place)))
                    self.check_passed_over(3, cut.name, files=[cut, checkpoint])

    def test_truncated_vmlinux(self) -> None:
        checkpoint = self.write_checkpoint()
        for length in (64, 1 << 20):
            with self.subTest(length=length):
                with self.vmlinux.open("rb") as source:
                    cut = self.file("vmlinux", source.read(length))
                self.check_passed_over(3, "vmlinux: truncated", files=[cut, checkpoint])

    def test_vmlinux_without_dwarf(self) -> None:
        checkpoint = self.write_checkpoint()
        bare = self.folder / "vmlinux"
        paths.run("objcopy", "--strip-debug", self.vmlinux, bare)
        result = photon_dmesg(bare, checkpoint)
        self.assertEqual((result.status, result.err, result.out), (0, "", self.log))
        paths.run("objcopy", "--strip-all", bare)
        self.check_passed_over(3, "vmlinux: expected a symbol table, found none",
                   files=[bare, checkpoint])


class DamagedLog(BadInputTests):
    """A log buffer with damaged records: what is sound is printed, what is not is counted."""

    def setUp(self) -> None:
        super().setUp()
        self.checkpoint = self.write_checkpoint()
        self.sound = photon_dmesg("--json", self.vmlinux, self.checkpoint).json
        self.memory = self.writable_memory(self.checkpoint)
        guest = self.sound["guest"]
        self.shift = (int(guest["phys_base"], 16) + int(guest["kaslr_offset"], 16)
                      - 0xFFFFFFFF80000000)

    def physical(self, symbol: str) -> int:
        line = re.search(rf"^([0-9a-f]+) \w {symbol}$", self.guest.kernel.system_map.read_text(),
                         re.MULTILINE)
        return (int(line.group(1), 16) + self.shift) % (1 << 64)

    def overwrite(self, address: int, data: bytes) -> None:
        with self.memory.open("r+b") as file:
            file.seek(address)
            file.write(data)

    def check_damage(self, damaged: set[int], part: str) -> None:
        result = photon_dmesg("--json", self.vmlinux, self.checkpoint)
        self.assertEqual(result.status, 1, result.err)
        self.assertRegex(result.err, r"\Aphoton-dmesg: warning: the log is incomplete: [^\n]+\n\Z")
        self.assertIn(part, result.err)
        for seq in damaged:
            self.assertRegex(result.err, rf"\b{seq}\b")
        expected = [r for r in self.sound["dmesg"] if r["seq"] not in damaged]
        self.assertEqual(result.json["dmesg"], expected)
        self.assertEqual(len(result.json["warnings"]), 1)

    def test_damaged_descriptors(self) -> None:
        descriptors = self.physical("_printk_rb_static_descs")
        damaged = {10, 11, 200}
        for seq in damaged:
            self.overwrite(descriptors + 24 * seq, bytes(8))
        self.check_damage(damaged, "3 records with a damaged descriptor")

    def test_damaged_infos(self) -> None:
        infos = self.physical("_printk_rb_static_infos")
        self.overwrite(infos + 88 * 50, b"\xff" * 88)
        self.check_damage({50}, "1 record with a damaged descriptor")

    def test_a_time_that_is_later_than_the_guest_s_clock(self) -> None:
        last = self.sound["dmesg"][-1]["seq"]
        later = struct.pack("<Q", 13 * 86400 * 10**9)
        self.overwrite(self.physical("_printk_rb_static_infos") + 88 * last + 8, later)
        for options in ([], ["--json"], ["-T"]):
            with self.subTest(options=options):
                result = photon_dmesg(*options, self.vmlinux, self.checkpoint)
                self.assertEqual(result.status, 1)
                self.assertIn("1 record later than the guest's clock when it stopped", result.err)
                self.assertIn(f"(sequence number {last})", result.err)

    def test_a_time_that_the_records_around_it_contradict(self) -> None:
        later = struct.pack("<Q", 13 * 86400 * 10**9)
        self.overwrite(self.physical("_printk_rb_static_infos") + 88 * 100 + 8, later)
        result = photon_dmesg(self.vmlinux, self.checkpoint)
        self.assertEqual(result.status, 1)
        self.assertIn("1 record whose time is more than a minute out of turn (sequence number 100)",
                      result.err)

    def test_log_that_leads_nowhere(self) -> None:
        self.overwrite(self.physical("prb"), struct.pack("<Q", 0xFFFF123400000000))
        self.check(3, "the guest's memory at 0xffff123400000000", "not mapped",
                   files=[self.vmlinux, self.checkpoint])


class UnusableRegisters(BadInputTests):
    """Checkpoints whose registers lead nowhere."""

    def test_kernel_is_found_without_any_vcpu(self) -> None:
        expected = photon_dmesg(self.vmlinux, self.write_checkpoint()).out
        zeroed = [dict.fromkeys(vcpu, 0) for vcpu in self.guest.vcpus]
        for form in (Form(), Form(registers=Registers.BLOCK)):
            checkpoint = checkpoint_writer.write(self.folder / "zeroed", self.guest.memory, zeroed,
                                                 form)
            for symbols in (self.vmlinux, self.package()):
                with self.subTest(form=form, symbols=symbols.name):
                    result = photon_dmesg(symbols, checkpoint)
                    self.assertEqual((result.status, result.out), (0, expected))
                    self.assertIn("warning: no vCPU leads to a kernel", result.err)

    def test_one_vcpu_of_use_is_enough(self) -> None:
        expected = photon_dmesg(self.vmlinux, self.write_checkpoint()).out
        first, *others = self.guest.vcpus
        checkpoint = checkpoint_writer.write(self.folder / "half", self.guest.memory,
                                             [dict.fromkeys(first, 0), *others])
        result = photon_dmesg(self.vmlinux, checkpoint)
        self.assertEqual((result.status, result.err, result.out), (0, "", expected))


class CommandLine(BadInputTests):
    def assert_features(self, lines: list[str]) -> None:
        """Of the program's own words the dynamic linker and pkg-config are the judges."""
        said = {line[:15].rstrip(): line[15:] for line in lines}
        self.assertEqual(list(said), ["gzip", "kdump files", "ISOs, archives", "xz", "packages",
                                      "ELF, DWARF", "packed blocks", "compiler"])
        linked = paths.run("ldd", BINARY).stdout.decode()
        self.assertEqual(said["gzip"].startswith("ISA-L "), "libisal" in linked, said)
        self.assertEqual(said["gzip"].startswith("zlib "), "built without ISA-L" in said["gzip"])
        opened = (BINARY.parent / "opened-libraries").read_text()
        self.assertEqual(said["kdump files"].startswith("libkdumpfile "), "libkdumpfile" in opened, said)
        for name, library, module in (("ISOs, archives", "libarchive", "libarchive"), ("xz", "liblzma", "liblzma"),
                                      ("packages", "librpm", "rpm"), ("ELF, DWARF", "elfutils", "libdw"),
                                      ("packed blocks", "zstd", "libzstd")):
            version = paths.run("pkg-config", "--modversion", module).stdout.decode().strip()
            self.assertEqual(said[name], f"{library} {version}")
        self.assertRegex(said["compiler"], r"\A(GNU|Clang) \d+\.")

    def test_help_and_version(self) -> None:
        help_text = photon_dmesg("--help")
        self.assertEqual((help_text.status, help_text.err), (0, ""))
        for part in (b"-o, --output FILE", b"--format FORMAT", b"Exit status:", b"Examples:"):
            self.assertIn(part, help_text.out)
        version = photon_dmesg("--version")
        self.assertEqual((version.status, version.err), (0, ""))
        self.assertRegex(version.out, rb"\Aphoton-dmesg \d+\.\d+\.\d+\n\Z")
        for words in (["-Vv"], ["-v", "--version"], ["ps", "--version", "--verbose"], ["core", "-vV"]):
            verbose = photon_dmesg(*words)
            self.assertEqual((verbose.status, verbose.err), (0, ""))
            self.assertTrue(verbose.out.startswith(version.out))
            self.assert_features(verbose.out.decode().splitlines()[1:])

    def test_usage(self) -> None:
        self.check(2, "FILE is required", files=[])
        self.check(2, "--nonsense", files=["--nonsense", self.vmlinux])
        self.check(2, "--format xml", files=["--format", "xml", self.vmlinux])

    def test_output_file(self) -> None:
        checkpoint = self.write_checkpoint()
        expected = photon_dmesg(self.vmlinux, checkpoint).out
        target = self.folder / "log.txt"
        result = photon_dmesg("-o", target, self.vmlinux, checkpoint)
        self.assertEqual((result.status, result.out, result.err), (0, b"", ""))
        self.assertEqual(target.read_bytes(), expected)

    def test_output_onto_an_input(self) -> None:
        checkpoint = self.write_checkpoint()
        before = checkpoint.read_bytes()
        self.check(2, "this is one of the inputs",
                   files=["-o", checkpoint, self.vmlinux, checkpoint])
        self.assertEqual(checkpoint.read_bytes(), before)

    def test_output_that_cannot_be_written(self) -> None:
        self.check(1, "/dev/full: can't be written",
                   files=["-o", "/dev/full", self.vmlinux, self.write_checkpoint()])

    def test_closed_pipe_ends_the_run_quietly(self) -> None:
        checkpoint = self.write_checkpoint()
        done = subprocess.run(["sh", "-c", '"$@" | head -n 1', "sh", tool.BINARY, self.vmlinux,
                               checkpoint], capture_output=True, timeout=tool.TIMEOUT)
        self.assertEqual(done.stderr, b"")
        self.assertEqual(done.stdout.count(b"\n"), 1)

    def test_verbose_says_how_every_address_was_found(self) -> None:
        checkpoint = self.write_checkpoint()
        quiet = photon_dmesg(self.vmlinux, checkpoint)
        verbose = photon_dmesg("-v", self.vmlinux, checkpoint)
        self.assertEqual(verbose.out, quiet.out)
        for part in ("vm.vmss: checkpoint (magic 0xbed2bed2)", "2 vCPUs, memory regions",
                     "memory: ", "kernel banner at", "KASLR offset 0x", "phys_base 0x", "build-id ",
                     "log: printk_ringbuffer at 0x"):
            self.assertIn(part, verbose.err)

    def test_quiet_leaves_warnings_to_the_exit_status(self) -> None:
        zeroed = [dict.fromkeys(vcpu, 0) for vcpu in self.guest.vcpus]
        checkpoint = checkpoint_writer.write(self.folder / "zeroed", self.guest.memory, zeroed)
        result = photon_dmesg("--quiet", self.vmlinux, checkpoint)
        self.assertEqual((result.status, result.err), (0, ""))

    def stderr_on_a_terminal(self, *files: Path) -> bytes:
        reader, writer = pty.openpty()
        with subprocess.Popen([tool.BINARY, "--no-cache", *files], stdout=subprocess.DEVNULL,
                              stderr=writer) as process:
            os.close(writer)
            said = b""
            try:
                while part := os.read(reader, 4096):
                    said += part
            except OSError:  # the other end is closed
                pass
        os.close(reader)
        self.assertEqual(process.returncode, 0)
        return said

    def test_progress_is_for_terminals_and_long_work(self) -> None:
        checkpoint = self.write_checkpoint()
        # xz takes several seconds on any machine.
        long_work = self.package(payload=packages.XZ)
        self.assertEqual(photon_dmesg(long_work, checkpoint).err, "")
        said = self.stderr_on_a_terminal(long_work, checkpoint)
        self.assertRegex(said, rb"\r\x1b\[Kreading vmlinux: \d+ of \d+ MiB")
        self.assertTrue(said.endswith(b"\r\x1b[K"), said[-80:])


if __name__ == "__main__":
    unittest.main()
