"""The paved road, for code that awaits, like :mod:`oidc_adapters.clients.oidc_client`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Self, Unpack

from oidc_adapters.clients.asking import Asked, request_of
from oidc_adapters.clients.calls import (
    CLOSING,
    STORE,
    answering,
    arrived,
    as_cookies,
    as_taken,
    clearing,
    cookies_in,
    development_logins,
    finishing,
    mark_forgotten,
    restarting_once,
    starting,
)
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.life import AsyncWorld, Life, life_of
from oidc_adapters.clients.logouts import AwaitingLogouts
from oidc_adapters.clients.results import LoginResult, Redirect
from oidc_adapters.clients.shell import AsyncShell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.events import OnEvent
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.pending import PendingLogins, Taken
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.transport import AsyncTransport
from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    Callback,
    pending_id,
)
from oidc_core.endpoints.tokens import check_owner
from oidc_core.endpoints.userinfo import CheckedUserInfo
from oidc_core.model.records import Tokens
from oidc_core.model.relying_party import RelyingParty
from oidc_core.operations import userinfo
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.settings import as_setting

if TYPE_CHECKING:
    from oidc_adapters.clients.doors import Doors
    from oidc_adapters.clients.session_tokens import AsyncSessionTokens
    from oidc_adapters.stores.grants import Grants
    from oidc_adapters.stores.sessions import SessionIndex


class AsyncOidcClient(AwaitingLogouts):
    """One client at one provider, for code that awaits.

    It takes the same settings, and has the same calls, like
    :class:`~oidc_adapters.clients.oidc_client.OidcClient`. It may be used from several event loops,
    of asyncio and trio alike.

    Raises:
        UsageError: a setting is wrong.
    """

    __slots__ = ()

    def __init__(
        self,
        setup: ClientSetup,
        pending: PendingLogins,
        *,
        transport: AsyncTransport | None = None,
        keys: ProviderKeys | None = None,
        grants: "Grants | None" = None,
        sessions: "SessionIndex | None" = None,
        metadata: RecordMetadata | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        sender, close = _made(transport)
        shell = AsyncShell(sender, Credentials(), keys, clock=clock, entropy=entropy)
        life = life_of(setup, shell, on_event, close, metadata)
        super().__init__(life, pending, _doors(life, grants), sessions)

    @classmethod
    def of(
        cls,
        rp: RelyingParty,
        shell: AsyncShell,
        pending: PendingLogins,
        *,
        grants: "Grants | None" = None,
        sessions: "SessionIndex | None" = None,
        on_event: OnEvent | None = None,
    ) -> "AsyncOidcClient":
        """Return the client of a relying party and a shell, like :meth:`OidcClient.of`."""
        client = cls.__new__(cls)
        as_setting(rp, RelyingParty, "rp")
        as_setting(shell, AsyncShell, "shell")
        life = Life(rp, shell, on_event=on_event)
        super(AsyncOidcClient, client).__init__(life, pending, _doors(life, grants), sessions)
        return client

    @classmethod
    def for_development(cls, setup: ClientSetup, **world: Unpack[AsyncWorld]) -> "AsyncOidcClient":
        """Return a client for development, like :meth:`OidcClient.for_development`."""
        as_setting(setup, ClientSetup, "setup")
        return cls(setup.on_loopback(), development_logins(), **world)

    @classmethod
    async def discover(
        cls, setup: ClientSetup, pending: PendingLogins, **world: Unpack[AsyncWorld]
    ) -> "AsyncOidcClient":
        """Return a client that has discovered its provider, like :meth:`OidcClient.discover`."""
        client = cls(setup, pending, **world)
        try:
            await client._life.ready_async()
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        """Take no further call, let exchanges end, and close what the client made itself.

        It waits at most 30 seconds for exchanges of refresh tokens that have started.
        """
        self._life.shut()
        if self._doors is not None:
            await self._doors.close(CLOSING)
        self._life.close()

    async def __aenter__(self) -> Self:
        self._life.opened()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start_login(
        self,
        request: AuthenticationRequest = DEFAULT_REQUEST,
        *,
        return_to: str = "",
        cookie: str | bytes = "",
        **asked: Unpack[Asked],
    ) -> Redirect:
        """Start a login, like :meth:`OidcClient.start_login`."""
        with self._life.starting:
            wanted, seen = request_of(request, asked), cookies_in(cookie)
            rp, shell = await self._life.ready_async()
            now = shell.clock.now()
            with STORE:
                secrets = self.pending.secrets(shell.entropy)
            started = await shell.run(rp, starting(rp, secrets, wanted, return_to, now))
            with STORE:
                kept = await self.pending.put_async(rp, started, seen, now)
            return Redirect(url=started.url, cookies=as_cookies(kept))

    async def finish_login(
        self, incoming: Incoming, *, account: str = "", session_id: str = ""
    ) -> LoginResult:
        """Finish a login, like :meth:`OidcClient.finish_login`."""
        with self._life.arriving:
            callback = arrived(incoming, account)
            login_id = pending_id(callback)
            self._routes.among(incoming.url)
        return await self.finish_found(login_id, callback, incoming, account, session_id)

    async def finish_found(
        self,
        login_id: str,
        callback: Callback,
        incoming: Incoming,
        account: str,
        session_id: str = "",
    ) -> LoginResult:
        """Finish a login that is known to be of this client, or of no client."""
        pending, profile = self.pending, self.pending.profile
        self._check_name(session_id)
        with self._life.finishing, restarting_once(profile, incoming):
            rp, shell = await self._life.ready_async()
            now = shell.clock.now()
            with clearing(profile, profile.login_name(login_id), incoming):
                with STORE:
                    found = await pending.take_async(rp, login_id, incoming.cookies, now)
                taken = as_taken(found, Taken)
            with answering(taken.cookies, taken.pending):
                logged_in = await shell.run(rp, finishing(rp, taken, callback, now, account))
                grant_id = ""
                if self._copies is not None:
                    grant_id = await self._copies.kept(self._key_of, logged_in)
                if self._ends is not None:
                    await self._ends.add(rp.connection, logged_in, session_id, grant_id)
        cookies = (*taken.cookies, *mark_forgotten(profile, incoming))
        return LoginResult(
            logged_in=logged_in, cookies=cookies, connection=rp.connection, grant_id=grant_id
        )

    async def keep(self, tokens: Tokens) -> str:
        """Keep the tokens of a session, like :meth:`OidcClient.keep`."""
        copies = self._shared()
        check_owner(self.rp, tokens)
        return await copies.exchanges.keep(self._key_of, tokens)

    def tokens(self, grant_id: str) -> "AsyncSessionTokens":
        """Return the tokens of a session, like :meth:`OidcClient.tokens`."""
        from oidc_adapters.clients.session_tokens import AsyncSessionTokens

        return AsyncSessionTokens(self._shared(), self._key_of(grant_id))

    async def userinfo(self, tokens: Tokens) -> CheckedUserInfo:
        """Ask for UserInfo about a user, like :meth:`OidcClient.userinfo`."""
        with self._life.reading_userinfo:
            rp, shell = await self._life.ready_async()
            return await shell.run(rp, userinfo.fetch(rp, tokens))


def _made(
    transport: AsyncTransport | None,
) -> tuple[AsyncTransport, Callable[[], None] | None]:
    """Return the transport, and what closes it if it was made here."""
    if transport is not None:
        return transport, None
    from oidc_adapters.transport.in_threads import InThreads
    from oidc_adapters.transport.over_urllib3 import Urllib3Transport

    blocking = Urllib3Transport()
    made = InThreads(blocking)

    def close() -> None:
        made.close()
        blocking.close()

    return made, close


def _doors(life: Life[AsyncShell], grants: "Grants | None") -> "Doors | None":
    """Return what the exchanges of a client go through, if it keeps grants."""
    if grants is None:
        return None
    from oidc_adapters.clients.grant_doors import AwaitingDoors
    from oidc_adapters.stores.grants import Grants as Kind

    return AwaitingDoors(life, as_setting(grants, Kind, "grants"))
