"""vmware.log: what a guest sent to its host when it panicked, beside its checkpoint and alone."""

import datetime
import json
import re
import shutil
import unittest
from pathlib import Path

import paths
import peers
from guest_files import GuestFiles
from tool import photon_dmesg

UTC = datetime.UTC
PANIC = "Kernel panic - not syncing: sysrq triggered crash"


def written(lines: list[str], when: datetime.datetime) -> str:
    """A vmware.log of a host that begins with a VM, which sends these lines at one time."""
    time = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (f"{time} In(05) vmx - Log for VMware ESX pid=1 version=8.0.2\n"
            f"{time} In(05) vcpu-0 - Guest: About to do EFI boot\n"
            + "".join(f"{time} In(05) vcpu-0 - Guest: {line}\n" for line in lines))


class HostLogTests(GuestFiles, unittest.TestCase):
    name = "k61-panic"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.files = (cls.checkpoint,)
        cls.document = photon_dmesg("--json", *cls.files).json
        stopped = cls.document["guest"]["clock"]["stopped"]
        cls.stopped = datetime.datetime.fromisoformat(stopped)
        # What its kernel printed, as its patch sends it; the console shows no levels.
        console = (cls.guest.folder / "console.log").read_bytes().decode(errors="replace")
        cls.sent = ["<4>" + line for line in
                    re.findall(r"(?m)^(\[ *\d+\.\d{6}\] [^\r\n]*)\r?$", console)]
        cls.last = float(re.match(r"<4>\[ *([\d.]+)", cls.sent[-1]).group(1))

    def setUp(self) -> None:
        self.log = self.folder / "vmware.log"
        self.addCleanup(self.log.unlink, missing_ok=True)

    def write(self, lines: list[str], **ago: float) -> Path:
        self.log.write_text(written(lines, self.stopped - datetime.timedelta(**ago)))
        return self.log

    def plain(self, *options: str) -> bytes:
        self.log.unlink(missing_ok=True)
        return photon_dmesg(*options, *self.files).out


