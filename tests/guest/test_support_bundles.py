"""Support bundles: what is in them reads as it would beside them, and none of them does harm."""

import bz2
import gzip
import io
import lzma
import os
import shutil
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

import paths
import tool
from guest_files import GuestFiles
from tool import photon_dmesg

MIB = 1 << 20
# Each kind of bundle, by its usual ending, and what bsdtar is told to write it.
KINDS = {".tar": (), ".tgz": ("--gzip", "--options", "gzip:compression-level=1"),
         ".tar.zst": ("--zstd",), ".tar.bz2": ("--bzip2",),
         ".tar.xz": ("--xz", "--options", "xz:compression-level=0"),
         ".zip": ("--format", "zip", "--options", "zip:compression-level=1"),
         ".7z": ("--format", "7zip", "--options", "7zip:compression=deflate,compression-level=1")}


def pack(bundle: Path, folder: Path) -> Path:
    """All that is in the folder."""
    kind = next(kind for kind in KINDS if bundle.name.endswith(kind))
    names = sorted(path.name for path in folder.iterdir())
    paths.run("bsdtar", *KINDS[kind], "-c", "-f", bundle, "-C", folder, *names)
    return bundle


class BundleTests(GuestFiles):
    """A guest's files, what is said of them, and a folder of each test's own."""

    name = "k61"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.memory = cls.checkpoint.with_suffix(".vmem")
        cls.document = photon_dmesg("--json", cls.checkpoint).json
        assert len(cls.document["dmesg"]) > 300

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(dir=self.guest.folder)
        self.addCleanup(folder.cleanup)
        self.own = Path(folder.name)
        self.ticket = self.own / "ticket"
        self.ticket.mkdir()

    def put(self, folder: str, name: str = "vm", ending: str = ".vmss") -> Path:
        """A VM's files in a folder of the ticket's."""
        target = self.ticket / folder
        target.mkdir(parents=True, exist_ok=True)
        # Not a link to one file: tar would write it once.
        paths.copy_sparse(self.memory, target / f"{name}.vmem")
        shutil.copy(self.checkpoint, target / f"{name}{ending}")
        return target

    def check(self, *files: object, status: int = 0) -> dict:
        """Every record, and all that is said of the guest."""
        result = photon_dmesg("--json", *files)
        self.assertEqual(result.status, status, result.err)
        self.assertEqual(result.json["dmesg"], self.document["dmesg"])
        self.assertEqual(result.json["guest"], self.document["guest"])
        if status == 0:
            self.assertEqual(result.err, "")
        return result.json

    def refused(self, status: int, part: str, *arguments: object) -> str:
        result = photon_dmesg(*arguments)
        self.assertEqual((result.status, result.out), (status, b""), result.err)
        self.assertIn(part, result.err)
        return result.err


