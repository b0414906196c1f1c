"""The framing of HTTP/1.1 by its own grammar (RFC 9112), and in one pass over the octets.

Python's parsers let more through: ``int`` takes a sign, an underscore and foreign digits, the
parser of e-mail takes every line that resembles a header. When two parties read octets differently,
one answer becomes two. So everything outside the grammar ends the connection, here and at the
servers of the command line and of the tests.
"""

import re
from collections.abc import Iterable, Sequence
from http.client import HTTPException, IncompleteRead
from typing import Final, NamedTuple, Protocol, TypeAlias

LINE_OCTETS: Final = 65_536
"""How long a line may be."""

FIELD_LINES: Final = 100
"""How many lines a header section may have."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_TEXT: Final = r"[\t\x20-\x7e\x80-\xff]*+"

_STATUS_LINE: Final = re.compile(rf"HTTP/1\.([0-9]) ([1-9][0-9]{{2}})(?: ({_TEXT}))?".encode())
_REQUEST_LINE: Final = re.compile(rf"({_TOKEN}) ([\x21-\x7e]++) HTTP/1\.([0-9])".encode())
_FIELD_LINE: Final = re.compile(rf"({_TOKEN}):({_TEXT})".encode())
_FOLDED: Final = re.compile(rf"[ \t]{_TEXT}".encode())
_CHUNK_LINE: Final = re.compile(rf"([0-9A-Fa-f]{{1,16}})(?:[ \t]*+;{_TEXT})?\r\n".encode())
_LENGTH: Final = re.compile(r"[0-9]{1,15}")
_BLANK: Final = b" \t"

Fields: TypeAlias = list[tuple[str, str]]
"""Names and values of a header section, in order, each value in one line."""


class Lines(Protocol):
    """A stream of octets that may be read by the line."""

    def readline(self, limit: int, /) -> bytes:
        """Return octets up to and with the next line feed, at most so many."""
        ...


class StatusLine(NamedTuple):
    """A status line: the minor version of HTTP/1, the status, and words for people."""

    minor: int
    status: int
    reason: str


class RequestLine(NamedTuple):
    """A request line: method, target, and the minor version of HTTP/1."""

    method: str
    target: str
    minor: int


def read_status_line(stream: Lines) -> StatusLine:
    """Read a status line (§4).

    Raises:
        HTTPException: if it is missing.
    """
    try:
        found = _STATUS_LINE.fullmatch(_line(stream))
    except IncompleteRead as broken:
        if not b"HTTP/".startswith(broken.partial[:5]):
            raise HTTPException("no status line") from None
        raise
    if found is None:
        raise HTTPException("no status line")
    minor, status, reason = found.groups()
    return StatusLine(int(minor), int(status), (reason or b"").decode("latin-1"))


def request_line(octets: bytes) -> RequestLine:
    """Take a request line apart, with its end or without (§3).

    Raises:
        HTTPException: if it is malformed.
    """
    found = _REQUEST_LINE.fullmatch(octets.removesuffix(b"\n").removesuffix(b"\r"))
    if found is None:
        raise HTTPException("no request line")
    method, target, minor = found.groups()
    return RequestLine(method.decode("ascii"), target.decode("ascii"), int(minor))


def read_fields(stream: Lines) -> Fields:
    """Read a header section and the empty line behind it (§5).

    A value that goes on in the next line is joined by one space (§5.2).

    Raises:
        HTTPException: for a line that is not a field, and for too many of them.
    """
    found: list[tuple[bytes, list[bytes]]] = []
    for _ in range(FIELD_LINES + 1):
        line = _line(stream)
        if not line:
            return [(name.decode("ascii"), _joined(parts)) for name, parts in found]
        field = _FIELD_LINE.fullmatch(line)
        if field is not None:
            found.append((field[1], [field[2]]))
        elif found and _FOLDED.fullmatch(line):
            found[-1][1].append(line)
        else:
            raise HTTPException("no header field")
    raise HTTPException("too many header fields")


def skip_fields(stream: Lines) -> None:
    """Read a trailer section and the empty line behind it; what it says is dropped (§7.1.2).

    Raises:
        HTTPException: for a line that is not a field.
    """
    folds = False
    while line := _line(stream):
        if not (_FIELD_LINE.fullmatch(line) or (folds and _FOLDED.fullmatch(line))):
            raise HTTPException("no trailer field")
        folds = True


def read_chunk_size(stream: Lines) -> int:
    """Read the line before a chunk: its size; extensions mean nothing here (§7.1).

    Raises:
        HTTPException: if it is malformed.
    """
    found = _CHUNK_LINE.fullmatch(_whole_line(stream))
    if found is None:
        raise HTTPException("no chunk size")
    return int(found[1], 16)


def values_of(fields: Iterable[tuple[str, str]], name: str) -> list[str]:
    """Return the values of all fields of a lower-case name."""
    return [value for each, value in fields if each.lower() == name]


def content_length(values: Sequence[str]) -> int | None:
    """Return the value of ``Content-Length``, or ``None`` without that header (§6.2).

    Raises:
        HTTPException: if it is not a number, or if two of them differ.
    """
    if not values:
        return None
    if not _LENGTH.fullmatch(values[0]) or any(value != values[0] for value in values):
        raise HTTPException("no length")
    return int(values[0])


def is_chunked(values: Sequence[str], minor: int) -> bool:
    """Return whether ``Transfer-Encoding`` says ``chunked``; no other coding is understood (§6.1).

    Raises:
        HTTPException: for any other coding, and in HTTP/1.0, which has no codings.
    """
    if not values:
        return False
    if minor == 0 or [value.lower() for value in values] != ["chunked"]:
        raise HTTPException("no transfer coding that is known")
    return True


def _line(stream: Lines) -> bytes:
    """Return the next line without its end, which may be a bare line feed (§2.2)."""
    line = _whole_line(stream)
    return line[: -2 if line[-2:-1] == b"\r" else -1]


def _whole_line(stream: Lines) -> bytes:
    """Return the next line with its end.

    Raises:
        IncompleteRead: if the connection ended before the line did.
        HTTPException: if the line is too long.
    """
    line = stream.readline(LINE_OCTETS + 1)
    if line[-1:] == b"\n":
        return line
    raise HTTPException("a line without end") if len(line) > LINE_OCTETS else IncompleteRead(line)


def _joined(parts: list[bytes]) -> str:
    return b" ".join(filter(None, [part.strip(_BLANK) for part in parts])).decode("latin-1")
