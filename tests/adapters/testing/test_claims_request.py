"""The ``claims`` parameter, taken apart."""

from __future__ import annotations

import pytest

from oidc_adapters.testing.claims_request import ClaimsRequest, WantedClaim, claims_request
from oidc_adapters.testing.oauth_messages import OAuthError


def test_each_place_has_its_claims() -> None:
    found = claims_request('{"id_token":{"a":null,"b":{"essential":true}},"userinfo":null,"x":1}')

    assert found.id_token == {"a": WantedClaim(), "b": WantedClaim(essential=True)}
    assert found.userinfo == {}


def test_one_value_comes_before_many() -> None:
    wanted = claims_request('{"userinfo":{"a":{"value":1,"values":[2,3]}}}').userinfo["a"]

    assert wanted.values == (1, 2, 3)


def test_values_are_compared_as_json() -> None:
    assert WantedClaim().admits(None)
    assert WantedClaim(values=(True, {"a": [1]})).admits({"a": [1]})
    assert not WantedClaim(values=(True,)).admits(1)


def test_a_subject_suits_both_places() -> None:
    found = ClaimsRequest(
        id_token={"sub": WantedClaim(values=("alice", "bob"))},
        userinfo={"sub": WantedClaim(values=("bob",))},
    )

    assert [found.suits(sub) for sub in ("alice", "bob", "carol")] == [False, True, False]
    assert ClaimsRequest().suits("anybody")


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"id_token":1}', '{"userinfo":{"a":{"values":{}}}}']
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(OAuthError) as refused:
        claims_request(text)

    assert refused.value.error == "invalid_request"
