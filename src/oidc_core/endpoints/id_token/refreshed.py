"""A refreshed ID token: the same session goes on, so the same user has to (OIDC Core §12.2)."""

from types import MappingProxyType
from typing import Final

from oidc_core.endpoints.id_token.rules import ID_TOKEN_RULES, ExaminedIdToken
from oidc_core.machine.claim_rules import refused, unread
from oidc_core.model.claim_values import audience, numeric_date
from oidc_core.model.evidence import Rule, RuleTable, SkipReason
from oidc_core.wire.encoding import same
from oidc_core.wire.facts import described, private
from oidc_core.wire.jsontypes import JsonValue


def _original(token: ExaminedIdToken, name: str) -> JsonValue:
    original = token.expected.original
    return None if original is None else original.members.get(name)


def _same_issuer(token: ExaminedIdToken) -> SkipReason | None:
    new, old = token.claim("iss"), _original(token, "iss")
    if not isinstance(new, str):
        unread(token, "iss", described(old))
    if new != old:
        found, expected = described(new), described(old)
        raise refused(token, "iss_mismatch", "iss", found=found, expected=expected)
    return None


def _same_subject(token: ExaminedIdToken) -> SkipReason | None:
    new, old = token.claim("sub"), _original(token, "sub")
    if new is None:
        unread(token, "sub", private(old))
    if new != old:
        raise refused(token, "sub_mismatch", "sub", found=private(new), expected=private(old))
    return None


def _same_audience(token: ExaminedIdToken) -> SkipReason | None:
    new, old = audience(token.claim("aud")), audience(_original(token, "aud"))
    if new is None:
        return unread(token, "aud", old)
    if old is None or {*new} != {*old}:
        expected = old or "absent"
        raise refused(token, "aud_mismatch", "aud", found=new, expected=expected)
    return None


def _same_authorized_party(token: ExaminedIdToken) -> SkipReason | None:
    new, old = token.claim("azp"), _original(token, "azp")
    if new is None or old is None:
        return "absent"
    if new != old:
        found, expected = described(new), described(old)
        raise refused(token, "azp_mismatch", "azp", found=found, expected=expected)
    return None


def _same_nonce(token: ExaminedIdToken) -> SkipReason | None:
    new, old = token.claim("nonce"), _original(token, "nonce")
    if new is None:
        return "absent"
    if not isinstance(new, str) or not isinstance(old, str) or not same(new, old):
        raise refused(token, "nonce_mismatch", "nonce", found=private(new), expected=private(old))
    return None


def _same_authentication(token: ExaminedIdToken) -> SkipReason | None:
    """An older ``auth_time`` is another session's; a newer one raises nothing here."""
    new, old = numeric_date(token.claim("auth_time")), numeric_date(_original(token, "auth_time"))
    if new is None or old is None:
        return "absent"
    if new < old:
        raise refused(token, "auth_time_mismatch", "auth_time", found=new, expected=old)
    return "newer; the session keeps the old one" if new > old else None


_P: Final = "OIDC Core §12.2"
_EARLIER: Final = ("encryption", "signature", "alg", "kind")
_KEPT: Final = ("iss", "aud", "azp", "exp", "iat", "nbf", "sub", "at_hash")
_RULE: Final = MappingProxyType({rule.name: rule for rule in ID_TOKEN_RULES.rules})

REFRESH_RULES: Final[RuleTable[ExaminedIdToken]] = RuleTable(
    "refreshed_id_token",
    (
        *[_RULE[name] for name in _EARLIER],
        Rule("same_iss", _P, "the issuer is the original's", _same_issuer),
        Rule("same_sub", _P, "the user is the original's", _same_subject),
        Rule("same_aud", _P, "the audience is the original's", _same_audience),
        Rule("same_azp", _P, "the authorized party is the original's", _same_authorized_party),
        Rule("same_nonce", _P, "no nonce, or the original's", _same_nonce),
        Rule("same_auth_time", _P, "the authentication is the original's", _same_authentication),
        *[_RULE[name] for name in _KEPT],
    ),
    optional=ID_TOKEN_RULES.optional,
)
"""The rules of an ID token that came with a refresh."""
