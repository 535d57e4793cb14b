"""kdump files of arm64 guests, as makedumpfile writes them (diskdump_mod.h, version 6): there is no makedumpfile
for that architecture here."""

import struct
import zlib
from pathlib import Path

import boot
import elf_core
import elf_core_arm64

VERSION = 6
ZLIB = 1
UTSNAME_FIELD = 65  # bytes: sysname, nodename, release, version, machine, domainname
DESCRIPTOR = struct.Struct("<qIIQ")  # of a page: offset, size, flags, and the kernel's flags of it
# The pages that a guest has of zeros stand in the file once.
COMPRESSION_LEVEL = 1


def utsname(release: str) -> bytes:
    fields = ("Linux", "(none)", release, "", "aarch64", "")
    return b"".join(field.encode().ljust(UTSNAME_FIELD, b"\0") for field in fields)


def header(guest: boot.Guest, page: int, bitmap_blocks: int, frames: int, pages: int) -> bytes:
    head = b"KDUMP   " + struct.pack("<i", VERSION) + utsname(guest.kernel.release)
    head = head.ljust(424, b"\0")  # without the time
    return (head + struct.pack("<IiiIIIIIIi", ZLIB, page, 1, bitmap_blocks, frames & 0xFFFFFFFF, pages, 0, pages, 0,
                               len(guest.vcpus))).ljust(page, b"\0")


def sub_header(page: int, frames: int, first: int, info: tuple[int, int], notes: tuple[int, int]) -> bytes:
    """Each pair is an offset and a size; `first` is the number of RAM's first page."""
    return struct.pack("<QiiQQ6Q3Q", 0, 0, 0, first, frames, *info, *notes, 0, 0, first, frames,
                       frames).ljust(page, b"\0")


def bitmap(first: int, count: int, size: int) -> bytes:
    return (((1 << count) - 1) << first).to_bytes(size, "little")


def write(target: Path, guest: boot.Guest, *, compressed: bool) -> None:
    """Writes all of the guest's memory, and every vCPU's registers."""
    text = elf_core.vmcoreinfo(guest)
    page = elf_core_arm64.number(text.decode(), "PAGESIZE")
    first = guest.scenario.ram // page
    count = guest.scenario.memory // page
    frames = first + count
    bitmap_bytes = -(-frames // (8 * page)) * page
    notes = elf_core_arm64.registers(guest) + elf_core_arm64.vmcoreinfo_note(text)
    descriptors_at = 2 * page + 2 * bitmap_bytes
    notes_at = descriptors_at + count * DESCRIPTOR.size
    with target.open("wb") as out, guest.memory.open("rb") as memory:
        out.write(header(guest, page, 2 * bitmap_bytes // page, frames, count))
        out.write(sub_header(page, frames, first, (notes_at + notes.index(text), len(text)), (notes_at, len(notes))))
        out.write(2 * bitmap(first, count, bitmap_bytes))
        out.seek(notes_at)
        out.write(notes)
        descriptors, zeros = [], None
        for _ in range(count):
            content = memory.read(page)
            if zeros is not None and not any(content):
                descriptors.append(zeros)
                continue
            packed = zlib.compress(content, COMPRESSION_LEVEL) if compressed else content
            is_smaller = len(packed) < page
            descriptors.append(DESCRIPTOR.pack(out.tell(), min(len(packed), page), ZLIB if is_smaller else 0, 0))
            out.write(packed if is_smaller else content)
            if not any(content):
                zeros = descriptors[-1]
        out.seek(descriptors_at)
        out.write(b"".join(descriptors))
