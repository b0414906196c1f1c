from __future__ import annotations

import pytest

from oidc_adapters.testing.samples import (
    NOW,
    SampleCallback,
    SampleKey,
    SampleKeySet,
    SampleMetadata,
    SampleTokenResponse,
    SignedToken,
    client_for,
    demands_on,
    driven,
    judged,
    logout_request,
    userinfo_answer,
)
from oidc_adapters.testing.samples.judges import Judged
from oidc_core import Policy, backchannel_logout, discovery, parse_key_set


@pytest.mark.parametrize(
    ("sample", "code"),
    [
        (SignedToken(), ""),
        (SignedToken(kind="logout_token"), ""),
        (SignedToken(kind="userinfo"), ""),
        (SignedToken(kind="userinfo", claims={"sub": "bob"}), "sub_mismatch"),
        (SignedToken(kind="logout_token", age=300, lifetime=900), "iat_too_old"),
        (SignedToken(claims={"nonce": "other"}), "nonce_mismatch"),
        (SignedToken(lifetime=-100), "exp_expired"),
        (SampleKeySet(keys=(SampleKey(fault="cut"),)), "jwk_invalid"),
        (SampleMetadata(members={"issuer": "https://evil.example"}), "metadata_issuer_mismatch"),
        (SampleCallback(extra={"state": "other"}), "parameter_duplicated"),
        (SampleTokenResponse(members={"token_type": "mac"}), "token_type_mismatch"),
    ],
    ids=repr,
)
def test_a_sample_is_judged_by_what_it_is(sample: Judged, code: str) -> None:
    """Also one that was changed by hand, whose own code says nothing about that."""
    assert judged(sample) == code


def test_a_policy_decides() -> None:
    typed = Policy(require_logout_typ=True)

    assert judged(SignedToken(kind="logout_token"), typed) == ""
    assert judged(SignedToken(kind="logout_token", header={"typ": "JWT"}), typed) != ""


def test_the_demands_are_those_that_a_fault_needs() -> None:
    assert demands_on(SignedToken()).nonce == SignedToken().nonce
    assert demands_on(SignedToken(fault="no_auth_time")).max_age == 300
    assert demands_on(SignedToken(fault="weaker_acr")).required_acr


def test_an_operation_is_driven_by_answers_and_keys() -> None:
    token = SignedToken(kind="logout_token", claims={"sid": "s-1"})
    rp = client_for(token)
    keys = SampleKeySet().members

    found = driven(rp, discovery.discover(rp), answers=(SampleMetadata().answer,))
    assert found.issuer == rp.issuer

    step = backchannel_logout.receive(rp, logout_request(token), now=NOW)
    assert driven(rp, step, keys=parse_key_set(keys)).sid == "s-1"


def test_signed_userinfo_comes_as_a_jwt() -> None:
    answer = userinfo_answer(SignedToken(kind="userinfo"))

    assert answer.media_type == "application/jwt"
