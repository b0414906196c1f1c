"""Logins and logouts that have started, to be put into a store, and the browser between."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.crypto import CryptographyVerifier
from oidc_adapters.runtime.entropy import Entropy, FixedEntropy
from oidc_adapters.stores.pending import LogoutSecrets, PendingLogins, Taken, TakenLogout
from oidc_adapters.stores.pending.cookies import CookieProfile, Cookies
from oidc_adapters.stores.records import at_once
from oidc_core.endpoints.authorization import DEFAULT_REQUEST, AuthenticationRequest, Callback
from oidc_core.endpoints.end_session import LogoutRequest, pending_logout
from oidc_core.machine.steps import Done
from oidc_core.model.client import ClientRegistration
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.provider import ProviderMetadata
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import login
from oidc_core.operations.login import LoginStarted
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.errors import CallbackError, OidcError
from oidc_core.wire.incoming import Incoming

NOW: Final = 1_700_000_000
ISSUER: Final = "https://op.example"
SECRET: Final = b"the sealing secret of the tests!"

RP: Final = RelyingParty(
    provider=ProviderMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        jwks_uri=f"{ISSUER}/jwks",
    ),
    client=ClientRegistration(
        client_id="client",
        redirect_uris=("https://rp.example/callback", "https://rp.example/other"),
        post_logout_redirect_uris=("https://rp.example/bye", "https://rp.example/ciao"),
        scope="openid profile email",
    ),
    verifier=CryptographyVerifier(),
)
OTHER_CLIENT: Final = evolve(RP, client=evolve(RP.client, client_id="other"))
"""Another client of the same provider, with the same redirect URIs."""

Jar = dict[str, str]


def started(
    seed: int = 1,
    request: AuthenticationRequest = DEFAULT_REQUEST,
    *,
    now: int = NOW,
    store: PendingLogins | None = None,
    rp: RelyingParty = RP,
) -> LoginStarted:
    """Start a login with the secrets that its store wants."""
    entropy = FixedEntropy(seed)
    secrets = entropy.login_secrets() if store is None else store.secrets(entropy)
    step = login.start(rp, secrets, request, now=now)
    assert isinstance(step, Done)
    return step.result


def logout_started(
    store: PendingLogins,
    seed: int = 1,
    request: LogoutRequest | None = None,
    *,
    now: int = NOW,
    rp: RelyingParty = RP,
) -> tuple[PendingLogout, LogoutSecrets]:
    """Start a logout with the secrets that its store wants."""
    secrets = store.logout_secrets(FixedEntropy(seed))
    pending = pending_logout(rp, request or LogoutRequest(), state=secrets.state, now=now)
    return pending, secrets


def sent(cookies: Jar) -> tuple[tuple[str, str], ...]:
    """The cookies of a browser as a store is given them."""
    return tuple(cookies.items())


def received(cookies: Jar, new: tuple[SetCookie, ...]) -> Jar:
    """The cookies of a browser after it was told to set these, and to forget others."""
    kept = dict(cookies)
    for cookie in new:
        kept.pop(cookie.name, None)
        if cookie.max_age > 0:
            kept[cookie.name] = cookie.value
    return kept


def jar(*cookies: SetCookie) -> Jar:
    """The cookies of a browser that received these in order, and had no cookies before."""
    return received({}, cookies)


def size(cookies: Jar) -> int:
    """The octets that these cookies take in a ``Cookie`` header, with the separators."""
    return sum(len(f"{name}={value}; ") for name, value in cookies.items())


def put(store: PendingLogins, begun: LoginStarted, cookies: Jar | None = None) -> Jar:
    """The browser's cookies after this login began."""
    new = store.put(RP, begun, sent(cookies or {}), begun.pending.created_at)
    return received(cookies or {}, new)


def finished(begun: LoginStarted, taken: Taken, *, rp: RelyingParty = RP, now: int = NOW) -> object:
    """The core's result for a login that was taken, and for a callback that answers it."""
    callback = Callback(parameters=(("code", "code-1"), ("state", begun.pending.state)))
    return login.finish(rp, taken.pending, callback, binding=taken.binding, now=now)


def refused(kind: type[OidcError], expected: str, operation: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        operation()
    assert (type(caught.value), caught.value.code) == (kind, expected)
    return caught.value


def came_back(state: str) -> Incoming:
    """The request of a browser that returns from a logout."""
    uri = RP.client.post_logout_redirect_uris[0]
    return Incoming(method="GET", url=uri, query=f"state={state}")


def all_taken(takes: list[Callable[[], str]]) -> list[str]:
    """The logins that eight threads take, each of which tries everything."""
    barrier = threading.Barrier(8)

    def take_all() -> list[str]:
        barrier.wait(30)
        taken: list[str] = []
        for take in takes:
            with suppress(CallbackError):
                taken.append(take())
        return taken

    with ThreadPoolExecutor(8) as threads:
        futures = [threads.submit(take_all) for _ in range(8)]
        return [state for future in futures for state in future.result(60)]


def refusal(
    store: PendingLogins,
    pending_id: str,
    cookies: Jar,
    *,
    now: int = NOW,
    rp: RelyingParty = RP,
) -> CallbackError:
    with pytest.raises(CallbackError) as caught:
        store.take(rp, pending_id, sent(cookies), now)
    return caught.value


def code(store: PendingLogins, pending_id: str, cookies: Jar, *, now: int = NOW) -> str:
    return refusal(store, pending_id, cookies, now=now).code


class Awaited:
    """A store whose awaited calls are made, for tests of code that waits; nothing may suspend."""

    def __init__(self, store: PendingLogins) -> None:
        self._store = store

    @property
    def profile(self) -> CookieProfile:
        return self._store.profile

    def secrets(self, entropy: Entropy, /) -> LoginSecrets:
        return self._store.secrets(entropy)

    def logout_secrets(self, entropy: Entropy, /) -> LogoutSecrets:
        return self._store.logout_secrets(entropy)

    def put(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        return at_once(self.put_async(rp, started, cookies, now))

    def belongs(self, rp: RelyingParty, pending_id: str, cookies: Cookies, /) -> bool:
        return at_once(self.belongs_async(rp, pending_id, cookies))

    def take(self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /) -> Taken:
        return at_once(self.take_async(rp, pending_id, cookies, now))

    def put_logout(
        self,
        rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        return at_once(self.put_logout_async(rp, pending, secrets, cookies, now))

    def take_logout(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        return at_once(self.take_logout_async(rp, pending_id, cookies, now))

    async def put_async(
        self, rp: RelyingParty, started: LoginStarted, cookies: Cookies, now: int, /
    ) -> tuple[SetCookie, ...]:
        return await self._store.put_async(rp, started, cookies, now)

    async def belongs_async(self, rp: RelyingParty, pending_id: str, cookies: Cookies, /) -> bool:
        return await self._store.belongs_async(rp, pending_id, cookies)

    async def take_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> Taken:
        return await self._store.take_async(rp, pending_id, cookies, now)

    async def put_logout_async(
        self,
        rp: RelyingParty,
        pending: PendingLogout,
        secrets: LogoutSecrets,
        cookies: Cookies,
        now: int,
        /,
    ) -> tuple[SetCookie, ...]:
        return await self._store.put_logout_async(rp, pending, secrets, cookies, now)

    async def take_logout_async(
        self, rp: RelyingParty, pending_id: str, cookies: Cookies, now: int, /
    ) -> TakenLogout:
        return await self._store.take_logout_async(rp, pending_id, cookies, now)
