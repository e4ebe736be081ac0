"""A headless Chromium driven over its debugging pipe, for the tests of the page.

The pipe needs no port and no websocket. Each browser has a profile of its own and is ended by its
own process group.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium (apt-get install chromium)"
)
AXE = (Path(__file__).parent / "axe.min.js").read_text(encoding="utf-8")
"""axe-core, which finds what keeps people out of a page."""
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --disable-extensions --disable-dev-shm-usage "
    "--hide-scrollbars --remote-debugging-pipe"
)
# Chromium reads commands from descriptor 3 and writes answers to 4; ours may be either.
LAUNCH = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""
PATIENCE_S = 60.0
Event = Mapping[str, Any]


class BrowserError(Exception):
    """The browser refused a command, or the page threw an exception."""


class Browser:
    """One page of one Chromium; a context manager.

    Attributes
    ----------
    events
        Every event of the protocol since the last `open`.
    """

    def __init__(self, width: int = 1280, height: int = 900) -> None:
        if CHROMIUM is None:
            raise BrowserError("there is no Chromium on this machine")
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        self._count = 0
        self._rest = b""
        self._session: str | None = None
        self.events: list[Event] = []
        command = f"{FLAGS} --user-data-dir={self._profile} --window-size={width},{height}"
        self._start([CHROMIUM, *command.split(), "about:blank"])
        try:
            target = self.command("Target.createTarget", url="about:blank")["targetId"]
            attached = self.command("Target.attachToTarget", targetId=target, flatten=True)
            self._session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.command(f"{domain}.enable")
        except BrowserError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command of the protocol and wait for its result."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") != self._count:
                self.events.append(answer)
            elif "error" in answer:
                raise BrowserError(f"{method}: {answer['error']['message']}")
            else:
                return dict(answer["result"])

    def open(self, address: str) -> None:
        """Load a page and wait until its scripts have drawn everything."""
        self.events.clear()
        self.command("Page.navigate", url="about:blank")
        self.command("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete' && Boolean(window.ready)")
        self.evaluate("window.ready")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        answer = self.command(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(json.dumps(answer["exceptionDetails"])[:600])
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.evaluate(expression):
            if time.monotonic() > end:
                raise BrowserError(f"waited {PATIENCE_S:.0f} s in vain for {expression}")
            time.sleep(0.05)

    def click(self, element: str) -> None:
        """Click, as a mouse does, in the middle of the element that an expression gives."""
        x, y = self.evaluate(
            f"(() => {{ const e = {element}; e.scrollIntoView({{block: 'center'}});"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2] })()"
        )
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = "none" if kind == "mouseMoved" else "left"
            self.command(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1
            )

    def emulate(self, media: str = "screen", scheme: str = "light") -> None:
        """Show the page as on screen or in print, light or dark."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.command("Emulation.setEmulatedMedia", media=media, features=features)

    def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        size = self.command("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Every error and warning of the console, and every exception, since `open`."""
        says: dict[str, Callable[[Any], str]] = {
            "Runtime.consoleAPICalled": lambda p: f"console.{p['type']}: {p['args']}",
            "Runtime.exceptionThrown": lambda p: f"exception: {p['exceptionDetails']}",
            "Log.entryAdded": lambda p: f"log: {p['entry']['text']}",
        }
        return [
            says[event["method"]](event["params"])
            for event in self.events
            if event.get("method") in says
        ]

    def requests(self) -> list[str]:
        """Every address that was asked for since `open`, but for those within the page."""
        sent = [e["params"] for e in self.events if e.get("method") == "Network.requestWillBeSent"]
        addresses = [str(parameters["request"]["url"]) for parameters in sent]
        return [a for a in addresses if not a.startswith(("data:", "blob:", "about:"))]

    def close(self) -> None:
        """End the browser and delete its profile."""
        with suppress(BrowserError, OSError):
            self._session = None
            self.command("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _start(self, command: list[str]) -> None:
        """Start Chromium with its descriptors 3 and 4 on our two pipes."""
        read, self._to = os.pipe()
        self._from, write = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCH, str(read), str(write), *command],
            pass_fds=(read, write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(read)
        os.close(write)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], PATIENCE_S)[0]:
                raise BrowserError(f"the browser said nothing for {PATIENCE_S:.0f} s")
            chunk = os.read(self._from, 1 << 20)
            if not chunk:
                raise BrowserError("the browser has ended")
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(message))
