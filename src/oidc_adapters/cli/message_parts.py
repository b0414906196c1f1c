"""The parts of a message that a human wants to see, without its secrets."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, TypeAlias

from oidc_adapters.cli.redaction import shown_header, text_of, without_secrets
from oidc_adapters.cli.times import date_text
from oidc_core.model.claim_values import numeric_date
from oidc_core.wire.errors import OidcError, fingerprint
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from oidc_core.wire.jsontypes import JsonObject, JsonValue, parse_object
from oidc_core.wire.urls import parse_form

Fact: TypeAlias = tuple[str, str]

_ANSWER_HEADERS: Final = ("location", "set-cookie", "www-authenticate", "content-encoding")
_STATUSES: Final = frozenset([status.value for status in HTTPStatus])
DATES: Final = frozenset({"exp", "iat", "nbf", "auth_time", "updated_at"})
"""Claims that are times, in seconds since the epoch."""

_METADATA: Final = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "jwks_uri",
)


def request_facts(request: WireRequest) -> tuple[Fact, ...]:
    """Return headers, and the parameters of query and body."""
    headers = [(name, shown_header(name, value)) for name, value in request.headers]
    query, body = request.url.partition("?")[2], (request.body or b"").decode("utf-8", "replace")
    return (*headers, *form_facts(query), *form_facts(body))


def form_facts(text: str) -> tuple[Fact, ...]:
    """Return form-encoded parameters."""
    found = parse_form(text)
    return tuple([(name, text_of(without_secrets(name, value))) for name, value in found])


def answer_line(answer: Answer) -> str:
    """Return in one line what kind of answer it was."""
    if not isinstance(answer, HttpResponse):
        return f"no answer: {answer.code}"
    known = answer.status in _STATUSES
    status = f"{answer.status} {HTTPStatus(answer.status).phrase}" if known else str(answer.status)
    return f"{status}, {answer.media_type}, {len(answer.body):,} octets" if answer.body else status


def answer_facts(name: str, answer: Answer) -> tuple[Fact, ...]:
    """Return the members of an answer; of metadata and keys, the members that a login needs."""
    if not isinstance(answer, HttpResponse):
        return ()
    headers: list[Fact] = []
    for header, value in answer.headers:
        if header == "location":
            base, _, query = value.partition("?")
            headers += [(header, base), *form_facts(query)]
        elif header in _ANSWER_HEADERS:
            headers.append((header, shown_header(header, value)))
    if answer.media_type == "application/jwt":
        headers.append(("(a JWT)", fingerprint(answer.body.decode("latin-1"))))
    try:
        members = parse_object(answer.body)
    except OidcError:
        return tuple(headers)
    return (*headers, *_CHOICES.get(name, member_facts)(members))


def claim_facts(claims: JsonObject) -> tuple[Fact, ...]:
    """Return claims, dates in words too."""
    return tuple([(name, _dated(name, claims[name], text)) for name, text in member_facts(claims)])


def _dated(name: str, value: JsonValue, text: str) -> str:
    date = numeric_date(value) if name in DATES else None
    told = "" if date is None else date_text(date)
    return f"{text}  ({told})" if told else text


def member_facts(members: JsonObject) -> tuple[Fact, ...]:
    """Return the members of an object."""
    shown = [(name, without_secrets(name, value)) for name, value in members.items()]
    return tuple([(name, text_of(value)) for name, value in shown])


def _endpoints(members: JsonObject) -> tuple[Fact, ...]:
    chosen = JsonObject({name: members[name] for name in _METADATA if name in members})
    rest = len(members) - len(chosen)
    return (*member_facts(chosen), *([("…", f"and {rest} more members")] if rest else []))


def _keys(members: JsonObject) -> tuple[Fact, ...]:
    keys = members.get("keys")
    if not isinstance(keys, tuple):
        return ()
    return tuple([(_text(key, "kid"), _described(key)) for key in keys])


def _described(key: JsonValue) -> str:
    parts = [_text(key, name) for name in ("kty", "crv", "alg", "use")]
    return ", ".join([part for part in parts if part])


def _text(key: JsonValue, name: str) -> str:
    value = key.get(name) if isinstance(key, JsonObject) else None
    return value if isinstance(value, str) else ""


_CHOICES: Final[Mapping[str, Callable[[JsonObject], tuple[Fact, ...]]]] = MappingProxyType(
    {"discovery": _endpoints, "key_set": _keys}
)
