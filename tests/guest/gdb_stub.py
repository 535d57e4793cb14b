"""What QEMU's gdb stub says of a stopped machine: as much of the remote protocol as that takes."""

import re
import socket
from pathlib import Path

ANSWER = re.compile(rb"\$([^#]*)#..")


class Stub:
    """A connection to it. QEMU stops the machine when one is made."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._seen = b""

    def close(self) -> None:
        self._socket.close()

    def call(self, packet: str) -> bytes:
        data = packet.encode()
        self._socket.sendall(b"+$" + data + b"#%02x" % (sum(data) % 256))
        while not (found := ANSWER.search(self._seen)):
            piece = self._socket.recv(1 << 16)
            if not piece:
                raise RuntimeError(f"QEMU's gdb stub closed the connection at {packet}")
            self._seen += piece
        self._seen = self._seen[found.end():]
        return re.sub(rb"}(.)", lambda escaped: bytes([escaped.group(1)[0] ^ 0x20]), found.group(1))

    def description(self, name: str) -> str:
        """An XML file that describes registers."""
        text, more = b"", b"m"
        while more == b"m":
            answer = self.call(f"qXfer:features:read:{name}:{len(text):x},800")
            more, text = answer[:1], text + answer[1:]
        return text.decode()

    def numbers(self, names: tuple[str, ...]) -> dict[str, int]:
        """Of system registers, by their names in lower case."""
        self.description("target.xml")  # what QEMU wants to be asked for first
        found = re.findall(r'<reg name="(\w+)" bitsize="64" regnum="(\d+)"',
                           self.description("system-registers.xml"))
        numbers = {name.lower(): int(number) for name, number in found}
        return {name: numbers[name] for name in names}

    def values(self, vcpu: int, numbers: dict[str, int]) -> dict[str, int]:
        """Of these registers of a vCPU."""
        self.call(f"Hg{vcpu + 1:x}")
        return {name: int.from_bytes(bytes.fromhex(self.call(f"p{number:x}").decode()), "little")
                for name, number in numbers.items()}
