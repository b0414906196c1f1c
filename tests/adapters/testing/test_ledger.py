"""The fake provider's memory."""

import pytest

from oidc_adapters.testing import ledger as ledger_module
from oidc_adapters.testing.claims_request import ClaimsRequest
from oidc_adapters.testing.ledger import Family, Grant, IssuedCode, Ledger, RefreshToken

from .raw_client import NOW


def test_fresh_values_follow_from_the_seed() -> None:
    one, again, other = Ledger(seed=1), Ledger(seed=1), Ledger(seed=2)

    drawn = [one.fresh("code"), one.fresh("code"), one.fresh("sid")]

    assert drawn == [again.fresh("code"), again.fresh("code"), again.fresh("sid")]
    assert len({*drawn, other.fresh("code")}) == 4
    assert {len(value) for value in drawn} == {43}


def test_an_assertion_is_remembered_until_it_is_over() -> None:
    ledger = Ledger(seed=1)

    assert ledger.seen_once("a", "jti", NOW + 60, NOW)
    assert not ledger.seen_once("a", "jti", NOW + 60, NOW + 59)
    assert ledger.seen_once("b", "jti", NOW + 60, NOW)
    assert ledger.seen_once("a", "jti", NOW + 120, NOW + 60)


GRANT = Grant(
    client_id="client",
    redirect_uri="https://rp.example/cb",
    scope=("openid",),
    sub="alice",
    sid="sid",
    auth_time=NOW,
    acr="a",
    nonce=None,
    code_challenge="c",
    claims=ClaimsRequest(),
)


def test_what_is_forgotten_at_the_cap_is_revoked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise its second use would go unnoticed, and its tokens would stay valid."""
    monkeypatch.setattr(ledger_module, "CAP", 2)
    ledger, families = Ledger(seed=1), [Family(grant=GRANT) for _ in range(6)]
    for number, family in enumerate(families[:3]):
        ledger.keep_code(f"{number}", IssuedCode(family=family, expires_at=NOW))
    for number, family in enumerate(families[3:]):
        ledger.keep_refresh_token(f"{number}", RefreshToken(family=family))

    assert [family.revoked for family in families] == [True, False, False, True, False, False]
    assert [*ledger.codes] == [*ledger.refresh_tokens] == ["1", "2"]


def test_at_the_cap_a_further_assertion_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "CAP", 2)
    ledger = Ledger(seed=1)
    assert ledger.seen_once("a", "1", NOW + 60, NOW)
    assert ledger.seen_once("a", "2", NOW + 60, NOW)

    assert not ledger.seen_once("a", "3", NOW + 60, NOW)
    assert not ledger.seen_once("a", "1", NOW + 60, NOW)
    assert ledger.seen_once("a", "3", NOW + 120, NOW + 60)
