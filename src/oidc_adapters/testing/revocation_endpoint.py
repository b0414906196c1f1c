"""The revocation endpoint: a client says that it needs a token no more (RFC 7009)."""

from oidc_adapters.testing.client_authentication import authenticated_client
from oidc_adapters.testing.oauth_messages import OAuthError, form_parameters
from oidc_adapters.testing.parties import FakeClient
from oidc_adapters.testing.provider_state import ProviderState
from oidc_core.wire.http import Answer, HttpResponse, WireRequest


def revocation_answer(state: ProviderState, request: WireRequest, now: int) -> Answer:
    """Revoke a token, with all tokens of its grant if it is a refresh token (RFC 7009 §2.1).

    An unknown token needs no revocation (§2.2), and a hint that is wrong does not count.

    Raises:
        OAuthError: the client does not prove itself, names no token, or names another client's.
    """
    form = form_parameters(request)
    client = authenticated_client(state, request, form, now)
    token = form.get("token")
    if not token:
        raise OAuthError("invalid_request", "token is missing")
    renewing = state.ledger.refresh_tokens.get(token)
    if renewing is not None:
        _require_owner(renewing.family.grant.client_id, client)
        renewing.family.revoked = True
    access = state.ledger.access_tokens.get(token)
    if access is not None:
        _require_owner(access.family.grant.client_id, client)
        del state.ledger.access_tokens[token]
    return HttpResponse(200, (("cache-control", "no-store"),), b"", now)


def _require_owner(owner: str, client: FakeClient) -> None:
    if owner != client.client_id:
        raise OAuthError("unauthorized_client", "the token is another client's")
