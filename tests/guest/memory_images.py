"""Writes a guest's memory in the formats that other tools leave behind."""

import ctypes
import gzip
import os
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import boot
import checkpoint_writer
import paths

PACKED_BLOCK = 1 << 22
PAGE = 4096
# user_regs_struct, the order of NT_PRSTATUS.
PRSTATUS = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
            "rsi", "rdi", None, "rip", "cs", "rflags", "rsp", "ss", "fs_base", "gs_base", "ds",
            "es", "fs", "gs")


def data_blocks(image: Path, size: int) -> Iterator[tuple[int, bytes | None]]:
    """(offset, bytes) of each block of the image; None where there is nothing but zeros."""
    with image.open("rb") as memory:
        for offset in range(0, image.stat().st_size, size):
            memory.seek(offset)
            block = memory.read(size)
            yield offset, block if block.count(0) != len(block) else None


# What PC firmware leaves to the kernel of the first megabyte: neither its first page nor its end.
LOW_RAM = range(0x1000, 0x9FC00)
HIGH_RAM_BEGIN = 0x100000


def write_lime(target: Path, guest: boot.Guest) -> None:
    """LiME's format: each range of RAM, as /proc/iomem has them, behind its first and last address."""
    with guest.memory.open("rb") as memory, target.open("wb") as out:
        for first, image_page, pages in checkpoint_writer.regions(guest.memory.stat().st_size):
            begin, end = first * PAGE, (first + pages) * PAGE
            parts = [LOW_RAM, range(HIGH_RAM_BEGIN, end)] if begin == 0 else [range(begin, end)]
            for part in parts:
                out.write(struct.pack("<IIQQQ", 0x4C694D45, 1, part.start, part.stop - 1, 0))
                memory.seek(image_page * PAGE + part.start - begin)
                for at in range(part.start, part.stop, 1 << 20):
                    out.write(memory.read(min(1 << 20, part.stop - at)))


