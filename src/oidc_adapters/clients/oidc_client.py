"""The paved road, for code that waits: one object per client and provider, one call per task.

:class:`~oidc_adapters.clients.async_oidc_client.AsyncOidcClient` does the same with the same names;
each operation they drive is written once, in :mod:`oidc_core`.
"""

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
from oidc_adapters.clients.life import Life, World, life_of
from oidc_adapters.clients.logouts import WaitingLogouts
from oidc_adapters.clients.results import LoginResult, Redirect
from oidc_adapters.clients.shell import Shell
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import Clock
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.events import OnEvent
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.pending import PendingLogins, Taken
from oidc_adapters.stores.provider_keys import ProviderKeys
from oidc_adapters.stores.records import at_once
from oidc_adapters.transport import Transport
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
    from oidc_adapters.clients.session_tokens import SessionTokens
    from oidc_adapters.stores.grants import Grants
    from oidc_adapters.stores.sessions import SessionIndex


class OidcClient(WaitingLogouts):
    """One client at one provider, for code that waits.

    Making one touches no network.  The provider's metadata is discovered at first use, unless it is
    in the setup, and read again after ``metadata_max_age``; what is there serves until other
    metadata is believed.  It may be used by any number of threads.  An application with several
    clients puts them into :class:`~oidc_adapters.clients.connections.Connections`, which takes
    their callbacks.

    Args:
        setup: the settings.
        pending: where logins wait: ``CookiePendingLogins(secret)`` is right for most.
        transport: sends requests; over urllib3 by default.  One that is given is never closed.
        keys: has the key sets of providers; in memory by default.
        grants: where the tokens of sessions are kept; without, the application keeps them.
        sessions: names the sessions of users, so that the provider can end them.
        metadata: a store of metadata that processes share, where it is discovered; without, each
            process reads it for itself.
        clock: tells the time; the system's by default.
        entropy: gives secrets; the operating system's by default.
        on_event: is told what happens, see :mod:`oidc_adapters.runtime.events`; nobody by default.

    Raises:
        UsageError: a setting is wrong.
    """

    __slots__ = ()

    def __init__(
        self,
        setup: ClientSetup,
        pending: PendingLogins,
        *,
        transport: Transport | None = None,
        keys: ProviderKeys | None = None,
        grants: "Grants | None" = None,
        sessions: "SessionIndex | None" = None,
        metadata: RecordMetadata | None = None,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        sender, close = _made(transport)
        shell = Shell(sender, Credentials(), keys, clock=clock, entropy=entropy)
        life = life_of(setup, shell, on_event, close, metadata)
        super().__init__(life, pending, _doors(life, grants), sessions)

    @classmethod
    def of(
        cls,
        rp: RelyingParty,
        shell: Shell,
        pending: PendingLogins,
        *,
        grants: "Grants | None" = None,
        sessions: "SessionIndex | None" = None,
        on_event: OnEvent | None = None,
    ) -> "OidcClient":
        """Return the client of a relying party and a shell that are put together by hand.

        Its metadata is what the relying party has; it is never read again.
        """
        client = cls.__new__(cls)
        as_setting(rp, RelyingParty, "rp")
        as_setting(shell, Shell, "shell")
        life = Life(rp, shell, on_event=on_event)
        super(OidcClient, client).__init__(life, pending, _doors(life, grants), sessions)
        return client

    @classmethod
    def for_development(cls, setup: ClientSetup, **world: Unpack[World]) -> "OidcClient":
        """Return a client for development on this machine, whose browser speaks plain http.

        Logins wait in memory, with cookies that go over http; the provider may speak http on
        loopback too.  Evidence says so.

        Raises:
            UsageError: ``config_invalid`` for a redirect URI that is not on loopback.
        """
        as_setting(setup, ClientSetup, "setup")
        return cls(setup.on_loopback(), development_logins(), **world)

    @classmethod
    def discover(
        cls, setup: ClientSetup, pending: PendingLogins, **world: Unpack[World]
    ) -> "OidcClient":
        """Return a client that has discovered its provider, so that a failure shows at start.

        Raises:
            OidcError: a setting is wrong, or the provider cannot be reached or believed.
        """
        client = cls(setup, pending, **world)
        try:
            client._life.ready()
        except BaseException:
            client.close()
            raise
        return client

    def close(self) -> None:
        """Take no further call, let exchanges end, and close what the client made itself.

        It waits at most 30 seconds for exchanges of refresh tokens that have started.
        """
        self._life.shut()
        if self._doors is not None:
            at_once(self._doors.close(CLOSING))
        self._life.close()

    def __enter__(self) -> Self:
        self._life.opened()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start_login(
        self,
        request: AuthenticationRequest = DEFAULT_REQUEST,
        *,
        return_to: str = "",
        cookie: str | bytes = "",
        **asked: Unpack[Asked],
    ) -> Redirect:
        """Start a login: where to send the browser, and the cookies to set.

        Args:
            request: what is asked of the provider and its user.
            return_to: where the application goes on afterwards; comes back in the result, or empty
                where it is too long for the store.  From a query parameter take
                ``path_only(text)``.
            cookie: the ``Cookie`` header of the request, so that old logins of this browser are
                cleared away.
            asked: the members of a request one by one, as in ``prompt="login"``, in its place.

        Raises:
            UsageError: ``parameter_invalid`` for a request together with members, or a setting is
                wrong.
            OidcError: the client cannot fetch or believe the provider's metadata.
        """
        with self._life.starting:
            wanted, seen = request_of(request, asked), cookies_in(cookie)
            rp, shell = self._life.ready()
            now = shell.clock.now()
            with STORE:
                secrets = self.pending.secrets(shell.entropy)
            started = shell.run(rp, starting(rp, secrets, wanted, return_to, now))
            with STORE:
                kept = self.pending.put(rp, started, seen, now)
            return Redirect(url=started.url, cookies=as_cookies(kept))

    def finish_login(
        self, incoming: Incoming, *, account: str = "", session_id: str = ""
    ) -> LoginResult:
        """Finish a login.

        It is taken out of its store once, before anything is sent: after any failure start a new
        one, at once or, where ``retryable`` says ``later``, in a while.  The error carries
        ``cookies`` to set, and ``return_to`` once it is certain that this browser started it.

        Args:
            incoming: the request at the redirect URI.
            account: for a link: the application's account that is signed in now.
            session_id: for a client with ``sessions``: the application's name of the session, under
                which it can be ended from now on; by default the name of its grant.  Make the
                session before, so that its end meets it.

        Raises:
            CallbackError: start the login again; ``session_ended`` if the provider ended the
                session meanwhile.
            ProviderError: the provider refused, as in ``access_denied``.
            UsageError: ``redirect_uri_unknown`` if ``incoming`` does not say at which URL.
            OidcError: see its ``hint`` and ``retryable``.
        """
        with self._life.arriving:
            callback = arrived(incoming, account)
            login_id = pending_id(callback)
            self._routes.among(incoming.url)
        return self.finish_found(login_id, callback, incoming, account, session_id)

    def finish_found(
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
            rp, shell = self._life.ready()
            now = shell.clock.now()
            with clearing(profile, profile.login_name(login_id), incoming):
                with STORE:
                    found = pending.take(rp, login_id, incoming.cookies, now)
                taken = as_taken(found, Taken)
            with answering(taken.cookies, taken.pending):
                logged_in = shell.run(rp, finishing(rp, taken, callback, now, account))
                grant_id = ""
                if self._copies is not None:
                    grant_id = at_once(self._copies.kept(self._key_of, logged_in))
                if self._ends is not None:
                    at_once(self._ends.add(rp.connection, logged_in, session_id, grant_id))
        cookies = (*taken.cookies, *mark_forgotten(profile, incoming))
        return LoginResult(
            logged_in=logged_in, cookies=cookies, connection=rp.connection, grant_id=grant_id
        )

    def keep(self, tokens: Tokens) -> str:
        """Keep the tokens of a session, and return the name of its grant.

        ``finish_login`` does so by itself; this is for tokens that came another way.

        Raises:
            UsageError: ``config_invalid`` for a client without ``grants``, or
                ``client_issuer_mismatch`` for tokens of another client.
            StoreFailure: ``store_unavailable``.
        """
        copies = self._shared()
        check_owner(self.rp, tokens)
        return at_once(copies.exchanges.keep(self._key_of, tokens))

    def tokens(self, grant_id: str) -> "SessionTokens":
        """Return the tokens of a session: ask for ``fresh()`` ones before each use.

        Args:
            grant_id: the name that ``finish_login`` returned.

        Raises:
            UsageError: ``config_invalid`` for a client without ``grants``.
        """
        from oidc_adapters.clients.session_tokens import SessionTokens

        return SessionTokens(self._shared(), self._key_of(grant_id))

    def userinfo(self, tokens: Tokens) -> CheckedUserInfo:
        """Ask for UserInfo about a user, with the access token of a login or a refresh.

        Args:
            tokens: as they were stored; the answer must be about their user.

        Raises:
            UsageError: ``unsupported_by_provider`` without a UserInfo endpoint.
            ProviderError: ``invalid_token``: refresh first, or log in again.
            ProtocolViolation: ``sub_mismatch`` for another user, or another rule does not hold.
        """
        with self._life.reading_userinfo:
            rp, shell = self._life.ready()
            return shell.run(rp, userinfo.fetch(rp, tokens))


def _made(transport: Transport | None) -> tuple[Transport, Callable[[], None] | None]:
    """Return the transport, and what closes it if it was made here."""
    if transport is not None:
        return transport, None
    from oidc_adapters.transport.over_urllib3 import Urllib3Transport

    made = Urllib3Transport()
    return made, made.close


def _doors(life: Life[Shell], grants: "Grants | None") -> "Doors | None":
    """Return what the exchanges of a client go through, if it keeps grants."""
    if grants is None:
        return None
    from oidc_adapters.clients.grant_doors import WaitingDoors
    from oidc_adapters.stores.grants import Grants as Kind

    return WaitingDoors(life, as_setting(grants, Kind, "grants"))
