"""The history of a run, and its trace."""

from oidc_adapters.testing.attackers.observations import History, parameters_of
from tests.adapters.testing.attackers.scene import logged_in, machine


def test_of_repeated_parameters_the_first_counts() -> None:
    assert parameters_of("https://a.example/?a=1&b=&a=2") == {"a": "1", "b": ""}


def test_a_trace_names_secrets_and_does_not_show_them() -> None:
    history = History({})
    history.tell("alice's browser", "opens a page", {"state": "secret", "scope": "openid"})
    history.tell("mallory", "reads", {"state": "secret", "code": "other", "sid": ""})

    assert history.trace() == (
        "alice's browser: opens a page state=<state 1> scope=openid\n"
        "mallory: reads state=<state 1> code=<code 1> sid="
    )


def test_no_secret_of_a_login_is_in_its_trace() -> None:
    made = machine()
    held = logged_in(made)
    made.world.fresh(held, 0)
    made.world.leave(held, 0)
    trace = made.world.history.trace()

    ledger = made.world.honest.ledger
    secrets = [*ledger.codes, *ledger.access_tokens, *ledger.refresh_tokens, *ledger.id_tokens]
    login = next(iter(made.world.history.logins.values()))
    secrets += [held.name, held.sid, login.asked("state"), login.asked("nonce")]
    assert [secret for secret in secrets if secret in trace] == []
    assert "alice's browser: calls finish" in trace
