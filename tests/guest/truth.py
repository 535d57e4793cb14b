"""What /dev/kmsg said inside the guest: the judge of every record."""

import dataclasses
import re


@dataclasses.dataclass(frozen=True)
class Record:
    pri: int
    seq: int
    usec: int
    text: bytes
    dictionary: dict[str, str]  # values as /dev/kmsg shows them


def unescape(text: bytes) -> bytes:
    """Undoes /dev/kmsg's \\xNN."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found.group(1), 16)]), text)


def parse(data: bytes) -> list[Record]:
    """Records as read(2) gave them, a NUL behind each."""
    records = []
    for raw in data.split(b"\0")[:-1]:
        first, *entries = raw.rstrip(b"\n").split(b"\n") if raw != b"\n" else [raw]
        prefix, _, text = first.partition(b";")
        pri, seq, usec = (int(field) for field in prefix.split(b",")[:3])
        dictionary = dict(entry.decode()[1:].split("=", 1) for entry in entries)
        records.append(Record(pri, seq, usec, unescape(text), dictionary))
    return records
