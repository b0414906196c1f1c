"""The application under attack: two processes share their stores."""

import pytest

from oidc_adapters.testing.attackers.application import REDIRECT_URIS, party
from oidc_adapters.testing.attackers.settings import LAYOUTS, STORES
from oidc_adapters.testing.attackers.world import HONEST, HOSTILE, own_client
from oidc_core.model.policy import DEFAULT_POLICY
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("issuer", [HONEST, HOSTILE])
def test_users_log_in_and_out_in_every_configuration(layout: str, store: str, issuer: str) -> None:
    made = machine(layout, store)
    held = logged_in(made, issuer=issuer)
    assert (held.issuer, held.sub) == (issuer, "alice")
    made.world.clock.advance(6)
    made.world.fresh(held, 1, refused=held.handed)
    assert last(made.world).token

    page = made.world.leave(held, 1)
    browser = made.world.browsers["alice"]
    made.world.open(browser, browser.tabs[0], page)
    made.world.open(browser, browser.tabs[0], browser.tabs[0].following)

    assert (last(made.world).kind, last(made.world).code) == ("return", "")
    made.world.fresh(held, 0)
    assert last(made.world).code == "grant_ended"
    assert broken(made) == ""


def test_a_party_is_made_once() -> None:
    client = own_client(HONEST, "own path")

    first = party(HONEST, client, "as_announced", DEFAULT_POLICY)

    assert first is party(HONEST, client, "as_announced", DEFAULT_POLICY)
    assert first.rp.client.redirect_uris == (REDIRECT_URIS["own path"][0],)