def zero_block(size: int) -> bytes:
    """FastLZ level 2 of `size` zeros: one literal, then one match that repeats it."""
    more = size - 1 - 9
    return b"\x20\0" + b"\xe0" + b"\xff" * (more // 255) + bytes([more % 255]) + b"\0"


def write_packed(target: Path, guest: boot.Guest) -> None:
    """Decrypted memory as VMware packs it: blocks of 4 MiB."""
    with target.open("wb") as out:
        for offset, block in data_blocks(guest.memory, PACKED_BLOCK):
            size = min(PACKED_BLOCK, guest.memory.stat().st_size - offset)
            data = zero_block(size) if block is None else block
            out.write(struct.pack("<4I", size, 0, len(data), 0) + data)


def write_debug_guest(folder: Path, guest: boot.Guest, version: int = 5) -> Path:
    """debug.guest of a guest without holes in its memory, and debug.vmem."""
    pages = guest.memory.stat().st_size // PAGE
    data = struct.pack("<II", version, len(guest.vcpus)).ljust(22, b"\0")
    data += struct.pack("<QQII4Q", pages * PAGE - 1, pages, 0, 0, 0, 0, 0, 0)
    for vcpu in guest.vcpus:
        control = struct.pack("<IQQQ", vcpu["cr0"], vcpu["cr2"], vcpu["cr3"], vcpu["cr4"])
        control += bytes(80) + struct.pack("<Q", vcpu["idt_base"])
        registers = [vcpu[name] if name else (1 << 64) - 1 for name in PRSTATUS]
        data += control + bytes(42) + struct.pack("<27Q", *registers) + bytes(17 + 4096)
    (folder / "debug.guest").write_bytes(data)
    checkpoint_writer.share(guest.memory, folder / "debug.vmem")
    return folder / "debug.guest"


def write_gzip(source: Path) -> Path:
    """source.gz instead of source."""
    target = source.with_name(source.name + ".gz")
    with source.open("rb") as data, gzip.open(target, "wb", compresslevel=1) as out:
        shutil.copyfileobj(data, out, 1 << 20)
    source.unlink()
    return target


def write_with_hole(target: Path, guest: boot.Guest) -> None:
    """The guest's memory at its physical addresses, the PCI hole included."""
    with target.open("wb") as out:
        for first, _, pages in checkpoint_writer.regions(guest.memory.stat().st_size):
            out.truncate((first + pages) * PAGE)
    for first, image_page, pages in checkpoint_writer.regions(guest.memory.stat().st_size):
        paths.run("dd", f"if={guest.memory}", f"of={target}", "bs=1M", "conv=notrunc,sparse",
                  f"skip={image_page * PAGE >> 20}", f"count={pages * PAGE >> 20}",
                  f"seek={first * PAGE >> 20}")
    os.truncate(target, target.stat().st_size)


def move_segment_table(core: Path) -> None:
    """QEMU puts the program headers behind section headers, where makedumpfile 1.7 does not look:
    moves them to right behind the ELF header."""
    core.chmod(0o600)
    with core.open("r+b") as out:
        header = bytearray(out.read(64))
        offset, = struct.unpack_from("<Q", header, 32)
        count, = struct.unpack_from("<H", header, 56)
        out.seek(offset)
        table = out.read(56 * count)
        struct.pack_into("<QQ", header, 32, 64, 0)  # e_phoff; no sections
        struct.pack_into("<HHH", header, 58, 0, 0, 0)
        out.seek(0)
        out.write(header + table)


def compress_zstd(data: bytes) -> bytes:
    zstd = ctypes.CDLL("libzstd.so.1")
    for name in ("ZSTD_compressBound", "ZSTD_compress"):
        getattr(zstd, name).restype = ctypes.c_size_t
    target = ctypes.create_string_buffer(zstd.ZSTD_compressBound(ctypes.c_size_t(len(data))))
    size = zstd.ZSTD_compress(target, ctypes.c_size_t(len(target)), data,
                              ctypes.c_size_t(len(data)), 1)
    return target.raw[:size]


def compress_snappy(data: bytes) -> bytes:
    snappy = ctypes.CDLL("libsnappy.so.1")
    snappy.snappy_max_compressed_length.restype = ctypes.c_size_t
    most = snappy.snappy_max_compressed_length(ctypes.c_size_t(len(data)))
    target, size = ctypes.create_string_buffer(most), ctypes.c_size_t(most)
    snappy.snappy_compress(data, ctypes.c_size_t(len(data)), target, ctypes.byref(size))
    return target.raw[:size.value]


def damage_kdump_page(file: Path, physical: int) -> None:
    """Overwrites what a kdump file of zlib pages has of the page at a physical address."""
    data = bytearray(file.read_bytes())
    block_size, sub_blocks, bitmap_blocks = struct.unpack_from("<iiI", data, 428)
    bitmap = block_size * (1 + sub_blocks)
    descriptors = bitmap + block_size * bitmap_blocks
    half = int.from_bytes(data[bitmap + block_size * bitmap_blocks // 2:descriptors], "little")
    number = physical // PAGE
    assert half >> number & 1, "the file has no such page"
    index = (half & ((1 << number) - 1)).bit_count()
    offset, size = struct.unpack_from("<QI", data, descriptors + 24 * index)
    data[offset:offset + size] = b"\xff" * size
    file.write_bytes(data)


# Page flags of a kdump file, and what compresses so; Debian's makedumpfile knows zlib and lzo only.
ZLIB = 1
KDUMP_COMPRESSIONS = {"snappy": (4, compress_snappy), "zstd": (0x20, compress_zstd)}


def recompress(source: Path, target: Path, compression: str) -> None:
    """A kdump file of zlib pages with its pages compressed in another way."""
    flag, compress = KDUMP_COMPRESSIONS[compression]
    data = source.read_bytes()
    block_size, sub_blocks, bitmap_blocks = struct.unpack_from("<iiI", data, 428)
    bitmap = block_size * (1 + sub_blocks)
    descriptors = bitmap + block_size * bitmap_blocks
    # The second half of the bitmap says which pages the file holds.
    half = data[bitmap + block_size * bitmap_blocks // 2:descriptors]
    count = int.from_bytes(half, "little").bit_count()
    head, pages = bytearray(data[:descriptors + 24 * count]), []
    at, known = len(head), {}
    for index in range(count):
        place = descriptors + 24 * index
        offset, size, flags, page_flags = struct.unpack_from("<QIIQ", data, place)
        if offset not in known:  # pages of zeros share one
            page = data[offset:offset + size]
            packed = compress(zlib.decompress(page)) if flags & ZLIB else page
            if len(packed) < PAGE and flags & ZLIB:
                known[offset] = (at, len(packed), flag)
            else:
                packed = zlib.decompress(page) if flags & ZLIB else page
                known[offset] = (at, len(packed), 0)
            pages.append(packed)
            at += len(packed)
        struct.pack_into("<QIIQ", head, place, *known[offset], page_flags)
    target.write_bytes(bytes(head) + b"".join(pages))
