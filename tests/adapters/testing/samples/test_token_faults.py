from __future__ import annotations

import pytest

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.misbehaviours import HONEST, Changes
from oidc_adapters.testing.samples import (
    ENCRYPTION,
    TOKEN_FAULTS,
    TOKEN_KINDS,
    SignedToken,
    TokenKind,
    judged,
    token_faults,
)
from oidc_adapters.testing.samples.token_faults import parts_of
from oidc_adapters.testing.signing import ALGORITHMS
from oidc_core import CODES

KINDS = pytest.mark.parametrize("kind", TOKEN_KINDS)


def test_the_parts_that_differ_are_told() -> None:
    assert parts_of(HONEST) == frozenset()
    assert parts_of(Changes(id_token=lambda _: "")) == {"id_token"}


@KINDS
def test_each_fault_is_a_misbehaviour_with_a_code(kind: TokenKind) -> None:
    assert {*TOKEN_FAULTS[kind]} <= {*MISBEHAVIOURS}
    assert {row.code for row in TOKEN_FAULTS[kind].values()} <= {*CODES}


def test_every_misbehaviour_in_a_token_is_a_fault_of_some_token() -> None:
    """A new row of the table is drawn by itself."""
    of_tokens = {"id_token", "logout_token", "userinfo_jwt", "encrypted"}
    rows = {
        name
        for name, row in MISBEHAVIOURS.items()
        if parts_of(row.changes) & of_tokens
        and row.during != "refresh"
        and row.needs != "strict"  # a client with other rules
    }

    assert rows - {name for faults in TOKEN_FAULTS.values() for name in faults} == {
        "logout_replayed"
    }


def found(kind: TokenKind, alg: str, *, encrypted: bool, named: bool) -> dict[str, str]:
    """Return the faults that this library refuses with a code of another fault."""
    encryption = ENCRYPTION if encrypted else None
    odd: dict[str, str] = {}
    for fault in ("", *token_faults(kind, alg, encrypted=encrypted, named=named)):
        token = SignedToken(kind=kind, alg=alg, encryption=encryption, key_named=named, fault=fault)
        if judged(token) != token.code:
            odd[fault] = judged(token)
    return odd


@KINDS
@pytest.mark.parametrize("encrypted", [False, True])
def test_each_fault_is_refused_with_its_code(kind: TokenKind, encrypted: bool) -> None:
    assert found(kind, "EdDSA", encrypted=encrypted, named=True) == {}
    assert found(kind, "HS256", encrypted=encrypted, named=True) == {}


@pytest.mark.slow
@KINDS
@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_fault_is_refused_with_its_code_for_every_algorithm(kind: TokenKind, alg: str) -> None:
    for named in (True, False):
        for encrypted in (True, False):
            assert found(kind, alg, encrypted=encrypted, named=named) == {}


@KINDS
def test_there_are_faults_of_each_kind(kind: TokenKind) -> None:
    for alg in ALGORITHMS:
        for encrypted in (True, False):
            assert len(token_faults(kind, alg, encrypted=encrypted, named=False)) >= 1


def test_a_fault_is_only_where_it_would_be_one() -> None:
    assert "small_order_ed25519" in token_faults("id_token", "EdDSA")
    assert "small_order_ed25519" not in token_faults("id_token", "ES256")
    assert "rsa_1024" in token_faults("id_token", "RS256")
    assert "rsa_1024" not in token_faults("id_token", "PS256")
    assert "unknown_kid" not in token_faults("id_token", "HS256")
    assert "jwks_empty" not in token_faults("id_token", "ES256", named=False)
    assert "jwe_zip" not in token_faults("id_token", "ES256")
    assert "jwe_zip" in token_faults("id_token", "ES256", encrypted=True)
