"""An ID token on its own: for those who need nothing but the check (OIDC Core §3.1.3.7).

A login does this by itself.  Here a token may come from anywhere, so its keys are asked for on the
``unsolicited`` source, which strangers cannot use to hold up the provider's own rotation.
"""

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, cast

from attrs import field, frozen

from oidc_core.endpoints import id_token
from oidc_core.jose.jws import VerifiedJws
from oidc_core.machine.keys import Verification, verify_jwt
from oidc_core.machine.steps import Done, Step
from oidc_core.model.claims import IdToken
from oidc_core.model.evidence import Evidence
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.http import Source
from oidc_core.wire.jsontypes import JsonObject

if TYPE_CHECKING:
    from collections.abc import Callable


class ValidIdToken(NamedTuple):
    """An ID token that holds, and what was checked."""

    id_token: IdToken
    evidence: Evidence


def validate(
    rp: RelyingParty,
    token: str,
    expected: id_token.IdTokenExpectations,
    *,
    now: int,
    source: Source = "unsolicited",
) -> Step[ValidIdToken]:
    """Validate an ID token.

    Args:
        rp: the relying party.
        token: the token, as it came.
        expected: what it is compared with; the nonce has no default.
        now: the current time, in seconds since the epoch.
        source: ``solicited`` if the provider itself sent it in answer to a request of ours.

    Raises:
        ProtocolViolation: the code of the first rule that does not hold.
    """
    verification = IdTokenAlone(
        token=token,
        algorithms=rp.id_token_algorithms,
        encryption=rp.id_token_encryption,
        expected=expected,
    )
    return verify_jwt(rp, verification, source=source, now=now)


@frozen(kw_only=True)
class IdTokenAlone(Verification[ValidIdToken]):
    """An ID token that belongs to no operation."""

    types: ClassVar[frozenset[str]] = id_token.TYPES
    expected: id_token.IdTokenExpectations = field(repr=False)

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[ValidIdToken]:
        """Check its claims."""
        valid = id_token.check(rp, jws, claims, self.expected, raw=self.token)
        return Done(_valid(ValidIdToken, valid))


# What the constructor does, without the frame that a named tuple's own would cost each token.
_valid: Final = cast(
    "Callable[[type[ValidIdToken], tuple[IdToken, Evidence]], ValidIdToken]", vars(tuple)["__new__"]
)
