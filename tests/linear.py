"""Everything that reads text of the network, each with the input that would cost it most.

``python -m tests.linear`` prints a table: how long each takes for so much of that input, and for
twice as much.
"""

from __future__ import annotations

import ast
import importlib
import io
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from time import monotonic, thread_time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from attrs import frozen

from oidc_adapters.cli.message_parts import answer_facts, form_facts
from oidc_adapters.cli.redaction import printable, shown_header
from oidc_adapters.stores.pending.cookies import CookieProfile, only_value
from oidc_adapters.testing.oauth_messages import unique_parameters
from oidc_adapters.testing.served_provider import session_of
from oidc_adapters.transport import framing
from oidc_adapters.transport.exchange import CURRENT, Exchange
from oidc_adapters.transport.receiving import GuardedResponse
from oidc_core.endpoints.authorization import Callback
from oidc_core.jose import jwe, jws, key_set
from oidc_core.machine.dpop import nonce_of
from oidc_core.model.provider import metadata_of
from oidc_core.model.routes import route_of
from oidc_core.wire import answers, challenge, encoding, jsontypes, urls
from oidc_core.wire.cookies import cookie_pairs
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.limits import UPPER_BOUNDS
from oidc_core.wire.messages import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE: Final = 50_000
REPEATED: Final = 3
FACTOR: Final = 3.0
"""The cost of an input of twice the length; to be linear is 2, to be quadratic 4."""

NOTHING: Final = 0.004
"""Seconds below which a time is not judged: a quadratic loop over this much takes far longer."""


@frozen
class Row:
    """A reader, and a maker of text that would be hard for it.

    Attributes:
        name: of the function or pattern.
        kind: what the text is like.
        read: reads it; what it refuses is fine.
        make: makes text of about so many octets.
        size: how many, for the first of two measurements.
    """

    name: str
    kind: str
    read: Callable[[Any], object]
    make: Callable[[int], Any]
    size: int = LARGE

    @property
    def id(self) -> str:
        return f"{self.name}-{self.kind}"


class Times(NamedTuple):
    """Seconds of the processor, for so much and for twice as much."""

    once: float
    twice: float

    @property
    def linear(self) -> bool:
        return self.twice <= max(NOTHING, FACTOR * self.once)


def measured(row: Row) -> Times:
    """Take the best of several times, which noise only ever makes longer."""
    return Times(*[_best(row, row.make(size)) for size in (row.size, 2 * row.size)])


def _best(row: Row, text: Any) -> float:
    best = float("inf")
    for _ in range(REPEATED):
        start = thread_time()
        with suppress(OidcError, HTTPException, ValueError, RecursionError):
            row.read(text)
        best = min(best, thread_time() - start)
        if best > 1:  # it says enough
            break
    return best


# --- patterns ------------------------------------------------------------------------------------

REPEATS: Final = {
    "letters": "a",
    "zeros": "0",
    "spaces": " ",
    "tabs": "\t",
    "words": "a ",
    "dots": "a.",
    "slashes": "a/",
    "colons": "a:",
    "quotes": '"',
    "strings": '"a"',
    "backslashes": "\\",
    "escapes": '\\"',
    "braces": "{a",
    "commas": "a=b, ",
    "equals": "a=",
    "octets": "%41",
    "feeds": " \n",
    "returns": " \r\n\t",
    "surrogates": "\ud800",
    "brackets": "[{",
}
LASTS: Final = ("", "!", "\0", "\n")

