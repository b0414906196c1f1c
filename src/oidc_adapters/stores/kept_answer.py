"""The answer of a provider as text, for a store: what decides about it, and when it came."""

from typing import Final, NamedTuple

from attrs import frozen

from oidc_core.wire.errors import OidcError, StoreFailure
from oidc_core.wire.http import HttpResponse
from oidc_core.wire.jsontypes import JsonObject, parse_object, render
from oidc_core.wire.way import CHANNELS

LARGEST: Final = 360 * 1_024
"""Octets of a document that is shared; each process fetches a larger one for itself."""

_VERSION: Final = 1
_TYPE: Final = "content-type"


class Kept(NamedTuple):
    """An answer that some process got.

    Attributes:
        response: the answer; ``received_at`` is by the clock of this process.
        age: seconds since the request for it left, at least.
    """

    response: HttpResponse
    age: int


@frozen(kw_only=True)
class _Head:
    v: int
    status: int
    media_types: tuple[str, ...]
    server: str
    addresses_judged: bool
    asked_at: int
    received_at: int


def dump_answer(response: HttpResponse, asked_at: int) -> str | None:
    """Return an answer as text, or ``None`` if it is too large or no text.

    Args:
        response: the answer.
        asked_at: when the request left, by the clock of the store.
    """
    from oidc_core.wire.structuring import unstructured

    if len(response.body) > LARGEST:
        return None
    try:
        body = response.body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    head = _Head(
        v=_VERSION,
        status=response.status,
        media_types=tuple([value for name, value in response.headers if name == _TYPE]),
        server=response.channel.server,
        addresses_judged=response.channel.addresses_judged,
        asked_at=asked_at,
        received_at=response.received_at,
    )
    return f"{render(JsonObject(unstructured(head)))}\n{body}"


def load_answer(text: str, *, store_now: int, now: int) -> Kept | None:
    """Read an answer; ``None`` if another release wrote it, or if it is of the future.

    Two clocks tell how old it is, the store's and the clock of this process.  The greater age
    counts, so that neither clock makes an old document a new one.

    Args:
        text: as :func:`dump_answer` wrote it.
        store_now: by the clock of the store.
        now: in seconds since the epoch, by the clock of this process.

    Raises:
        StoreFailure: ``record_invalid``.
    """
    from oidc_core.wire.structuring import structured

    written, _, body = text.partition("\n")
    try:
        members = parse_object(written.encode("utf-8", "surrogatepass"))
        if members.members.get("v") != _VERSION:
            return None
        head = structured(members, _Head, StoreFailure, "record_invalid").value
        told = (head.server, head.addresses_judged)
        (channel,) = [each for each in CHANNELS if each == told]
        headers = tuple([(_TYPE, value) for value in head.media_types])
        octets = body.encode("utf-8", "surrogatepass")
        age = max(0, store_now - head.asked_at, now - head.received_at)
        response = HttpResponse(head.status, headers, octets, now - age, channel)
    except (OidcError, ValueError):
        raise StoreFailure("record_invalid", about="answer") from None
    return None if head.asked_at > store_now else Kept(response, age)
