"""A pure OpenID Provider: a value to log in at, in memory, without clock, network or randomness.

It is the other side of the protocol, written separately: it imports no check and no algorithm table
of the library, so that both cannot have the same fault, and it holds the client to every duty it
has there. A test that reaches a login's end has therefore proved something about both.
"""

from collections import deque
from collections.abc import Mapping
from typing import Literal

from attrs import define, evolve

from oidc_adapters.testing.authorization_endpoint import callback
from oidc_adapters.testing.authorization_request import arrival
from oidc_adapters.testing.failures import BACK_CHANNEL, BackChannel, Failure
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
from oidc_adapters.testing.parties import (
    AuthorizationResponse,
    BackchannelLogout,
    FakeUser,
    Session,
)
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.revocation_endpoint import revocation_answer
from oidc_adapters.testing.session_management import FRAME_HEADERS, FRAME_PAGE, PATH
from oidc_adapters.testing.token_endpoint import token_answer
from oidc_adapters.testing.userinfo_endpoint import userinfo_answer
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
from oidc_core.wire.settings import check_kind


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
        there, name = now + self.skew, self._endpoint(request.url)
        failure = self.ledger.next_failure(name)
        if failure is not None and not failure.acts:
            return failure.answer(now)
        try:
            answer = self._routed(name, request, there)
        except OAuthError as error:
            answer = self.dialect.refused(error, there)
        if failure is not None:
            return failure.answer(now)
        if isinstance(answer, NoAnswer):
            return evolve(answer, at=now)
        return evolve(answer, received_at=now)

    def _endpoint(self, url: str) -> BackChannel | Literal["frame", ""]:
        """Return which endpoint a URL is."""
        if url in {*discovery_urls(self.issuer), *discovery_urls(self.base)}:
            return "discovery"
        return self._paths().get(url, "")

    def _paths(self) -> dict[str, BackChannel | Literal["frame"]]:
        frame: dict[str, Literal["frame"]] = {endpoint(self.base, PATH): "frame"}
        return {
            endpoint(self.base, "jwks"): "keys",
            endpoint(self.base, "token"): "token",
            endpoint(self.base, "revoke"): "revocation",
            endpoint(self.base, "userinfo"): "userinfo",
            **(frame if self.has_session_state else {}),
        }

    def _routed(self, name: str, request: WireRequest, now: int) -> Answer:
        if name == "discovery":
            _require_method(request, "GET")
            changes = self.changes("discovery")
            members = self.dialect.spoken("metadata", metadata(self))
            return changes.answer(json_answer(changes.metadata(members), now))
        if name == "keys":
            _require_method(request, "GET")
            changes = self.changes("keys")
            return changes.answer(json_answer(changes.key_set(key_set(self)), now))
        if name == "token":
            _require_method(request, "POST")
            return token_answer(self, request, now)
        if name == "revocation":
            _require_method(request, "POST")
            return revocation_answer(self, request, now)
        if name == "frame":
            _require_method(request, "GET")
            return HttpResponse(200, FRAME_HEADERS, FRAME_PAGE, now)
        if name == "userinfo":
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
        form: bytes = b"",
    ) -> AuthorizationResponse:
        """Let a browser arrive at the authorization endpoint, and answer as the end-user decides.

        Args:
            url: the authorization URL, as the client made it.
            now: the time, in seconds since the epoch.
            user: the ``sub`` of who signs in.  If left out, it is the user of the session, of
                ``id_token_hint`` or of ``login_hint``, and last the first.  A good session wins.
            approve: whether the end-user consents; otherwise the answer is ``access_denied``, or
                ``consent_required`` with ``prompt=none``.
            session: the browser's session at the provider, from an earlier callback.
            form: what the browser posted, where the request is a form (OIDC Core §3.1.2.1).

        Raises:
            RequestRefused: the request must not be answered with a redirect.
            LookupError: no such user.
        """
        return callback(
            self,
            arrival(self, url, form),
            now + self.skew,
            user=user,
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

    def fail_next(
        self,
        name: BackChannel,
        status: int | None = 503,
        *,
        times: int = 1,
        error: str = "server_error",
        acts: bool = False,
    ) -> None:
        """Have the next requests at an endpoint fail; those after them are answered as ever.

        Args:
            name: which endpoint.
            status: the status of the answers, or ``None`` for no answer at all.
            times: how many requests fail.
            error: the OAuth error that they are told; empty for an empty body.
            acts: whether the provider does first what it was asked, so that only its answer is
                lost: a code or a refresh token is used up.

        Raises:
            UsageError: ``parameter_invalid``.
        """
        if name not in BACK_CHANNEL:
            expected = tuple(sorted(BACK_CHANNEL))
            raise UsageError("parameter_invalid", about="name", found=name, expected=expected)
        if status is not None and not 300 <= status <= 599:
            raise UsageError("parameter_invalid", about="status", found=status, expected="300-599")
        failure = Failure(status=status, error=error, acts=acts)
        self.ledger.failures.setdefault(name, deque()).extend([failure] * times)

    def add_user(self, user: FakeUser) -> None:
        """Have one more user; one of the same ``sub`` is replaced."""
        check_kind(user, FakeUser, about="user")
        others = [each for each in self.users if each.sub != user.sub]
        self.users = (*others, user)

    def change_claims(self, sub: str, claims: Mapping[str, object]) -> None:
        """Have other claims of a user from now on, in tokens and UserInfo of logins there were too.

        Args:
            sub: whose.
            claims: the new values by name; other claims stay.  ``None`` takes a claim away.

        Raises:
            LookupError: no such user.
        """
        changed = {**self.user(sub).claims, **claims}
        kept = {name: value for name, value in changed.items() if value is not None}
        user = FakeUser(sub=sub, claims=kept)
        self.users = tuple([user if each.sub == sub else each for each in self.users])

    def remove_user(self, sub: str) -> None:
        """Forget a user: their sessions end, and their tokens are refused.

        Raises:
            LookupError: no such user.
            UsageError: ``parameter_invalid`` for the last one.
        """
        gone = self.user(sub)
        if len(self.users) == 1:
            raise UsageError("parameter_invalid", about="sub", found=sub, expected="another user")
        self.users = tuple([user for user in self.users if user is not gone])

    def moved_to(self, issuer: str) -> "FakeProvider":
        """Return a provider configured alike under an issuer, without this one's memory.

        If that is not its own issuer, all its endpoints lie below the new one.
        """
        if issuer == self.issuer:
            return evolve(self)
        return evolve(self, issuer=issuer, dialect=evolve(self.dialect, endpoints_below=""))


def _require_method(request: WireRequest, *methods: str) -> None:
    if request.method not in methods:
        raise OAuthError("invalid_request", f"use {' or '.join(methods)}", status=405)
