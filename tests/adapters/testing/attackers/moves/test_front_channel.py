"""The moves in the front channel."""

from oidc_adapters.testing.attackers.moves.base import REQUEST_PARTS, RESPONSE_PARTS
from oidc_adapters.testing.attackers.observations import parameters_of
from oidc_adapters.testing.attackers.world import EVIL_CLIENT, HONEST, HOSTILE
from tests.adapters.testing.attackers.scene import broken, last, machine


def test_a_stolen_code_in_the_attackers_login_is_refused() -> None:
    """PKCE: the honest provider does not redeem it."""
    made = machine()
    for name in ("mallory", "alice"):
        made.go_on(name=name, number=0, issuer=HONEST, process=0)
        made.go_on(name=name, number=0, issuer=HONEST, process=0)
    made.read(name="alice", number=0)
    stolen = made.world.knowledge.responses[-1]

    made.splice_response(base=1, other=0, which=RESPONSE_PARTS.index("code"))
    made.lead(name="mallory", number=0, response=True, back=0, home=False, process=0)

    assert last(made.world).given["code"] == parameters_of(stolen)["code"]
    assert last(made.world).code == "provider_error"
    assert broken(made) == ""


def test_a_response_to_the_attackers_own_request_is_not_read() -> None:
    made = machine()
    made.go_on(name="mallory", number=0, issuer=HONEST, process=0)
    made.lead(name="alice", number=0, response=False, back=0, home=False, process=0)

    made.read(name="alice", number=0)

    assert "code=" in made.browser("alice").tabs[0].following
    assert made.world.knowledge.responses == []


def test_a_request_is_sent_elsewhere() -> None:
    """A mix-up begins so: the parts of a login at the hostile provider go to the honest one."""
    made = machine("shared path")
    made.go_on(name="mallory", number=0, issuer=HONEST, process=0)
    made.go_on(name="alice", number=0, issuer=HOSTILE, process=0)
    made.go_on(name="alice", number=0, issuer=HOSTILE, process=0)

    made.readdress(base=0, other=1, response=False)
    made.lead(name="alice", number=0, response=False, back=0, home=False, process=0)
    made.go_on(name="alice", number=0, issuer=HONEST, process=0)

    assert last(made.world).given["iss"] == HONEST
    assert last(made.world).code == "response_iss_mismatch"
    assert broken(made) == ""


def test_parts_of_requests_are_exchanged() -> None:
    made = machine()
    made.go_on(name="mallory", number=0, issuer=HONEST, process=0)
    made.go_on(name="mallory", number=1, issuer=HONEST, process=0)
    first, second = made.world.knowledge.requests

    made.splice_request(base=0, other=1, which=REQUEST_PARTS.index("nonce"))

    spliced = parameters_of(made.world.knowledge.requests[-1])
    assert spliced == {**parameters_of(second), "nonce": parameters_of(first)["nonce"]}


def test_a_request_of_the_attackers_own_application() -> None:
    made = machine()
    made.ask_for_own_application(base=0, verifiable=True, name="bob", number=0)
    made.go_on(name="mallory", number=0, issuer=HONEST, process=0)
    made.ask_for_own_application(base=0, verifiable=True, name="bob", number=0)

    asked = parameters_of(made.world.knowledge.requests[-1])
    assert asked["client_id"] == EVIL_CLIENT
