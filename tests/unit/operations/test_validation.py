"""An ID token checked on its own."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

from oidc_adapters.testing.signing import half_hash
from oidc_core.jose.key_set import KeySet
from oidc_core.machine.steps import KeysWithheld, NeedKeys
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import ProtocolViolation, TransportFailure, UsageError
from tests.parties import (
    CLIENT_ID,
    ISSUER,
    NOW,
    RP,
    SUB,
    claims_for,
    done,
    keys,
    refused,
    relying_party,
    resume,
    with_keys,
)
from tests.signing import mac_key, published, signed, signing_key, unsigned

if TYPE_CHECKING:
    from oidc_adapters.testing.signing import SigningKey
    from oidc_core.endpoints.id_token import CheckedIdToken
    from oidc_core.machine.steps import Step
    from oidc_core.model.relying_party import RelyingParty

NONCE = "n-0S6_WzA2Mj"
DEMANDS = Demands(nonce=NONCE, started_at=NOW)
TOKEN = signed(claims_for(NONCE))
NEW = signing_key(slot="rotated", kid="k2")


def begun(
    token: str = TOKEN, demands: Demands = DEMANDS, *, rp: RelyingParty = RP, **how: Any
) -> NeedKeys[CheckedIdToken]:
    """Begin to validate a token that needs the provider's keys."""
    step = validate(rp, token, demands, now=NOW, **how)
    assert isinstance(step, NeedKeys)
    return step


def with_registered_mac(alg: str = "HS256") -> RelyingParty:
    return relying_party(client={"id_token_signed_response_alg": alg})


def test_a_good_token_comes_back_with_what_was_checked() -> None:
    valid = done(resume(RP, begun(), keys()))

    assert (valid.id_token.sub, valid.id_token.aud, valid.id_token.raw) == (
        SUB,
        (CLIENT_ID,),
        TOKEN,
    )
    assert (valid.evidence.alg, valid.evidence.kid) == ("ES256", "k1")
    assert valid.evidence.checked_at == NOW


@pytest.mark.parametrize(
    ("header", "note"),
    [
        ({"typ": "JOSE"}, "typ"),
        ({"cty": "json"}, "cty"),
        ({"b64": True}, "b64"),
        ({"zip": "DEF"}, "zip"),
        ({"x5c": 4 * ["MII" + 2_000 * "A"]}, "x5c"),
    ],
)
def test_what_was_ignored_of_a_header_is_noted(header: dict[str, Any], note: str) -> None:
    valid = done(resume(RP, begun(signed(claims_for(NONCE), **header)), keys()))

    assert valid.evidence.notes == (note,)


def padded(key: SigningKey) -> KeySet:
    """Publish a key as a provider does that does not know base64url."""
    jwk: dict[str, Any] = {**key.public_jwk()}
    return published(key, x=f"{jwk['x']}=")


def test_a_key_that_is_oddly_encoded_is_taken_by_a_quirk_and_noted() -> None:
    odd = padded(signing_key())
    lenient = relying_party(policy=Policy(quirks={"lenient_key_encoding"}))
    strict = evolve(RP, verifier=lenient.verifier)

    valid = done(resume(lenient, begun(rp=lenient), keys(odd)))
    step = begun(rp=strict)
    error = refused(ProtocolViolation, "jwk_invalid", lambda: resume(strict, step, keys(odd)))

    assert valid.evidence.notes == ("quirk lenient_key_encoding: x",)
    assert [key.code for key in valid.evidence.skipped_keys] == ["jwk_invalid"]
    assert (error.found, error.about) == ("k1", "x")
    assert error.hint.endswith(" (expected 'base64url')")
    assert "lenient_key_encoding" in error.hint
    assert (
        valid.evidence.key_thumbprint == done(resume(RP, begun(), keys())).evidence.key_thumbprint
    )