class Beside(HostLogTests):
    def test_what_the_log_has_is_not_said_again(self) -> None:
        self.assertIn(PANIC, "\n".join(self.sent))
        for options in ((), ("--json",), ("--ndjson",), ("--format", "syslog"), ("-r",)):
            with self.subTest(options=options):
                expected = self.plain(*options)
                self.write(self.sent)
                found = photon_dmesg(*options, *self.files)
                self.assertEqual((found.status, found.err, found.out), (0, "", expected))
        # It counts: lines of the same time and text are one.
        verbose = photon_dmesg("-v", *self.files).err
        count = len(set(self.sent))
        self.assertRegex(verbose, rf"in this boot {count}: the log has {count} of them")

    def test_what_the_log_lacks_stands_behind_it(self) -> None:
        extra = [f"<2>[{self.last + 1:12.6f}] only the host was told",
                 f"<6>[{self.last + 1:12.6f}] and this"]
        plain = self.plain()
        time = self.write(self.sent + extra).read_text().split(" ")[0]
        text = photon_dmesg(*self.files)
        self.assertEqual((text.status, text.err), (0, ""))
        head = f"-- not in the log: sent to the host, with the host's times, from {self.log} --\n"
        lines = "".join(f"{time} {line[3:]}\n" for line in extra)
        self.assertEqual(text.out, plain + (head + lines).encode())
        only = photon_dmesg("-l", "err+", "--tail", "1", *self.files).out.decode()
        self.assertTrue(only.endswith(head + lines.split("\n")[0] + "\n"), only)
        document = photon_dmesg("--json", *self.files).json
        self.assertEqual(document["dmesg"], self.document["dmesg"])
        self.assertEqual([(line["source"], line["host_time"], line["level"], line["msg"])
                          for line in document["host_log"]],
                         [("vmware.log", time, "crit", "only the host was told"),
                          ("vmware.log", time, "info", "and this")])
        self.assertEqual(document["host_log"][0]["ts_nsec"], round((self.last + 1) * 1e6) * 1000)
        last = json.loads(photon_dmesg("--ndjson", *self.files).out.splitlines()[-1])
        self.assertEqual((last["source"], last["msg"], last["file"]),
                         ("vmware.log", "and this", str(self.log)))

    def test_formats_without_a_place_say_so(self) -> None:
        plain = self.plain("--format", "syslog")
        plain_raw = self.plain("-r")
        self.write([*self.sent, f"<2>[{self.last + 1:12.6f}] only the host was told"])
        found = photon_dmesg("--format", "syslog", *self.files)
        self.assertEqual((found.status, found.out), (0, plain))
        self.assertIn("1 lines that the guest sent to its host have no place in this format",
                      found.err)
        raw = photon_dmesg("-r", *self.files)
        self.assertEqual((raw.status, raw.out), (0, plain_raw))
        self.assertIn("1 lines that the guest sent to its host have no place with --raw: see them "
                      "without it", raw.err)

    def test_only_text_has_a_raw_form(self) -> None:
        self.write([*self.sent, f"<2>[{self.last + 1:12.6f}] only the host was told"])
        for form in ("json", "ndjson", "ecs", "otlp"):
            with self.subTest(form=form):
                raw = photon_dmesg("--format", form, "-r", *self.files)
                self.assertEqual((raw.status, raw.err), (0, ""))
                self.assertEqual(raw.out, photon_dmesg("--format", form, *self.files).out)
                self.assertIn(b"only the host was told", raw.out)

    def test_an_earlier_boot_is_another_one(self) -> None:
        # The same kernel, which panicked as early a day before, and whose times differ by some.
        earlier = [re.sub(r"\d{6}\]", lambda t: f"{(int(t.group()[:6]) + 7) % 10**6:06}]", line)
                   for line in self.sent]
        plain = self.plain()
        self.write(earlier, days=1)
        found = photon_dmesg("-v", *self.files)
        self.assertEqual((found.status, found.out), (0, plain))
        self.assertIn("are of an earlier boot of the guest", found.err)
        report = photon_dmesg("triage", "--json", *self.files).json
        self.assertNotIn("vmware.log", json.dumps(report["findings"]))

    def test_where_it_can_not_be_told(self) -> None:
        plain = self.plain()
        lines = [f"<0>[{self.last + 5:12.6f}] {PANIC} of another"]
        self.log.write_text(written(lines, self.stopped).replace("Z ", " "))  # local time
        found = photon_dmesg(*self.files)
        self.assertEqual((found.status, found.out), (0, plain))
        self.assertRegex(found.err, r"vmware\.log: 1 line that the guest sent to its host, .* are "
                                    r"not used, as whether they are of this boot can't be told")

    def test_what_came_after_the_checkpoint(self) -> None:
        plain = self.plain()
        self.log.write_text(written([*self.sent, f"<0>[{self.last + 500:12.6f}] later"],
                                    self.stopped + datetime.timedelta(seconds=500)))
        found = photon_dmesg("-v", *self.files)
        self.assertEqual((found.status, found.out), (0, plain))
        self.assertIn("came after this memory was saved", found.err)

    def test_triage_knows_whence_it_has_what_the_log_lacks(self) -> None:
        words = "BUG: kernel NULL pointer dereference, address: 0000000000000008"
        self.write([*self.sent, f"<1>[{self.last + 1:12.6f}] {words}"])
        report = photon_dmesg("triage", "--json", *self.files).json
        [oops] = [finding for finding in report["findings"] if finding["kind"] == "oops"]
        self.assertTrue(any(re.match(rf"vmware\.log at \S+ \({self.last + 1:.6f} s after boot\): "
                                     + words, witness["what"]) for witness in oops["evidence"]), oops)
        self.assertIn("the log in memory lacks it", " ".join(oops["notes"]))
        self.assertIn("what the guest sent to its host (vmware.log)", report["read_from"])
        [panic] = [finding for finding in report["findings"] if finding["kind"] == "panic"]
        self.assertNotIn("vmware.log", json.dumps(panic))

    def test_rotated_logs_oldest_first(self) -> None:
        older = self.folder / "vmware-7.log"
        self.addCleanup(older.unlink)
        older.write_text(written([*self.sent, f"<2>[{self.last + 1:12.6f}] first"], self.stopped))
        self.log.write_text(written([f"<2>[{self.last + 2:12.6f}] second"],
                                    self.stopped + datetime.timedelta(seconds=1)))
        document = photon_dmesg("--json", *self.files).json
        self.assertEqual([(Path(line["file"]).name, line["msg"]) for line in document["host_log"]],
                         [("vmware-7.log", "first"), ("vmware.log", "second")])

    def test_the_schemas_know_it(self) -> None:
        log = self.write([*self.sent, f"<2>[{self.last + 1:12.6f}] only the host was told \x01"])
        for files in (self.files, (log,)):
            outputs = [photon_dmesg(*command, *files) for command in (("--json",), ("--ndjson",))]
            outputs += [photon_dmesg(command, "--json", *self.files)
                        for command in ("info", "bt", "ps", "triage")]
            documents = []
            for number, output in enumerate(outputs):
                documents.append(self.folder / f"{number}.json")
                documents[-1].write_bytes(output.out)
            paths.run(peers.PYTHON, paths.SOURCE / "fixtures/check_schemas.py",
                      paths.SOURCE.parents[1] / "share/schema", *documents)

    def test_it_is_redacted(self) -> None:
        self.write([*self.sent, f"<2>[{self.last + 1:12.6f}] of 10.1.2.3"])
        for options in ((), ("--json",), ("--format", "otlp")):
            out = photon_dmesg("--redact", *options, *self.files).out.decode()
            self.assertIn("of <ip-1>", out)
            self.assertNotIn("10.1.2.3", out)


