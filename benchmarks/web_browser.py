"""A scripted browser that logs in: it keeps cookies, and goes where it is sent.

It does as little as a browser can, one connection for each request, so that the application has
the machine for itself.
"""

import asyncio
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import urljoin, urlsplit

_HOPS: Final = 8
_PATIENCE: Final = 60
_HEADERS: Final = (
    "accept: text/html,application/xhtml+xml\r\nuser-agent: bench\r\nsec-fetch-mode: navigate\r\n"
    "sec-fetch-dest: document\r\nsec-fetch-site: none\r\nconnection: close\r\n"
)


class Answer(NamedTuple):
    """An answer, as far as a browser heeds it."""

    status: int
    location: str
    set_cookies: tuple[str, ...]
    body: bytes


async def fetched(url: str, cookie: str = "") -> Answer:
    """Ask for a page."""
    parts = urlsplit(url)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    sent = f"cookie: {cookie}\r\n" if cookie else ""
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        head = f"GET {target} HTTP/1.1\r\nhost: {parts.netloc}\r\n{_HEADERS}{sent}\r\n"
        writer.write(head.encode("latin-1"))
        return await _answer(reader)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")[:-2]
    fields = [(name.lower(), value.strip()) for name, _, value in (x.partition(":") for x in lines)]
    known = dict(fields)
    length = known.get("content-length")
    body = await reader.read() if length is None else await reader.readexactly(int(length))
    cookies = tuple([value for name, value in fields if name == "set-cookie"])
    return Answer(int(first.split(" ")[1]), known.get("location", ""), cookies, body)


def _kept(cookies: dict[str, str], set_cookies: tuple[str, ...]) -> None:
    for each in set_cookies:
        pair, _, attributes = each.partition(";")
        name, _, value = pair.partition("=")
        if "max-age=0" in attributes.lower() or "01 jan 1970" in attributes.lower():
            cookies.pop(name, None)
        else:
            cookies[name] = value


async def log_in(base: str) -> bytes:
    """Ask a new browser's first page, follow it through the login, and return the page's body.

    Raises:
        AssertionError: the way does not end at that page.
    """
    url, jars = f"{base}/", dict[str, dict[str, str]]()
    async with asyncio.timeout(_PATIENCE):
        for _ in range(_HOPS):
            jar = jars.setdefault(urlsplit(url).netloc, {})
            answer = await fetched(url, "; ".join(f"{name}={jar[name]}" for name in jar))
            _kept(jar, answer.set_cookies)
            if not answer.location:
                assert (answer.status, url) == (200, f"{base}/"), (answer, url)
                return answer.body
            url = urljoin(url, answer.location)
    raise AssertionError(url)


async def log_in_all(base: str, times: int, at_once: int) -> int:
    """Log in so many browsers, so many of them at a time; return how many came to their page."""
    left, ended = iter(range(times)), 0

    async def one_after_another() -> None:
        nonlocal ended
        for _ in left:
            with suppress(AssertionError, OSError, asyncio.IncompleteReadError):
                await log_in(base)
                ended += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(min(times, at_once)):
            group.create_task(one_after_another())
    return ended
