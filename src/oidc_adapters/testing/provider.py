"""A pure OpenID Provider: a value to log in at, in memory, without clock, network or randomness.

It is the other side of the protocol, written separately: it imports no check and no algorithm table
of the library, so that both cannot have the same fault, and it holds the client to every duty it
has there. A test that reaches a login's end has therefore proved something about both.
"""

from urllib.parse import urlencode

from attrs import define, evolve

from oidc_adapters.testing.authorization_endpoint import arrival, callback
from oidc_adapters.testing.metadata import discovery_urls, endpoint, key_set, metadata
from oidc_adapters.testing.oauth_messages import (
    OAuthError,
    RequestRefused,
    json_answer,
    unique_parameters,
)
from oidc_adapters.testing.parties import AuthorizationResponse, Session
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.token_endpoint import token_answer
from oidc_adapters.testing.userinfo_endpoint import userinfo_answer
from oidc_core.wire.http import Answer, HttpResponse, WireRequest


@define(kw_only=True)
class FakeProvider(ProviderState):
    """An OpenID Provider in memory, honest unless told to misbehave.

    It is deterministic: the same seed and the same calls give the same octets (except the keys and
    signatures of RSA, which are made in each process again, the salt of PS* and the padding of
    RSA-OAEP). It is not thread-safe; the servers and transports of this package take care of that.

    Its parameters, all by name, are the attributes of :class:`ProviderState`.
    """

    def answer(self, request: WireRequest, now: int) -> Answer:
        """Answer a request on the back channel.

        Args:
            request: what the client sent.
            now: the time, in seconds since the epoch.

        Returns:
            The answer, with ``now`` as its time of receipt, or the failure of the exchange.
        """
        try:
            return self._routed(request, now)
        except OAuthError as error:
            return error.answer(now)

    def _routed(self, request: WireRequest, now: int) -> Answer:
        url = request.url
        if url in discovery_urls(self.issuer):
            _require_method(request, "GET")
            changes = self.changes("discovery")
            return changes.answer(json_answer(changes.metadata(metadata(self)), now))
        if url == endpoint(self.issuer, "jwks"):
            _require_method(request, "GET")
            changes = self.changes("keys")
            return changes.answer(json_answer(changes.key_set(key_set(self)), now))
        if url == endpoint(self.issuer, "token"):
            _require_method(request, "POST")
            return token_answer(self, request, now)
        if url == endpoint(self.issuer, "userinfo"):
            _require_method(request, "GET", "POST")
            return userinfo_answer(self, request, now)
        return HttpResponse(404, (("content-type", "text/plain"),), b"not found", now)

    def authorize(
        self,
        url: str,
        now: int,
        *,
        user: str | None = None,
        approve: bool = True,
        session: Session | None = None,
    ) -> AuthorizationResponse:
        """Let a browser arrive at the authorization endpoint, and answer as the end-user decides.

        Args:
            url: the authorization URL, as the client made it.
            now: the time, in seconds since the epoch.
            user: the ``sub`` of who signs in; the first user if left out.  A good session wins.
            approve: whether the end-user consents; otherwise the answer is ``access_denied``.
            session: the browser's session at the provider, from an earlier callback.

        Raises:
            RequestRefused: the request must not be answered with a redirect.
            LookupError: no such user.
        """
        return callback(
            self,
            arrival(self, url),
            now,
            user=self.users[0].sub if user is None else user,
            approve=approve,
            session=session,
        )

    def end_session(self, url: str, now: int) -> str | None:
        """Let a browser arrive at the logout endpoint (RP-Initiated Logout §2, §3).

        Returns:
            Where it is sent afterwards, or ``None`` if the request named no such place.

        Raises:
            RequestRefused: the hint is none of this provider's, the client does not fit, or the URI
                is not registered.
        """
        del now  # an expired ID token is still a hint
        base, _, query = url.partition("?")
        try:
            parameters, repeated = unique_parameters(query)
        except ValueError:
            raise RequestRefused("invalid_request", "the query is not form-encoded") from None
        if base != endpoint(self.issuer, "end-session") or repeated:
            raise RequestRefused("invalid_request", "another endpoint, or repeated parameters")
        client_id = parameters.get("client_id")
        if "id_token_hint" in parameters:
            hinted = self.ledger.id_tokens.get(parameters["id_token_hint"])
            if hinted is None or client_id not in {None, hinted.client_id}:
                raise RequestRefused(
                    "invalid_request", "id_token_hint is unknown, or not the client's"
                )
            client_id = hinted.client_id
        uri = parameters.get("post_logout_redirect_uri")
        if uri is None:
            return None
        client = self.client(client_id)
        if client is None or uri not in client.post_logout_redirect_uris:
            raise RequestRefused("invalid_request", "post_logout_redirect_uri is not registered")
        if "state" not in parameters:
            return uri
        return uri + ("&" if "?" in uri else "?") + urlencode({"state": parameters["state"]})

    def rotate_keys(self, *, keep_previous: bool = True) -> None:
        """Sign with new keys from now on; the previous ones stay published or are withdrawn."""
        self.keys.rotate(keep_previous=keep_previous)

    def moved_to(self, issuer: str) -> "FakeProvider":
        """Return a provider configured alike under another issuer, without this one's memory."""
        return evolve(self, issuer=issuer)


def _require_method(request: WireRequest, *methods: str) -> None:
    if request.method not in methods:
        raise OAuthError("invalid_request", f"use {' or '.join(methods)}", status=405)
