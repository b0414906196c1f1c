"""A logout after a refresh, at providers that do not accept the ID token of the login any more."""

from __future__ import annotations

from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.testing import RequestRefused
from oidc_adapters.testing.dialect import HintRule
from oidc_core.endpoints.end_session import LogoutRequest
from tests.adapters.clients.test_session_tokens import KINDS, LIFETIME, Site, site
from tests.flows.mixing import settled
from tests.flows.rig import NOW

RULES: Final[tuple[HintRule, ...]] = ("issued", "newest", "key_published")


def refreshed(rule: HintRule, *, awaits: bool) -> tuple[Site, Any]:
    """Return a session that was refreshed, after the key of its login was withdrawn."""
    here = site(awaits=awaits, accepts_hint=rule)
    login = here.fresh()
    here.provider.rotate_keys(keep_previous=False)
    here.clock.advance(LIFETIME + 120)
    here.fresh()
    return here, login


def left(here: Site, ended: object, request: LogoutRequest | None = None) -> str | None:
    page = settled(here.client.start_logout(ended, request))
    return here.provider.end_session(page.url, NOW)


@KINDS
@pytest.mark.parametrize("rule", RULES)
def test_the_hint_is_the_newest_id_token(rule: HintRule, awaits: bool) -> None:
    """A28."""
    here, login = refreshed(rule, awaits=awaits)
    ended = settled(here.tokens.end())

    assert ended.id_token_hint != login.id_token == ended.tokens.id_token
    assert (left(here, ended) or "").startswith("https://rp.example/?state=")


@KINDS
@pytest.mark.parametrize("rule", RULES[1:])
def test_the_id_token_of_the_login_would_be_refused(rule: HintRule, awaits: bool) -> None:
    here, login = refreshed(rule, awaits=awaits)
    with pytest.raises(RequestRefused):
        left(here, login)
    with pytest.raises(RequestRefused):
        left(here, settled(here.tokens.end()), LogoutRequest(id_token_hint=login.id_token))


def test_the_facts_of_the_login_stay() -> None:
    """OIDC Core §12.2: a later refresh is compared with them."""
    here, login = refreshed("issued", awaits=False)
    ended = settled(here.tokens.end())
    assert evolve(ended.tokens, access_token="", refresh_token=None, expires_at=None) == evolve(
        login, access_token="", refresh_token=None, expires_at=None
    )
