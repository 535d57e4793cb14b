"""Writes checkpoints as VMware does: header, groups, tags, memory regions, registers.

The layout follows what VMware's reader in the crash utility takes and what is published of real
files: 80-byte group entries, tags with indices, blocks with 64-bit lengths and padding, about ninety
groups, memory aligned to 64 KiB."""

import dataclasses
import enum
import os
import struct
from pathlib import Path

import paths

PAGE = 4096
MEMORY_ALIGNMENT = 0x10000
LOW_MEMORY_END = 0xC0000000
HIGH_MEMORY_BEGIN = 0x100000000
BLOCK = 63
X86 = 1  # the platform
# crash 8.0.2 reads this much behind the header, whatever the table holds; real files are longer.
CRASH_READS_PER_GROUP = 80 * 80

SEGMENTS = ("es", "cs", "ss", "ds", "fs", "gs", "ldt", "tr")
# gpregs as crash reads it: rbp before rsp.
BLOCK_REGISTERS = ("rax", "rcx", "rdx", "rbx", "rbp", "rsp", "rsi", "rdi",
                   *(f"r{n}" for n in range(8, 16)))
INLINE_REGISTERS = ("rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                    *(f"r{n}" for n in range(8, 16)))


class Memory(enum.Enum):
    SEPARATE = "separate"
    MONOLITHIC = "monolithic"


class Registers(enum.Enum):
    INLINE = "inline"
    BLOCK = "block"


@dataclasses.dataclass(frozen=True)
class Form:
    """One of the shapes a checkpoint can have."""

    memory: Memory = Memory.SEPARATE
    registers: Registers = Registers.INLINE
    suffix: str = ".vmss"
    magic: int = 0xBED2BED2
    lengths: int = 8  # bytes of a block's lengths; 4 with the old magics
    padding: int = 0  # in front of the data of blocks that need none
    region_bytes: int = 4  # of a region tag's value
    # (first PPN, image page, pages) of each region; None: as VMware lays memory out
    regions: tuple[tuple[int, int, int], ...] | None = None
    reversed: bool = False  # the order of the groups
    twice: bool = False  # whether the memory group is there twice
    rsp_first: bool = False  # the order of rsp and rbp in gpregs
    screenshot: bytes = b""
    configuration: str = 'displayName = "photon"\n'


def tag(name: str, indices: tuple[int, ...], value: bytes) -> bytes:
    """A tag with its value inline."""
    flags = len(indices) << 6 | len(value)
    return (struct.pack("<BB", flags, len(name)) + name.encode()
            + struct.pack(f"<{len(indices)}I", *indices) + value)


def number(name: str, indices: tuple[int, ...], value: int, width: int = 4) -> bytes:
    return tag(name, indices, (value & ((1 << 8 * width) - 1)).to_bytes(width, "little"))


def block_header(name: str, indices: tuple[int, ...], length: int, padding: int = 0,
                 kind: int = BLOCK, lengths: int = 8) -> bytes:
    """All of a block tag but its data."""
    sizes = length.to_bytes(lengths, "little") * 2
    return (struct.pack("<BB", len(indices) << 6 | kind, len(name)) + name.encode()
            + struct.pack(f"<{len(indices)}I", *indices)
            + sizes + struct.pack("<H", padding) + b"\xee" * padding)


def block(name: str, indices: tuple[int, ...], data: bytes, form: Form = Form()) -> bytes:
    return block_header(name, indices, len(data), form.padding, lengths=form.lengths) + data


def regions(memory: int) -> list[tuple[int, int, int]]:
    """(first PPN, image page, pages) of a guest with `memory` bytes."""
    low = min(memory, LOW_MEMORY_END)
    result = [(0, 0, low // PAGE)]
    if memory > low:
        result.append((HIGH_MEMORY_BEGIN // PAGE, low // PAGE, (memory - low) // PAGE))
    return result


def checkpoint_group(memory: int, form: Form, platform: int = X86) -> bytes:
    return (number("fileversion", (), 10)
            + block("ProductName", (), b"VMware ESX".ljust(256, b"\0"), form)
            + block("VersionNumber", (), b"7.0.3".ljust(256, b"\0"), form)
            + number("Platform", (), platform)
            + number("usageMode", (), 1) + number("memSize", (), memory >> 20))


def inline_registers(cpu: int, values: dict[str, int], form: Form) -> bytes:
    data = b"".join(number(name, (cpu,), values[name], 8) for name in INLINE_REGISTERS)
    for n in range(5):
        data += number("CR64", (cpu, n), values.get(f"cr{n}", 0), 8)
        data += number("CR", (cpu, n), values.get(f"cr{n}", 0), 4)
    for n in (0, 1, 2, 3, 6, 7):
        data += number("DR64", (cpu, n), values[f"dr{n}"], 8)
    for name in ("GDTR", "IDTR"):
        base, limit = values[f"{name[:3].lower()}_base"], values[f"{name[:3].lower()}_limit"]
        data += number(name, (cpu, 0), limit, 2)
        data += number(name, (cpu, 1), base, 4) + number(name, (cpu, 2), base >> 32, 4)
    return data


def block_registers(cpu: int, values: dict[str, int], form: Form) -> bytes:
    control = [values.get(f"cr{n}", 0) for n in range(9)]
    order = INLINE_REGISTERS if form.rsp_first else BLOCK_REGISTERS
    data = block("gpregs", (cpu,), struct.pack("<16Q", *(values[n] for n in order)), form)
    data += block("CR64", (cpu,), struct.pack("<9Q", *control), form)
    for name in ("GDTR", "IDTR"):
        base, limit = values[f"{name[:3].lower()}_base"], values[f"{name[:3].lower()}_limit"]
        data += block(name, (cpu,), struct.pack("<HQ", limit, base), form)
    return data


def cpu_group(vcpus: list[dict[str, int]], form: Form) -> bytes:
    write = inline_registers if form.registers is Registers.INLINE else block_registers
    data = number("cpu:numVCPUs", (), len(vcpus))
    for cpu, values in enumerate(vcpus):
        data += number("halted", (cpu,), 0, 1) + write(cpu, values, form)
        data += number("rip", (cpu,), values["rip"], 8) + number("eip", (cpu,), values["rip"], 4)
        data += number("eflags", (cpu,), values["rflags"], 4)
        for index, name in enumerate(SEGMENTS):
            data += number("S", (cpu, index), values[name], 4)
            data += number("S.base64", (cpu, index), values[f"{name}_base"], 8)
    return data


def memory_group(memory: int, form: Form) -> bytes:
    layout = regions(memory) if form.regions is None else form.regions
    data = number("align_mask", (), MEMORY_ALIGNMENT - 1) + number("regionsCount", (), len(layout))
    for index, (ppn, page, pages) in enumerate(layout):
        data += (number("regionPageNum", (index,), page, form.region_bytes)
                 + number("regionPPN", (index,), ppn, form.region_bytes)
                 + number("regionSize", (index,), pages, form.region_bytes))
    return data


def append_memory(target: Path, image: Path, begin: int = 0) -> None:
    """Puts a memory image, from `begin` on, behind what `target` holds; holes stay holes."""
    size = image.stat().st_size
    with image.open("rb") as source, target.open("r+b") as out:
        base = out.seek(0, os.SEEK_END) - begin
        at = begin
        while at < size:
            try:
                at = os.lseek(source.fileno(), at, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                break
            end = os.lseek(source.fileno(), at, os.SEEK_HOLE)
            out.seek(base + at)
            source.seek(at)
            while at < end:
                part = source.read(min(1 << 20, end - at))
                out.write(part)
                at += len(part)
        out.truncate(base + size)


def groups(size: int, vcpus: list[dict[str, int]], form: Form) -> list[tuple[str, bytes]]:
    """Name and tags of each group; a monolithic checkpoint's memory comes last."""
    contents = [("Checkpoint", checkpoint_group(size, form)), ("cpu", cpu_group(vcpus, form)),
                ("Snapshot", block("cfgFile", (), form.configuration.encode(), form))]
    if form.screenshot:
        contents.append(("MKSVMX", block("imageData", (0,), form.screenshot, form)))
    contents += devices()
    contents += [("memory", memory_group(size, form))] * (2 if form.twice else 1)
    return contents[::-1] if form.reversed else contents


def devices() -> list[tuple[str, bytes]]:
    """Groups that nobody wants to know of."""
    return [(f"device{n}", number("version", (), n)) for n in range(88)]


def write(stem: Path, image: Path, vcpus: list[dict[str, int]], form: Form = Form()) -> Path:
    """Writes stem.vmss, and stem.vmem unless the form is monolithic; returns the checkpoint."""
    return write_groups(stem, image, groups(image.stat().st_size, vcpus, form), form)


def write_groups(stem: Path, image: Path, contents: list[tuple[str, bytes]], form: Form) -> Path:
    """The same, of groups whose last is that of the memory."""
    size = image.stat().st_size
    position = 12 + 80 * len(contents)
    header = struct.pack("<III", form.magic, 8, len(contents))
    body = b""
    for index, (name, data) in enumerate(contents):
        length = len(data) + 2
        holds_memory = form.memory is Memory.MONOLITHIC and index == len(contents) - 1
        if holds_memory:
            head = len(block_header("Memory", (0, 0), 0, lengths=form.lengths))
            padding = -(position + len(data) + head) % MEMORY_ALIGNMENT
            data += block_header("Memory", (0, 0), size, padding, lengths=form.lengths)
            length = len(data) + size + 2
        header += name.encode().ljust(64, b"\0") + struct.pack("<QQ", position, length)
        body += data if holds_memory else data + b"\0\0"
        position += length
    target = stem.with_name(stem.name + form.suffix)
    target.write_bytes(header + body)
    if form.memory is Memory.MONOLITHIC:
        append_memory(target, image)
        with target.open("ab") as out:
            out.write(b"\0\0")
    else:
        share(image, stem.with_name(stem.name + ".vmem"))
    with target.open("r+b") as out:
        out.truncate(max(target.stat().st_size, 12 + CRASH_READS_PER_GROUP * len(contents)))
    return target


def share(image: Path, target: Path) -> None:
    """The same file under another name, without a copy where the file system allows."""
    target.unlink(missing_ok=True)
    try:
        os.link(image, target)
    except OSError:
        paths.copy_sparse(image, target)
