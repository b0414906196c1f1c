"""Where a logout sends the browser, at providers that spell it differently."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

import pytest

from oidc_core.endpoints.end_session import LogoutRequest
from oidc_core.wire.errors import CallbackError
from tests.adapters.web.visiting import ELSEWHERE, Visitor, house
from tests.flows.rig import honest_provider, new_rig, returning

REALM: Final = "https://id.example/realms/shop"
PAGE: Final = f"{REALM}/protocol/openid-connect/logout"
POOL: Final = "https://shop.auth.example/logout"
BYE: Final = "https://rp.example/bye"
COGNITO: Final = LogoutRequest(extra=(("logout_uri", BYE),))
"""Amazon Cognito has another name for the place to return to."""


def sent_to(issuer: str, page: str, request: LogoutRequest, **settings: Any) -> tuple[str, str]:
    """Return the URL of a logout, with fixed words in place of state and ID token."""
    provider = honest_provider(issuer=issuer)
    rig = new_rig(provider, metadata_overrides={"end_session_endpoint": page}, **settings)
    tokens = rig.log_in().logged_in.tokens
    url, _, query = rig.client.start_logout(tokens, request).url.partition("?")
    fixed = {"state": "S", "id_token_hint": "T"}
    return url, "&".join(f"{name}={fixed.get(name, value)}" for name, value in parse_qsl(query))


@pytest.mark.parametrize(
    ("issuer", "page", "request_", "settings", "query"),
    [
        pytest.param(
            "https://op.example",
            "https://op.example/logout",
            LogoutRequest(),
            {"post_logout_redirect_uri": BYE},
            f"id_token_hint=T&client_id=client&post_logout_redirect_uri={BYE}&state=S",
            id="generic",
        ),
        pytest.param(
            REALM,
            PAGE,
            LogoutRequest(ui_locales="de"),
            {"post_logout_redirect_uri": BYE},
            "id_token_hint=T&client_id=client"
            f"&post_logout_redirect_uri={BYE}&state=S&ui_locales=de",
            id="Keycloak",
        ),
        pytest.param(
            "https://cognito-idp.example/pool",
            POOL,
            COGNITO,
            {"post_logout_redirect_uri": ""},
            f"id_token_hint=T&client_id=client&logout_uri={BYE}",
            id="Cognito",
        ),
    ],
)
def test_a_logout_is_spelt_as_the_provider_wants_it(
    issuer: str, page: str, request_: LogoutRequest, settings: dict[str, Any], query: str
) -> None:
    assert sent_to(issuer, page, request_, **settings) == (page, query)


def test_a_wrong_state_is_refused_and_the_session_is_gone() -> None:
    rig = new_rig()
    tokens = rig.log_in().logged_in.tokens
    page = rig.client.start_logout(tokens)
    rig.browser.receive(page.cookies)

    with pytest.raises(CallbackError) as refused:
        rig.client.finish_logout(returning(f"{BYE}?state=wrong", rig.browser.header))

    assert refused.value.code == "logout_state_mismatch"

    browser = Visitor(at=house())
    browser.log_in()
    browser.ask("/logout", form=[])
    assert browser.session is None
    browser.ask("/goodbye?state=wrong", headers=ELSEWHERE)
    assert browser.session is None
