"""A browser without a screen, steered through the DevTools protocol: what it makes of a page."""

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT = 120  # seconds; far more than anything here takes


def program() -> str:
    """Where one is installed; the test that needs it is skipped, by name, where none is."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if found is None:
        raise unittest.SkipTest("no headless browser is installed: scripts/install-packages peers")
    return found


class Browser:
    """One process, which ends with the `with`. It speaks through two pipes, each message behind the
    other with a NUL between them (--remote-debugging-pipe)."""

    def __enter__(self) -> "Browser":
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        child_in, self._out = os.pipe()
        self._in, child_out = os.pipe()
        command = [program(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
                   f"--user-data-dir={self._profile.name}", "about:blank"]
        # It reads descriptor 3 and writes descriptor 4.
        self._process = subprocess.Popen(
            ["sh", "-c", f'exec "$0" "$@" 3<&{child_in} 4>&{child_out}', *command],
            pass_fds=(child_in, child_out), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(child_in)
        os.close(child_out)
        self._buffer = b""
        self._numbers = itertools.count(1)
        self.events: list[dict] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable", session=True)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._out)
        self._process.terminate()
        self._process.wait(TIMEOUT)
        os.close(self._in)
        self._profile.cleanup()

    def _receive(self) -> dict:
        end = time.monotonic() + TIMEOUT
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], max(0, end - time.monotonic()))
            piece = os.read(self._in, 1 << 20) if ready else b""
            if not piece:
                raise RuntimeError("the browser says nothing")
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def ask(self, method: str, session: bool = False, **parameters: object) -> dict:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") != number:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def open(self, page: Path, width: int, height: int, scheme: str = "light") -> None:
        """In a window of that size, for a reader who likes pages "light" or "dark"."""
        self.events.clear()
        self.ask("Emulation.setDeviceMetricsOverride", session=True, width=width, height=height,
                 deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", session=True,
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Page.navigate", session=True, url=page.resolve().as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self.events.append(self._receive())

    def value(self, expression: str) -> object:
        """Of an expression of JavaScript: what asks is the debugger, not the page."""
        answer = self.ask("Runtime.evaluate", session=True, expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def faults(self) -> list[dict]:
        """What the page's console has, and exceptions."""
        names = {"Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"}
        return [event for event in self.events if event["method"] in names]

    def requests(self) -> list[str]:
        """Addresses of everything that was asked for, but for what is in the page itself."""
        asked = [event["params"]["request"]["url"] for event in self.events
                 if event["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("data:")]

    def picture(self) -> bytes:
        return base64.b64decode(self.ask("Page.captureScreenshot", session=True)["data"])