PATTERNS: Final = {
    "oidc_adapters.context.login_flow:_SECONDS": "fullmatch",
    "oidc_adapters.stores.pending.cookies:_NAME": "fullmatch",
    "oidc_adapters.stores.pending.cookies:_TOKEN": "fullmatch",
    "oidc_adapters.testing.authorization_request:_CHALLENGE": "fullmatch",
    "oidc_adapters.testing.authorization_request:_SECONDS": "fullmatch",
    "oidc_adapters.testing.encryption:_KEY_WRAP": "fullmatch",
    "oidc_adapters.testing.token_endpoint:_VERIFIER": "fullmatch",
    "oidc_adapters.transport.attempts:_METHOD": "fullmatch",
    "oidc_adapters.transport.attempts:_NAME": "fullmatch",
    "oidc_adapters.transport.attempts:_VALUE": "fullmatch",
    "oidc_adapters.transport.engine_streams:_BLANKS": "search",
    "oidc_adapters.transport.framing:_CHUNK_LINE": "fullmatch",
    "oidc_adapters.transport.framing:_FIELD_LINE": "fullmatch",
    "oidc_adapters.transport.framing:_FOLDED": "fullmatch",
    "oidc_adapters.transport.framing:_LENGTH": "fullmatch",
    "oidc_adapters.transport.framing:_REQUEST_LINE": "fullmatch",
    "oidc_adapters.transport.framing:_STATUS_LINE": "fullmatch",
    "oidc_core.endpoints.authorization.callback:_GRAMMAR": "each",
    "oidc_core.endpoints.authorization.request:_LIST": "fullmatch",
    "oidc_core.endpoints.authorization.request:_NAME": "fullmatch",
    "oidc_core.endpoints.authorization.request:_SURROGATE": "search",
    "oidc_core.endpoints.authorization.request:_VISIBLE": "fullmatch",
    "oidc_core.endpoints.tokens:_SCOPE_TOKEN": "call",
    "oidc_core.endpoints.tokens:_TOKEN": "fullmatch",
    "oidc_core.endpoints.tokens:_VISIBLE": "call",
    "oidc_core.jose.jwe:_signed": "call",
    "oidc_core.jose.key_set_text:_array": "call",
    "oidc_core.jose.key_set_text:_token": "all",
    "oidc_core.jose.pkce:_GRAMMAR": "call",
    "oidc_core.machine.dpop:_nqchars": "call",
    "oidc_core.model.claims:_SUB": "call",
    "oidc_core.model.client:_PRIVATE": "fullmatch",
    "oidc_core.model.client:_SCOPE": "fullmatch",
    "oidc_core.model.demands:_RESOURCE": "fullmatch",
    "oidc_core.model.pending:_BINDING": "fullmatch",
    "oidc_core.model.pending:_SECRET": "fullmatch",
    "oidc_core.model.issuer_rule:_PATTERN": "fullmatch",
    "oidc_core.model.issuer_rule:_PLACEHOLDER": "search",
    "oidc_core.model.issuer_rule:_TENANT": "fullmatch",
    "oidc_core.wire.answers:_error": "call",
    "oidc_core.wire.challenge:_PIECE": "match",
    "oidc_core.wire.challenge:_unescaped": "sub",
    "oidc_core.wire.messages:_long_words": "sub",
    "oidc_core.wire.messages:_uuid": "fullmatch",
    "oidc_core.wire.encoding:_plain": "call",
    "oidc_core.wire.jsontext:_token": "all",
    "oidc_core.wire.urls:_ALLOWED": "fullmatch",
    "oidc_core.wire.urls:_IPV4": "fullmatch",
    "oidc_core.wire.urls:_IPV6": "fullmatch",
    "oidc_core.wire.urls:_LOOPBACK": "fullmatch",
    "oidc_core.wire.urls:_NAME": "fullmatch",
    "oidc_core.wire.urls:_PATH": "fullmatch",
    "oidc_core.wire.urls:_PORT": "fullmatch",
    "oidc_core.wire.urls:_SPLIT": "fullmatch",
    "oidc_core.wire.urls:_TAIL": "split",
    "oidc_core.wire.urls:_WELL_KNOWN": "search",
    "oidc_core.wire.urls:_escaped": "call",
    "oidc_core.wire.urls:_literal": "call",
}
"""Every compiled pattern of the source, and what is done with it."""


def use_of(name: str) -> Callable[[Any], object]:
    """Return what is done with a pattern, as the source does it."""
    module, _, attribute = name.partition(":")
    found: Any = getattr(importlib.import_module(module), attribute)
    how = PATTERNS[name]
    if how == "each":
        return lambda text: [grammar(text) for _, grammar in found]
    if how == "all":
        return lambda text: sum(1 for _ in found(text))
    if how == "sub":
        return lambda text: found(r"\1", text)
    if how == "split":
        return lambda text: found.split(text, maxsplit=1)
    use: Callable[[Any], object] = found if how == "call" else getattr(found, how)
    return use


def compiled_patterns(source: Path) -> Iterator[str]:
    """Find each pattern that the source compiles, and each use of one that it does not name."""
    for path in sorted(source.rglob("*.py")):
        module = ".".join(path.relative_to(source).with_suffix("").parts)
        tree = ast.parse(path.read_text())
        named: set[ast.AST] = set()
        for statement in tree.body:
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                target = (
                    statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
                )
                calls = [node for node in ast.walk(statement) if _is_pattern(node)]
                named.update(calls)
                if calls and isinstance(target, ast.Name):
                    yield f"{module.removesuffix('.__init__')}:{target.id}"
        for node in ast.walk(tree):
            if _is_pattern(node) and node not in named:
                yield f"{module}:line {getattr(node, 'lineno', 0)}"


