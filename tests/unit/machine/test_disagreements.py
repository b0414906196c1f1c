"""The refusal of a token that is not as it was registered names the member to set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_core.jose.profiles import ID_TOKEN, USERINFO
from oidc_core.machine.disagreements import (
    encryption_of,
    explained,
    signature_of,
    unexpected_encryption,
)
from oidc_core.model.policy import Policy
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.way import Channel
from tests.encryption import encrypted
from tests.parties import RP, relying_party
from tests.signing import signed, unsigned

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty

SIGNED: Final = "id_token_signed_response_alg"
ENCRYPTED: Final = "id_token_encrypted_response_alg"
LISTING: Final = "id_token_signing_alg_values_supported"
CHANNEL: Final = Channel("verified")


def told(code: str, rp: RelyingParty = RP, /, token: str = "", **facts: Any) -> ProtocolViolation:
    source = facts.pop("source", "solicited")
    return explained(rp, ID_TOKEN, ProtocolViolation(code, **facts), token, source)


# --- what a token says of itself -----------------------------------------------------------------


def test_alg_and_enc_of_a_jwe_are_read() -> None:
    assert encryption_of(encrypted("{}")) == "ECDH-ES+A128KW A128GCM"
    assert signature_of(signed({})) == "ES256"
    assert signature_of(unsigned({}, alg=100 * "x")) == 64 * "x"


@pytest.mark.parametrize(
    "token", ["", "....", "a.b.c.d.e", "W10....", "é....", signed({}), "eyJhbGciOiJkaXIifQ...."]
)
def test_what_is_no_jwe_says_nothing(token: str) -> None:
    assert encryption_of(token) == ""


@pytest.mark.parametrize("token", ["", "..", "a.b.c", "W10.a.b", "\ud800..", encrypted("{}")])
def test_what_is_no_jws_says_nothing(token: str) -> None:
    assert signature_of(token) == ""


HOSTILE: Final = "RS256\n2026-11-28 CRITICAL \x1b[31m"


@pytest.mark.parametrize(
    "name", [f"x{HOSTILE}", 1_000 * "\n", "\u2028", "\x7f"], ids=["line", "lines", "LS", "DEL"]
)
def test_a_name_of_a_header_is_told_in_one_printable_line(name: str) -> None:
    """Hints are logged, and the sender of a token writes its header."""
    jwe = f"{b64url_encode(json.dumps({'alg': name, 'enc': name}).encode())}...."
    for said in (signature_of(unsigned({}, alg=name)), encryption_of(jwe)):
        assert said.isascii()
        assert said.isprintable()
        assert len(said) < 500


# --- encryption ----------------------------------------------------------------------------------


def test_an_encrypted_token_names_the_member_and_how_the_provider_encrypts() -> None:
    error = told("jws_malformed", token=encrypted("{}"))
    assert (error.code, error.about, error.of) == ("encryption_unexpected", ENCRYPTED, "id_token")
    assert (error.found, error.kind) == ("ECDH-ES+A128KW A128GCM", "configuration")
    assert unexpected_encryption(USERINFO, "x").about == "userinfo_encrypted_response_alg"


@pytest.mark.parametrize("token", ["a.b.c.d.e", "a.b", ""])
def test_any_other_malformed_token_stays_what_it_is(token: str) -> None:
    error = told("jws_malformed", token=token, expected="three parts")
    assert (error.code, error.about, error.expected) == ("jws_malformed", "", "three parts")


@pytest.mark.parametrize(
    ("code", "facts", "member"),
    [
        ("encryption_missing", {}, ENCRYPTED),
        ("encryption_mismatch", {"about": "alg"}, ENCRYPTED),
        ("signature_missing", {}, SIGNED),
        ("cty_unexpected", {"found": "JWT", "about": "cty"}, SIGNED),
    ],
)
def test_the_member_stands_in_error_and_hint(code: str, facts: dict[str, Any], member: str) -> None:
    error = told(code, **facts)
    assert (error.code, error.about) == (code, member)
    assert member in error.hint


@pytest.mark.parametrize(
    "code", ["typ_unexpected", "crit_unsupported", "key_not_found", "signature_invalid",
             "cty_unexpected", "decryption_failed"],
)  # fmt: skip
def test_what_no_registration_would_change_stays_as_it_is(code: str) -> None:
    error = told(code)
    assert (error.about, error.hint) == ("", error.row.hint)


# --- algorithms ----------------------------------------------------------------------------------


def of_provider(*algorithms: str, **how: Any) -> RelyingParty:
    return relying_party(provider={LISTING: algorithms}, **how)


def discovered(*algorithms: str, **how: Any) -> RelyingParty:
    return evolve(of_provider(*algorithms, **how), discovered_by=CHANNEL)


def refused_alg(rp: RelyingParty, found: str, source: str = "solicited") -> ProtocolViolation:
    allowed = tuple(sorted(rp.protection["id_token"].algorithms))
    named: dict[str, Any] = {"found": found, "expected": allowed, "about": "alg"}
    return told("alg_not_allowed", rp, source=source, **named)


def test_a_registered_algorithm_is_the_one_to_correct() -> None:
    rp = evolve(
        relying_party(client={SIGNED: "RS256"}, provider={LISTING: ("ES256", "RS256")}),
        discovered_by=CHANNEL,
    )
    error = refused_alg(rp, "ES256")
    assert (error.about, error.cause, error.retryable) == (SIGNED, "registration", "no")
    assert error.expected == ("RS256",)
    assert error.hint == f"the client registered RS256: correct {SIGNED}"


@pytest.mark.parametrize("found", ["none", "NONE", "", "RS1", "dir", "A128GCM"])
def test_what_no_token_is_signed_with_is_never_offered(found: str) -> None:
    """E20, B14: however metadata changes, it would be refused."""
    registered = relying_party(client={SIGNED: "RS256"})
    for rp in (discovered("RS256"), discovered("RS256", found), registered):
        error = refused_alg(rp, found)
        assert (error.retryable, error.kind, error.cause) == ("no", "configuration", "")
        assert "=" not in error.hint


@pytest.mark.parametrize("found", ["HS256", "HS512"])
@pytest.mark.parametrize("listed", [("RS256",), ("RS256", "HS256", "HS512")])
def test_a_mac_is_only_taken_where_it_is_registered(found: str, listed: tuple[str, ...]) -> None:
    error = refused_alg(discovered(*listed), found)
    assert (error.cause, error.retryable) == ("policy", "no")
    assert error.hint == f"if the client is registered so, set {SIGNED}={found}"


@pytest.mark.parametrize("listed", [("RS256",), ("RS256", "ML-DSA-44")])
def test_what_the_policy_does_not_name_is_named(listed: tuple[str, ...]) -> None:
    rp = discovered(*listed, policy=Policy(algorithms={"RS256"}))
    for found in ("ES256", "ML-DSA-44"):
        error = refused_alg(rp, found)
        assert (error.cause, error.retryable) == ("policy", "no")
        assert error.hint.endswith(f"set {SIGNED}={found}, or name it in Policy.algorithms")


def test_with_nothing_in_common_nothing_is_expected() -> None:
    """Metadata that was made by hand for validation only may say nothing."""
    error = told("alg_not_allowed", found="HS256", expected=(), about="alg")
    assert error.expected is None
    assert "()" not in str(error)


@pytest.mark.parametrize(
    ("listed", "where"),
    [
        (("RS256", "PS256"), f"{LISTING} lists RS256 PS256"),
        ((), f"without {LISTING} it is RS256"),
    ],
)
def test_what_the_metadata_does_not_list_may_be_new(listed: tuple[str, ...], where: str) -> None:
    """The provider may have added it since; the client reads metadata again."""
    error = refused_alg(discovered(*listed), "ES256")
    assert (error.about, error.cause) == (SIGNED, "metadata")
    assert (error.retryable, error.kind) == ("restart", "stale")
    assert error.hint == f"{where}; the client reads the metadata again: start a new login"


def test_a_hint_tells_listed_names_in_one_bounded_line() -> None:
    """Metadata may list anything, and as much as it has room for."""
    error = refused_alg(discovered("RS256", HOSTILE, *[f"x{n}" for n in range(2_000)]), "ES256")
    assert error.cause == "metadata"
    assert "lists RS256 'RS256\\n2026" in error.hint
    assert "x13 and 1986 more;" in error.hint
    assert str(error).isprintable()
    assert len(str(error)) < 1_000


@pytest.mark.parametrize(
    ("rp", "source"),
    [(discovered("RS256"), "unsolicited"), (of_provider("RS256"), "solicited")],
    ids=["by a stranger", "by hand"],
)
def test_neither_a_stranger_nor_a_client_made_by_hand_has_metadata_read_again(
    rp: RelyingParty, source: str
) -> None:
    error = refused_alg(rp, "ES256", source)
    assert (error.cause, error.retryable, error.kind) == ("metadata", "no", "configuration")
    assert error.hint.endswith(f"if the client is registered so, set {SIGNED}=ES256")


def test_an_algorithm_that_a_library_lacks_is_another_matter() -> None:
    error = told("alg_not_allowed", found="ML-DSA-44", expected="an algorithm", about="alg")
    assert (error.about, error.hint) == ("alg", error.row.hint)


# --- a secret ------------------------------------------------------------------------------------


def test_a_mac_that_does_not_hold_names_the_secret() -> None:
    rp = relying_party(client={SIGNED: "HS256"})
    error = told("signature_invalid", rp)
    assert (error.code, error.about) == ("signature_invalid", "client_secret")
    assert "compare" in error.hint
