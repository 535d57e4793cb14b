"""Every output format, read by the programs it is for, of real guests' logs."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

import elf_core
import paths
import peers
import truth
from guest_files import GuestFiles
from tool import TIMEOUT, photon_dmesg

# Every option of dmesg that shapes text, alone and with those it goes together with.
STYLES = (
    (), ("-t",), ("-T",), ("-d",), ("-e",), ("-x",), ("-p",), ("--noescape",), ("-k",), ("-u",),
    ("-l", "err"), ("-l", "warn,notice"), ("-f", "daemon,user"), ("-f", "kern", "-l", "info"),
    ("-T", "-d"), ("-e", "-x"), ("-x", "-T"), ("-x", "-p"), ("-e", "-p"),
    ("-T", "-k", "-l", "warn"), ("-d", "-u"), ("-e", "-l", "err,warn"),
    ("--time-format", "ctime"), ("--time-format", "iso"), ("--time-format", "reltime"),
    ("--time-format", "delta"), ("--time-format", "notime"),
    ("--color=always",), ("--color=always", "-e"), ("--color=always", "-x", "-T"),
    ("--color=always", "-p"), ("-H", "-P", "--color=always"), ("-H", "-P"), ("-L",),
)
# What only dmesg since 2.40 knows or does right.
NEWER_STYLES = (
    ("-r",), ("-r", "-p"), ("-r", "-l", "err"), ("-r", "--noescape"), ("-r", "-u"),
    ("-l", "err+"), ("-l", "+notice"), ("-J",), ("-J", "-x"), ("-J", "-l", "warn+"), ("-J", "-T"),
    ("--time-format", "iso", "--time-format", "raw"), ("--time-format", "ctime", "-e"),
    ("--time-format", "raw", "--time-format", "delta"), ("-T", "--time-format", "delta"),
    ("-e", "-d"), ("-d", "-e"), ("-d", "--time-format", "iso"), ("-T", "-d", "--time-format", "raw"),
)
# What dmesg 2.41 does otherwise than those before and behind it: there, -t drops the difference too.
OLDER_STYLES = (("-t", "-d"), ("-d", "-t"))
# Facilities that dmesg 2.38 has names for.
OLDER_FACILITIES = "kern,user,mail,daemon,auth,syslog,lpr,news,uucp,cron,authpriv,ftp"


class FormatTests(GuestFiles):
    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.document = photon_dmesg("--json", *cls.files).json
        cls.records = cls.document["dmesg"]
        clock = cls.document["guest"]["clock"]
        cls.boot_usec = clock["realtime_offset_nsec"] // 1000
        cls.stopped_usec = cls.usec_of(clock["stopped"])

    @staticmethod
    def usec_of(text: str) -> int:
        """Of an RFC 3339 time in UTC, since 1970."""
        whole, fraction = text.rstrip("Z").split(".")
        seconds = int(time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))) - time.timezone
        return seconds * 1_000_000 + int(fraction)

    @classmethod
    def run_tool(cls, *options: str, **how: object) -> bytes:
        result = photon_dmesg(*options, *cls.files, **how)
        assert (result.status, result.err) == (0, ""), result
        return result.out

    def written(self, form: str, *options: str) -> Path:
        """The log in a format, as a file."""
        file = self.folder / f"log.{form}"
        file.write_bytes(self.run_tool("--format", form, *options))
        return file


@peers.judged
class DmesgTests(FormatTests):
    def by_dmesg(self, program, *arguments: object, **how: object) -> bytes:
        return program(*arguments, boot_usec=self.boot_usec, now_usec=self.stopped_usec, **how)

    def test_kmsg_is_what_dev_kmsg_gave(self) -> None:
        found = dict(self.split_kmsg(self.written("kmsg").read_bytes()))
        expected = dict(self.split_kmsg(self.guest.blob("truth.kmsg")))
        compared = 0
        for seq, record in expected.items():
            if seq in found:
                compared += 1
                self.assertEqual(found[seq], record)
        self.assertGreater(compared, 300)

    @staticmethod
    def split_kmsg(data: bytes) -> list[tuple[int, bytes]]:
        return [(int(record.split(b",")[1]), record) for record in data.split(b"\0")[:-1]]

    def test_text_is_what_a_new_dmesg_makes_of_kmsg(self) -> None:
        kmsg = self.written("kmsg")
        for style in STYLES + NEWER_STYLES:
            with self.subTest(style=" ".join(style)):
                expected = self.by_dmesg(peers.newer_dmesg, "-K", kmsg, *style)
                if "-J" in style:
                    expected = self.as_valid_json(expected)
                self.assert_same_lines(self.run_tool(*style), expected)
        with self.subTest(locale="C"):
            expected = self.by_dmesg(peers.newer_dmesg, "-K", kmsg, "-x", locale="C")
            self.assert_same_lines(self.run_tool("-x", locale="C"), expected)

    def assert_same_lines(self, found: bytes, expected: bytes) -> None:
        """As assertEqual, but the message is the first line that differs."""
        if found == expected:
            return
        pairs = zip(found.split(b"\n"), expected.split(b"\n"), strict=False)
        self.assertEqual(*next((pair for pair in pairs if pair[0] != pair[1]), (found, expected)))

    @staticmethod
    def as_valid_json(text: bytes) -> bytes:
        """What dmesg prints is no JSON where the log is no UTF-8: such bytes as \\xNN. And control
        characters that a terminal would obey are escaped."""
        decoded = text.decode(errors="surrogateescape")
        decoded = re.sub("[\udc80-\udcff]", lambda c: f"\\\\x{ord(c.group()) - 0xdc00:02x}", decoded)
        return re.sub("[\x80-\x9f]", lambda c: f"\\u{ord(c.group()):04x}", decoded).encode()

    def test_text_is_what_dmesg_2_38_makes_of_the_raw_log(self) -> None:
        # It cuts the time of the boot to a second, and adds a record's microseconds to that.
        shift = self.boot_usec % 1_000_000
        for style in STYLES + OLDER_STYLES:
            # "only kmsg supports multi-line messages"; -u forgets facilities; what is shifted has no
            # record at 0, from which dmesg counts no difference.
            if {"-p", "-u", "-e", "-H", "reltime"} & set(style) or {"-T", "-d"} <= set(style):
                continue
            raw = self.raw_log(shift if {"-T", "ctime", "iso"} & set(style) else 0)
            if {"-x", "-l"} & set(style) and not {"-f", "-k"} & set(style):
                style = (*style, "-f", OLDER_FACILITIES)
            with self.subTest(style=" ".join(style)):
                expected = peers.dmesg("-F", raw, *style, boot_usec=self.boot_usec - shift,
                                       now_usec=self.stopped_usec)
                # Behind a newline that ends a text, it sees the next record and indents that.
                self.assert_same_lines(*(re.sub(rb"(?m)^ +$", b"", text)
                                         for text in (self.run_tool(*style), expected)))

    def raw_log(self, shift_usec: int) -> Path:
        """What syslog(2) would give, but a record is one, however many lines it has."""
        file = self.folder / "raw"
        with file.open("wb") as out:
            for pri, usec, text in self.raw_records():
                usec += shift_usec
                out.write(b"<%d>[%5d.%06d] %s\n" % (pri, usec // 1000000, usec % 1000000, text))
        return file

    def raw_records(self) -> list[tuple[int, int, bytes]]:
        return [(record.pri, record.usec, record.text)
                for record in truth.parse(self.written("kmsg").read_bytes())]

    def test_since_and_until_are_dmesgs(self) -> None:
        kmsg = self.written("kmsg")
        middle = self.records[len(self.records) // 2]["ts_nsec"] // 1000 + self.boot_usec
        clock = time.strftime("%H:%M:%S", time.gmtime(middle // 1000000))
        for option in (("--since", clock), ("--until", clock), ("--since", "-1h"),
                       ("--since", "2s ago"), ("--until", "-1 second"), ("--since", "today"),
                       ("--since", f"@{middle // 1000000}", "--until", "now"),
                       ("--since", time.strftime("%Y-%m-%d %H:%M", time.gmtime(middle // 1000000))),
                       ("--since", "tomorrow")):
            with self.subTest(option=option):
                expected = self.by_dmesg(peers.newer_dmesg, "-K", kmsg, *option)
                self.assertEqual(self.run_tool("-q", *option), expected)


class EveryOutput(FormatTests, unittest.TestCase):
    """What the judges above do not see: that nothing is said beside the output. A build with sanitizers
    shows here what it sees in each format and style."""

    name = "k61"

    def test_every_style_and_format_is_written_without_a_word(self) -> None:
        said = photon_dmesg("--format=x", "file").err
        forms = said.rstrip().partition("expected one of ")[2].split(", ")
        self.assertGreater(len(forms), 8)
        for options in (*STYLES, *NEWER_STYLES, *OLDER_STYLES, *(("--format", form) for form in forms)):
            with self.subTest(options=" ".join(options)):
                self.assertNotEqual(self.run_tool(*options), b"")


class Ordinary(DmesgTests, unittest.TestCase):
    name = "k61"


class Panic(DmesgTests, unittest.TestCase):
    name = "k612-panic"


@peers.judged
class ReaderTests(FormatTests):
    """Programs that take the log where others have put it before."""

    def lines(self, form: str) -> list[dict]:
        return [json.loads(line) for line in self.written(form).read_bytes().splitlines()]

    # journald's formats

    def test_journal_export_is_imported_with_every_record(self) -> None:
        journal = self.folder / "log.journal"
        journal.unlink(missing_ok=True)
        paths.run("/lib/systemd/systemd-journal-remote", "-o", journal,
                  self.written("journal-export"))
        entries = [json.loads(line) for line in
                   paths.run("journalctl", "--file", journal, "-o", "json", "--all").stdout.splitlines()]
        expected = self.lines("journal-json")
        self.assertEqual(len(entries), len(self.records))
        key = self.journal_key
        for found, ours in zip(sorted(entries, key=key), sorted(expected, key=key), strict=True):
            for field in ("__CURSOR", "_BOOT_ID"):  # the journal makes up what is not known
                found.pop(field)
                ours.pop(field, None)
            self.assertEqual(found, ours)

    @staticmethod
    def journal_key(entry: dict) -> tuple:
        return int(entry["__REALTIME_TIMESTAMP"]), json.dumps(entry.get("MESSAGE"))

    def test_journalctl_shows_time_and_priority(self) -> None:
        journal = self.folder / "errors.journal"
        journal.unlink(missing_ok=True)
        paths.run("/lib/systemd/systemd-journal-remote", "-o", journal,
                  self.written("journal-export"))
        text = paths.run("journalctl", "--file", journal, "-p", "3", "-o", "short-iso-precise", "-q",
                         env={**os.environ, "TZ": "UTC0", "LC_ALL": "C.UTF-8"}).stdout.decode()
        errors = [r for r in self.records if r["pri"] % 8 <= 3]
        self.assertEqual(len(re.findall(r"(?m)^20\d\d-", text)), len(errors))
        moment = (errors[0]["ts_nsec"] + self.document["guest"]["clock"]["realtime_offset_nsec"])
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 10**9))
        self.assertTrue(text.startswith(f"{stamp}.{moment % 10**9 // 1000:06}"), text[:80])

    # syslog

    def test_rsyslog_takes_syslog_and_ndjson(self) -> None:
        work = self.folder / "rsyslog"
        work.mkdir()
        (work / "rsyslog.conf").write_text(f"""