@pytest.mark.parametrize("kid", ["k1", None])
def test_a_strict_relying_party_does_not_recall_an_odd_key(kid: str | None) -> None:
    odd, token = padded(signing_key(kid=kid)), signed(claims_for(NONCE), signing_key(kid=kid))
    lenient = relying_party(policy=Policy(quirks={"lenient_key_encoding"}))
    for _ in range(2):
        done(resume(lenient, begun(token, rp=lenient), keys(odd)))
    strict = evolve(RP, verifier=lenient.verifier)

    with pytest.raises(ProtocolViolation):
        with_keys(strict, begun(token, rp=strict), odd)


def test_a_token_without_a_nonce_is_good_if_none_is_expected() -> None:
    demands = evolve(DEMANDS, nonce=EXPECT_NO_NONCE)

    valid = done(resume(RP, begun(signed(claims_for()), demands), keys()))

    assert valid.id_token.nonce is None
    step = begun(demands=demands)
    refused(ProtocolViolation, "nonce_unexpected", lambda: resume(RP, step, keys()))


@pytest.mark.req("OIDCC-3.1.3.7-11a")
@pytest.mark.parametrize("nonce", ["another", NONCE.upper(), "", f"{NONCE} "])
def test_another_nonce_is_refused(nonce: str) -> None:
    step = begun(signed(claims_for(nonce)))

    refused(ProtocolViolation, "nonce_mismatch", lambda: resume(RP, step, keys()))


@pytest.mark.req("OIDCC-3.1.3.7-11a")
def test_a_token_without_the_nonce_is_refused() -> None:
    step = begun(signed(claims_for()))

    refused(ProtocolViolation, "nonce_missing", lambda: resume(RP, step, keys()))


@pytest.mark.parametrize(("nonce", "code"), [("", "nonce_mismatch"), (None, "nonce_missing")])
def test_an_empty_nonce_ties_a_token_to_no_login(nonce: str | None, code: str) -> None:
    """An application that lost its nonce has no nonce to compare with."""
    step = begun(signed(claims_for(nonce)), evolve(DEMANDS, nonce=""))

    refused(ProtocolViolation, code, lambda: resume(RP, step, keys()))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://evil.example"}, "iss_mismatch"),
        ({"aud": "another-client"}, "aud_mismatch"),
        ({"exp": NOW - 3_600, "iat": NOW - 7_200}, "exp_expired"),
    ],
)
def test_the_rules_of_a_login_hold_here_too(changes: dict[str, object], code: str) -> None:
    step = begun(signed(claims_for(NONCE, **changes)))

    refused(ProtocolViolation, code, lambda: resume(RP, step, keys()))


DAY = 86_400


@pytest.mark.parametrize("days", [1, 2, 9])
@pytest.mark.parametrize("mac", [False, True])
def test_a_token_that_was_kept_is_valid_until_it_expires(days: int, mac: bool) -> None:
    """How long ago it was issued counts where it has just come: in a login, in a refresh."""
    old = claims_for(NONCE, iat=NOW - days * DAY - 100, exp=NOW + DAY)
    over = claims_for(NONCE, iat=NOW - days * DAY - 100, exp=NOW - 61)
    rp, key = (with_registered_mac(), mac_key()) if mac else (RP, signing_key())

    def validated(claims: Any, **how: Any) -> CheckedIdToken:
        step = validate(rp, signed(claims, key), DEMANDS, now=NOW, **how)
        return done(step if mac else resume(rp, step, keys()))

    valid = validated(old)
    assert (valid.id_token.sub, "iat" in dict(valid.evidence.skipped)) == (SUB, False)
    refused(ProtocolViolation, "exp_expired", lambda: validated(over))
    refused(ProtocolViolation, "iat_too_old", lambda: validated(old, source="solicited"))


def test_a_token_that_was_kept_was_not_issued_in_the_future() -> None:
    step = begun(signed(claims_for(NONCE, iat=NOW + 61, exp=NOW + DAY)))

    refused(ProtocolViolation, "iat_in_future", lambda: resume(RP, step, keys()))


def test_what_else_is_demanded_is_compared_too() -> None:
    step = begun(demands=evolve(DEMANDS, sub="Bob"))

    error = refused(ProtocolViolation, "sub_mismatch", lambda: resume(RP, step, keys()))

    assert (error.about, error.of) == ("sub", "id_token")


