"""PKCE: the known answer, and the grammar of a verifier."""

import pytest

from oidc_core.jose.pkce import CODE_CHALLENGE_METHOD, challenge_s256, check_code_verifier
from oidc_core.wire.errors import UsageError


@pytest.mark.req("RFC7636-4.2-01")
def test_the_challenge_of_rfc_7636_appendix_b() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_s256(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.req("RFC7636-4.2-02", "RFC7636-4.3-01")
def test_the_method_is_s256() -> None:
    assert CODE_CHALLENGE_METHOD == "S256"


@pytest.mark.req("RFC7636-4.1-01")
@pytest.mark.parametrize(
    "verifier",
    ["x" * 42, "x" * 129, "", "x" * 42 + "=", "x" * 42 + "é", "x" * 43 + "\n", "+" * 43, " " * 43],
)
def test_a_verifier_outside_the_grammar_is_refused_and_not_shown(verifier: str) -> None:
    for refused in (check_code_verifier, challenge_s256):
        with pytest.raises(UsageError) as caught:
            refused(verifier)
        assert caught.value.code == "entropy_failure"
        assert caught.value.found == len(verifier)


@pytest.mark.req("RFC7636-4.1-01")
@pytest.mark.parametrize("verifier", ["x" * 43, "x" * 128, "-._~" * 11, "aZ09" * 20])
def test_a_verifier_within_the_grammar_is_taken(verifier: str) -> None:
    check_code_verifier(verifier)
    assert len(challenge_s256(verifier)) == 43
