"""What the documents promise to hold."""

import json
import re
import unittest
from collections.abc import Iterator
from pathlib import Path

import paths

ROOT = paths.SOURCE.parents[1]
# Functions that take a message for the user. Notes, which only -v shows, are not among them.
CALLS = re.compile(r"\b(?:unusable|Error|incomplete|warn|warn_of_lack|fail)\(")
STRING = re.compile(r'R"\((.*?)\)"|"((?:[^"\\]|\\.)*)"|([^\s"])', re.DOTALL)


def arguments(source: str, begin: int) -> str:
    """Up to the parenthesis that closes the call."""
    depth, at = 1, begin
    while depth:
        if source[at] == '"':
            at = re.compile(r'"(?:[^"\\]|\\.)*"').match(source, at).end()
            continue
        depth += {"(": 1, ")": -1}.get(source[at], 0)
        at += 1
    return source[begin:at - 1]


def literals(text: str) -> list[str]:
    """Its string literals, adjacent ones joined."""
    found: list[str] = []
    open_literal = False
    for raw, quoted, other in STRING.findall(text):
        if other:
            open_literal = False
            continue
        piece = raw or re.sub(r"\\(.)", r"\1", quoted)
        if open_literal:
            found[-1] += piece
        else:
            found.append(piece)
        open_literal = True
    return found


def messages(source: Path) -> list[str]:
    text = re.sub(r"(?m)//.*$", "", source.read_text())
    return [literal for call in CALLS.finditer(text)
            for literal in literals(arguments(text, call.end()))[:1] if " " in literal]


def quotes(document: Path) -> list[re.Pattern]:
    """The messages that the first column of a table quotes, with `...` for what varies."""
    rows = [line for line in document.read_text().splitlines() if line.startswith("|")]
    found = [quote for row in rows for quote in re.findall("`([^`]+)`", row.split("|")[1])]
    return [re.compile(".*".join(map(re.escape, quote.split("...")))) for quote in found
            if len(quote.replace("...", "")) >= 8]


def keys(schema: object) -> Iterator[str]:
    """Every key that a JSON Schema names."""
    if isinstance(schema, list):
        for part in schema:
            yield from keys(part)
    elif isinstance(schema, dict):
        properties = schema.get("properties", {})
        yield from properties
        for name, part in schema.items():
            yield from keys(list(properties.values()) if name == "properties" else part)


class Documents(unittest.TestCase):
    def test_every_message_has_its_cause_and_fix(self) -> None:
        known = quotes(ROOT / "docs/troubleshooting.md")
        sources = sorted(p for suffix in ("h", "cpp") for p in (ROOT / "src").rglob(f"*.{suffix}"))
        found = 0
        for source in sources:
            for message in messages(source):
                text = re.sub(r"\{[^{}]*\}", "0", message)
                if len(re.sub(r"[^a-z]", "", text)) < 8:  # values, whose words come from elsewhere
                    continue
                found += 1
                with self.subTest(source=source.name, message=message):
                    self.assertTrue(any(quote.search(text) for quote in known), text)
        self.assertGreater(found, 140)

    def test_every_type_that_is_read_is_stored(self) -> None:
        """Or a second run, from the cache, would not find it."""
        table = (ROOT / "src/kernel/symbols/types_of_use.cpp").read_text()
        stored = set(re.findall(r'TypeOfUse\{"(\w+)"', table))
        self.assertGreater(len(stored), 9)
        for source in (ROOT / "src").rglob("*.cpp"):
            for name in re.findall(r'(?:find_struct|structure)\("(\w+)"\)', source.read_text()):
                with self.subTest(source=source.name, type=name):
                    self.assertIn(name, stored)

    def test_links_lead_somewhere(self) -> None:
        documents = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"),
                     *(ROOT / "share").rglob("*.md")]
        self.assertGreater(len(documents), 6)
        for document in documents:
            for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
                with self.subTest(document=document.name, target=target):
                    self.assertTrue((document.parent / target).exists())

    def test_every_format_is_described(self) -> None:
        text = (ROOT / "docs/formats.md").read_text()
        table = (ROOT / "src/report/formats/output_format.h").read_text()
        names = re.findall(r'OutputFormat\{"([\w-]+)"', table)
        self.assertGreater(len(names), 8)
        for name in names:
            self.assertRegex(text, rf"(?m)^## .*\b{name}\b")

    def test_every_json_key_is_described(self) -> None:
        text = (ROOT / "docs/formats.md").read_text()
        schemas = sorted((ROOT / "share/schema").glob("*.json"))
        self.assertEqual(len(schemas), 6)
        for schema in schemas:
            for key in sorted(set(keys(json.loads(schema.read_text())))):
                with self.subTest(schema=schema.name, key=key):
                    self.assertIn(f"`{key}`", text)
        self.assertEqual(set(re.findall(r'"version": {\s*"const": (\d+)',
                                        "".join(schema.read_text() for schema in schemas))),
                         set(re.findall(r"json_schema_version = (\d+)",
                                        (ROOT / "src/report/formats/vocabulary.h").read_text())))

    def test_every_path_exists(self) -> None:
        """Paths in quotes, from the repository's or the sources' root."""
        for name in ("docs/architecture.md", "docs/design.md", "CONTRIBUTING.md"):
            text = re.sub(r"(?ms)^```.*?^```", "", (ROOT / name).read_text())
            found = {path for quote in re.findall("`([^`]+)`", text)
                     for path in re.findall(r"(?:^|(?<= ))[a-z][\w.-]*/[\w./-]+", quote)}
            self.assertGreater(len(found), 8, name)
            for path in sorted(found):
                if path.startswith("build"):  # what a build makes
                    continue
                with self.subTest(document=name, path=path):
                    self.assertTrue((ROOT / path).exists() or (ROOT / "src" / path).exists())

    def test_every_room_is_in_the_architecture(self) -> None:
        rooms = re.findall(r"(?m)^photon_room\((\S+)", (ROOT / "CMakeLists.txt").read_text())
        table = re.findall(r"(?m)^\| `([\w/]+)` \|", (ROOT / "docs/architecture.md").read_text())
        self.assertGreater(len(rooms), 18)
        self.assertEqual(sorted(table), sorted(rooms))
