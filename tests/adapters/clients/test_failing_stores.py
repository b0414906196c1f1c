"""A store of the application that fails, or that does not answer what the port says it does."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest

from oidc_adapters.clients.async_oidc_client import AsyncOidcClient
from oidc_adapters.clients.connections import AsyncConnections, Connections
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import AsyncInMemoryTransport
from oidc_core.wire.errors import OidcError
from tests.flows.rig import NOW, Rig, honest_provider, new_rig, returning, run_asyncio, setup_for

BYE: Final = "https://rp.example/"
CALLS: Final = ("put", "take", "belongs", "put_logout", "take_logout")


def _raise(fault: Exception) -> Any:
    raise fault


class _Awaitable:
    """The result of a call that was not awaited; unlike a coroutine, in silence."""

    def __await__(self) -> Any:
        yield


FAULTS: Final[dict[str, Callable[[], Any]]] = {
    "ConnectionError": lambda: _raise(ConnectionError("redis://canary")),
    "KeyError": lambda: _raise(KeyError("canary")),
    "TimeoutError": lambda: _raise(TimeoutError()),
    "awaitable": _Awaitable,
    "none": lambda: None,
    "list": list,
    "text": lambda: "canary",
}
RAISED: Final = ("ConnectionError", "KeyError", "TimeoutError")


class Failing(MemoryPendingLogins):
    """A store of which one call fails."""

    __slots__ = ("_call", "_fault")

    def __init__(self, call: str, fault: str) -> None:
        super().__init__()
        self._call, self._fault = call, FAULTS[fault]

    def _answer(self, name: str, *given: Any) -> Any:
        if name == self._call:
            return self._fault()
        return getattr(super(), name)(*given)

    def put(self, *given: Any) -> Any:
        return self._answer("put", *given)

    def take(self, *given: Any) -> Any:
        return self._answer("take", *given)

    def belongs(self, *given: Any) -> Any:
        return self._answer("belongs", *given)

    def put_logout(self, *given: Any) -> Any:
        return self._answer("put_logout", *given)

    def take_logout(self, *given: Any) -> Any:
        return self._answer("take_logout", *given)


def journey(rig: Rig) -> None:
    """Log in and out, as an application with two clients does."""
    clients = Connections(rig.client, _another(rig))
    page = rig.start()
    callback = rig.visit(page)
    clients.finish_login(returning(f"{callback.url}?{callback.query}", rig.browser.header))
    page = rig.client.start_logout(None)
    rig.browser.receive(page.cookies)
    state = page.url.partition("state=")[2].partition("&")[0]
    clients.finish_logout(returning(f"{BYE}?state={state}", rig.browser.header))


def _another(rig: Rig) -> Any:
    """Return a client whose store works."""
    settings: dict[str, Any] = {"connection_id": "another", "response_iss": "required"}
    return new_rig(rig.provider, **settings).client


def unavailable(error: OidcError) -> None:
    assert (error.code, error.about) == ("store_unavailable", "pending logins")
    assert "canary" not in f"{error}"


def broken(call: str, fault: str) -> Rig:
    settings: dict[str, Any] = {"response_iss": "required"}
    return new_rig(pending=Failing(call, fault), **settings)


def test_without_a_fault_the_journey_is_made() -> None:
    journey(broken("", "none"))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", [call for call in CALLS if call != "belongs"])
def test_whatever_a_store_does_wrong_is_its_failure(call: str, fault: str) -> None:
    with pytest.raises(OidcError) as caught:
        journey(broken(call, fault))
    unavailable(caught.value)
    assert (type(caught.value.__cause__).__name__ == fault) is (fault in RAISED)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_store_that_does_not_say_yes_owns_no_login(fault: str) -> None:
    """A client that would own every login would be sent the codes of all of them."""
    rig = new_rig(response_iss="required")
    other = _another(broken("", "none"))
    other.pending = Failing("belongs", fault)
    page = rig.start()
    callback = rig.visit(page)
    clients = Connections(rig.client, other)
    brought = returning(f"{callback.url}?{callback.query}", rig.browser.header)

    if fault in RAISED:
        with pytest.raises(OidcError) as caught:
            clients.finish_login(brought)
        unavailable(caught.value)
    else:
        assert clients.finish_login(brought).connection == rig.client.rp.connection


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("call", [call for call in CALLS if call != "belongs"])
def test_what_awaits_is_told_the_same(call: str, fault: str) -> None:
    provider = honest_provider()

    async def go() -> None:
        client = await AsyncOidcClient.discover(
            setup_for(provider),
            Failing(call, fault),
            transport=AsyncInMemoryTransport(provider),
            clock=FrozenClock(NOW),
            entropy=FixedEntropy(1),
        )
        clients = AsyncConnections(client)
        page = await client.start_login()
        cookie = "; ".join(f"{each.name}={each.value}" for each in page.cookies)
        await clients.finish_login(provider.authorize(page.url, NOW).incoming(cookie))
        page = await client.start_logout(None)
        cookie = "; ".join(f"{each.name}={each.value}" for each in page.cookies)
        state = page.url.partition("state=")[2].partition("&")[0]
        await clients.finish_logout(returning(f"{BYE}?state={state}", cookie))

    def run() -> Awaitable[None]:
        return go()

    with pytest.raises(OidcError) as caught:
        run_asyncio(run)
    unavailable(caught.value)
