"""Downloading one file: resumed where it stopped if it is still the same file, by https alone."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

import httpx

from studyspec.errors import FetchError
from studyspec.files import write

TRIES = 3
PAUSE_S = 0.5
TIMEOUT = httpx.Timeout(30.0)
RESUME = "run the same command again: it goes on where it stopped"
ASKED = "studyspec.asked"
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
PLAIN = {"Accept-Encoding": "identity"}
"""Bytes as they are: ranges and lengths are of the file, not of a packed form of it."""
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Seen:
    """What a server said of a file when its download began: which one it is, and its length."""

    validator: str = ""
    total: int | None = None

    @classmethod
    def of(cls, part: Path) -> Seen:
        """What was said of a part that is here; nothing if that is not known."""
        try:
            told = json.loads(_note(part).read_text(encoding="utf-8"))
            return cls(
                str(told["validator"]), None if told["total"] is None else int(told["total"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return cls()

    @classmethod
    def told(cls, headers: Mapping[str, str]) -> Seen:
        """What the headers of a whole answer say."""
        etag, length = headers.get("ETag", ""), headers.get("Content-Length")
        strong = etag if etag and not etag.startswith("W/") else ""
        total = int(length) if length is not None and length.isdecimal() else None
        return cls(strong or headers.get("Last-Modified", ""), total)

    def keep(self, part: Path) -> None:
        """Note it beside the part."""
        write(_note(part), json.dumps(asdict(self)), durable=False)


class _Again(Exception):  # noqa: N818
    """The download did not end as it should; it may be tried again."""


def client(allow_http: bool) -> httpx.Client:
    """A client that speaks with other machines by https alone, redirected or not."""

    def gate(request: httpx.Request) -> None:
        if request.url.scheme == "https" or allow_http:
            return
        asked = httpx.URL(str(request.extensions.get(ASKED, request.url)))
        if request.url.scheme == asked.scheme == "http" and loopback(request.url.host):
            return
        came = "" if asked == request.url else f", which {asked} leads to"
        raise FetchError(
            f"not an https address{came}: whoever is on the way could change the file",
            where=str(request.url),
            hint="use the https address of it, or allow it: --allow-http",
        )

    return httpx.Client(
        timeout=TIMEOUT, follow_redirects=True, event_hooks={"request": [gate]}, headers=PLAIN
    )


def loopback(host: str) -> bool:
    """Whether a host is this machine, by name or number."""
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def download(server: httpx.Client, url: str, part: Path, progress: Progress) -> None:
    """Download into a part file, from where it ends; tried three times.

    Raises
    ------
    FetchError
        If it cannot be had.
    """
    for attempt in range(1, TRIES + 1):
        try:
            _try(server, url, part, progress)
            break
        except (httpx.TransportError, _Again) as error:
            if isinstance(error, httpx.UnsupportedProtocol):
                raise FetchError(str(error), where=url, hint="mend the catalog") from None
            if attempt == TRIES:
                reason = str(error) or type(error).__name__
                raise FetchError(f"{reason}, {TRIES} times", where=url, hint=RESUME) from None
            time.sleep(PAUSE_S * attempt)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            reason = str(error) or type(error).__name__
            raise FetchError(reason, where=url, hint="is the address right?") from None
    _note(part).unlink(missing_ok=True)


def _try(server: httpx.Client, url: str, part: Path, progress: Progress) -> None:
    seen, have = Seen.of(part), part.stat().st_size if part.exists() else 0
    if seen == Seen():
        have = 0  # of what, nobody knows
    headers = {"Range": f"bytes={have}-"} if have else {}
    if have and seen.validator:
        headers["If-Range"] = seen.validator
    with server.stream("GET", url, headers=headers, extensions={ASKED: url}) as answer:
        _check_status(answer, url, part)
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        if resumed:
            _check_range(answer, part, have, seen)
        else:
            have, seen = 0, Seen.told(answer.headers)
            seen.keep(part)
        done = have
        with part.open("ab" if resumed else "wb") as file:
            for chunk in answer.iter_raw():
                file.write(chunk)
                done += len(chunk)
                progress(done, seen.total)
    if seen.total is not None and done != seen.total:
        raise _Again(f"{done} of {seen.total} bytes came")


def _check_status(answer: httpx.Response, url: str, part: Path) -> None:
    """Refuse an answer without the file in it."""
    if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)
        raise _Again("the part that was here is not of this file")
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _Again(f"the server answered {answer.status_code}")
    if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise FetchError(
            f"the server answered {answer.status_code} {answer.reason_phrase}",
            where=url,
            hint="is the address right? a mirror is set by --base-address",
        )
    if answer.headers.get("Content-Encoding", "identity") != "identity":
        raise FetchError("the server sends it packed, unasked", where=url)


def _check_range(answer: httpx.Response, part: Path, have: int, seen: Seen) -> None:
    """Refuse a rest that does not go on where the part ends, or is of another file."""
    told = RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    whole = None if told is None or told[3] == "*" else int(told[3])
    fits = told is not None and have > 0 and int(told[1]) == have
    if not fits or (seen.total is not None and whole not in (None, seen.total)):
        part.unlink(missing_ok=True)
        raise _Again("the rest that the server sent is not of the part that was here")


def _note(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
