"""A guest's memory by kernel-virtual address, and an ELF core of it as kdump writes it."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import boot
import checkpoint_writer
import paths

PRESENT, LARGE = 1, 1 << 7
ADDRESS = 0x000FFFFFFFFFF000
LA57 = 1 << 12
KERNEL_HALF = 1 << 63
PHDR_BYTES = 56


class PageTables:
    """x86-64 page tables in a memory image: an implementation of its own, as a second opinion."""

    def __init__(self, guest: boot.Guest, memory: BinaryIO) -> None:
        self._regions = checkpoint_writer.regions(guest.memory.stat().st_size)
        self._memory = memory
        vcpu = guest.vcpus[0]
        self._root = vcpu["cr3"] & ADDRESS
        self._levels = 5 if vcpu["cr4"] & LA57 else 4

    def offset(self, physical: int) -> int | None:
        """Where a guest-physical page lies in the image."""
        for first, image_page, pages in self._regions:
            if first <= physical // 4096 < first + pages:
                return physical - (first - image_page) * 4096
        return None

    def kernel_pages(self) -> Iterator[tuple[int, int, int]]:
        """(virtual address, offset in the image, size) of everything mapped in the kernel half."""
        yield from self._walk(self._root, self._levels, 0)

    def translate(self, virtual: int) -> int:
        """Where a kernel-virtual address lies in the image."""
        for begin, offset, size in self.kernel_pages():
            if begin <= virtual < begin + size:
                return offset + virtual - begin
        raise RuntimeError(f"{virtual:#x} is not mapped")

    def _walk(self, table: int, level: int, base: int) -> Iterator[tuple[int, int, int]]:
        place = self.offset(table)
        if place is None:
            return
        self._memory.seek(place)
        size = 1 << (12 + 9 * (level - 1))
        for index, entry in enumerate(struct.unpack("<512Q", self._memory.read(4096))):
            if not entry & PRESENT:
                continue
            virtual = base + index * size
            if level == self._levels and index >= 256:
                virtual += (1 << 64) - (512 * size)
            elif level == self._levels:
                continue  # the user half
            if level == 1 or (level <= 3 and entry & LARGE):
                offset = self.offset(entry & ADDRESS & ~(size - 1))
                if offset is not None:
                    yield virtual, offset, size
            else:
                yield from self._walk(entry & ADDRESS, level - 1, virtual)


def vmcoreinfo(guest: boot.Guest) -> bytes:
    """What the guest's kernel tells dump tools, as it lies in its memory."""
    wanted = f"OSRELEASE={guest.kernel.release}\n".encode()
    piece, longest = 1 << 24, 4096
    with guest.memory.open("rb") as memory:
        for begin in range(0, guest.memory.stat().st_size, piece):
            memory.seek(begin)
            data = memory.read(piece + longest)
            at = data.find(wanted)
            while at >= 0:
                text = data[at:at + longest].split(b"\0")[0]
                if b"\nSYMBOL(_stext)=" in text and text.endswith(b"\n"):
                    return text
                at = data.find(wanted, at + 1)
    raise RuntimeError(f"{guest.scenario.name}: no VMCOREINFO in its memory")


def linked_address(guest: boot.Guest, symbol: str) -> int:
    """Where a symbol is by the guest's System.map."""
    symbols = guest.kernel.system_map.read_text()
    return int(re.search(rf"^([0-9a-f]+) . {symbol}$", symbols, re.MULTILINE).group(1), 16)


def run_time_address(guest: boot.Guest, symbol: str) -> int:
    """Where a symbol of the image is in the guest."""
    info = vmcoreinfo(guest).decode()
    offset = int(re.search(r"^KERNELOFFSET=([0-9a-f]+)$", info, re.MULTILINE).group(1), 16)
    return linked_address(guest, symbol) + offset


def variable(guest: boot.Guest, symbol: str, index: int = 0) -> int:
    """A variable of 8 bytes, or an element of an array of them."""
    with guest.memory.open("rb") as memory:
        address = run_time_address(guest, symbol) + 8 * index
        memory.seek(PageTables(guest, memory).translate(address))
        return struct.unpack("<Q", memory.read(8))[0]


def write_for_makedumpfile(target: Path, guest: boot.Guest) -> None:
    """Writes an ELF core as kdump does: VMCOREINFO in a note, a PT_LOAD for each range of RAM."""
    text = vmcoreinfo(guest)
    note = struct.pack("<III12s", 11, len(text), 0, b"VMCOREINFO") + text
    note += bytes(-len(note) % 4)
    regions = checkpoint_writer.regions(guest.memory.stat().st_size)
    mapped_at = variable(guest, "page_offset_base")
    data = 1 << 20
    header = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 4, 62, 1, 0,
                         64, 0, 0, 64, PHDR_BYTES, 1 + len(regions), 64, 0, 0)
    place = 64 + PHDR_BYTES * (1 + len(regions))
    header += struct.pack("<IIQQQQQQ", 4, 0, place, 0, 0, len(note), len(note), 4)
    for first, image_page, pages in regions:
        header += struct.pack("<IIQQQQQQ", 1, 7, data + image_page * 4096,
                              mapped_at + first * 4096, first * 4096, pages * 4096, pages * 4096,
                              4096)
    target.write_bytes(header + note)
    with target.open("r+b") as out:
        out.truncate(data)
    checkpoint_writer.append_memory(target, guest.memory)


def gdb(commands: list[str], *, vmlinux: Path | None = None) -> list[bytes]:
    """What gdb prints for the commands, line by line."""
    words = ["gdb", "-nx", "-batch", "-ex", "set pagination off", "-ex", "set confirm off"]
    for command in commands:
        words += ["-ex", command]
    if vmlinux:
        words.append(str(vmlinux))
    return paths.run(*words).stdout.split(b"\n")
