"""The commands that the documents, --help and the man pages show, and what they say comes of them."""

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import paths
from tool import photon_dmesg

ROOT = paths.SOURCE.parents[1]
COMMANDS = ("", "triage", "bt", "ps", "info", "core", "profile", "batch")


@dataclasses.dataclass(frozen=True)
class Example:
    command: str  # for bash, with all its lines
    shown: str | None = None  # what is shown of its output; None: nothing is


def in_markdown(text: str) -> list[Example]:
    """Of blocks that are fenced as `console`, what follows `$ `, with the output below; of those fenced
    as `sh` or `python` all; of indented blocks those that begin with a program."""
    found = []
    for language, block in re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", text):
        if language == "console":
            found += _transcript(block)
        elif language == "sh":
            found.append(Example(block))
        elif language == "python":
            found.append(Example(f"python3 - << END\n{block}END\n"))
    outside = re.sub(r"(?ms)^```.*?^```$", "", text)
    for block in re.findall(r"(?m)(?<=\n\n)((?:    .*\n)+)", outside):
        command = re.sub("(?m)^    ", "", block)
        program = command.split()[0]
        if shutil.which(program) or program == "photon-dmesg" or (ROOT / program).is_file():
            found.append(Example(command))
    return found


def _transcript(block: str) -> Iterator[Example]:
    """A line that ends in a backslash or a pipe goes on in the next one."""
    for part in re.split(r"(?m)^\$ ", block)[1:]:
        command = re.match(r"(?:.*[|\\]\n)*.*\n", part).group()
        yield Example(command, part[len(command):])


def in_help(command: str) -> list[Example]:
    text = photon_dmesg(*command.split(), "--help").out.decode()
    lines = text.partition("\nExamples:\n")[2].splitlines()
    return [Example(re.split(" {3,}", line.strip())[0]) for line in lines]


def in_man_page(page: Path) -> list[Example]:
    text = page.read_text().partition("\n.SH EXAMPLES\n")[2]
    characters = {r"\-": "-", r"\(aq": "'", r"\e": "\\"}
    found = []
    for block in re.findall(r"(?ms)^\.EX\n(.*?)^\.EE$", text):
        for written, meant in characters.items():
            block = block.replace(written, meant)
        found.append(Example(block))
    return found


def documents() -> dict[str, list[Example]]:
    """Every example, by where it stands."""
    found = {file.name: in_markdown(file.read_text())
             for file in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
    found |= {f"photon-dmesg {command} --help".replace("  ", " "): in_help(command)
              for command in COMMANDS}
    found |= {page.name: in_man_page(page) for page in sorted((ROOT / "share/man").glob("*.1"))}
    return {name: examples for name, examples in found.items() if examples}


def blanked(text: str) -> str:
    """Without what differs from guest to guest: dates, numbers, and how many blanks line them up."""
    text = re.sub(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z]\b", "#", text)
    text = re.sub(r"\b0x[0-9a-f]+\b|\b[0-9a-f]*[0-9][0-9a-f]*\b", "#", text)
    text = re.sub(r"\d+", "#", text)
    return re.sub(r"(?m)[ \t]+$", "", re.sub(r"[ \t]+", " ", text))


def is_shown(shown: str, output: str) -> bool:
    """Whether `output` is what is shown: a line `...` stands for any number of lines, `...` within a
    line for the rest of it, or for what is between."""
    pattern = ""
    for line in blanked(shown).splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, blanked(output)) is not None
