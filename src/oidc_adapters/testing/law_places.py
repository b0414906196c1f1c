"""The places at which a misbehaviour changes the messages of an honest provider.

Two misbehaviours are independent if they change different places.  Places are found by comparison:
each message of an honest login is changed, and what differs is named, as in ``id_token.claims.aud``
or ``metadata.issuer``.  A place holds those below it: ``tokens`` is the whole token answer.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias, TypeVar

from attrs import define, field

from oidc_adapters.testing.misbehaviours import HONEST, Changes, Deviation
from oidc_adapters.testing.parties import AuthorizationResponse, BackchannelLogout, Members
from oidc_adapters.testing.signing import JwtDraft, b64url, b64url_octets, rendered, verifies

Places: TypeAlias = frozenset[str]
T = TypeVar("T")

_ANSWER: Final = {
    "discovery": "metadata",
    "authorization": "callback",
    "token": "tokens",
    "keys": "key_set",
    "userinfo": "userinfo",
    "logout": "logout",
}
_MEMBERS: Final = ("metadata", "key_set", "tokens", "userinfo")
_JWTS: Final = ("id_token", "userinfo_jwt", "logout_token")


@define(kw_only=True)
class HonestMessages:
    """What an honest provider said, by the part of :class:`Changes` that could have changed it."""

    said: dict[str, Any] = field(factory=dict[str, Any], repr=False)

    def listening(self) -> tuple[Deviation, ...]:
        """Return deviations that change nothing, and keep what they are given."""
        changes = Changes(
            metadata=self._keep("metadata", HONEST.metadata),
            key_set=self._keep("key_set", HONEST.key_set),
            callback=self._keep("callback", HONEST.callback),
            id_token=self._keep("id_token", HONEST.id_token),
            tokens=self._keep("tokens", HONEST.tokens),
            userinfo=self._keep("userinfo", HONEST.userinfo),
            userinfo_jwt=self._keep("userinfo_jwt", HONEST.userinfo_jwt),
        )
        ends = Changes(
            logout_token=self._keep("logout_token", HONEST.logout_token),
            logout=self._keep("logout", HONEST.logout),
        )
        return (
            Deviation(
                name="listens to a login",
                endpoint="token",
                during="login",
                summary="changes nothing",
                changes=changes,
            ),
            Deviation(
                name="listens to a logout",
                endpoint="logout",
                during="logout",
                summary="changes nothing",
                changes=ends,
            ),
        )

    def _keep(self, part: str, honest: Callable[[Any], T]) -> Callable[[Any], T]:
        def keep(message: Any) -> T:
            self.said.setdefault(part, message)
            return honest(message)

        return keep

    def changed_by(self, row: Deviation) -> Places:
        """Return the places that a deviation changes; those of a refresh are apart."""
        places = frozenset(self._changed(row))
        return frozenset(f"refresh.{place}" for place in places) if _refreshes(row) else places

    def _changed(self, row: Deviation) -> Iterator[str]:
        changes = row.changes
        if changes.answer is not HONEST.answer:
            yield _ANSWER[row.endpoint]
        if changes.encrypted is not HONEST.encrypted:
            yield f"{row.endpoint} encryption"
        for part in _MEMBERS:
            if part in self.said:
                yield from _members(part, self.said[part], getattr(changes, part)(self.said[part]))
        for part in _JWTS:
            if part in self.said and getattr(changes, part) is not getattr(HONEST, part):
                yield from _jwt(part, self.said[part], getattr(changes, part)(self.said[part]))
        if "callback" in self.said:
            yield from _callback(self.said["callback"], changes.callback(self.said["callback"]))
        if "logout" in self.said:
            yield from _logout(self.said["logout"], changes.logout(self.said["logout"]))


def independent(first: Places, second: Places) -> bool:
    """Return whether no place of the one holds a place of the other."""
    return not any(
        f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
        for one in first
        for other in second
    )


def _refreshes(row: Deviation) -> bool:
    return row.during == "refresh"


def _members(part: str, before: Members, after: Members) -> Iterator[str]:
    for name in before.keys() | after.keys():
        if name not in before or name not in after or before[name] != after[name]:
            yield f"{part}.{name}"


def _callback(before: AuthorizationResponse, after: AuthorizationResponse) -> Iterator[str]:
    if before.mode != after.mode:
        yield "callback.mode"
    differing = Counter(before.parameters)
    differing.subtract(after.parameters)
    names = {name for (name, _), times in differing.items() if times}
    yield from (f"callback.{name}" for name in names)
    if "error" in names:  # it stands in the place of a code
        yield "callback.code"


def _logout(before: BackchannelLogout, after: BackchannelLogout) -> Iterator[str]:
    for name in ("form", "content_type"):
        if getattr(before, name) != getattr(after, name):
            yield f"logout.{name}"


def _jwt(part: str, draft: JwtDraft, after: str) -> Iterator[str]:
    texts = after.split(".")
    if len(texts) != 3 or not all(map(_canonical, texts)):
        yield f"{part}.form"
        return
    yield from _object(f"{part}.header", draft.header, b64url_octets(texts[0]))
    yield from _object(f"{part}.claims", draft.claims, b64url_octets(texts[1]))
    if not _signed(draft, ".".join(texts[:2]), b64url_octets(texts[2])):
        yield f"{part}.signature"


def _canonical(text: str) -> bool:
    """Return whether a text is base64url as everybody writes it."""
    try:
        return b64url(b64url_octets(text)) == text
    except ValueError:
        return False


def _signed(draft: JwtDraft, signing_input: str, signature: bytes) -> bool:
    octets = signing_input.encode("ascii")
    if isinstance(draft.key.private, bytes):
        return draft.key.signature(octets) == signature
    return verifies(draft.key.public_jwk(), draft.key.alg, octets, signature)


def _object(place: str, before: Members, after: bytes) -> Iterator[str]:
    """Compare members with a rendered object, which may have a name twice."""
    try:
        pairs: object = json.loads(after.decode("utf-8"), object_pairs_hook=_Pairs)
    except ValueError:
        pairs = None
    if not isinstance(pairs, _Pairs):
        yield place
        return
    honest: _Pairs = json.loads(rendered({**before}), object_pairs_hook=_Pairs)
    differing = Counter((name, json.dumps(value)) for name, value in honest)
    differing.subtract(Counter((name, json.dumps(value)) for name, value in pairs))
    yield from (f"{place}.{name}" for (name, _), times in differing.items() if times)


class _Pairs(list[tuple[str, Any]]):
    """The members of a JSON object in their order."""
