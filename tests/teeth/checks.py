"""The checks that can be emptied: where each is, and what it does when it checks nothing."""

from typing import Final, NamedTuple


class Check(NamedTuple):
    """A check of the library.

    Attributes:
        module, name: the function, with its class if it has one.
        emptied: what it does instead, as source; ``return None`` accepts in a row of rules.
        before: whether that comes before its own body, and not in its place.
    """

    module: str
    name: str
    emptied: str = "return None"
    before: bool = False


_RESPONSE: Final = "oidc_core.endpoints.authorization.response"
_SHARED: Final = "oidc_core.machine.claim_rules"
_ID_TOKEN: Final = "oidc_core.endpoints.id_token.rules"
_MEMORY: Final = "oidc_adapters.stores.pending.in_memory"
_BROWSER: Final = "oidc_adapters.stores.pending.in_browser"

CHECKS: Final = {
    # the callback
    "state": Check(_RESPONSE, "_state"),
    "look-up by state": Check(
        _MEMORY,
        "MemoryPendingLogins.take",
        "pending_id = next(("
        "  kept.id for records in self._logins._lasting.values() for kept in records.values()"
        "  if self._login_binding(kept.id, cookies)"
        "), pending_id)",
        before=True,
    ),
    "browser binding": Check("oidc_core.model.pending", "check_binding"),
    "iss of the callback": Check(_RESPONSE, "_issuer"),
    "redirect_uri": Check(_RESPONSE, "_redirect_uri"),
    "route by redirect_uri": Check(
        "oidc_core.model.routes", "Routes.among", "return tuple(range(self._count))"
    ),
    "login lifetime": Check(_RESPONSE, "_lifetime"),
    "lifetime in the store": Check(_MEMORY, "_expired", "return False"),
    "take once": Check(_MEMORY, "_InFlight.remove"),
    "cookie cleared": Check(
        _BROWSER,
        "KeepsBinding._taken",
        "return Taken(pending=pending, binding=binding, cookies=(), single_use=single_use)",
    ),
    # signed tokens
    "signature": Check(
        "oidc_adapters.crypto.verification", "CryptographyVerifier.verifies", "return True"
    ),
    "key selection": Check(
        "oidc_core.jose.key_set",
        "KeySet.select",
        "return tuple([key for key in self._outcomes if isinstance(key, Jwk)])",
    ),
    "iss": Check(_SHARED, "issuer"),
    "aud": Check(_SHARED, "audiences"),
    "azp": Check(_ID_TOKEN, "_authorized_party"),
    "exp": Check(_SHARED, "expiry"),
    "nonce": Check(_ID_TOKEN, "_nonce"),
    "at_hash": Check(_ID_TOKEN, "_access_token_hash"),
    "UserInfo sub": Check("oidc_core.endpoints.userinfo", "_subject"),
    # logouts
    "addressee of a logout": Check(
        "oidc_core.operations.backchannel_logout",
        "addressees",
        "return tuple(range(len(rps)))",
    ),
    "logout event": Check("oidc_core.endpoints.logout_token", "_event"),
    "logout before a login": Check(
        "oidc_adapters.stores.session_values", "Head.has_ended", "return False"
    ),
    "end of the grant": Check("oidc_adapters.clients.session_ends", "SessionEnds._end_grant"),
}
"""By name."""