class Alone(HostLogTests):
    def test_all_formats_that_have_a_place(self) -> None:
        log = self.write(self.sent)
        for options in (("--json",), ("--ndjson",), ("--format", "ecs"), ("--format", "otlp"), ()):
            with self.subTest(options=options):
                found = photon_dmesg(*options, log)
                self.assertEqual(found.status, 1)
                self.assertIn(PANIC, found.out.decode())
                self.assertIn("About to do EFI boot", found.out.decode())
        document = photon_dmesg("--json", log).json
        self.assertEqual((document["guest"], document["source"], document["dmesg"]),
                         (None, None, []))
        self.assertEqual(len(document["host_log"]), len(self.sent) + 1)
        refused = photon_dmesg("--format", "kmsg", log)
        self.assertEqual((refused.status, refused.out), (2, b""))
        self.assertIn("expected one of text, json, ndjson, ecs, otlp", refused.err)

    def test_records_are_selected(self) -> None:
        log = self.write(self.sent)
        raw = photon_dmesg("-r", "--grep", "Kernel panic", log).out.decode()
        self.assertEqual(raw.splitlines(), [line for line in self.sent if "Kernel panic" in line])
        self.assertEqual(photon_dmesg("-r", "--tail", "3", log).out.decode().splitlines(),
                         self.sent[-3:])
        self.assertEqual(photon_dmesg("-u", log).out.decode().count("\n"), 1)
        self.assertEqual(photon_dmesg("--until", "-1min", log).out, b"")
        self.assertEqual(photon_dmesg("--from-seq", "3", log).status, 2)

    def test_triage_by_the_last_that_was_sent(self) -> None:
        log = self.write(self.sent)
        found = photon_dmesg("triage", log)
        self.assertEqual(found.status, 0)
        text = found.out.decode()
        self.assertRegex(text, r"\APANIC \(\w+\)  sysrq triggered crash")
        self.assertIn("what the guest sent to its host (vmware.log)", text)
        self.assertEqual(photon_dmesg("triage", "--fail-on", "panic", log).status, 10)
        markdown = photon_dmesg("triage", "--format", "markdown", log).out.decode()
        self.assertIn(PANIC, markdown)

    def test_logs_of_two_folders_are_of_two_machines(self) -> None:
        log = self.write(self.sent)
        other = self.folder / "other"
        other.mkdir()
        self.addCleanup(shutil.rmtree, other)
        twin = shutil.copy(log, other / "vmware.log")
        older = shutil.copy(log, self.folder / "vmware-1.log")
        self.addCleanup(older.unlink)
        for command in ((), ("triage",)):
            refused = photon_dmesg(*command, log, twin)
            self.assertEqual((refused.status, refused.out), (2, b""))
            self.assertIn("expected the logs of one VM, which lie in one folder", refused.err)
            self.assertIn(PANIC.encode(), photon_dmesg(*command, log, older).out)

    def test_nothing_was_sent(self) -> None:
        log = self.write([])
        log.write_text(log.read_text().split("\n")[0] + "\n")
        for command in ((), ("triage",)):
            found = photon_dmesg(*command, log)
            self.assertEqual((found.status, found.out), (3, b""))
            self.assertIn("the guest has sent nothing to it", found.err)


del HostLogTests  # what others have in common is no test
