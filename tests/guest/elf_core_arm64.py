"""ELF cores of arm64 guests, as kdump and QEMU write them."""

import re
import struct
from pathlib import Path

import boot
import checkpoint_writer
import elf_core

AARCH64 = 183
PT_LOAD, PT_NOTE = 1, 4
NT_PRSTATUS = 1
PRSTATUS = struct.Struct("<112x34Q8x")
EHDR_BYTES = 64
DATA = 1 << 20  # where the memory begins
ALL = (1 << 64) - 1


def note(name: bytes, kind: int, content: bytes) -> bytes:
    name += b"\0"
    return (struct.pack("<III", len(name), len(content), kind) + name + bytes(-len(name) % 4)
            + content + bytes(-len(content) % 4))


def prstatus(vcpu: dict[str, int]) -> bytes:
    return PRSTATUS.pack(*(vcpu[f"x{n}"] for n in range(31)), vcpu["sp"], vcpu["pc"], vcpu["pstate"])


def number(info: str, pattern: str) -> int:
    """What VMCOREINFO says, as it says it: 0x with hexadecimal digits, digits alone for what is decimal."""
    return int(re.search(rf"^{pattern}=(\S+)$", info, re.MULTILINE).group(1), 0)


def kdump_segments(guest: boot.Guest, info: str) -> list[tuple[int, int, int]]:
    """(virtual, physical, size): the image as it is mapped, and RAM as it is mapped linearly."""
    ram, size = guest.scenario.ram, guest.memory.stat().st_size
    begin, end = (elf_core.run_time_address(guest, symbol) for symbol in ("_text", "_end"))
    image = (begin - number(info, r"NUMBER\(kimage_voffset\)")) & ALL
    linear = (ram - number(info, r"NUMBER\(PHYS_OFFSET\)") - (1 << number(info, r"NUMBER\(VA_BITS\)"))) & ALL
    return [(begin, image, end - begin), (linear, ram, size)]


def registers(guest: boot.Guest) -> bytes:
    """The notes that have every vCPU's."""
    return b"".join(note(b"CORE", NT_PRSTATUS, prstatus(vcpu)) for vcpu in guest.vcpus)


def vmcoreinfo_note(text: bytes) -> bytes:
    return note(b"VMCOREINFO", 0, text)


def write(target: Path, guest: boot.Guest, *, kdump: bool) -> None:
    """Writes a core with every vCPU's registers; as kdump does it with VMCOREINFO and where what is mapped,
    as QEMU does it without."""
    notes = registers(guest)
    ram = guest.scenario.ram
    segments = [(0, ram, guest.memory.stat().st_size)]
    if kdump:
        text = elf_core.vmcoreinfo(guest)
        notes += vmcoreinfo_note(text)
        segments = kdump_segments(guest, text.decode())
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 4, AARCH64, 1, 0,
                         EHDR_BYTES, 0, 0, EHDR_BYTES, elf_core.PHDR_BYTES, 1 + len(segments), 64, 0, 0)
    place = EHDR_BYTES + elf_core.PHDR_BYTES * (1 + len(segments))
    header += struct.pack("<IIQQQQQQ", PT_NOTE, 0, place, 0, 0, len(notes), len(notes), 4)
    for virtual, physical, size in segments:
        header += struct.pack("<IIQQQQQQ", PT_LOAD, 7, DATA + physical - ram, virtual, physical, size, size, 0)
    target.write_bytes(header + notes)
    with target.open("r+b") as out:
        out.truncate(DATA)
    checkpoint_writer.append_memory(target, guest.memory)