def _is_pattern(node: ast.AST) -> bool:
    """Whether it calls a function of :mod:`re`, or takes one from there."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "re"
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "re"
    )


def repeated(unit: str, last: str, size: int) -> str:
    return unit * (size // len(unit)) + last


def hardest_for(name: str) -> Row:
    """Find which of the repeated texts takes a pattern longest."""
    use = use_of(name)
    octets = isinstance(getattr(getattr(use, "__self__", None), "pattern", ""), bytes)

    def row(kind: str, unit: str, last: str) -> Row:
        def make(size: int) -> str | bytes:
            text = repeated(unit, last, size)
            return text.encode("utf-8", "surrogatepass") if octets else text

        return Row(name, kind, use, make)

    rows = [
        row(f"{kind}{last!r}" if last else kind, unit, last)
        for kind, unit in REPEATS.items()
        for last in LASTS
    ]
    return max(rows, key=lambda one: _best(one, one.make(LARGE)))


# --- readers -------------------------------------------------------------------------------------


def _named(text: str) -> object:
    return Callback(parameters=urls.parse_form(text)).named


def _only(header: str) -> object:
    return only_value(cookie_pairs(header), "__Host-oidc-abcdefgh")


def _never_opens(_name: str, _value: str) -> int | None:
    return None


def _evicted(header: str) -> object:
    profile = CookieProfile()
    new = profile.cookie("__Host-oidc-ijklmnop", "x", 600)
    return profile.evicted(cookie_pairs(header), new, _never_opens)


def answer(*headers: tuple[str, str], body: bytes = b"") -> HttpResponse:
    return HttpResponse(401, headers, body, 0)


def head_read(octets: bytes) -> object:
    return framing.read_fields(io.BytesIO(octets))


def answer_read(octets: bytes) -> object:
    """Read a whole answer as the transport does, from a socket."""
    here, there = socket.socketpair()
    writer = threading.Thread(target=_written, args=(there, octets))
    writer.start()
    CURRENT.exchange = Exchange(monotonic() + 60, max_body=len(octets), reach="any")
    try:
        response = GuardedResponse(here, method="POST")
        try:
            response.begin()
            return response.read(len(octets))
        finally:
            response.close()
    finally:
        CURRENT.exchange = None
        here.close()
        writer.join()


def _written(sock: socket.socket, octets: bytes) -> None:
    with sock, suppress(OSError):
        sock.sendall(octets)


def of(unit: str, *, first: str = "", last: str = "") -> Callable[[int], str]:
    return lambda size: first + unit * (size // len(unit)) + last


def octets_of(unit: bytes, *, first: bytes = b"", last: bytes = b"") -> Callable[[int], bytes]:
    return lambda size: first + unit * (size // len(unit)) + last


def headers_of(name: str, unit: str) -> Callable[[int], HttpResponse]:
    return lambda size: answer((name, unit * (size // len(unit))))


def many_headers(name: str, value: str) -> Callable[[int], HttpResponse]:
    return lambda size: answer(*[(name, f"{value}{number}") for number in range(size // 10)])


OK: Final = b"HTTP/1.1 200 OK\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def odd_document(part: str, whole: str) -> Callable[[int], bytes]:
    """Return what makes a document of so many octets, none of whose parts can be read."""

    def make(size: int) -> bytes:
        parts = [part % number for number in range(size // (len(part) + 3))]
        return (whole % ",".join(parts)).encode()

    return make


def tolerant(octets: bytes) -> object:
    return jsontypes.parse_object(octets, members=LARGE, tolerant=True)


READERS: Final = (
    # framing
    Row(
        "read_fields",
        "spaces-before-a-line-feed",
        head_read,
        octets_of(b" ", first=b"X: a", last=b"\n\n"),
        30_000,
    ),
    Row(
        "read_fields",
        "spaces-between-words",
        head_read,
        octets_of(b" ", first=b"X: a", last=b"b\n\n"),
        30_000,
    ),
    Row(
        "read_fields",
        "folds",
        head_read,
        lambda n: b"X: a\r\n" + (b" " * (n // 99) + b"\r\n") * 99 + b"\r\n",
        3_000_000,
    ),
    Row(
        "read_fields",
        "long-lines",
        head_read,
        lambda n: (b"X: " + b"y" * (n // 99) + b"\r\n") * 99 + b"\r\n",
        3_000_000,
    ),
    Row("read_fields", "name-without-colon", head_read, octets_of(b"a", last=b"\r\n\r\n"), 30_000),
    Row(
        "skip_fields",
        "trailers",
        lambda octets: framing.skip_fields(io.BytesIO(octets)),
        octets_of(b"a: b\r\n c\r\n", last=b"\r\n"),
    ),
    Row(
        "read_status_line",
        "reason",
        lambda octets: framing.read_status_line(io.BytesIO(octets)),
        octets_of(b" ", first=b"HTTP/1.1 200 ", last=b"\0\n"),
        30_000,
    ),
    Row(
        "request_line",
        "target",
        framing.request_line,
        octets_of(b"/a?b", first=b"GET ", last=b" \r\n"),
        30_000,
    ),
    Row(
        "read_chunk_size",
        "extensions",
        lambda octets: framing.read_chunk_size(io.BytesIO(octets)),
        octets_of(b" ;", first=b"7", last=b"\0\r\n"),
        30_000,
    ),
    Row("content_length", "digits", lambda text: framing.content_length([text]), of("9")),
    Row(
        "answer",
        "chunks-of-one-octet",
        answer_read,
        octets_of(b"1\r\nx\r\n", first=CHUNKED, last=b"0\r\n\r\n"),
    ),
    Row(
        "answer",
        "chunk-extensions",
        answer_read,
        octets_of(b"1;" + b"e" * 999 + b"\r\nx\r\n", first=CHUNKED, last=b"0\r\n\r\n"),
    ),
    Row(
        "answer",
        "trailers",
        answer_read,
        octets_of(b"a: b\r\n", first=CHUNKED + b"0\r\n", last=b"\r\n"),
    ),
    Row(
        "answer",
        "interim-answers",
        answer_read,
        octets_of(b"HTTP/1.1 103 Hints\r\n\r\n", last=OK + b"Content-Length: 0\r\n\r\n"),
        30_000,
    ),
    Row("answer", "body-without-length", answer_read, octets_of(b"x", first=OK + b"\r\n")),
    # headers that decide something
    Row("media_type", "long", lambda one: one.media_type, headers_of("content-type", " ;,")),
    Row("media_type", "many", lambda one: one.media_type, many_headers("content-type", "a/b")),
    Row("header", "many", lambda one: one.header("x"), many_headers("a", "b")),
    Row("nonce_of", "many", nonce_of, many_headers("dpop-nonce", "n")),
    Row("nonce_of", "long", nonce_of, headers_of("dpop-nonce", "n")),
    *[
        Row("challenges", kind, challenge.challenges, headers_of("www-authenticate", unit), 4_000)
        for kind, unit in {
            **REPEATS,
            "schemes": "DPoP a=b, ",
            "unclosed": 'DPoP a="b\\',
            "parameters": 'D a="b",',
        }.items()
    ],
    Row(
        "challenges",
        "many",
        challenge.challenges,
        many_headers("www-authenticate", 'DPoP a="b", Bearer c='),
    ),
    # JSON
    *[
        Row("parse_object", kind, jsontypes.parse_object, octets_of(unit, first=first))
        for kind, first, unit in (
            ("arrays", b'{"a":', b"["),
            ("objects", b"", b'{"a":'),
            ("quotes", b"{", b'"'),
            ("escapes", b'{"', b"\\u0000"),
            ("backslashes", b'{"a":"', b"\\"),
            ("spaces", b"", b" "),
            ("digits", b'{"a":', b"9"),
            ("fraction", b'{"a":0.', b"9"),
            ("exponent", b'{"a":1e', b"9"),
            ("members", b"{", b'"a":1,'),
            ("numbers", b'{"a":[', b"1234567890123456789,"),
            ("empty-arrays", b'{"a":[', b"[],"),
            ("surrogates", b'{"a":"', b"\\ud800"),
            ("nul", b"{", b"\0"),
        )
    ],
    Row("parse_object", "tolerant-members", tolerant, odd_document('"%d":1e999', "{%s}")),
    Row("parse_object", "tolerant-numbers", tolerant, odd_document("9%020d", '{"a":[%s]}')),
    Row(
        "parse_object",
        "tolerant-surrogates",
        tolerant,
        odd_document('"%d\\ud800"', '{"a":1e999,"b":[%s]}'),
    ),
    Row("json_body", "doubled-types", answers.json_body, many_headers("content-type", "a/b")),
    Row(
        "parse_key_set",
        "keys",
        key_set.parse_key_set,
        lambda n: b'{"keys":[' + b",".join([b'{"kty":"oct"}'] * (n // 14)) + b"]}",
    ),
    Row(
        "parse_key_set",
        "odd-keys",
        key_set.parse_key_set,
        lambda n: b'{"keys":[' + b",".join([b'{"a":"\\"[","a":1}'] * (n // 17)) + b"]}",
    ),
    Row(
        "metadata_of",
        "list",
        lambda text: metadata_of(jsontypes.parse_object(text)),
        lambda n: (
            b'{"issuer":"https://a.example","scopes_supported":['
            + b",".join([b'"x"'] * (n // 4))
            + b"]}"
        ),
    ),
    # tokens
    *[
        Row("jws.split", kind, jws.split, of(unit), 15_000)
        for kind, unit in REPEATS.items()
        if kind != "surrogates"
    ],
    *[
        Row("jwe.split", kind, lambda text: jwe.split(text, UPPER_BOUNDS), of(unit))
        for kind, unit in REPEATS.items()
        if kind != "surrogates"
    ],
    Row("signed_inside", "dots", jwe.signed_inside, octets_of(b"a.")),
    Row("b64url_decode", "letters", encoding.b64url_decode, octets_of(b"aaaa")),
    Row("b64url_decode", "foreign", encoding.b64url_decode, octets_of(b"!")),
    Row("b64url_encode", "octets", encoding.b64url_encode, octets_of(b"\xff")),
    Row("percent_encode", "umlauts", encoding.percent_encode, of("\u00e4")),
    # URLs and parameters
    *[
        Row("parse_url", kind, urls.parse_url, of(unit, first="https://"), 4_000)
        for kind, unit in REPEATS.items()
    ],
    Row("parse_url", "labels", urls.parse_url, of("a-", first="https://", last="!"), 120),
    Row(
        "explain_difference",
        "long",
        lambda text: urls.explain_difference("https://a.example", text),
        of("/.well-known/", first="https://a.example"),
    ),
    *[
        Row("parse_form", kind, urls.parse_form, of(unit))
        for kind, unit in {
            **REPEATS,
            "pairs": "a=b&",
            "plus": "+",
            "percent": "%",
            "amps": "&",
            "soft": "=%0A",
        }.items()
    ],
    Row("Callback", "doubles", _named, of("state=a&"), 4_000),
    Row("Callback", "unknown", _named, of("x=a&"), 4_000),
    Row("cookie_pairs", "semicolons", cookie_pairs, of("; ")),
    Row("cookie_pairs", "spaces", cookie_pairs, of(" \t")),
    Row("only_value", "pairs", _only, of("__Host-oidc-abcdefgh=y; ")),
    Row("evicted", "pairs", _evicted, of("__Host-oidc-abcdefgh=y; "), 30_000),
    Row("path_only", "slashes", urls.path_only, of("/")),
    Row("path_only", "letters", urls.path_only, of("a", first="/")),
    Row("route_of", "dots", route_of, of("../", first="https://rp.example/")),
    # what is shown
    Row("shown", "controls", shown, of("\x1b\u202e")),
    Row("printable", "controls", printable, of("\x1b\u202e")),
    Row("shown_header", "cookies", lambda text: shown_header("cookie", text), of("a=b; ")),
    Row("shown_header", "challenge", lambda text: shown_header("www-authenticate", text), of("a ")),
    Row("form_facts", "pairs", form_facts, of("a=b&")),
    Row(
        "answer_facts",
        "location",
        lambda text: answer_facts("x", answer(("location", text))),
        of("a=b&", first="https://a/?"),
    ),
    # the fake provider
    Row(
        "unique_parameters",
        "different",
        unique_parameters,
        lambda n: "&".join([f"a{each}=b" for each in range(n // 8)]),
    ),
    Row("unique_parameters", "doubles", unique_parameters, of("a=b&", last="a=c")),
    *[
        Row("session_of", kind, session_of, of(unit))
        for kind, unit in {**REPEATS, "pairs": "a=b; ", "quoted": 'a="\\"; '}.items()
    ],
)
"""The readers, each with hard input; a limit of their own keeps some to small sizes."""


def main() -> None:
    """Print the table."""
    line = "{:<58} {:<30} {:>9} {:>11} {:>11} {:>6}"
    print(line.format("pattern or function", "input", "size", "ms at n", "ms at 2n", "ratio"))
    slow = 0
    for row in (*[hardest_for(name) for name in sorted(PATTERNS)], *READERS):
        times = measured(row)
        slow += not times.linear
        ratio = times.twice / times.once if times.once else 0
        shown_times = [f"{1_000 * each:.3f}" for each in times]
        print(line.format(row.name, row.kind, row.size, *shown_times, f"{ratio:.1f}"))
    sys.exit(1 if slow else 0)


if __name__ == "__main__":
    main()
