"""The places of the wire at which a row differs from an honest provider."""

from functools import cache
from typing import Any, Final

from oidc_adapters.testing.law_places import HonestMessages, Places
from oidc_adapters.testing.law_trials import Trial
from oidc_adapters.testing.misbehaviours import Deviation
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import DEFAULT_POLICY

_SIGNED: Final = {"userinfo_signed_response_alg": "EdDSA"}
_REGISTERED: Final[dict[str, dict[str, Any]]] = {
    "RS256": {"id_token_signed_response_alg": "RS256"},
    "signed_userinfo": _SIGNED,
}


@cache
def _honest(kind: str) -> HonestMessages:
    client = ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback",),
        scope="openid email",
        **_REGISTERED.get(kind, {}),
    )
    messages = HonestMessages()
    request = AuthenticationRequest(claims={"id_token": {"email": {"essential": True}}})
    trial = Trial(policy=DEFAULT_POLICY, registration=client, request=request)
    assert trial.code(messages.listening()) is None
    return messages


def places_of(row: Deviation, alg: str = "") -> Places:
    """Return what a row changes: an empty set would be a row that changes nothing."""
    return _honest(alg or row.needs).changed_by(row)
