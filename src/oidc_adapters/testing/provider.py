"""A pure OpenID Provider: a value to log in at, in memory, without clock, network or randomness.

It is the other side of the protocol, written separately: it imports no check and no algorithm table
of the library, so that both cannot have the same fault, and it holds the client to every duty it
has there. A test that reaches a login's end has therefore proved something about both.
"""

from attrs import define, evolve

from oidc_adapters.testing.authorization_endpoint import arrival, callback
from oidc_adapters.testing.logouts import (
    after_logout,
    backchannel_logout,
    frontchannel_logout_urls,
)
from oidc_adapters.testing.metadata import discovery_urls, endpoint, key_set, metadata
from oidc_adapters.testing.oauth_messages import (
    OAuthError,
    json_answer,
)
from oidc_adapters.testing.parties import AuthorizationResponse, BackchannelLogout, Session
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.revocation_endpoint import revocation_answer
from oidc_adapters.testing.session_management import FRAME_HEADERS, FRAME_PAGE, PATH
from oidc_adapters.testing.token_endpoint import token_answer
from oidc_adapters.testing.userinfo_endpoint import userinfo_answer
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest


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
        there = now + self.skew
        try:
            answer = self._routed(request, there)
        except OAuthError as error:
            answer = error.answer(there)
        if isinstance(answer, NoAnswer):
            return evolve(answer, at=now)
        return evolve(answer, received_at=now)

    def _routed(self, request: WireRequest, now: int) -> Answer:
        url = request.url
        if url in {*discovery_urls(self.issuer), *discovery_urls(self.base)}:
            _require_method(request, "GET")
            changes = self.changes("discovery")
            members = self.dialect.spoken("metadata", metadata(self))
            return changes.answer(json_answer(changes.metadata(members), now))
        if url == endpoint(self.base, "jwks"):
            _require_method(request, "GET")
            changes = self.changes("keys")
            return changes.answer(json_answer(changes.key_set(key_set(self)), now))
        if url == endpoint(self.base, "token"):
            _require_method(request, "POST")
            return token_answer(self, request, now)
        if url == endpoint(self.base, "revoke"):
            _require_method(request, "POST")
            return revocation_answer(self, request, now)
        if self.session_management and url == endpoint(self.base, PATH):
            _require_method(request, "GET")
            return HttpResponse(200, FRAME_HEADERS, FRAME_PAGE, now)
        if url == endpoint(self.base, "userinfo"):
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
            now + self.skew,
            user=self.users[0].sub if user is None else user,
            approve=approve,
            session=session,
        )

    def end_session(self, url: str, now: int) -> str | None:
        """Let a browser arrive at the logout endpoint (RP-Initiated Logout §2, §3).

        The parameters of a form are taken from the query too.

        Returns:
            Where it is sent afterwards, or ``None`` if the request named no such place.

        Raises:
            RequestRefused: the hint is none of this provider's, the client does not fit, or the URI
                is not registered.
        """
        del now  # an expired ID token is still a hint
        return after_logout(self, url)

    def backchannel_logout(
        self,
        now: int,
        *,
        sub: str | None = None,
        sid: str | None = None,
        client_id: str | None = None,
    ) -> BackchannelLogout:
        """End sessions at a client, without a browser (OIDC Back-Channel Logout 1.0).

        Args:
            now: the time, in seconds since the epoch.
            sub: whose sessions end.
            sid: which session ends, as ``session.sid`` of an authorization response.
            client_id: the client; the first if left out.

        Returns:
            The request: the client gets ``logout.incoming()``.

        Raises:
            LookupError: no such client.
        """
        now += self.skew
        return backchannel_logout(self, now, sub=sub, sid=sid, client_id=client_id)

    def frontchannel_logout_urls(self, sid: str) -> tuple[str, ...]:
        """Return what a browser loads in frames when a session ends (Front-Channel Logout §3).

        They are the URLs of the clients with a ``frontchannel_logout_uri`` at which somebody logged
        in by that session.
        """
        return frontchannel_logout_urls(self, sid)

    def rotate_keys(self, *, keep_previous: bool = True) -> None:
        """Sign with new keys from now on; the previous ones stay published or are withdrawn."""
        self.keys.rotate(keep_previous=keep_previous)

    def moved_to(self, issuer: str) -> "FakeProvider":
        """Return a provider configured alike under another issuer, without this one's memory."""
        return evolve(self, issuer=issuer, dialect=evolve(self.dialect, endpoints_below=""))


def _require_method(request: WireRequest, *methods: str) -> None:
    if request.method not in methods:
        raise OAuthError("invalid_request", f"use {' or '.join(methods)}", status=405)
