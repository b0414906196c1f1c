"""Strangers send tokens of keys that nobody has, while keys rotate and the provider is away."""

from __future__ import annotations

from attrs import evolve

from oidc_core.machine.key_fetching import BUCKET_SIZE
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.incoming import Incoming
from tests.adapters.clients.logging_out import House, house
from tests.adapters.clients.test_life import DOWN, Scene


def of_unknown_key(here: House, number: int) -> Incoming:
    """A logout token whose header names a key that the provider never had."""
    honest = here.logout(sub="alice")
    head = b64url_encode(b'{"alg":"EdDSA","kid":"random-%d","typ":"logout+jwt"}' % number)
    token = f"{head}.{honest.logout_token.partition('.')[2]}"
    return evolve(honest, form=f"logout_token={token}".encode()).incoming()


def fetches(here: House) -> int:
    """How often the key set was asked for."""
    return sum(request.url.endswith("/jwks") for request, _ in here.transport.exchanges)


def test_a_thousand_unknown_keys_cost_two_requests_and_no_login() -> None:
    here = house()
    here.log_in()
    here.clock.advance(600)
    known = fetches(here)

    for number in range(1_000):
        assert here.post(of_unknown_key(here, number)).status in {400, 503}
        if number % 100 == 0:
            here.clock.advance(1)

    assert fetches(here) - known == BUCKET_SIZE == 2
    here.provider.rotate_keys()
    assert here.log_in().logged_in.identity.subject == "alice"
    assert fetches(here) - known == BUCKET_SIZE + 1


def test_a_known_key_verifies_while_the_key_set_cannot_be_had() -> None:
    scene = Scene()
    assert scene.finish(scene.start()) == "alice"
    scene.world.others = lambda sent, answer: DOWN if sent.url.endswith("/jwks") else answer
    scene.clock.advance(7_200)  # the key set is due

    assert scene.finish(scene.start()) == "alice"