global(workDirectory="{work}" maxMessageSize="64k")
module(load="imfile" mode="polling" pollingInterval="1")
module(load="imtcp")
module(load="mmjsonparse")
template(name="syslog" type="string"
  string="%pri%|%timestamp:::date-rfc3339%|%programname%|%procid%|%structured-data%|%msg%\\n")
template(name="json" type="string" string="%$!all-json%\\n")
ruleset(name="syslog") {{ action(type="omfile" file="{work}/syslog.out" template="syslog") }}
ruleset(name="json") {{
  action(type="mmjsonparse" cookie="")
  action(type="omfile" file="{work}/json.out" template="json")
}}
input(type="imtcp" address="127.0.0.1" port="0" listenPortFileName="{work}/port"
      ruleset="syslog")
input(type="imfile" file="{self.written('ndjson')}" tag="vm:" ruleset="json")
""")
        server = subprocess.Popen(["rsyslogd", "-n", "-f", work / "rsyslog.conf", "-i", work / "pid"])
        try:
            self.wait_for(lambda: (work / "port").exists() and (work / "port").read_text().strip())
            with (work / "send").open("w") as script:
                script.write(f'cat "$1" > /dev/tcp/127.0.0.1/{(work / "port").read_text().strip()}')
            paths.run("bash", work / "send", self.written("syslog"))
            wanted = len([r for r in self.records if r.get("state") != "text-lost"])
            for name, lines in (("syslog.out", wanted), ("json.out", len(self.records))):
                self.wait_for(lambda: (work / name).exists()  # noqa: B023
                              and (work / name).read_bytes().count(b"\n") >= lines)  # noqa: B023
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(TIMEOUT)
        self.check_syslog((work / "syslog.out").read_text().rstrip("\n").split("\n"))
        found = [json.loads(line) for line in (work / "json.out").read_bytes().splitlines()]
        for line in found:
            line.pop("metadata")  # imfile's
        self.assertEqual(found, self.lines("ndjson"))

    def wait_for(self, is_done) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not is_done():
            self.assertLess(time.monotonic(), deadline, "rsyslogd did not get everything")
            time.sleep(0.1)

    def check_syslog(self, lines: list[str]) -> None:
        offset = self.document["guest"]["clock"]["realtime_offset_nsec"]
        for line, record in zip(lines, self.records, strict=True):
            pri, stamp, _name, _pid, data, message = line.split("|", 5)
            self.assertEqual(int(pri), record["pri"] if record["pri"] < 192 else 8 + record["pri"] % 8)
            moment = record["ts_nsec"] + offset
            whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment // 10**9))
            self.assertEqual(stamp, f"{whole}.{moment % 10**9 // 1000:06}Z")
            self.assertIn(f'sequenceId="{record["seq"] + 1}"', data)
            if record["pri"] < 8 and record["msg"].isascii() and record["msg"].isprintable():
                self.assertEqual(message.strip(" "), record["msg"].strip(" "))

    # lnav

    def test_lnav_finds_level_and_time(self) -> None:
        home = self.folder / "lnav"
        (home / "formats/installed").mkdir(parents=True)
        shutil.copy(paths.SOURCE.parents[1] / "share/lnav/photon-dmesg.json",
                    home / "formats/installed")
        query = ";select seq, log_level, log_time, log_body from photon_dmesg order by seq"
        out = paths.run("lnav", "-I", home, "-n", "-c", query, "-c", ":write-json-to -",
                        self.written("ndjson"), env={**os.environ, "HOME": str(self.folder),
                                                     "TZ": "UTC0", "LC_ALL": "C.UTF-8"}).stdout
        found = json.loads(out)
        self.assertEqual([row["seq"] for row in found], [r["seq"] for r in self.records])
        levels = {"emerg": "fatal", "alert": "critical", "crit": "critical", "err": "error",
                  "warn": "warning"}
        latest = ""  # lnav lets no time go back, as the kernel's do early in boot
        for row, record in zip(found, self.lines("ndjson"), strict=True):
            self.assertEqual(row["log_level"], levels.get(record["level"], record["level"]))
            latest = max(latest, record["timestamp"][:23].replace("T", " "))
            self.assertEqual(row["log_time"], latest)

    # JSON

    def test_jq_reads_every_json(self) -> None:
        for form, count in (("json", ".dmesg | length"), ("dmesg-json", ".dmesg | length"),
                            ("ndjson", "select(.seq != null) | 1"), ("ecs", "1"),
                            ("journal-json", "1"),
                            ("otlp", ".resourceLogs[0].scopeLogs[0].logRecords | length")):
            with self.subTest(format=form):
                out = paths.run("jq", count, self.written(form)).stdout
                texts = [r for r in self.records if r["msg"]] if form == "dmesg-json" else self.records
                self.assertEqual(sum(map(int, out.split())), len(texts))

    def test_json_of_every_command_is_what_the_schemas_say(self) -> None:
        script = paths.SOURCE / "fixtures/check_schemas.py"
        schemas = paths.SOURCE.parents[1] / "share/schema"
        others = []
        for command, inputs in (
                ("info", (self.files, [self.checkpoint], [self.checkpoint, "--tags"], [self.vmlinux])),
                ("bt", ([self.checkpoint], [self.checkpoint, "--all"])),
                ("ps", ([self.checkpoint], [self.checkpoint, "--tree"])),
                ("triage", ([self.checkpoint], [self.vmlinux, self.checkpoint]))):
            found = [photon_dmesg(command, "--json", *files).json for files in inputs]
            others.append(self.folder / f"{command}.jsonl")
            others[-1].write_text("\n".join(map(json.dumps, found)))
        logs = self.written("json"), self.written("ndjson")
        paths.run(peers.PYTHON, script, schemas, *logs, *others)
        broken = self.folder / "broken.json"
        document = self.document | {"dmesg": [self.records[0] | {"seq": "0"}]}
        broken.write_text(json.dumps(document))
        with self.assertRaisesRegex(RuntimeError, r"\$\.dmesg\[0\]\.seq"):
            paths.run(peers.PYTHON, script, schemas, broken, logs[1], *others)

    def test_ecs_agrees_with_the_document(self) -> None:
        for found, record in zip(self.lines("ecs"), self.records, strict=True):
            self.assertEqual(found["message"], record["msg"])
            self.assertEqual(found["event"]["sequence"], record["seq"])
            self.assertEqual(found["log"]["level"], record["level"])
            self.assertEqual(found["log"]["syslog"]["priority"], record["pri"])

    def test_otlp_is_opentelemetrys_request(self) -> None:
        """By the field names of the published protobuf files; unknown ones are errors."""
        generated = self.folder / "otlp"
        generated.mkdir()
        files = peers.newer_suite() / "usr/include"
        paths.run("protoc", "-I", files, f"--python_out={generated}",
                  *sorted(str(p.relative_to(files)) for p in files.rglob("opentelemetry/proto/*/v1/*.proto")),
                  "opentelemetry/proto/collector/logs/v1/logs_service.proto", cwd=files)
        script = self.folder / "otlp.py"
        script.write_text("""