def test_an_access_token_that_came_along_is_compared_with_its_hash() -> None:
    token = signed(claims_for(NONCE, at_hash=half_hash("ES256", "access-1")))

    own = begun(token, access_token="access-1")
    assert dict(done(resume(RP, own, keys())).evidence.skipped).keys().isdisjoint({"at_hash"})
    other = begun(token, access_token="access-2")
    error = refused(ProtocolViolation, "at_hash_mismatch", lambda: resume(RP, other, keys()))
    assert error.about == "at_hash"
    skipped = dict(done(resume(RP, begun(token), keys())).evidence.skipped)
    assert skipped["at_hash"] == "no access token came along"


def test_the_type_of_another_token_is_refused() -> None:
    step = begun(signed(claims_for(NONCE), typ="at+jwt"))

    refused(ProtocolViolation, "typ_unexpected", lambda: resume(RP, step, keys()))


# --- keys ----------------------------------------------------------------------------------------


def test_keys_are_asked_for_as_those_of_a_token_that_anybody_may_bring() -> None:
    wanted = begun().wanted

    assert (wanted.source, wanted.newer_than, wanted.missing_kid) == ("unsolicited", None, None)


def test_who_knows_the_provider_sent_it_may_say_so() -> None:
    assert begun(source="solicited").wanted.source == "solicited"


@pytest.mark.req("OIDCC-10.1.1-01", "OIDCC-10.1.1-03")
def test_an_unknown_key_is_asked_for_once_more_and_no_more() -> None:
    again = resume(RP, begun(signed(claims_for(NONCE), NEW)), keys())

    assert isinstance(again, NeedKeys)
    assert (again.wanted.newer_than, again.wanted.missing_kid) == (NOW, "k2")
    assert again.wanted.source == "unsolicited"
    fresh = keys(fetched_at=NOW + 1, now=NOW + 1)
    refused(ProtocolViolation, "key_not_found", lambda: resume(RP, again, fresh))


def test_a_key_that_was_added_meanwhile_is_found() -> None:
    again = resume(RP, begun(signed(claims_for(NONCE), NEW)), keys())
    assert isinstance(again, NeedKeys)

    rotated = keys(published(signing_key(), NEW), fetched_at=NOW + 1, now=NOW + 1)
    assert done(resume(RP, again, rotated)).evidence.kid == "k2"


def test_without_keys_it_fails_for_now() -> None:
    def resumed() -> Step[CheckedIdToken]:
        return resume(RP, begun(), KeysWithheld("throttled"))

    refused(TransportFailure, "keys_unavailable", resumed)


@pytest.mark.req("OIDCC-3.1.3.7-06b")
@pytest.mark.parametrize(
    ("token", "code"),
    [
        (TOKEN[:-4] + ("AAAA" if TOKEN[-4:] != "AAAA" else "BBBB"), "signature_invalid"),
        (unsigned(claims_for(NONCE), alg="none"), "alg_not_allowed"),
        (signed(claims_for(NONCE), mac_key()), "alg_not_allowed"),
    ],
)
def test_a_token_that_the_provider_did_not_sign_is_refused(token: str, code: str) -> None:
    step = begun(token)

    refused(ProtocolViolation, code, lambda: resume(RP, step, keys()))


# --- MACs ----------------------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.3.7-08a")
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_a_registered_mac_is_verified_at_once_with_the_clients_secret(alg: str) -> None:
    rp = with_registered_mac(alg)

    valid = done(validate(rp, signed(claims_for(NONCE), mac_key(alg)), DEMANDS, now=NOW))

    assert (valid.id_token.sub, valid.evidence.alg) == (SUB, alg)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"key": mac_key(secret="another secret of more than sixty-four octets " * 2)},
         "signature_invalid"),
        ({"key": mac_key("HS384")}, "alg_not_allowed"),
        ({"key": signing_key()}, "alg_not_allowed"),
        ({"key": mac_key(), "typ": "at+jwt"}, "typ_unexpected"),
    ],
)  # fmt: skip
def test_another_mac_than_the_registered_one_is_refused(options: dict[str, Any], code: str) -> None:
    token = signed(claims_for(NONCE), **options)
    rp = with_registered_mac()

    refused(ProtocolViolation, code, lambda: validate(rp, token, DEMANDS, now=NOW))


