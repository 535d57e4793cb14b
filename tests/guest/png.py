"""Pixels of PNG pictures, as browsers write them: 8 bits, RGB or RGBA, not interlaced."""

import struct
import zlib


def _chunks(data: bytes) -> dict[bytes, bytes]:
    assert data.startswith(b"\x89PNG\r\n\x1a\n"), data[:16]
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + size]
        at += size + 12
    return chunks


def first_row(data: bytes) -> list[tuple[int, int, int]]:
    """The pixels of the top row: nothing is above it, which makes the filters simple."""
    chunks = _chunks(data)
    width, _, depth, color, _, _, interlace = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, interlace) == (8, 0) and color in (2, 6), (depth, color, interlace)
    size = 3 if color == 2 else 4
    lines = zlib.decompress(chunks[b"IDAT"])
    kind, row = lines[0], bytearray(lines[1:1 + width * size])
    for i in range(size, len(row)):
        left = row[i - size]
        row[i] = (row[i] + {0: 0, 1: left, 2: 0, 3: left // 2, 4: left}[kind]) & 0xFF
    return [tuple(row[i:i + 3]) for i in range(0, len(row), size)]


def one_pixel() -> bytes:
    """A picture of one pixel."""
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0\x12\x34\x56")) + chunk(b"IEND", b""))
