from __future__ import annotations

from hypothesis import given, settings

from oidc_adapters.testing.samples import ENCRYPTION, SignedToken
from oidc_adapters.testing.strategies import TOKEN_ALGS, tokens

FEW = settings(max_examples=10)


@FEW
@given(tokens(valid=True), tokens(valid=False), tokens(kind="userinfo", algs=("PS256", "HS384")))
def test_a_token_is_as_it_was_asked_for(
    good: SignedToken, faulty: SignedToken, other: SignedToken
) -> None:
    assert good.code == ""
    assert faulty.code
    assert {good.kind, faulty.kind} == {"id_token"}
    assert good.alg in TOKEN_ALGS
    assert (good.encryption, faulty.encryption) == (None, None)
    assert (other.kind, other.alg in {"PS256", "HS384"}) == ("userinfo", True)


@FEW
@given(tokens(encrypted=True, valid=True), tokens(encrypted=True, valid=False))
def test_a_token_is_encrypted_where_that_is_asked_for(
    good: SignedToken, faulty: SignedToken
) -> None:
    assert good.text.count(".") == 4
    assert faulty.encryption == ENCRYPTION


@FEW
@given(tokens(kind=["logout_token", "userinfo"]))
def test_several_kinds_are_drawn(token: SignedToken) -> None:
    assert token.kind in {"logout_token", "userinfo"}


@FEW
@given(tokens(only=["wrong_aud", "jwks_empty"], valid=False), tokens(only=["wrong_aud"]))
def test_only_some_faults_are_drawn(faulty: SignedToken, either: SignedToken) -> None:
    assert faulty.fault in {"wrong_aud", "jwks_empty"}
    assert either.fault in {"", "wrong_aud"}


@FEW
@given(tokens(valid=False))
def test_a_faulty_token_is_nothing_else(token: SignedToken) -> None:
    assert not token.claims
    assert not token.header
    assert (token.age, token.lifetime) == (0, 300)
