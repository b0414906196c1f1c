"""Wrong logouts: each row changes only the named part of the posted request."""

from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.testing import FakeClient, FakeProvider
from oidc_adapters.testing.misbehaviours import Misbehaviour, logout
from tests.adapters.testing.raw_client import NOW, claims_of, header_of
from tests.encryption import ECDH, P256

from .wire import (
    OTHER,
    PLAIN,
    Check,
    Wire,
    assert_only_that,
    both,
    damaged,
    logout_claim,
    logout_header,
    signature_holds,
)

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
HONEST: Final = PLAIN.logout


def forged(wire: Wire) -> bool:
    return not signature_holds(wire.logout.logout_token)


def request(form: bytes = HONEST.form, content_type: str = HONEST.content_type) -> Check:
    expected = evolve(HONEST, form=form, content_type=content_type)
    return lambda wire: wire.logout == expected


CHECKS: Final[dict[str, Check]] = {
    "logout_alg_none": logout_header("alg", "none"),
    "logout_hs256_with_public_key": logout_header("alg", "HS256"),
    "logout_other_alg": logout_header("alg", "ES384"),
    "logout_bad_signature": lambda wire: damaged(wire.logout.logout_token, HONEST.logout_token),
    "logout_other_user_after_signing": both(
        forged, lambda wire: claims_of(wire.logout.logout_token)["sub"] == "mallory"
    ),
    "logout_by_stranger": both(
        forged,
        lambda wire: header_of(wire.logout.logout_token) == header_of(HONEST.logout_token),
        lambda wire: claims_of(wire.logout.logout_token) == claims_of(HONEST.logout_token),
    ),
    "logout_unknown_kid": logout_header("kid", "unpublished"),
    "logout_typ_access_token": logout_header("typ", "at+jwt"),
    "logout_other_iss": logout_claim("iss", OTHER),
    "logout_other_aud": logout_claim("aud", "another-client"),
    "logout_extra_audience": logout_claim("aud", ["client", "another-client"]),
    "logout_expired": logout_claim("exp", NOW - 3_600),
    "logout_no_exp": logout_claim("exp", None),
    "logout_in_future": logout_claim("iat", NOW + 86_400),
    "logout_ten_minutes_old": logout_claim("iat", NOW - 600),
    "logout_nobody": both(logout_claim("sub", None), logout_claim("sid", None)),
    "logout_sub_number": logout_claim("sub", 1),
    "logout_sid_number": logout_claim("sid", 1),
    "logout_no_event": logout_claim("events", None),
    "logout_other_event": logout_claim("events", {"http://schemas.openid.net/event/other": {}}),
    "logout_events_in_list": logout_claim("events", [EVENT]),
    "logout_by_id_token": both(
        logout_claim("events", None), logout_claim("jti", None), logout_header("typ", "JWT")
    ),
    "logout_with_nonce": logout_claim("nonce", "a-nonce"),
    "logout_no_jti": logout_claim("jti", None),
    "logout_replayed": logout_claim("jti", "the-same-again"),
    "logout_token_twice": request(HONEST.form + b"&" + HONEST.form),
    "logout_token_missing": request(b""),
    "logout_as_json": request(content_type="application/json"),
}
ENCRYPTED: Final = "logout_cleartext_where_encrypted"


def test_every_row_is_checked() -> None:
    assert sorted(row.name for row in logout.ROWS) == sorted([*CHECKS, ENCRYPTED])


@pytest.mark.parametrize("row", [row for row in logout.ROWS if row.name != ENCRYPTED],
                         ids=lambda row: row.name)  # fmt: skip
def test_a_row_does_what_it_says_and_nothing_else(row: Misbehaviour) -> None:
    assert_only_that(row, CHECKS[row.name])


def test_a_logout_token_comes_encrypted_unless_the_provider_misbehaves() -> None:
    client = FakeClient(
        jwks=(P256.public_jwk(),),
        id_token_encrypted_response_alg=ECDH.alg,
        id_token_encrypted_response_enc=ECDH.enc,
    )
    for misbehave, dots in ((None, 4), (ENCRYPTED, 2)):
        provider = FakeProvider(clients=(client,), id_token_alg="EdDSA", misbehave=misbehave)
        assert provider.backchannel_logout(NOW, sub="alice").logout_token.count(".") == dots


def test_another_misbehaviour_leaves_a_logout_as_it_is() -> None:
    provider = FakeProvider(id_token_alg="EdDSA", misbehave="alg_none")
    assert provider.backchannel_logout(NOW, sub="alice", sid="a-sid") == HONEST