import json, sys
sys.path.insert(0, sys.argv[1])
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
request = logs_service_pb2.ExportLogsServiceRequest()
json_format.Parse(open(sys.argv[2], "rb").read().decode(), request)
for resource in request.resource_logs:
    for scope in resource.scope_logs:
        for record in scope.log_records:
            number = {a.key: a.value.int_value for a in record.attributes}
            print(json.dumps([number["linux.kmsg.seq"], record.time_unix_nano, record.severity_number,
                              record.severity_text, record.body.string_value]))
""")
        out = paths.run(peers.PYTHON, script, generated, self.written("otlp")).stdout
        offset = self.document["guest"]["clock"]["realtime_offset_nsec"]
        numbers = {"emerg": 21, "alert": 19, "crit": 18, "err": 17, "warn": 13, "notice": 10,
                   "info": 9, "debug": 5}
        expected = [[r["seq"], r["ts_nsec"] + offset, numbers[r["level"]], r["level"], r["msg"]]
                    for r in self.records]
        self.assertEqual([json.loads(line) for line in out.splitlines()], expected)


class WithoutClock(GuestFiles, unittest.TestCase):
    """A guest whose timekeeper makes no sense, as if it had been stopped while it was set up."""

    name = "k61"
    WARNING = "photon-dmesg: warning: the guest's clock can't be read: all times are since boot\n"

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        offset = int(photon_dmesg("--json", *cls.files).json["guest"]["kaslr_offset"], 16)
        memory = cls.folder / "timeless.vmem"
        paths.copy_sparse(cls.guest.memory, memory)
        with memory.open("r+b") as file:
            tables = elf_core.PageTables(cls.guest, file)
            for symbol in ("tk_core", "shadow_timekeeper"):  # and its copy
                address = elf_core.linked_address(cls.guest, symbol) + offset
                file.seek(tables.translate(address))
                file.write(bytes(256))
        cls.files = (cls.vmlinux, cls.checkpoint_of(memory))

    def test_formats_that_show_times_do_without(self) -> None:
        for form, part in (("json", b'"clock": null'), ("ndjson", b'"timestamp":null'),
                           ("ndjson", b'"boot_time":null')):
            with self.subTest(format=form):
                result = photon_dmesg("--format", form, *self.files)
                self.assertEqual((result.status, result.err), (0, self.WARNING))
                self.assertIn(part, result.out)

    def test_formats_whose_readers_expect_times_are_incomplete(self) -> None:
        for options, absent in ((("--format", "ecs"), b"@timestamp"),
                                (("--format", "otlp"), b"timeUnixNano"),
                                (("--format", "journal-json"), b"__REALTIME_TIMESTAMP"),
                                (("--format", "syslog"), b">1 2"), (("-T",), b" 20"),
                                (("-H",), b"[Nov"), (("--time-format", "suspend"), b"suspend")):
            with self.subTest(options=options):
                result = photon_dmesg(*options, "--head", "5", *self.files)
                self.assertEqual((result.status, result.err), (1, self.WARNING))
                self.assertGreater(result.out.count(b"\n"), 4)
                self.assertNotIn(absent, result.out.replace(b"Nov 16", b"").replace(b"(20", b""))

    def test_what_needs_the_time_of_day_is_refused(self) -> None:
        for options, part in ((("--format", "journal-export"), "use json"),
                              (("--since", "-5min"), "--since: the guest's clock can't be read"),
                              (("--until", "now"), "--until: the guest's clock can't be read")):
            with self.subTest(options=options):
                result = photon_dmesg("-q", *options, *self.files)
                self.assertEqual((result.status, result.out), (3, b""))
                self.assertIn(part, result.err)
                self.assertEqual(result.err.count("\n"), 1)

    def test_what_needs_no_time_of_day_is_as_ever(self) -> None:
        for options in ((), ("-J",), ("--format", "kmsg"), ("-d", "-x")):
            with self.subTest(options=options):
                result = photon_dmesg(*options, *self.files)
                self.assertEqual((result.status, result.err), (0, ""))
                self.assertEqual(result.out, photon_dmesg(*options, *self.files[:2]).out)


class OrdinaryReaders(ReaderTests, unittest.TestCase):
    name = "k61"


class PanicReaders(ReaderTests, unittest.TestCase):
    name = "k612-panic"