def test_a_good_mac_does_not_excuse_the_claims() -> None:
    token = signed(claims_for("another"), mac_key())
    rp = with_registered_mac()

    refused(ProtocolViolation, "nonce_mismatch", lambda: validate(rp, token, DEMANDS, now=NOW))


# --- what is shown -------------------------------------------------------------------------------


def test_a_waiting_step_shows_neither_token_nor_nonce() -> None:
    shown = repr(begun(access_token="access-1"))

    for secret in (TOKEN, NONCE, "access-1"):
        assert secret not in shown


@pytest.mark.parametrize("kid", ["k1", None])
def test_a_key_that_is_published_once_for_each_of_two_tenants_serves_both(kid: str | None) -> None:
    """B10."""
    rule = IssuerRule.template(f"{ISSUER}/{{tenantid}}", tenants=frozenset({"t1", "t2", "t3"}))
    rp = relying_party(provider={"issuer": rule.canonical}, rule=rule)
    two = [published(signing_key(), issuer=f"{ISSUER}/{name}").published for name in ("t1", "t2")]
    key_set = KeySet((*two[0], *two[1]))

    def validated(tenant: str) -> str:
        token = signed(claims_for(NONCE, iss=f"{ISSUER}/{tenant}", tid=tenant), kid=kid)
        step = with_keys(rp, validate(rp, token, DEMANDS, now=NOW), key_set)
        return done(step).id_token.iss

    assert [validated("t1"), validated("t2")] == [f"{ISSUER}/t1", f"{ISSUER}/t2"]
    refused(ProtocolViolation, "iss_mismatch", lambda: validated("t3"))


@pytest.mark.parametrize("token", [None, TOKEN.encode(), 5, [TOKEN], {"id_token": TOKEN}])
def test_a_token_is_text(token: Any) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: validate(RP, token, DEMANDS, now=NOW))
    assert error.about == "token"


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("rp", None),
        ("rp", "rp"),
        ("demands", None),
        ("demands", NONCE),
        ("demands", {}),
        ("now", None),
        ("now", float(NOW)),
        ("now", True),
        ("access_token", b"x"),
        ("access_token", 5),
        ("source", "Solicited"),
        ("source", None),
        ("source", []),
        ("source", b"solicited"),
    ],
)
def test_an_argument_of_another_type_is_named(about: str, value: Any) -> None:
    given: dict[str, Any] = {"rp": RP, "token": TOKEN, "demands": DEMANDS, "now": NOW}
    call = partial(validate, **{**given, about: value})
    assert refused(UsageError, "parameter_invalid", call).about == about


@pytest.mark.req("OIDCC-3.1.3.7-05")
def test_a_token_of_another_client_of_the_application_is_taken_where_it_is_named() -> None:
    """Its ``aud`` is this client, which the phone application asked for; ``azp`` is that one."""
    token = signed(claims_for(NONCE, azp="phone"))
    error = refused(ProtocolViolation, "azp_mismatch", lambda: resume(RP, begun(token), keys()))
    assert (error.found, error.expected) == ("phone", CLIENT_ID)
    assert "trusted_parties" in error.hint

    rp = relying_party(client={"trusted_parties": {"phone", "tablet"}})
    checked = done(with_keys(rp, begun(token, rp=rp)))
    assert dict(checked.evidence.skipped)["azp"] == "issued to a trusted party: phone"
    for azp in ("watch", 5, ["phone"]):
        odd = begun(signed(claims_for(NONCE, azp=azp)), rp=rp)
        with pytest.raises(ProtocolViolation):
            resume(rp, odd, keys())
    own = done(with_keys(rp, begun(signed(claims_for(NONCE, azp=CLIENT_ID)), rp=rp)))
    assert "azp" not in dict(own.evidence.skipped)
