"""An ID token alone: for applications that need only the check (OIDC Core §3.1.3.7).

A login does this by itself. Here a token may come from anywhere, so its keys are asked for as for
an ``unsolicited`` token, with which strangers cannot hold up the provider's own rotation. This kind
of token may have been kept for any time, and is valid until ``exp``: how long ago it was issued
only counts where the provider has just sent it.
"""

from typing import ClassVar, Final

from attrs import field, frozen

from oidc_core.endpoints import id_token
from oidc_core.endpoints.id_token import CheckedIdToken
from oidc_core.jose.jws import VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN, KEPT_ID_TOKEN, JwtProfile
from oidc_core.machine.steps import Done, Step
from oidc_core.machine.verification import Verification, verify_jwt
from oidc_core.model.demands import Demands
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.http import Source
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_kind, check_text

_SOURCES: Final = ("solicited", "unsolicited")


def validate(
    rp: RelyingParty,
    token: str,
    demands: Demands,
    *,
    now: int,
    access_token: str | None = None,
    source: Source = "unsolicited",
) -> Step[CheckedIdToken]:
    """Validate an ID token.

    Args:
        rp: the relying party.
        token: the unchanged token.
        demands: what is demanded of it; the nonce has no default.
        now: the current time, in seconds since the epoch.
        access_token: the one that came along, for ``at_hash``.
        source: ``solicited`` if the provider itself has just sent it in answer to a request of
            ours; only then must it have been issued lately (``Policy.id_token_age``).

    Raises:
        UsageError: ``parameter_invalid`` for an argument of another type.
        ProtocolViolation: the code of the first rule that does not hold.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_text(token, "token")
    check_kind(demands, Demands, about="demands")
    check_kind(now, int, about="now")
    if access_token is not None:
        check_kind(access_token, str, about="access_token")
    if source not in _SOURCES:
        check_kind(source, Source, about="source")
    expected = id_token.Expected(demands, access_token, parties=rp.client.trusted_parties)
    kind = IdTokenAlone if source == "solicited" else KeptIdToken
    verification = kind(token=token, expected=expected)
    return verify_jwt(rp, verification, source=source, now=now)


@frozen(kw_only=True)
class IdTokenAlone(Verification[CheckedIdToken]):
    """An ID token that belongs to no operation, and has just come."""

    profile: ClassVar[JwtProfile] = ID_TOKEN
    expected: id_token.Expected = field(repr=False)

    def passed(
        self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject
    ) -> Step[CheckedIdToken]:
        """Check its claims."""
        return Done(
            id_token.check(rp, jws, claims, self.expected, raw=self.token, profile=self.profile)
        )


class KeptIdToken(IdTokenAlone):
    """The same, kept for any time: it is valid until ``exp``."""

    __slots__ = ()
    profile: ClassVar[JwtProfile] = KEPT_ID_TOKEN
