"""The record that an application keeps of a login."""

import pickle

from attrs import evolve, fields

from oidc_core.model.records import PendingLogout, Tokens

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
