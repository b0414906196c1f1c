"""Ends of sessions at the fake provider: asked for by a client, and told to the clients."""

from urllib.parse import urlencode

from oidc_adapters.testing.claims import logout_token_draft, sent_as_id_token
from oidc_adapters.testing.ledger import IssuedIdToken
from oidc_adapters.testing.metadata import endpoint, published_keys
from oidc_adapters.testing.oauth_messages import RequestRefused, unique_parameters
from oidc_adapters.testing.parties import BackchannelLogout
from oidc_adapters.testing.provider_state import ProviderState
from oidc_core.wire.urls import with_query


def after_logout(state: ProviderState, url: str) -> str | None:
    """Return where the browser goes after a logout, if the request names a place.

    Raises:
        RequestRefused: the hint is none of this provider's, the client does not fit, or the URI is
            not registered.
    """
    base, _, query = url.partition("?")
    try:
        parameters, repeated = unique_parameters(query)
    except ValueError:
        raise RequestRefused("invalid_request", "the query is not form-encoded") from None
    if base != endpoint(state.base, "end-session") or repeated:
        raise RequestRefused("invalid_request", "another endpoint, or repeated parameters")
    client_id = parameters.get("client_id")
    if "id_token_hint" in parameters:
        hinted = _hinted(state, parameters["id_token_hint"])
        if hinted is None or client_id not in {None, hinted.client_id}:
            raise RequestRefused("invalid_request", "id_token_hint is unknown, or not the client's")
        client_id = hinted.client_id
    uri = parameters.get(state.dialect.logout_parameter)
    if uri is None:
        return None
    client = state.client(client_id)
    if client is None or uri not in client.post_logout_redirect_uris:
        why = f"{state.dialect.logout_parameter} is not registered"
        raise RequestRefused("invalid_request", why)
    if "state" not in parameters:
        return uri
    return with_query(uri, urlencode({"state": parameters["state"]}))


def _hinted(state: ProviderState, hint: str) -> IssuedIdToken | None:
    """Return the client and user of an ID token, if it is a hint to this provider."""
    issued = state.ledger.id_tokens.get(hint)
    if issued is None or state.hint_rule == "issued":
        return issued
    if state.hint_rule == "newest":
        of_session = [
            text
            for text, each in state.ledger.id_tokens.items()
            if (each.client_id, each.sid) == (issued.client_id, issued.sid)
        ]
        return issued if of_session[-1] == hint else None
    kids = [key.kid for key in published_keys(state)]
    return issued if issued.kid in {None, *kids} else None


def backchannel_logout(
    state: ProviderState, now: int, *, sub: str | None, sid: str | None, client_id: str | None
) -> BackchannelLogout:
    """Return the request that ends sessions at a client.

    Raises:
        LookupError: there is no client of that name.
    """
    client = state.clients[0] if client_id is None else state.client(client_id)
    if client is None:
        raise LookupError(client_id)
    changes = state.changes("logout")
    signed = changes.logout_token(logout_token_draft(state, client, sub, sid, now))
    token = sent_as_id_token(state, client, signed, changes)
    form = urlencode({"logout_token": token}).encode("ascii")
    return changes.logout(
        BackchannelLogout(uri=client.backchannel_logout_uri, logout_token=token, form=form)
    )


def frontchannel_logout_urls(state: ProviderState, sid: str) -> tuple[str, ...]:
    """Return the URLs of a session's clients, each with issuer and session."""
    involved = {each.client_id for each in state.ledger.id_tokens.values() if each.sid == sid}
    named = urlencode({"iss": state.issuer, "sid": sid})
    return tuple(
        [
            with_query(client.frontchannel_logout_uri, named)
            for client in state.clients
            if client.frontchannel_logout_uri is not None and client.client_id in involved
        ]
    )
