"""What photon-dmesg triage writes for tickets, as a browser and a Markdown renderer show it."""

import hashlib
import re
import shutil
import unittest
from html.parser import HTMLParser
from pathlib import Path

import browser
import paths
import patterns
import peers
import png
from checkpoint_writer import Form
from guest_files import GuestFiles
from tool import photon_dmesg

SIZES = ((360, 800), (1400, 900))
SCHEMES = ("light", "dark")
# Markup in every language that a report for tickets is written in.
HOSTILE = b"</pre></svg><img src=x onerror=document.title=1>](javascript:1) `` ` | <b>"
HOSTILE_COMM = b"\"><img src=x>`|]"  # as long as a task's name may be
MARKDOWN_TAGS = {"h1", "h2", "p", "ul", "li", "code", "pre", "table", "thead", "tbody", "tr", "th", "td"}


class Tags(HTMLParser):
    """The elements of a text in HTML, and what of them loads or leads somewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.leads: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.leads += [pair for pair in attributes if pair[0] in ("href", "src") or pair[0].startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


@peers.judged
class Tickets(GuestFiles, unittest.TestCase):
    """Of a guest in whose memory a task's name and a message have been replaced by markup."""

    name = "k61-hung"
    form = Form(screenshot=png.one_pixel())

    @classmethod
    def setUpClass(cls) -> None:
        browser.program()
        super().setUpClass()
        cls.memory = cls.folder / "hostile.vmem"
        paths.copy_sparse(cls.guest.memory, cls.memory)
        cls.hostile = cls.checkpoint_of(cls.memory)
        records = photon_dmesg("--json", "--tail", "150", cls.checkpoint).json["dmesg"]
        message = next(record["msg"].encode() for record in records
                       if len(record["msg"]) >= len(HOSTILE) and record["msg"].isascii())
        cls.replace(message, HOSTILE.ljust(len(message), b"x"))
        cls.replace(b"lab-mutex".ljust(16, b"\0"), HOSTILE_COMM[:15] + b"\0")
        cls.page = cls.written("html")
        cls.markdown = cls.written("markdown")
        cls.browser = cls.enterClassContext(browser.Browser())

    @classmethod
    def replace(cls, pattern: bytes, by: bytes) -> None:
        places = patterns.offsets(cls.guest.memory, pattern)
        assert places, pattern
        with cls.memory.open("r+b") as file:
            for place in places:
                file.seek(place)
                file.write(by)

    @classmethod
    def written(cls, form: str) -> Path:
        file = cls.folder / f"report.{form}"
        result = photon_dmesg("triage", "--format", form, "-o", file, cls.hostile)
        assert result.status in (0, 1), result
        return file

    def test_a_page_renders_without_a_fault_at_every_size(self) -> None:
        for width, height in SIZES:
            for scheme in SCHEMES:
                with self.subTest(width=width, scheme=scheme):
                    self.browser.open(self.page, width, height, scheme)
                    self.assertEqual(self.browser.value("window.innerWidth"), width)
                    self.assertEqual(self.browser.faults(), [])
                    self.assertEqual(self.browser.requests(), [self.page.resolve().as_uri()])

    def test_a_page_is_no_wider_than_its_window(self) -> None:
        for width, height in SIZES:
            self.browser.open(self.page, width, height)
            for opened in (False, True):
                with self.subTest(width=width, opened=opened):
                    if opened:
                        self.browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
                    self.assertLessEqual(self.browser.value("document.documentElement.scrollWidth"), width)
                    # Nor is anything in it cut off.
                    self.assertEqual(self.browser.value(
                        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect()"
                        f".right > {width}).map(e => e.outerHTML.slice(0, 99))"), [])

    def test_the_words_of_a_picture_keep_their_size(self) -> None:
        for width, height in SIZES:
            self.browser.open(self.page, width, height)
            heights = self.browser.value("[...document.querySelectorAll('svg text')]"
                                         ".map(t => t.getBoundingClientRect().height)")
            self.assertGreater(len(heights), 5)
            self.assertGreater(min(heights), 9)

    def test_dark_and_light(self) -> None:
        brightness = {}
        for scheme in SCHEMES:
            self.browser.open(self.page, 1400, 900, scheme)
            brightness[scheme] = sum(png.first_row(self.browser.picture())[0])
        self.assertGreater(brightness["light"], 3 * 200)
        self.assertLess(brightness["dark"], 3 * 60)

    def test_guest_text_is_text(self) -> None:
        self.browser.open(self.page, 1400, 900)
        self.assertTrue(self.browser.value("document.title").startswith("DEADLOCK (certain)"))
        text = self.browser.value("document.body.textContent")
        self.assertIn(HOSTILE.decode(), text)
        self.assertIn(HOSTILE_COMM[:15].decode() + " (", text)
        self.assertEqual(self.browser.value("document.querySelectorAll('script, b, body img').length"), 1)
        self.assertEqual(self.browser.value("document.querySelectorAll('script, b').length"), 0)

    def test_the_guests_screen_is_shown(self) -> None:
        self.browser.open(self.page, 1400, 900)
        self.assertEqual(self.browser.value("document.querySelector('main img').naturalWidth"), 1)

    def test_links_lead_to_what_is_there(self) -> None:
        self.browser.open(self.page, 1400, 900)
        self.assertEqual(self.browser.value(
            "[...document.links].map(a => a.getAttribute('href'))"
            ".filter(at => !at.startsWith('#') || !document.querySelector(at))"), [])

    def test_inputs_have_their_digests(self) -> None:
        for file in (self.hostile, self.memory):
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            for report in (self.page, self.markdown):
                self.assertIn(digest, report.read_text())
        inputs = photon_dmesg("triage", "--json", "--hash", self.hostile).json["inputs"]
        self.assertEqual([entry["sha256"] is not None for entry in inputs], [True, True])
        inputs = photon_dmesg("triage", "--json", self.hostile).json["inputs"]
        self.assertEqual([(entry["path"], entry["sha256"]) for entry in inputs],
                         [(str(self.hostile), None), (str(self.memory), None)])

    def test_the_last_records_are_there(self) -> None:
        records = photon_dmesg("--json", "--tail", "200", self.hostile).json["dmesg"]
        self.browser.open(self.page, 1400, 900)
        shown = self.browser.value("[...document.querySelectorAll('details:last-of-type pre > span')]"
                                   ".map(s => s.textContent)")
        self.assertEqual(len(shown), 200)
        for record, text in zip(records, shown, strict=True):
            self.assertIn(record["msg"].split("\n")[0], text)

    def test_markdown_renders_as_what_it_is(self) -> None:
        if shutil.which("cmark-gfm") is None:
            self.skipTest("cmark-gfm is not installed")
        rendered = paths.run("cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink",
                             self.markdown).stdout.decode()
        tags = Tags(rendered)
        self.assertLessEqual(tags.names, MARKDOWN_TAGS)
        self.assertEqual(tags.leads, [])
        self.assertIn(HOSTILE.decode(), tags.text)
        self.assertIn(HOSTILE_COMM[:15].decode() + " (", tags.text.replace("\\x7c", "|"))
        # A row of a table that guest text had broken would have more cells, or fewer.
        widths = {len(re.findall("<t[dh]", row)) for row in rendered.split("<tr>")[1:]}
        self.assertEqual(widths, {2, 3})

    def test_the_verdict_is_that_of_json(self) -> None:
        document = photon_dmesg("triage", "--json", self.hostile).json
        self.browser.open(self.page, 1400, 900)
        kinds = self.browser.value("[...document.querySelectorAll('main > .finding > * > .kind')]"
                                   ".map(k => k.textContent)")
        self.assertEqual([kind.lower().replace(" ", "_") for kind in kinds],
                         [finding["kind"] for finding in document["findings"]])



