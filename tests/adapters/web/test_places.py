"""The clients of an application by their places."""

from __future__ import annotations

from typing import Final

import pytest

from oidc_adapters.web.places import Places
from oidc_adapters.web.sessions import WebSession
from oidc_core.model.claims import Identity
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.jsontypes import JsonObject
from tests.parties import refused, relying_party


def party(name: str) -> RelyingParty:
    uris = (f"https://rp.example/callback/{name}?at={name}",)
    return relying_party(client={"redirect_uris": uris, "connection_id": name})


HOME: Final = party("home")
WORK: Final = party("work")


def session_of(rp: RelyingParty) -> WebSession:
    return WebSession(
        session_id="s",
        identity=Identity(rp.connection.issuer, "alice"),
        claims=JsonObject({}),
        connection=rp.connection,
        grant_id="",
        began_at=0,
    )


def test_a_session_has_the_place_of_its_client() -> None:
    places = Places((HOME, WORK))

    assert [places.of(session_of(rp)) for rp in (WORK, HOME)] == [1, 0]


def test_the_session_of_a_client_that_is_gone_has_no_place() -> None:
    places = Places((HOME,))

    assert places.known(session_of(WORK)) is None
    error = refused(UsageError, "config_invalid", lambda: places.of(session_of(WORK)))
    assert error.about == "clients"


def test_a_user_chooses_by_name_and_needs_none_where_there_is_one() -> None:
    places = Places((HOME, WORK))

    assert [places.named(name) for name in ("work", "home", "", "bank")] == [1, 0, None, None]
    assert Places((HOME,)).named("") == 0


@pytest.mark.parametrize(
    ("url", "place"),
    [("", None), ("https://rp.example/callback/work", 1), ("https://rp.example/other", None)],
)
def test_a_login_that_nobody_knows_starts_again_where_any_link_starts_one(
    url: str, place: int | None
) -> None:
    assert Places((HOME, WORK)).to_restart(CallbackError("state_unknown"), url) == place


def test_a_login_of_this_browser_starts_again_at_its_own_client() -> None:
    began = CallbackError("state_expired")
    began.connection = WORK.connection

    assert Places((HOME, WORK)).to_restart(began, "") == 1
    began.connection = WORK.connection._replace(issuer="https://x.example")
    assert Places((HOME, WORK)).to_restart(began, "") is None
