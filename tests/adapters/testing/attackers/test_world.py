"""The world: what each small thing does."""

import pytest

from oidc_adapters.testing.attackers.world import EVIL, HONEST, HOSTILE
from tests.adapters.testing.attackers.scene import broken, last, logged_in, machine


def test_a_login_is_two_pages_after_its_start() -> None:
    made = machine()
    held = logged_in(made)

    assert (held.browser, held.issuer, held.sub, held.ended) == ("alice", HONEST, "alice", "")
    assert made.world.reached == {"an honest login"}
    assert made.world.browsers["alice"].cookies == {}


def test_what_the_attacker_sees() -> None:
    """Its own browser, its own provider and its own application; nothing else by itself."""
    made = machine()
    world = made.world
    logged_in(made, "alice")
    assert world.knowledge.leaked == set()

    logged_in(made, "mallory")
    own = len(world.knowledge.leaked)
    logged_in(made, "bob", HOSTILE)

    assert (own, len(world.knowledge.leaked)) == (2, 4)
    assert len(world.knowledge.requests) == 2


def test_a_provider_shows_a_page_for_a_request_that_it_refuses() -> None:
    made = machine()
    alice = made.world.browsers["alice"]

    made.world.open(alice, alice.tabs[0], f"{HONEST}/authorize?client_id=nobody")

    assert alice.tabs[0].following == ""
    assert "is refused by" in made.world.history.trace()


def test_the_attackers_application_takes_a_code() -> None:
    made = machine()
    alice = made.world.browsers["alice"]

    made.world.open(alice, alice.tabs[0], f"{EVIL}?code=c&state=s")

    assert made.world.knowledge.codes == ["c"]


def test_a_logout_goes_to_the_provider_and_back() -> None:
    made = machine()
    held = logged_in(made)
    alice = made.world.browsers["alice"]

    made.world.open(alice, alice.tabs[0], made.world.leave(held, 0))

    assert HONEST not in alice.at
    assert alice.tabs[0].following.startswith("https://rp.example/logged-out?")


@pytest.mark.parametrize(("sid", "ends"), [("", True), ("another", False)])
def test_a_frame_ends_the_session_of_its_sid(sid: str, ends: bool) -> None:
    made = machine()
    held = logged_in(made)

    made.world.frame(HONEST, sid or held.sid, 0)

    assert (held.ended != "", broken(made)) == (ends, "")


def test_a_token_of_nobody_is_refused() -> None:
    made = machine()

    assert made.world.post("no token", 0).status == 400
    assert last(made.world).kind == "backchannel"


def test_a_flaw_is_kept_until_it_is_told() -> None:
    made = machine()
    held = logged_in(made)
    held.ended = "so says the test"

    made.world.fresh(held, 0)

    assert broken(made) == "ended grant"
