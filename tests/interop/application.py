"""An application made with the library, and a person at a browser in front of it."""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import urlencode

from attrs import define, evolve, field, frozen

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.clients.results import Redirect
from oidc_adapters.credentials.client_keys import ClientKey, ClientKeys, DecryptionKey, Signer
from oidc_adapters.stores.pending import (
    CookiePendingLogins,
    CookieProfile,
    PendingLogins,
)
from oidc_adapters.testing.signing_keys import private_key
from oidc_adapters.transport import Transport
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest
from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.operations.logout import LoggedOut
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject, render
from tests.interop.browser import Arrival, Browser
from tests.interop.clients import (
    AWKWARD_SECRET,
    POST_LOGOUT_REDIRECT_URI,
    REDIRECT_URI,
    AuthMethod,
    client_metadata,
)
from tests.interop.oidc_provider import Provider

POLICY: Final = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
COOKIES: Final = CookieProfile.insecure_for_loopback_development()
SEALING_SECRET: Final = "a sealing secret of 32 octets or so"
SCOPE: Final = "openid profile email"


@frozen(kw_only=True)
class Kind:
    """A kind of client: how it authenticates, and the signature algorithm of its ID tokens.

    Attributes:
        auth_method: how it authenticates at the token endpoint.
        assertion_alg: the algorithm of its assertions, if it makes some.
        id_token_alg: the algorithm of its ID tokens.
        secret: its secret, for the methods that use one.
    """

    auth_method: AuthMethod = "client_secret_basic"
    assertion_alg: str | None = None
    id_token_alg: str = "RS256"
    secret: str = AWKWARD_SECRET

    @property
    def authentication(self) -> str:
        """The method as the table names it, with the algorithm of its assertions."""
        return " ".join(filter(None, (self.auth_method, self.assertion_alg)))

    @property
    def row(self) -> tuple[str, str]:
        """The first two columns of the table."""
        return self.authentication, self.id_token_alg

    def __str__(self) -> str:
        return "-".join([*self.authentication.split(), self.id_token_alg])


def keys_of(kind: Kind) -> ClientKeys[Signer] | None:
    """The private keys of a client that signs with one, newest first: the other only waits."""
    if kind.auth_method != "private_key_jwt":
        return None
    alg = str(kind.assertion_alg)
    return ClientKeys(
        ClientKey(private_key(alg, "interop newest"), alg=alg),
        ClientKey(private_key(alg, "interop older"), alg=alg),
    )


def setup_at(
    op: Provider, kind: Kind, *, decryption_keys: tuple[DecryptionKey, ...] = (), **members: Any
) -> ClientSetup:
    """Register a client of that kind, with further metadata, and return its settings."""
    keys = keys_of(kind)
    if kind.assertion_alg is not None:
        members = {**members, "token_endpoint_auth_signing_alg": kind.assertion_alg}
    has_secret = kind.auth_method.startswith("client_secret")
    secret = {"client_secret": kind.secret} if has_secret else {}
    published = () if keys is None else keys.public_keys
    every = (*published, *[key.public_jwk() for key in decryption_keys])
    jwks = json.loads(render(JsonObject({"keys": every}))) if every else None
    metadata = client_metadata(kind.auth_method, kind.id_token_alg, jwks=jwks, **members)
    op.register(metadata | secret)
    return ClientSetup(
        issuer=op.issuer,
        client_secret=kind.secret if has_secret else None,
        client_keys=keys,
        decryption_keys=decryption_keys,
        registration=ClientRegistration(
            client_id=str(metadata["client_id"]),
            redirect_uris=(REDIRECT_URI,),
            post_logout_redirect_uris=(POST_LOGOUT_REDIRECT_URI,),
            token_endpoint_auth_method=kind.auth_method,
            token_endpoint_auth_signing_alg=kind.assertion_alg,
            id_token_signed_response_alg=kind.id_token_alg,
            userinfo_signed_response_alg=members.get("userinfo_signed_response_alg"),
            **{name: value for name, value in members.items() if "_encrypted_response_" in name},
            scope=SCOPE,
        ),
        policy=POLICY,
    )


def with_policy(setup: ClientSetup, **changed: Any) -> ClientSetup:
    """The same settings, with another policy."""
    return evolve(setup, policy=evolve(setup.policy, **changed))


def cookie_pending() -> CookiePendingLogins:
    """Logins in flight in the browser's own cookies."""
    return CookiePendingLogins(SEALING_SECRET, profile=COOKIES)


@define
class CookieBox:
    """The application's cookies in one browser."""

    cookies: dict[str, str] = field(factory=dict[str, str])

    def take(self, answer: Sequence[SetCookie]) -> None:
        """Do what the ``Set-Cookie`` headers of an answer say."""
        for cookie in answer:
            self.cookies.pop(cookie.name, None)
            if cookie.max_age:
                self.cookies[cookie.name] = cookie.value

    @property
    def header(self) -> str:
        """The ``Cookie`` header of the browser's next request."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())


def incoming_of(arrival: Arrival, cookie: str) -> Incoming:
    """The request that the application's redirect URI sees."""
    url, _, query = arrival.url.partition("?")
    if arrival.form is None:
        return Incoming(method="GET", url=url, query=query, cookie=cookie)
    body = urlencode(arrival.form).encode()
    return Incoming(method="POST", url=url, query=query, body=body, cookie=cookie)


class Application:
    """A web application with a person at a browser in front of it."""

    def __init__(
        self,
        setup: ClientSetup,
        transport: Transport,
        *,
        browser: Browser | None = None,
        pending: PendingLogins | None = None,
    ) -> None:
        store = cookie_pending() if pending is None else pending
        self.client = OidcClient.discover(setup, store, transport=transport)
        self.browser = Browser(setup.issuer) if browser is None else browser
        self.jar = CookieBox()

    def start(self, request: AuthenticationRequest = DEFAULT_REQUEST) -> str:
        """Press "log in": where the browser is sent."""
        redirect = self.client.start_login(request, return_to="/inbox", cookie=self.jar.header)
        self.jar.take(redirect.cookies)
        return redirect.url

    def finish(self, arrival: Arrival) -> LoggedIn:
        """Open the redirect URI with the parameters that the provider gave along."""
        result = self.client.finish_login(incoming_of(arrival, self.jar.header))
        self.jar.take(result.cookies)
        return result.logged_in

    def log_in(
        self,
        request: AuthenticationRequest = DEFAULT_REQUEST,
        *,
        login: str = "alice",
        cancel_at: Literal["login", "consent"] | None = None,
    ) -> LoggedIn:
        """Log in, by the provider's own pages."""
        return self.finish(
            self.browser.authorize(self.start(request), login=login, cancel_at=cancel_at)
        )

    def log_in_silently(self, request: AuthenticationRequest) -> LoggedIn:
        """Log in without seeing a page of the provider."""
        return self.finish(self.browser.authorize_silently(self.start(request)))

    def log_out(
        self, tokens: Tokens | None, request: LogoutRequest | None = None, *, confirm: bool = True
    ) -> LoggedOut:
        """Log out at the provider, come back, and forget."""
        return self.leave(self.client.start_logout(tokens, request), confirm=confirm)

    def leave(self, redirect: Redirect, *, confirm: bool = True) -> LoggedOut:
        """Follow a logout that has started to the provider, come back, and forget."""
        self.jar.take(redirect.cookies)
        arrival = self.browser.end_session(redirect.url, confirm=confirm)
        result = self.client.finish_logout(incoming_of(arrival, self.jar.header))
        self.jar.take(result.cookies)
        return result.logged_out
