"""Ends of sessions at the fake provider."""

from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import pytest

from oidc_adapters.testing import FakeClient, FakeProvider, RequestRefused
from oidc_adapters.testing.dialect import HintRule
from oidc_core.wire.incoming import Incoming

from .raw_client import NOW, arrive, claims_of, header_of, parsed, published_keys, redeem, refresh
from .raw_client import logged_in as logged_in_at
from .raw_client import verify as verified

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
URI: Final = "https://rp.example/backchannel"
FRAME: Final = "https://rp.example/frame?a=b"


def provider_with(*clients: FakeClient, **settings: Any) -> FakeProvider:
    return FakeProvider(id_token_alg="EdDSA", clients=clients or (FakeClient(),), **settings)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ({"sub": "alice"}, {"sub": "alice"}),
        ({"sid": "s-1"}, {"sid": "s-1"}),
        ({"sub": "alice", "sid": "s-1"}, {"sub": "alice", "sid": "s-1"}),
    ],
)
def test_a_logout_token_says_which_sessions_end(
    named: dict[str, str], found: dict[str, str]
) -> None:
    provider = provider_with(FakeClient(backchannel_logout_uri=URI))

    logout = provider.backchannel_logout(NOW, **named)

    token = logout.logout_token
    assert verified(token, published_keys(provider))
    assert header_of(token)["typ"] == "logout+jwt"
    claims = claims_of(token)
    assert claims == {
        "iss": provider.issuer,
        "aud": "client",
        "iat": NOW,
        "exp": NOW + 120,
        "jti": claims["jti"],
        "events": {EVENT: {}},
        **found,
    }
    assert parse_qsl(logout.form.decode()) == [("logout_token", token)]
    assert logout.incoming() == Incoming(
        method="POST",
        url=URI,
        body=logout.form,
        content_type="application/x-www-form-urlencoded",
    )
    assert token not in repr(logout)
    other = claims_of(provider.backchannel_logout(NOW, **named).logout_token)
    assert other["jti"] != claims["jti"]


def test_a_logout_token_is_for_one_client() -> None:
    second = FakeClient(client_id="second", id_token_signed_response_alg="HS256")
    provider = provider_with(FakeClient(), second)
    logout = provider.backchannel_logout(NOW, sub="alice", client_id="second")
    assert claims_of(logout.logout_token)["aud"] == "second"
    assert header_of(logout.logout_token)["alg"] == "HS256"
    assert (logout.uri, logout.incoming().url) == (None, None)
    with pytest.raises(LookupError, match="third"):
        provider.backchannel_logout(NOW, sub="alice", client_id="third")


def test_the_frames_are_those_of_the_sessions_clients() -> None:
    """Front-Channel Logout §3."""
    framed = FakeClient(frontchannel_logout_uri=FRAME)
    other = FakeClient(client_id="other", frontchannel_logout_uri="https://other.example/")
    provider = provider_with(framed, other)
    callback = arrive(provider)
    assert callback.session is not None
    sid = callback.session.sid
    assert provider.frontchannel_logout_urls(sid) == ()
    redeem(provider, callback)

    assert provider.frontchannel_logout_urls(sid) == (
        f"{FRAME}&{urlencode({'iss': provider.issuer, 'sid': sid})}",
    )
    assert provider.frontchannel_logout_urls("another") == ()


@pytest.mark.parametrize(
    ("rule", "of_login", "newest"),
    [("issued", True, True), ("newest", False, True), ("key_published", False, True)],
)
def test_which_id_tokens_are_a_hint(rule: HintRule, of_login: bool, newest: bool) -> None:
    provider = provider_with(accepts_hint=rule)
    answer = logged_in_at(provider)
    provider.rotate_keys(keep_previous=False)
    renewed = parsed(refresh(provider, answer["refresh_token"]))

    def accepted(hint: str) -> bool:
        query = urlencode(
            {"id_token_hint": hint, "post_logout_redirect_uri": "https://rp.example/"}
        )
        try:
            return provider.end_session(f"{provider.issuer}/end-session?{query}", NOW) is not None
        except RequestRefused:
            return False

    assert accepted(answer["id_token"]) is of_login
    assert accepted(renewed["id_token"]) is newest


def test_the_newest_id_token_is_that_of_the_same_session() -> None:
    provider = provider_with(accepts_hint="newest")
    first, second = logged_in_at(provider), logged_in_at(provider)
    for answer in (first, second):
        query = urlencode({"id_token_hint": answer["id_token"]})
        assert provider.end_session(f"{provider.issuer}/end-session?{query}", NOW) is None


def test_a_hint_by_the_clients_secret_has_no_key_to_be_published() -> None:
    client = FakeClient(id_token_signed_response_alg="HS256")
    provider = provider_with(client, accepts_hint="key_published")
    hint = urlencode({"id_token_hint": logged_in_at(provider)["id_token"]})
    assert provider.end_session(f"{provider.issuer}/end-session?{hint}", NOW) is None
