"""The record that an application keeps of a login."""

import pickle
from typing import Any

import pytest
from attrs import evolve, fields

from oidc_core.model.records import PendingLogout, Tokens
from oidc_core.wire.errors import UsageError

TOKENS = Tokens(
    issuer="https://op.example",
    client_id="client-1",
    access_token="access-1",
    refresh_token="refresh-1",
    id_token="header.payload.signature",
    scope="openid",
    subject="a-user",
    nonce="a-nonce",
    sid="a-session",
)
LOGOUT = PendingLogout(
    issuer="https://op.example",
    client_id="client-1",
    state="a-state",
    post_logout_redirect_uri="https://rp.example/bye",
    created_at=1,
)


def test_no_secret_is_printed() -> None:
    for value, secrets in (
        (TOKENS, {"access_token", "refresh_token", "id_token", "nonce", "sid"}),
        (LOGOUT, {"state"}),
    ):
        assert {a.name for a in fields(type(value)) if not a.repr} == secrets
        for name in secrets:
            assert getattr(value, name) not in repr(value)


def test_what_a_provider_need_not_tell_has_a_default() -> None:
    least = Tokens(
        issuer="https://op.example",
        client_id="client-1",
        access_token="access-1",
        id_token="header.payload.signature",
        scope="openid",
        subject="a-user",
    )
    assert (least.refresh_token, least.nonce, least.sid) == (None, None, None)
    assert (least.resource, least.expires_at, least.auth_time) == ((), None, None)
    assert least.thumbprint == ""


def test_records_are_values() -> None:
    for value in (TOKENS, LOGOUT):
        assert pickle.loads(pickle.dumps(value)) == value
    assert hash(evolve(TOKENS)) == hash(TOKENS)
    assert evolve(TOKENS, subject="another") != TOKENS
    assert evolve(LOGOUT, created_at=2) != LOGOUT


@pytest.mark.parametrize(
    ("expires_at", "seconds", "expired"),
    [
        (100, 0, True),
        (101, 0, False),
        (101, 1, True),
        (160, 60, True),
        (161, 60, False),
        (99, -5, False),
        (None, 0, False),
        (None, 10**9, False),
    ],
)
def test_a_record_says_whether_its_access_token_expires_soon(
    expires_at: int | None, seconds: int, expired: bool
) -> None:
    """Of a token without a known lifetime nobody knows but its resource server."""
    tokens = evolve(TOKENS, expires_at=expires_at)
    assert tokens.expires_within(seconds, now=100) is expired


@pytest.mark.parametrize("odd", [None, "60", 1.5, True])
def test_times_that_are_no_integers_are_named(odd: Any) -> None:
    for about in ("seconds", "now"):
        times: dict[str, Any] = {"seconds": 5, "now": 5, about: odd}
        with pytest.raises(UsageError) as caught:
            TOKENS.expires_within(**times)
        assert (caught.value.code, caught.value.about) == ("parameter_invalid", about)
