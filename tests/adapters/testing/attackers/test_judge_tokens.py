"""Tokens by their octets alone."""

import pytest

from oidc_adapters.testing.attackers.forging import forged
from oidc_adapters.testing.attackers.judge_tokens import Demanded, flaw_of_id_token, flaw_of_signed
from oidc_adapters.testing.attackers.observations import History
from oidc_adapters.testing.signing import SigningKey, half_hash
from oidc_adapters.testing.signing_keys import private_key

KEY = SigningKey(alg="EdDSA", kid="one", private=private_key("EdDSA", "one"))
ISSUER = "https://op.example"
DEMANDED = Demanded(ISSUER, "client", 1_000, nonce="n", nonce_needed=True, access_token="a")
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": ["other", "client"],
    "exp": 1_000,
    "nonce": "n",
    "at_hash": half_hash("EdDSA", "a"),
}


def history(**changed: object) -> History:
    found = History({})
    found.keys[ISSUER] = [{**KEY.public_jwk(), **changed}]
    return found


def test_a_good_token_has_no_flaw() -> None:
    assert flaw_of_id_token(history(), forged(CLAIMS, KEY, "own"), DEMANDED) is None


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"use": "enc"}, "key selection"),
        ({"alg": "ES256"}, "key selection"),
        ({"kid": "another"}, "key selection"),
        ({"x": "AAAA"}, "signature"),
    ],
)
def test_a_key_that_must_not_serve(changed: dict[str, object], name: str) -> None:
    flaw = flaw_of_signed(history(**changed), forged(CLAIMS, KEY, "own"), DEMANDED)

    assert flaw is not None
    assert flaw.invariant == name


def test_a_nonce_may_be_absent_where_it_is_not_needed() -> None:
    token = forged({**CLAIMS, "nonce": None}, KEY, "own")

    assert flaw_of_id_token(history(), token, DEMANDED._replace(nonce_needed=False)) is None


def test_a_stranger_has_no_keys() -> None:
    flaw = flaw_of_signed(History({}), forged(CLAIMS, KEY, "own"), DEMANDED)

    assert flaw is not None
    assert flaw.invariant == "signature"
