"""A login in flight, and the secrets that start it."""

from typing import Any

import pytest
from attrs import evolve, fields

from oidc_core.model.connection import Connection
from oidc_core.model.demands import Demands
from oidc_core.model.pending import LoginSecrets, PendingLogin, binding_digest_of, pending_id_of
from oidc_core.wire.errors import UsageError

SECRETS = LoginSecrets(
    state="s" * 43, nonce="n" * 43, code_verifier="v" * 128, binding="b-_" + "0" * 40
)
SECRET_FIELDS = ["state", "nonce", "code_verifier", "binding"]


def refusal(**changes: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        evolve(SECRETS, **changes)
    return caught.value


@pytest.mark.parametrize("name", SECRET_FIELDS)
@pytest.mark.parametrize(
    "value", ["", "x" * 21, "x" * 129, "x" * 43 + "=", "x" * 42 + "é", "x" * 43 + "\n", "x y" * 20]
)
def test_a_secret_is_long_enough_and_base64url(name: str, value: str) -> None:
    error = refusal(**{name: value})
    assert error.code == "entropy_failure"
    assert (error.found, error.expected) == (None, None)
    assert not value or value not in str(error)


@pytest.mark.parametrize("name", ["state", "nonce", "code_verifier"])
def test_what_is_sent_has_256_bits_and_a_binding_128(name: str) -> None:
    assert refusal(**{name: "x" * 42}).code == "entropy_failure"
    assert evolve(SECRETS, binding="x" * 22).binding == "x" * 22


@pytest.mark.parametrize("name", SECRET_FIELDS)
@pytest.mark.parametrize("other", SECRET_FIELDS)
def test_no_secret_serves_twice(name: str, other: str) -> None:
    if name != other:
        assert refusal(**{name: getattr(SECRETS, other)}).code == "entropy_failure"


PENDING = PendingLogin(
    id=pending_id_of(SECRETS.state),
    connection=Connection("https://op.example", "client-1", "", "0" * 16, "1" * 16),
    state=SECRETS.state,
    code_verifier=SECRETS.code_verifier,
    binding_digest=binding_digest_of(SECRETS.binding),
    redirect_uri="https://app.example/callback",
    demands=Demands(nonce=SECRETS.nonce, started_at=1, sub="a-user-of-theirs"),
)


def test_no_secret_is_printed() -> None:
    for value, secrets in (
        (SECRETS, {"state", "nonce", "code_verifier", "binding"}),
        (PENDING, {"state", "code_verifier", "binding_digest"}),
        (PENDING.demands, {"nonce", "sub"}),
    ):
        assert {a.name for a in fields(type(value)) if not a.repr} == secrets
        for name in secrets:
            assert getattr(value, name) not in repr(value)
            assert getattr(value, name) not in repr(PENDING)


def test_a_login_began_when_what_it_demands_was_written_down() -> None:
    assert PENDING.created_at == PENDING.demands.started_at == 1


def test_what_a_login_need_not_say_has_a_default() -> None:
    assert (PENDING.response_mode, PENDING.expects_iss) == ("query", False)
    assert (PENDING.account, PENDING.return_to) == ("", "")


def test_what_is_kept_of_a_secret_does_not_tell_it() -> None:
    assert pending_id_of("s" * 43) == "bk8KT7SSq9GDbQXkBAZbxQ"
    assert binding_digest_of("b" * 43) == "QhQUZhfb87zhH61ByaRtLA"
    assert pending_id_of("s" * 43) != pending_id_of("s" * 42 + "t")
    assert pending_id_of("x") != binding_digest_of("x")
    for digest in (pending_id_of("\ud800"), binding_digest_of("\ud800")):
        assert len(digest) == 22
        assert digest.isascii()


@pytest.mark.parametrize("odd", [None, 43 * b"a", 5, ["a"], {43 * "a"}])
@pytest.mark.parametrize("name", ["state", "nonce", "code_verifier", "binding"])
def test_a_secret_that_is_no_text_is_named(name: str, odd: Any) -> None:
    secrets: dict[str, Any] = {
        "state": 43 * "a",
        "nonce": 43 * "b",
        "code_verifier": 43 * "c",
        "binding": 43 * "d",
    }
    with pytest.raises(UsageError) as caught:
        LoginSecrets(**{**secrets, name: odd})
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", name)
    assert "aaa" not in str(caught.value)
