"""A refreshed ID token: the same session goes on, so the same user has to (OIDC Core §12.2)."""

from typing import Final

from oidc_core.endpoints.id_token.rules import ID_TOKEN_RULES, Examined
from oidc_core.model.claims import audience, numeric_date
from oidc_core.model.evidence import Rule, RuleTable, SkipReason
from oidc_core.wire.encoding import same
from oidc_core.wire.errors import ProtocolViolation

_KEPT: Final = frozenset({"iss", "aud", "azp", "exp", "iat", "nbf", "sub", "at_hash", "optional"})


def _same_issuer(token: Examined) -> SkipReason | None:
    if token.claim("iss") != token.expected.original.members.get("iss"):
        raise ProtocolViolation("refresh_id_token_iss", about="iss")
    return None


def _same_subject(token: Examined) -> SkipReason | None:
    if token.claim("sub") != token.expected.original.members.get("sub"):
        raise ProtocolViolation("refresh_id_token_sub", about="sub")
    return None


def _same_audience(token: Examined) -> SkipReason | None:
    new = audience(token.claim("aud"))
    old = audience(token.expected.original.members.get("aud"))
    if new is None or old is None or {*new} != {*old}:
        raise ProtocolViolation("refresh_id_token_aud", found=new, expected=old, about="aud")
    return None


def _same_authorized_party(token: Examined) -> SkipReason | None:
    new, old = token.claim("azp"), token.expected.original.members.get("azp")
    if new is None or old is None:
        return "absent"
    if new != old:
        raise ProtocolViolation("refresh_id_token_azp", about="azp")
    return None


def _same_nonce(token: Examined) -> SkipReason | None:
    new, old = token.claim("nonce"), token.expected.original.members.get("nonce")
    if new is None:
        return "absent"
    if not isinstance(new, str) or not isinstance(old, str) or not same(new, old):
        raise ProtocolViolation("refresh_id_token_nonce", about="nonce")
    return None


def _same_authentication(token: Examined) -> SkipReason | None:
    """An older ``auth_time`` is another session's; a newer one raises nothing here."""
    new = numeric_date(token.claim("auth_time"))
    old = numeric_date(token.expected.original.members.get("auth_time"))
    if new is None or old is None:
        return "absent"
    if new < old:
        raise ProtocolViolation("refresh_id_token_auth_time", found=new, expected=old)
    return "newer; the session keeps the old one" if new > old else None


_P: Final = "OIDC Core §12.2"

_EARLIER: Final = frozenset({"encryption", "signature", "alg", "kind"})

REFRESH_RULES: Final = RuleTable(
    "refreshed_id_token",
    (
        *[rule for rule in ID_TOKEN_RULES.rules if rule.name in _EARLIER],
        Rule("same_iss", _P, "the issuer is the original's", _same_issuer),
        Rule("same_sub", _P, "the user is the original's", _same_subject),
        Rule("same_aud", _P, "the audience is the original's", _same_audience),
        Rule("same_azp", _P, "the authorized party is the original's", _same_authorized_party),
        Rule("same_nonce", _P, "no nonce, or the original's", _same_nonce),
        Rule("same_auth_time", _P, "the authentication is the original's", _same_authentication),
        *[rule for rule in ID_TOKEN_RULES.rules if rule.name in _KEPT],
    ),
)
