"""The record of a session in a browser, as compact JSON."""

from typing import Final, NamedTuple

from oidc_adapters.web.sessions import WebSession
from oidc_core.model.claims import Identity
from oidc_core.model.connection import Connection
from oidc_core.wire.errors import OidcError, StoreFailure
from oidc_core.wire.jsontypes import JsonObject, parse_object, render

_VERSION: Final = 1
_ABOUT: Final = "web session"


class Kept(NamedTuple):
    """A session, and when its last request came, in seconds since the epoch."""

    session: WebSession
    seen_at: int


def dump_session(kept: Kept) -> str:
    """Return a session as compact JSON."""
    session, seen_at = kept
    members = {
        "v": _VERSION,
        "identity": (session.identity.issuer, session.identity.subject),
        "claims": session.claims,
        "evidence": session.evidence,
        "connection": tuple(session.connection),
        "grant": session.grant_id,
        "times": (session.began_at, session.until, seen_at),
    }
    return render(JsonObject(members))


def load_session(text: str, session_id: str) -> Kept:
    """Read the session of that name.

    Raises:
        StoreFailure: ``record_invalid`` or ``record_version_unknown``.
    """
    try:
        members = parse_object(text.encode("utf-8", "surrogatepass")).members
    except OidcError:
        raise StoreFailure("record_invalid", about=_ABOUT) from None
    version = members.get("v")
    if version != _VERSION:
        found = version if isinstance(version, int) else type(version).__name__
        raise StoreFailure("record_version_unknown", about=_ABOUT, found=found, expected=_VERSION)
    named = ("identity", "claims", "connection", "grant", "times")
    evidence = members.get("evidence", ())  # an older record has none
    match (evidence, *[members.get(name) for name in named]):
        case (
            tuple() as told, (str(issuer), str(subject)), JsonObject() as claims,
            (str(), str(), str(), str(), str()) as connection, str(grant_id),
            (int(began_at), (int() | None) as until, int(seen_at)),
        ) if all(isinstance(each, JsonObject) for each in told):  # fmt: skip
            session = WebSession(
                session_id=session_id,
                identity=Identity(issuer, subject),
                claims=claims,
                evidence=tuple([each for each in told if isinstance(each, JsonObject)]),
                connection=Connection(*map(str, connection)),
                grant_id=grant_id,
                began_at=began_at,
                until=until,
            )
            return Kept(session, seen_at)
        case _:
            raise StoreFailure("record_invalid", about=_ABOUT)
