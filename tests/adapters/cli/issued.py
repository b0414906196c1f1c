"""Everything secret that was said in a login, to look for it where it must not be."""

import json
from base64 import b64decode
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, unquote

from oidc_adapters.cli.recording import Recorded
from oidc_core.wire.http import HttpResponse

_NAMES = frozenset(
    {"code", "state", "nonce", "code_verifier", "access_token", "refresh_token", "id_token"}
)


def secrets_of(exchanges: Iterable[Recorded]) -> frozenset[str]:
    """Collect codes, states, tokens, cookies and credentials from the recorded traffic."""
    return frozenset(secret for one in exchanges for secret in _secrets(one) if len(secret) > 7)


def _secrets(recorded: Recorded) -> Iterator[str]:
    request, answer = recorded.request, recorded.answer
    yield from _named(request.url.partition("?")[2])
    yield from _named((request.body or b"").decode())
    for name, value in request.headers:
        if name == "authorization":
            scheme, _, rest = value.partition(" ")
            yield rest
            if scheme == "Basic":
                yield unquote(b64decode(rest).decode().partition(":")[2])
    if isinstance(answer, HttpResponse):
        yield from _issued(answer)


def _issued(answer: HttpResponse) -> Iterator[str]:
    for name, value in answer.headers:
        if name == "location":
            yield from _named(value.partition("?")[2])
        elif name == "set-cookie":
            yield value.partition(";")[0].partition("=")[2]
    if answer.media_type == "application/jwt":
        yield from _parts(answer.body.decode())
    elif answer.media_type == "application/json" and b"access_token" in answer.body:
        try:
            members = json.loads(answer.body)
        except ValueError:  # a misbehaviour: no secret was issued
            return
        yield from (str(members[name]) for name in _NAMES & set(members))
        yield from _parts(str(members.get("id_token", "")))


def _named(form: str) -> Iterator[str]:
    return (value for name, value in parse_qsl(form) if name in _NAMES)


def _parts(jwt: str) -> Iterator[str]:
    """Yield a JWT and its signature; a part of it is as good as the whole."""
    yield jwt
    yield jwt.rpartition(".")[2]