class Redacted(GuestFiles, unittest.TestCase):
    """Of a guest in whose memory a message has been replaced by all that is private."""

    name = "k61-hung"
    form = Form(screenshot=png.one_pixel(), configuration='displayName = "Alices VM"\n')
    LOG_FORMATS = ("text", "json", "ndjson", "dmesg-json", "ecs", "otlp", "journal-json",
                   "journal-export", "syslog", "kmsg")
    TRIAGE_FORMATS = ("text", "json", "ndjson", "markdown", "html")
    PRIVATE = (b"10.1.2.3", b"00:50:56:ab:cd:ef", b"/home/alice", b"password=hunter2")

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        folder = cls.folder / "home/alice"
        folder.mkdir(parents=True)
        memory = folder / "vm.vmem"
        paths.copy_sparse(cls.guest.memory, memory)
        cls.private = cls.checkpoint_of(memory)
        document = photon_dmesg("--json", "--tail", "150", cls.checkpoint).json
        text = b" ".join(cls.PRIVATE)
        message = next(record["msg"].encode() for record in document["dmesg"]
                       if len(record["msg"]) >= len(text) and record["msg"].isascii())
        with memory.open("r+b") as file:
            for place in patterns.offsets(cls.guest.memory, message):
                file.seek(place)
                file.write(text.ljust(len(message)))
        # As JSON escapes it too.
        cls.originals = ("10.1.2.3", "00:50:56", "alice", "hunter2")
        cls.banner = document["guest"]["banner"]

    def assert_redacted(self, output: bytes) -> None:
        text = output.decode(errors="replace").lower()
        for original in self.originals:
            self.assertNotIn(original, text)

    def test_no_format_of_the_log_has_an_original(self) -> None:
        for form in self.LOG_FORMATS:
            with self.subTest(form=form):
                plain = photon_dmesg("--format", form, self.private)
                self.assertIn(b"10.1.2.3", plain.out)
                redacted = photon_dmesg("--format", form, "--redact", self.private)
                self.assertEqual(redacted.status, plain.status, redacted.err)
                self.assert_redacted(redacted.out)
                self.assertIn(b"ip-1", redacted.out)
                if form in ("text", "json", "ndjson", "ecs", "syslog", "kmsg"):
                    self.assertEqual(redacted.out.count(b"\n"), plain.out.count(b"\n"))

    def test_no_format_of_triage_has_an_original(self) -> None:
        for form in self.TRIAGE_FORMATS:
            with self.subTest(form=form):
                redacted = photon_dmesg("triage", "--format", form, "--redact", self.private)
                self.assertIn(redacted.status, (0, 1), redacted.err)
                self.assertIn(b"lab_mutex_b", redacted.out)
                self.assert_redacted(redacted.out)

    def test_no_other_report_has_an_original(self) -> None:
        for command, forms in (("bt", ("text", "json", "ndjson")), ("ps", ("text", "json", "ndjson")),
                               ("info", ("text", "json"))):
            for form in forms:
                with self.subTest(command=command, form=form):
                    words = (command, "--format", form, *(("--all",) if command == "bt" else ()))
                    plain = photon_dmesg(*words, self.private)
                    redacted = photon_dmesg(*words, "--redact", self.private)
                    self.assertEqual(redacted.status, plain.status, redacted.err)
                    self.assert_redacted(redacted.out)
                    self.assertIn(b"khungtaskd" if command != "info" else b"6.1", redacted.out)

    def test_nor_has_what_is_said_on_stderr(self) -> None:
        """Neither of what is said before the guest's names are known nor of errors."""
        missing = self.folder / "home/alice/Alices VM.iso"
        other = self.folder / "home/alice/vmlinuz"
        other.symlink_to(self.folder / "none")
        for words in ((), ("bt",), ("ps",), ("info",), ("triage",)):
            for more in (("-v", missing), ("--strict", missing), ("-v", other), ("-o", missing.parent)):
                with self.subTest(words=words, more=more):
                    plain = photon_dmesg(*words, *more, self.private)
                    redacted = photon_dmesg(*words, *more, "--redact", self.private)
                    self.assertEqual(redacted.status, plain.status)
                    self.assertIn("alice", plain.err.lower())
                    self.assert_redacted(redacted.err.encode())
                    self.assertIn("<user-1>", redacted.err)
                    self.assertEqual(redacted.err.count("\n"), plain.err.count("\n"))

    def test_the_virtual_machine_and_the_mail_in_the_banner_have_placeholders(self) -> None:
        guest = photon_dmesg("--json", "--redact", self.private).json["guest"]
        self.assertRegex(guest["vm"], r"^<host-\d+>$")
        self.assertIsNone(guest["boot_id"])
        self.assertIn("@", self.banner)
        self.assertNotIn("@", guest["banner"])

    def test_what_is_not_private_stays(self) -> None:
        """Of a real log: but for lines with something private, nothing changes."""
        plain = photon_dmesg(self.private).out.split(b"\n")
        redacted = photon_dmesg("--redact", self.private).out.split(b"\n")
        changed = [line for line, before in zip(redacted, plain, strict=True) if line != before]
        for line in changed:
            self.assertRegex(line, rb"<(host|user|ip|mac|email|uuid|serial|secret)-\d+>")
        self.assertLess(len(changed), 40, b"\n".join(changed))

    def test_a_page_has_no_screen(self) -> None:
        self.assertIn(b"data:image/png", photon_dmesg("triage", "--format", "html", self.private).out)
        self.assertNotIn(b"data:image/png",
                         photon_dmesg("triage", "--format", "html", "--redact", self.private).out)

    def test_a_log_alone_is_redacted_and_has_its_records(self) -> None:
        log = self.folder / "alice.log"
        log.write_bytes(photon_dmesg(self.private).out)
        for form in self.TRIAGE_FORMATS:
            with self.subTest(form=form):
                result = photon_dmesg("triage", "--log", "--format", form, "--redact", log)
                self.assertEqual(result.status, 0, result.err)
                text = result.out.decode()
                self.assert_redacted(result.out.replace(b"alice.log", b""))  # a file's name is kept
                if form in ("html", "markdown"):
                    self.assertIn("The last 200 of ", text)
                    self.assertIn(hashlib.sha256(log.read_bytes()).hexdigest(), text)