class Kinds(BundleTests, unittest.TestCase):
    def test_every_kind_of_bundle(self) -> None:
        self.put("web01", "web01")
        for kind in KINDS:
            with self.subTest(kind=kind):
                bundle = pack(self.own / f"ticket{kind}", self.ticket)
                self.assertEqual(self.check(bundle)["source"]["checkpoint"],
                                 str(bundle / "web01/web01.vmss"))
                if kind not in (".tgz", ".zip"):  # one that comes by once, and one that does not
                    continue
                self.check(bundle / "web01")
                self.check(bundle / "web01/web01.vmss")
                bundle.rename(self.own / "named like nothing")
                self.check(self.own / "named like nothing")

    def test_what_other_programs_write(self) -> None:
        self.put("web01", "web01")
        with tarfile.open(self.own / "a.tar.gz", "w:gz", compresslevel=1) as tar:
            tar.add(self.ticket, "ticket")
        self.check(self.own / "a.tar.gz")
        paths.run("tar", "-C", self.ticket, "-cSzf", self.own / "sparse.tgz", "./web01")
        self.check(self.own / "sparse.tgz")
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            with zipfile.ZipFile(self.own / "a.zip", "w", method, compresslevel=1) as archive:
                for file in sorted((self.ticket / "web01").iterdir()):
                    archive.write(file, f"web01/{file.name}")
            with self.subTest(method=method):
                self.check(self.own / "a.zip")

    def test_every_command(self) -> None:
        self.put("web01", "web01")
        bundle = pack(self.own / "ticket.tgz", self.ticket)
        plain = self.ticket / "web01/web01.vmss"
        for command in (["info", "--json"], ["triage", "--json"], ["bt", "--json"], ["ps", "--json"],
                        ["-T"], ["--format", "journal-export"], ["-o", "-", "--ndjson"],
                        ["info", "--tags"]):
            with self.subTest(command=command):
                expected, found = (photon_dmesg(*command, file) for file in (plain, bundle))
                self.assertEqual(found.status, expected.status, found.err)
                out = found.out.replace(str(bundle / "web01").encode(),
                                        str(plain.parent).encode())
                if command[0] == "triage":  # its input is the bundle
                    self.assertEqual(found.json["inputs"], [
                        {"path": str(bundle), "bytes": bundle.stat().st_size, "sha256": None}])
                    self.assertEqual(found.json["findings"], expected.json["findings"])
                elif command[0] == "info" and "--json" in command:
                    self.assertEqual(found.json["guest"], expected.json["guest"])
                else:
                    self.assertEqual(out, expected.out)
        for file, folder in ((plain, "plain"), (bundle, "bundled")):
            result = photon_dmesg("core", file, "-o", self.own / folder)
            self.assertEqual(result.status, 0, result.err)
        self.assertEqual((self.own / "bundled/vmss.core").read_bytes(),
                         (self.own / "plain/vmss.core").read_bytes())
        profile = self.own / "profile"
        self.assertEqual(photon_dmesg("profile", self.vmlinux, bundle, "-o", profile).status, 0)
        self.check(profile, bundle)

    def test_files_that_are_packed_by_themselves(self) -> None:
        writers = {".gz": lambda path: gzip.open(path, "wb", compresslevel=1),
                   ".xz": lambda path: lzma.open(path, "wb", preset=0),
                   ".bz2": lambda path: bz2.open(path, "wb", compresslevel=1)}
        self.put(".")
        for ending in (".gz", ".zst", ".xz", ".bz2"):
            for file in (self.ticket / "vm.vmss", self.ticket / "vm.vmem",
                         self.guest.kernel.system_map):
                packed = self.own / f"{file.name}{ending}"
                if ending == ".zst":
                    paths.run("zstd", "-q", "-1", file, "-o", packed)
                    continue
                with file.open("rb") as data, writers[ending](packed) as out:
                    shutil.copyfileobj(data, out, MIB)
            with self.subTest(ending=ending):
                self.check(self.own / f"vm.vmss{ending}")  # and its memory beside it
                if ending in (".gz", ".zst"):
                    self.check(self.own / f"vm.vmss{ending}", self.own / f"vm.vmem{ending}")
                system_map = self.own / f"{self.guest.kernel.system_map.name}{ending}"
                result = photon_dmesg("--json", system_map, self.checkpoint)
                self.assertEqual(result.status, 0, result.err)
                self.assertEqual(result.json["dmesg"], self.document["dmesg"])
                self.assertEqual(result.json["source"]["system_map"], str(system_map))
                memory = self.own / f"vm.vmem{ending}"
                os.truncate(memory, memory.stat().st_size // 2)
                self.refused(3, f"vm.vmem{ending}: ", self.own / f"vm.vmss{ending}")
            for file in self.own.glob(f"*{ending}"):
                file.unlink()

    def test_what_is_read_is_not_written(self) -> None:
        self.put("web01", "web01")
        bundle = pack(self.own / "ticket.tgz", self.ticket)
        before = bundle.read_bytes()
        for target in (bundle, self.own / "link"):
            if target != bundle:
                target.symlink_to(bundle)
            for file in (bundle, bundle / "web01"):
                self.refused(2, "", "-o", target, file)
        other = self.own / "other.zip"
        pack(other, self.ticket)
        self.refused(2, "a zip archive", "-o", other, self.checkpoint)
        self.assertEqual(bundle.read_bytes(), before)
        self.assertEqual(sorted(path.name for path in self.own.iterdir()),
                         ["link", "other.zip", "ticket", "ticket.tgz"])


class Layouts(BundleTests, unittest.TestCase):
    def test_a_host_with_two_vms(self) -> None:
        """As ESXi's vm-support has it: its folders, and each VM's."""
        top = "esx-host1-2026-11-29--10.00"
        first, second = (self.put(f"{top}/vmfs/volumes/ds{number}/web{number}", f"web{number}")
                         for number in (1, 2))
        (self.ticket / top / "var/log").mkdir(parents=True)
        (self.ticket / top / "var/log/vmkernel.log").write_text("2026-11-29T10:00:00Z cpu0: x\n")
        (second / "vmware.log").write_text(
            "2026-11-29T10:00:00.000Z In(05) vmx - Log for VMware ESX pid=1\n")
        for kind in (".tgz", ".zip"):
            bundle = pack(self.own / f"host{kind}", self.ticket)
            said = self.refused(2, "expected one checkpoint, found 2: name the one to read", bundle)
            for folder in (first, second):
                path = bundle / folder.relative_to(self.ticket)
                self.assertIn(f"{path}/{folder.name}.vmss (", said)
                document = self.check(path)
                self.assertEqual(document["source"]["memory"], f"{path}/{folder.name}.vmem")
                result = photon_dmesg(path / f"{folder.name}.vmss", bundle / top / "vmfs")
                self.assertEqual(result.status, 1)
                self.assertIn("not used: ", result.err)

    def test_a_bundle_in_a_bundle(self) -> None:
        self.put("vmfs/volumes/ds1/web01", "web01")
        outer = self.own / "outer"
        outer.mkdir()
        for inner_kind in (".tgz", ".zip", ".7z"):
            inner = pack(outer / f"support{inner_kind}", self.ticket)
            for kind in (".zip", ".tgz", ".tar"):
                bundle = pack(self.own / f"ticket{kind}", outer)
                with self.subTest(bundle=bundle.name, inner=inner.name):
                    self.check(bundle)
                    self.check(bundle / inner.name / "vmfs/volumes/ds1/web01/web01.vmss")
            inner.unlink()
        pack(outer / "deep.tgz", self.ticket)
        deep = self.own / "deep"
        deep.mkdir()
        pack(deep / "middle.zip", outer)
        bundle = pack(self.own / "ticket.tgz", deep)
        self.refused(3, "a bundle in a bundle", bundle)
        self.refused(3, "unpack the outermost one", bundle / "middle.zip/deep.tgz/vmfs")

    def test_snapshots_of_one_vm(self) -> None:
        for name in ("vm-Snapshot1", "vm-Snapshot2"):
            self.put("vm", name, ".vmsn")
        self.put("vm", "vm-4711")
        # The others' memory would give another log.
        for name in ("vm-Snapshot1", "vm-4711"):
            with (self.ticket / f"vm/{name}.vmem").open("wb") as out:
                out.truncate(self.memory.stat().st_size)
        for kind in (".tgz", ".zip"):
            bundle = pack(self.own / f"without{kind}", self.ticket)
            self.refused(2, "expected one checkpoint, found 3", bundle)
            self.check(bundle / "vm/vm-Snapshot2.vmsn")
        (self.ticket / "vm/vm.vmx").write_text('checkpoint.vmState = "vm-Snapshot2.vmsn"\n')
        for kind in (".tgz", ".zip"):
            bundle = pack(self.own / f"with{kind}", self.ticket)
            for named in (bundle, bundle / "vm", bundle / "vm/vm.vmx"):
                self.check(named)
        # Before and behind all else: what is kept of the stream depends on it.
        names = sorted(path.name for path in (self.ticket / "vm").iterdir())
        for order in (names, names[::-1]):
            paths.run("bsdtar", "-C", self.ticket / "vm", "-czf", self.own / "ordered.tgz", *order)
            self.check(self.own / "ordered.tgz")

    def test_memory_and_logs_that_are_all_there_is(self) -> None:
        (self.put("vm") / "vm.vmss").unlink()
        bundle = pack(self.own / "memory.tgz", self.ticket)
        result = photon_dmesg("--json", bundle)
        self.assertEqual((result.status, result.json["dmesg"]), (0, self.document["dmesg"]))
        shutil.rmtree(self.ticket / "vm")
        (self.ticket / "vmware.log").write_text(
            "2026-11-29T10:00:00.000Z In(05) vmx - Log for VMware ESX pid=1\n"
            "2026-11-29T10:00:01.000Z In(05) vcpu-0 - Guest: <0>[   20.0] Kernel panic\n")
        for kind in (".tgz", ".zip"):
            bundle = pack(self.own / f"log{kind}", self.ticket)
            result = photon_dmesg(bundle)
            self.assertEqual((result.status, result.out),
                             (1, b"2026-11-29T10:00:01.000Z [   20.000000] Kernel panic\n"))
            self.assertIn(f"{bundle}/vmware.log: this is the host's log of a VM", result.err)
            self.refused(3, "expected a checkpoint (.vmss or .vmsn) or memory (.vmem)", "bt", bundle)

    def test_a_snapshot_that_was_not_complete(self) -> None:
        folder = self.put("vm")
        (folder / "vm.vmem").unlink()
        (folder / "vmware.log").write_text("MainMem: Begin lazy IO\n")
        self.refused(3, "vmware.log says that the memory of a snapshot was still being written",
                     pack(self.own / "ticket.tgz", self.ticket))

    def test_what_a_snapshot_holds_that_was_not_complete(self) -> None:
        """Its memory is written while the guest runs on: what is not there yet looks empty."""
        folder = self.put("vm", ending=".vmsn")
        begun = "2026-11-30T10:00:00Z| vmx| I125: MainMem: Begin lazy IO (131072 pages, 0 done)\n"
        (folder / "vmware.log").write_text(begun)
        result = photon_dmesg("--json", folder)
        self.assertEqual((result.status, result.json["dmesg"]), (1, self.document["dmesg"]), result.err)
        self.assertIn("vmware.log says that the memory of a snapshot was still being written", result.err)
        (folder / "vmware.log").write_text(
            f"{begun}2026-11-30T10:05:00Z| vmx| I125: MainMem: Completed pending lazy checkpoint save.\n")
        self.check(folder)
        # One that is suspended has ended what it was writing.
        (folder / "vmware.log").write_text(begun)
        (folder / "vm.vmsn").rename(folder / "vm.vmss")
        self.check(folder)

    def test_symbols_in_a_bundle(self) -> None:
        self.put("vm")
        shutil.copy(self.guest.kernel.system_map, self.ticket / "System.map")
        for kind in (".tgz", ".zip"):
            bundle = pack(self.own / f"ticket{kind}", self.ticket)
            result = photon_dmesg("--json", bundle)
            self.assertEqual(result.json["source"]["system_map"], str(bundle / "System.map"))
            self.assertEqual((result.status, result.json["dmesg"]), (0, self.document["dmesg"]))
            result = photon_dmesg("--json", bundle, self.checkpoint)
            self.assertEqual(result.json["source"]["system_map"], str(bundle / "System.map"))


class Damage(BundleTests, unittest.TestCase):
    def test_cut_anywhere_it_gives_what_is_whole(self) -> None:
        """Never another record than there is; the checkpoint comes first, its memory behind it."""
        self.put("vm")
        texts = {record["seq"]: record["msg"] for record in self.document["dmesg"]}
        shown = 0
        for kind in (".tar", ".tgz", ".tar.zst", ".zip", ".7z"):
            whole = self.own / f"whole{kind}"
            paths.run("bsdtar", *KINDS[kind], "-c", "-f", whole, "-C", self.ticket, "vm/vm.vmss",
                      "vm/vm.vmem")
            for part in (1, 5, 20, 50, 80, 95, 99):
                cut = self.own / f"cut{kind}"
                shutil.copy(whole, cut)
                os.truncate(cut, whole.stat().st_size * part // 100)
                result = photon_dmesg("--json", cut)
                with self.subTest(kind=kind, part=part):
                    if result.out:
                        shown += 1
                        self.assertEqual(result.status, 1, result.err)
                        self.assertIn(f"{cut.name}: ", result.err)
                        for record in result.json["dmesg"]:
                            if record.get("state") != "text-lost":
                                self.assertEqual(record["msg"], texts[record["seq"]])
                    else:
                        self.assertIn(result.status, (3, 4), result.err)
        self.assertGreater(shown, 0)

    def test_a_bundle_that_ends_early_behind_its_guest(self) -> None:
        self.put("vm")
        (self.ticket / "zz-other").write_bytes(os.urandom(MIB))
        bundle = pack(self.own / "ticket.tgz", self.ticket)
        os.truncate(bundle, bundle.stat().st_size - 1000)
        result = photon_dmesg("--json", bundle)
        self.assertEqual((result.status, result.json["dmesg"]), (1, self.document["dmesg"]))
        self.assertIn("ticket.tgz: truncated: the gzip data does not end (what comes before that is "
                      "used)", result.err)

    def test_a_bomb_costs_neither_memory_nor_minutes(self) -> None:
        """80 GiB of zeros before the guest, in less than 8 MB."""
        self.put("vm")
        size = 80 << 30
        header = tarfile.TarInfo("zeros")
        header.size = size
        with tempfile.TemporaryFile() as zeros:
            zeros.truncate(1 << 30)
            gib = paths.run("zstd", "-q", "-1", "-c", stdin=zeros).stdout
        parts = (header.tobuf(tarfile.GNU_FORMAT),
                 pack(self.own / "vm.tar", self.ticket).read_bytes()[:MIB])
        before, behind = (paths.run("zstd", "-q", "-c", input=part).stdout for part in parts)
        bundle = self.own / "bomb.tar.zst"
        with bundle.open("wb") as out:
            out.write(before)
            for _ in range(size >> 30):
                out.write(gib)
            out.write(behind)
        self.assertLess(bundle.stat().st_size, 8 * MIB)
        self.refused(3, "bytes that are not needed: the rest is left out", bundle)
        self.assertLess(tool.peak_memory(bundle), 128 * MIB)

    def test_names_do_no_harm(self) -> None:
        self.put("vm")
        bundle = self.own / "ticket.tgz"
        with tarfile.open(bundle, "w:gz", compresslevel=1) as tar:
            for name in ("../../../../tmp/photon-dmesg-escaped", "\x1b[31mred\n/x.vmx", "/etc/passwd"):
                member = tarfile.TarInfo(name)
                member.size = 4
                tar.addfile(member, io.BytesIO(b"text"))
            for kind, name in ((tarfile.SYMTYPE, "vm/vm.vmem"), (tarfile.LNKTYPE, "vm/other.vmss"),
                               (tarfile.CHRTYPE, "vm/zero.vmss"), (tarfile.FIFOTYPE, "vm/pipe.vmss")):
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, "/etc/hostname"
                tar.addfile(member)
            for file in ("vm.vmss", "vm.vmem"):
                tar.add(self.ticket / "vm" / file, f"vm/{file}")
        self.check(bundle, status=1)
        said = photon_dmesg(bundle).err
        self.assertIn("that have no name, or one that leads out of it, are not used: 1", said)
        self.assertFalse(Path("/tmp/photon-dmesg-escaped").exists())
        with zipfile.ZipFile(self.own / "a.zip", "w") as archive:
            archive.writestr("\x1b[31mred.vmss", b"x")
            archive.writestr("\x1b[32mgreen.vmss", b"x")
        said = self.refused(2, "expected one checkpoint, found 2", self.own / "a.zip")
        self.assertNotIn("\x1b", said)
        self.assertIn("\\x1b[31mred.vmss", said)

    def test_encrypted_members_are_named(self) -> None:
        self.put("vm")
        bundle = self.own / "ticket.zip"
        paths.run("bsdtar", "--format", "zip", "--options", "zip:encryption=aes256,zip:compression-level=1",
                  "--passphrase", "secret", "-c", "-f", bundle, "-C", self.ticket, "vm")
        self.refused(3, f"{bundle}/vm/vm.vmss: it is encrypted", bundle)

    def test_what_holds_no_guest_is_said(self) -> None:
        (self.ticket / "notes.txt").write_text("It hangs.\n")
        for kind in (".tgz", ".zip"):
            bundle = pack(self.own / f"ticket{kind}", self.ticket)
            self.refused(3, "expected a checkpoint (.vmss or .vmsn) or memory (.vmem) in this bundle, "
                         "found none", bundle)
            self.refused(3, "this is a text", bundle / "notes.txt")
            self.refused(3, "expected a file absent in it, found none", bundle / "absent")
            result = photon_dmesg("--json", bundle, self.checkpoint)
            self.assertEqual((result.status, result.json["dmesg"]), (1, self.document["dmesg"]))
            self.assertIn("not used: ", result.err)
