"""The events of a client in whole flows, and that a listener makes no difference."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.runtime.events import Event, KeysRefused, Refusal, RequestSent
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import AsyncInMemoryTransport, InMemoryTransport
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming
from tests.flows.mixing import settled
from tests.flows.rig import NOW, Browser, honest_provider, returning, setup_for
from tests.refreshing import grants_by

KINDS = pytest.mark.parametrize("awaits", [False, True], ids=["sync", "async"])
WHOLE: Final = [
    "RequestSent discovery 200",
    "MetadataRead",
    "LoginBegan",
    "RequestSent token 200",
    "RequestSent key_set 200",
    "KeysFetched",
    "RequestSent userinfo 200",
    "LoginFinished",
    "RequestSent refresh 200",
    "TokensRefreshed",
    "RequestSent userinfo 200",
    "UserInfoRead",
    "LogoutBegan",
    "LogoutFinished",
]


def line(event: Event) -> str:
    name = type(event).__name__
    if isinstance(event, RequestSent):
        return f"{name} {event.purpose} {event.status or event.failure}"
    return f"{name} {event.code}" if isinstance(event, Refusal) else name


class Site:
    """An application that logs people in, and listens."""

    def __init__(self, on_event: Any, *, awaits: bool, **changed: Any) -> None:
        self.provider = honest_provider(**changed)
        kind: Any = AsyncOidcClient if awaits else OidcClient
        transport: Any = AsyncInMemoryTransport if awaits else InMemoryTransport
        self.transport = transport(self.provider)
        self.awaits, self.clock, self.browser = awaits, FrozenClock(NOW), Browser()
        self.client: Any = kind(
            setup_for(self.provider, connection_id="tenant-1"),
            MemoryPendingLogins(),
            transport=self.transport,
            clock=self.clock,
            entropy=FixedEntropy(1),
            grants=grants_by(self.clock),
            on_event=on_event,
        )

    def come_back(self, **how: Any) -> Incoming:
        page = settled(self.client.start_login(cookie=self.browser.header))
        self.browser.receive(page.cookies)
        response = self.provider.authorize(page.url, self.clock.now(), **how)
        return response.incoming(self.browser.header)

    def log_in(self) -> Any:
        result = settled(self.client.finish_login(self.come_back()))
        self.browser.receive(result.cookies)
        return result

    def all_of_it(self) -> str:
        tokens = self.client.tokens(self.log_in().grant_id)
        self.clock.advance(290)
        refreshed = settled(tokens.fresh())
        found = settled(self.client.userinfo(refreshed)).userinfo
        page = settled(self.client.start_logout(refreshed))
        self.browser.receive(page.cookies)
        url = self.provider.end_session(page.url, NOW) or ""
        settled(self.client.finish_logout(returning(url, self.browser.header)))
        return str(found.sub)


@KINDS
def test_a_whole_flow_is_told_in_order(awaits: bool) -> None:
    heard: list[Event] = []

    assert Site(heard.append, awaits=awaits).all_of_it() == "alice"

    assert [line(event) for event in heard] == WHOLE
    assert {(event.issuer, event.client_id, event.connection_id) for event in heard} == {
        ("https://op.example", "client", "tenant-1")
    }
    took = [event.seconds for event in heard if isinstance(event, RequestSent)]
    assert all(seconds >= 0 for seconds in took)


@KINDS
def test_nobody_has_to_listen_and_a_listener_that_fails_changes_nothing(awaits: bool) -> None:
    def fails(event: Event) -> None:
        raise ZeroDivisionError

    silent, failing = Site(None, awaits=awaits), Site(fails, awaits=awaits)
    assert silent.all_of_it() == "alice"
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError") as caught:
        assert failing.all_of_it() == "alice"

    assert len(caught) == 1


def expired(site: Site) -> object:
    incoming = site.come_back()
    site.clock.advance(601)
    return settled(site.client.finish_login(incoming))


REFUSED: Final[dict[str, tuple[Callable[[Site], object], str]]] = {
    "the user said no": (
        lambda site: settled(site.client.finish_login(site.come_back(approve=False))),
        "LoginRefused provider_error",
    ),
    "too late": (expired, "LoginRefused state_unknown"),
    "no callback": (
        lambda site: settled(
            site.client.finish_login(Incoming(method="GET", url="https://rp.example/callback"))
        ),
        "LoginRefused state_missing",
    ),
    "at another URL": (
        lambda site: settled(
            site.client.finish_login(
                Incoming(method="GET", url="https://rp.example/", query="code=c&state=s")
            )
        ),
        "LoginRefused redirect_uri_mismatch",
    ),
    "a request that makes no sense": (
        lambda site: settled(site.client.start_login(prompt="none login")),
        "LoginRefused parameter_invalid",
    ),
    "no tokens": (
        lambda site: settled(site.client.userinfo(None)),
        "UserInfoRefused parameter_invalid",
    ),
    "nobody logged out": (
        lambda site: settled(site.client.finish_logout(returning("https://rp.example/?state=x"))),
        "LogoutRefused logout_state_mismatch",
    ),
}


@KINDS
@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_is_told_once(what: str, awaits: bool) -> None:
    heard: list[Event] = []
    act, expected = REFUSED[what]
    site = Site(heard.append, awaits=awaits)

    with pytest.raises(OidcError):
        act(site)

    refusals = [event for event in heard if isinstance(event, Refusal)]
    assert [line(event) for event in refusals] == [expected]


@KINDS
def test_a_refresh_that_is_refused_is_told(awaits: bool) -> None:
    heard: list[Event] = []
    site = Site(heard.append, awaits=awaits)
    tokens = site.client.tokens(site.log_in().grant_id)
    site.clock.advance(290)
    site.provider.misbehave = "refresh_bad_signature"

    with pytest.raises(OidcError):
        settled(tokens.fresh())

    assert line(heard[-1]) == "RefreshRefused signature_invalid"


@KINDS
def test_keys_that_cannot_be_had_are_told(awaits: bool) -> None:
    heard: list[Event] = []
    site = Site(heard.append, awaits=awaits)
    site.provider.misbehave = "jwks_dropped"

    with pytest.raises(OidcError):
        site.log_in()

    (refused,) = [event for event in heard if isinstance(event, KeysRefused)]
    assert (refused.jwks_uri, refused.reason) == ("https://op.example/jwks", "unreachable")
