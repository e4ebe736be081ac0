"""A real HTTP server on localhost that serves a folder with ranges, and breaks off when told to."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


@dataclass
class FileServer:
    """What is served and what was asked for. `cut` names a file that breaks off n times.

    `moved` sends from a path to an address; `lies` gives a path headers of its own; `tags` says
    whether answers tell which version of a file they are of.
    """

    folder: Path
    url: str = ""
    cut: dict[str, int] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    ranges: list[str] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)
    lies: dict[str, dict[str, str]] = field(default_factory=dict)
    tags: bool = True

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """A request handler that answers from this server's folder."""
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                name = unquote(self.path).lstrip("/")
                server.asked[name] += 1
                if name in server.moved:
                    self.send_response(302)
                    self.send_header("Location", server.moved[name])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                path = server.folder / name
                if not path.is_file():
                    self.send_error(404)
                    return
                data, start = path.read_bytes(), 0
                tag = f'"{hashlib.sha256(data).hexdigest()}"'
                same = self.headers.get("If-Range", tag) == tag
                if same and (found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))):
                    start = int(found[1])
                    server.ranges.append(self.headers["Range"])
                self.send_response(206 if start else 200)
                said = {"Content-Length": str(len(data) - start)}
                if start:
                    said["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
                if server.tags:
                    said["ETag"] = tag
                for head, value in (said | server.lies.get(name, {})).items():
                    self.send_header(head, value)
                self.end_headers()
                rest = data[start:]
                if server.cut.get(name, 0) > 0:
                    server.cut[name] -= 1
                    self.wfile.write(rest[: len(rest) // 2])
                    self.close_connection = True
                    return
                self.wfile.write(rest)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def serve(folder: Path) -> Iterator[FileServer]:
    """Serve a folder until the end of the block."""
    files = FileServer(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), files.handler())
    files.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
