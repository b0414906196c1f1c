"""The claims of an ID token: each rule with values that pass, values that fail, and the edge."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_adapters.crypto import ClientDecrypter
from oidc_adapters.testing.signing import b64url, half_hash, rendered
from oidc_core.endpoints.id_token import ID_TOKEN_RULES, CheckedIdToken, Expected, check
from oidc_core.jose.algorithms import half_hash as core_half_hash
from oidc_core.jose.jwk import Jwk, SkippedKey
from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws, check_header, parse_header
from oidc_core.jose.key_set import KeySet
from oidc_core.jose.profiles import ID_TOKEN, JwtProfile
from oidc_core.model.claims import Identity, verified_email
from oidc_core.model.client import ClientRegistration
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.evidence import evidence_json
from oidc_core.model.issuer_rule import ANY_TENANT, IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import ProtocolViolation, UsageError, fingerprint
from oidc_core.wire.jsontypes import JsonObject, frozen_json
from tests.encryption import ECDH, P256
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    OTHER_ISSUER,
    RP,
    SUB,
    claims_for,
    refused,
    relying_party,
)
from tests.unit.parties import told

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty

NONCE = "n-0S6_WzA2Mj"
PATTERN = "https://login.example/{tenantid}/v2.0"
KEY = Jwk(kty="EC", crv="P-256", material=(b"x", b"y"))
MISSING: Any = object()


def checked(
    claims: dict[str, Any],
    *,
    rp: RelyingParty = RP,
    key: Jwk | None = KEY,
    alg: str = "ES256",
    now: int = NOW,
    ignored: tuple[str, ...] = (),
    encryption: Encryption | None = None,
    keys: KeySet | None = None,
    iss: str | None = None,
    access_token: str | None = None,
    profile: JwtProfile = ID_TOKEN,
    **demanded: Any,
) -> CheckedIdToken:
    header, payload = JoseHeader(alg, "k1", "", ignored), rendered(claims)
    jws = VerifiedJws(header, payload, key, now, NOW - 5, keys, encryption)
    wishes: dict[str, Any] = {"nonce": NONCE, "started_at": NOW - 20, **demanded}
    demands = Demands(**wishes)
    frozen = frozen_json(claims)
    assert isinstance(frozen, JsonObject)
    expected = Expected(demands, access_token)
    return check(rp, jws, frozen, expected, raw="raw", iss=iss, profile=profile)


def with_claims(**changes: Any) -> dict[str, Any]:
    """Good claims with changes; ``MISSING`` leaves one out and ``None`` is JSON's null."""
    claims = {**claims_for(NONCE), **changes}
    return {name: value for name, value in claims.items() if value is not MISSING}


def refusal(code: str, claims: dict[str, Any], **how: Any) -> ProtocolViolation:
    error = refused(ProtocolViolation, code, lambda: checked(claims, **how))
    assert isinstance(error, ProtocolViolation)
    assert error.of == "id_token"
    return error


@pytest.mark.req("OIDCC-2-13", "OIDCC-3.1.3.7-02", "OIDCC-3.1.3.7-03a", "OIDCD-4.3-02")
def test_a_good_token_passes_whatever_else_it_says() -> None:
    extra = {f"x{n}": {"nested": [n, {"a": None}]} for n in range(50)}

    token, evidence = checked(with_claims(**extra))

    assert (token.iss, token.sub, token.aud, token.exp, token.iat) == (
        ISSUER,
        SUB,
        (CLIENT_ID,),
        NOW + 300,
        NOW,
    )
    assert (token.nonce, token.raw, token.azp, token.sid, token.acr) == (
        NONCE,
        "raw",
        None,
        None,
        None,
    )
    assert {*token.claims} >= {*extra}
    assert (evidence.of, evidence.alg, evidence.kid) == ("id_token", "ES256", "k1")
    assert (evidence.checked_at, evidence.keys_fetched_at) == (NOW, NOW - 5)
    verdicts = {line.name: line.verdict for line in evidence.checks}
    assert [rule.name for rule in ID_TOKEN_RULES.rules] == [*verdicts]
    for name in ("iss", "aud", "signature", "alg", "kind", "exp", "iat", "nonce", "sub"):
        assert verdicts[name] == "passed"


@pytest.mark.req("OIDCC-2-01", "OIDCC-3.1.3.7-02", "OIDCC-14-01")
@pytest.mark.parametrize(
    "iss",
    [
        "",
        OTHER_ISSUER,
        f"{ISSUER}/",
        ISSUER[:-1],
        f"{ISSUER}.evil.example",
        ISSUER.upper(),
        f"{ISSUER}:443",
        f"{ISSUER}?q",
        f"{ISSUER}#f",
        "http://op.example",
        "https://op.example/a/..",
        "https://o\u0440.example",
    ],
)
def test_no_issuer_but_the_very_string_passes(iss: str) -> None:
    """D02."""
    error = refusal("iss_mismatch", with_claims(iss=iss))
    assert (error.about, error.found, error.expected) == ("iss", iss, ISSUER)


@pytest.mark.req("OIDCC-2-01", "OIDCC-3.1.3.7-02", "OIDCC-14-01")
@pytest.mark.parametrize(
    ("iss", "code"),
    [
        (MISSING, "iss_missing"),
        (None, "iss_missing"),
        (5, "iss_malformed"),
        (True, "iss_malformed"),
        ([ISSUER], "iss_malformed"),
        ({"iss": ISSUER}, "iss_malformed"),
    ],
)
def test_an_issuer_that_is_no_string_is_refused(iss: object, code: str) -> None:
    """D02."""
    assert refusal(code, with_claims(iss=iss)).about == "iss"


@pytest.mark.req("OIDCC-2-04", "OIDCC-3.1.3.7-03a", "RFC7519-4.1.3-01", "RFC8725-3.9-01")
@pytest.mark.parametrize(
    "aud",
    [
        "",
        "other",
        [],
        CLIENT_ID.upper(),
        f"{CLIENT_ID} ",
        CLIENT_ID[:-1],
        f"x{CLIENT_ID}",
        f"{CLIENT_ID},other",
        ["other"],
    ],
)
def test_an_audience_without_this_client_is_refused(aud: object) -> None:
    """D03."""
    error = refusal("aud_mismatch", with_claims(aud=aud))
    assert (error.about, error.expected) == ("aud", CLIENT_ID)


@pytest.mark.req("OIDCC-2-04", "OIDCC-3.1.3.7-03a", "RFC7519-4.1.3-01", "RFC8725-3.9-01")
@pytest.mark.parametrize(
    ("aud", "code"),
    [
        (MISSING, "aud_missing"),
        (None, "aud_missing"),
        ([1], "aud_malformed"),
        ([CLIENT_ID, 1], "aud_malformed"),
        ([[CLIENT_ID]], "aud_malformed"),
        ({CLIENT_ID: 1}, "aud_malformed"),
        (5, "aud_malformed"),
        (True, "aud_malformed"),
    ],
)
def test_an_audience_that_is_none_is_refused(aud: object, code: str) -> None:
    """D03."""
    assert refusal(code, with_claims(aud=aud)).about == "aud"


@pytest.mark.req("OIDCC-2-04")
@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID], [CLIENT_ID, CLIENT_ID]])
def test_an_audience_is_a_string_or_a_list(aud: object) -> None:
    assert {*checked(with_claims(aud=aud))[0].aud} == {CLIENT_ID}


@pytest.mark.req("OIDCC-3.1.3.7-03b")
def test_a_further_audience_is_refused_unless_trusted_by_name() -> None:
    """D04."""
    claims = with_claims(aud=[CLIENT_ID, "api", "evil"])

    assert refusal("aud_untrusted", claims).found == ("api", "evil")
    some = relying_party(client={"trusted_audiences": frozenset({"api"})})
    assert refusal("aud_untrusted", claims, rp=some).found == ("evil",)
    both = relying_party(client={"trusted_audiences": frozenset({"api", "evil"})})
    assert checked(claims, rp=both)[0].aud == (CLIENT_ID, "api", "evil")


@pytest.mark.req("OIDCC-3.1.3.7-08b")
def test_a_mac_serves_no_further_audience_not_even_a_trusted_one() -> None:
    registered = {
        "trusted_audiences": frozenset({"api"}),
        "id_token_signed_response_alg": "HS256",
    }
    rp = relying_party(client=registered)

    refusal("aud_untrusted", with_claims(aud=[CLIENT_ID, "api"]), rp=rp, key=None, alg="HS256")
    assert checked(with_claims(aud=[CLIENT_ID]), rp=rp, key=None, alg="HS256")[0].sub == SUB


@pytest.mark.req("OIDCC-3.1.3.7-05")
@pytest.mark.parametrize(
    ("azp", "code"),
    [
        ("other", "azp_mismatch"),
        ("", "azp_mismatch"),
        (CLIENT_ID.upper(), "azp_mismatch"),
        (5, "azp_malformed"),
        ([CLIENT_ID], "azp_malformed"),
        (True, "azp_malformed"),
    ],
)
def test_an_authorized_party_other_than_this_client_is_refused(azp: object, code: str) -> None:
    """D05."""
    refusal(code, with_claims(azp=azp))


@pytest.mark.req("OIDCC-3.1.3.7-04", "OIDCC-3.1.3.7-05")
@pytest.mark.parametrize("azp", [MISSING, None, CLIENT_ID])
@pytest.mark.parametrize("aud", [CLIENT_ID, [CLIENT_ID, "api"]])
def test_an_absent_authorized_party_is_no_error(azp: object, aud: object) -> None:
    """D05: its absence is not an error, even with several audiences."""
    rp = relying_party(client={"trusted_audiences": frozenset({"api"})})

    assert checked(with_claims(azp=azp, aud=aud), rp=rp)[0].sub == SUB


@pytest.mark.req("OIDCC-2-05", "OIDCC-2-06", "OIDCC-3.1.3.7-09")
@pytest.mark.parametrize("leeway", [0, 60, 120])
def test_a_token_expires_at_the_second_that_exp_and_leeway_name(leeway: int) -> None:
    """D06."""
    rp = relying_party(policy=Policy(leeway=leeway))

    for exp in (NOW - leeway, NOW - leeway - 1, NOW - leeway + 0.9 - 1):
        refusal("exp_expired", with_claims(exp=exp), rp=rp)
    assert checked(with_claims(exp=NOW - leeway + 1), rp=rp)[0].exp == NOW - leeway + 1


@pytest.mark.req("OIDCC-2-05", "RFC7519-2-01")
@pytest.mark.parametrize("exp", [True, "1800000300", [NOW + 300], {}, -1, -0.5, 2**53, 1e300, ""])
def test_an_exp_that_is_no_date_is_refused(exp: object) -> None:
    """E32, D07."""
    refusal("exp_malformed", with_claims(exp=exp))


@pytest.mark.req("OIDCC-2-05", "OIDCC-2-07", "OIDCC-E3-2-01")
@pytest.mark.parametrize("absent", [MISSING, None])
def test_a_token_says_when_it_was_issued_and_when_it_ends(absent: object) -> None:
    """D07, D09."""
    assert refusal("exp_missing", with_claims(exp=absent)).about == "exp"
    assert refusal("iat_missing", with_claims(iat=absent)).about == "iat"


@pytest.mark.req("RFC7519-2-01")
def test_dates_may_have_fractions_and_be_far_ahead() -> None:
    """D08: no decision depends on a far ``exp``, so only a value that is not a date is refused."""
    token, _ = checked(with_claims(exp=NOW + 300.9, iat=NOW - 0.5))
    assert (token.exp, token.iat) == (NOW + 300, NOW - 1)
    assert checked(with_claims(exp=2**53 - 1))[0].exp == 2**53 - 1


@pytest.mark.req("OIDCC-2-07", "OIDCC-E3-2-01")
@pytest.mark.parametrize("iat", ["1800000000", True, -1, 2**53, [NOW]])
def test_an_iat_that_is_no_date_is_refused(iat: object) -> None:
    """E32, D09."""
    refusal("iat_malformed", with_claims(iat=iat))


@pytest.mark.req("OIDCC-3.1.3.7-10")
def test_a_token_is_neither_from_the_future_nor_a_week_old() -> None:
    """D09."""
    rp = relying_party(policy=Policy(leeway=30, id_token_age=1000))

    refusal("iat_in_future", with_claims(iat=NOW + 31), rp=rp)
    refusal("iat_too_old", with_claims(iat=NOW - 1031), rp=rp)
    refusal("iat_too_old", with_claims(iat=NOW - 7 * 86_400))
    for iat in (NOW + 30, NOW - 1030):
        assert checked(with_claims(iat=iat), rp=rp)[0].iat == iat


@pytest.mark.req("RFC7519-4.1.5-01")
@pytest.mark.parametrize("nbf", [NOW + 61, NOW + 61.5, 2**53 - 1])
def test_a_token_that_is_not_valid_yet_is_refused(nbf: object) -> None:
    """D10."""
    refusal("nbf_in_future", with_claims(nbf=nbf))


@pytest.mark.req("RFC7519-4.1.5-01")
@pytest.mark.parametrize("nbf", ["soon", True, -1, 2**53, [NOW]])
def test_an_nbf_that_is_no_date_is_refused(nbf: object) -> None:
    """D10."""
    refusal("nbf_malformed", with_claims(nbf=nbf))


@pytest.mark.req("RFC7519-4.1.5-01")
@pytest.mark.parametrize("nbf", [NOW + 60, 0, None])
def test_a_token_that_is_valid_already_passes(nbf: object) -> None:
    assert checked(with_claims(nbf=nbf))[0].sub == SUB


@pytest.mark.req("OIDCC-2-06")
@pytest.mark.parametrize("leeway", [-1, 121, 3600])
def test_a_leeway_beyond_two_minutes_cannot_be_configured(leeway: int) -> None:
    """D11."""
    refused(UsageError, "config_invalid", lambda: Policy(leeway=leeway))


@pytest.mark.req("OIDCC-2-09", "OIDCC-3.1.3.7-11a", "OIDCC-14-01")
@pytest.mark.parametrize(
    "nonce",
    ["", "zz-other-login", NONCE.upper(), f"{NONCE} ", NONCE[:-1], 5, [NONCE], True],
)
def test_a_nonce_other_than_the_one_sent_is_refused_and_not_shown(nonce: object) -> None:
    """D12, D28."""
    error = refusal("nonce_mismatch", with_claims(nonce=nonce))
    assert NONCE not in str(error)
    assert not (isinstance(nonce, str) and nonce and nonce in str(error))


@pytest.mark.req("OIDCC-2-09", "OIDCC-3.1.3.7-11a", "OIDCC-14-01")
@pytest.mark.parametrize("absent", [MISSING, None])
def test_a_token_without_the_nonce_that_was_sent_is_refused(absent: object) -> None:
    """D12."""
    assert refusal("nonce_missing", with_claims(nonce=absent)).about == "nonce"


@pytest.mark.req("OIDCC-3.1.3.7-11a")
@pytest.mark.parametrize("switch", ["nonce_supported", "verify", "nonce_required"])
def test_no_claim_switches_a_check_off(switch: str) -> None:
    """D13."""
    refusal("nonce_missing", with_claims(nonce=MISSING, **{switch: False}))


@pytest.mark.parametrize(
    ("nonce", "code"),
    [("", "nonce_mismatch"), (MISSING, "nonce_missing"), (None, "nonce_missing")],
)
def test_an_expected_nonce_that_is_empty_is_met_by_no_token(nonce: object, code: str) -> None:
    """D14."""
    refusal(code, with_claims(nonce=nonce), nonce="")


@pytest.mark.req("OIDCC-2-09")
def test_where_no_nonce_was_sent_a_token_with_one_is_refused() -> None:
    refusal("nonce_unexpected", with_claims(), nonce=EXPECT_NO_NONCE)
    _, evidence = checked(with_claims(nonce=MISSING), nonce=EXPECT_NO_NONCE)
    assert ("nonce", "none was sent") in evidence.skipped


def test_only_a_named_quirk_lets_the_nonce_be_absent_and_never_another() -> None:
    rp = relying_party(policy=Policy(quirks=frozenset({"nonce_not_echoed"})))

    _, evidence = checked(with_claims(nonce=MISSING), rp=rp)

    assert ("nonce", "quirk nonce_not_echoed") in evidence.skipped
    assert evidence.relaxations == ("nonce_not_echoed",)
    refusal("nonce_mismatch", with_claims(nonce="other"), rp=rp)
    required = ID_TOKEN._replace(required=ID_TOKEN.required | {"nonce"})
    refusal("nonce_missing", with_claims(nonce=MISSING), rp=rp, profile=required)


@pytest.mark.req("OIDCC-2-02")
@pytest.mark.parametrize(
    "sub", ["", 5, ["a"], {}, True, "a" * 256, "a\0b", "é", "\ud800", "a\nb", "\x7f"]
)
def test_a_subject_out_of_form_is_refused(sub: object) -> None:
    """D15."""
    refusal("sub_malformed", with_claims(sub=sub))


@pytest.mark.req("OIDCC-2-02")
@pytest.mark.parametrize("absent", [MISSING, None])
def test_a_token_about_nobody_is_refused(absent: object) -> None:
    """D15."""
    assert refusal("sub_missing", with_claims(sub=absent)).about == "sub"


@pytest.mark.req("OIDCC-2-03")
def test_subjects_are_kept_byte_for_byte_and_tell_users_apart() -> None:
    """D16."""
    subs = ["a", "a ", " a", "A", "Aa" * 127 + "b"]
    assert [checked(with_claims(sub=sub))[0].sub for sub in subs] == subs
    assert len({Identity(ISSUER, sub) for sub in subs}) == len(subs)


@pytest.mark.parametrize(
    "sub",
    ["Not supported currently. Use oid claim.", "Not supported currently. Use objectId claim."],
)
def test_a_subject_that_every_user_shares_is_refused(sub: str) -> None:
    """D17."""
    refusal("sub_placeholder", with_claims(sub=sub))


@pytest.mark.req("OIDCC-3.1.3.8-01", "OIDCC-3.1.3.6-01")
@pytest.mark.parametrize(
    "at_hash",
    [
        half_hash("ES256", "another-token"),
        half_hash("ES256", ACCESS_TOKEN)[:-1],
        half_hash("ES256", ACCESS_TOKEN) + "=",
        half_hash("ES384", ACCESS_TOKEN),
        half_hash("ES512", ACCESS_TOKEN),
        "",
        5,
        [half_hash("ES256", ACCESS_TOKEN)],
        False,
    ],
)
def test_an_at_hash_of_anything_but_the_access_token_is_refused(at_hash: object) -> None:
    """D18, J06."""
    claims = with_claims(at_hash=at_hash)
    refusal("at_hash_mismatch", claims, access_token=ACCESS_TOKEN)


@pytest.mark.req("OIDCC-3.1.3.6-01", "OIDCC-3.1.3.8-01")
@pytest.mark.parametrize(
    ("alg", "kty", "crv"),
    [
        ("RS256", "RSA", ""),
        ("ES384", "EC", "P-384"),
        ("PS512", "RSA", ""),
        ("EdDSA", "OKP", "Ed25519"),
        ("Ed25519", "OKP", "Ed25519"),
    ],
)
def test_the_digest_of_at_hash_is_the_signature_s_own(alg: str, kty: str, crv: str) -> None:
    """D19."""
    key = Jwk(kty=kty, crv=crv, material=(b"",))
    rp = relying_party(provider={"id_token_signing_alg_values_supported": (alg,)})
    claims = with_claims(at_hash=half_hash(alg, ACCESS_TOKEN))

    assert checked(claims, rp=rp, alg=alg, key=key, access_token=ACCESS_TOKEN)[0].sub == SUB


@pytest.mark.req("OIDCC-3.1.3.6-01")
def test_a_mac_s_at_hash_has_the_mac_s_digest() -> None:
    rp = relying_party(client={"id_token_signed_response_alg": "HS384"})
    how: dict[str, Any] = {"rp": rp, "alg": "HS384", "key": None, "access_token": ACCESS_TOKEN}

    assert checked(with_claims(at_hash=half_hash("HS384", ACCESS_TOKEN)), **how)[0].sub == SUB
    refusal("at_hash_mismatch", with_claims(at_hash=half_hash("HS256", ACCESS_TOKEN)), **how)


@pytest.mark.req("TOKHASH-2-01")
def test_the_digest_of_at_hash_hangs_on_the_curve_and_not_on_the_name_eddsa() -> None:
    """D19."""
    key = Jwk(kty="OKP", crv="Ed448", material=(b"",))
    how: dict[str, Any] = {"alg": "EdDSA", "key": key, "access_token": ACCESS_TOKEN}

    right = core_half_hash("Ed448", "Ed448", ACCESS_TOKEN)
    assert len(right) == 76
    assert checked(with_claims(at_hash=right), **how)[0].sub == SUB
    refusal("at_hash_mismatch", with_claims(at_hash=half_hash("EdDSA", ACCESS_TOKEN)), **how)


SHA256 = half_hash("ES256", ACCESS_TOKEN)
OF_64_OCTETS = core_half_hash("ML-DSA-44", "", ACCESS_TOKEN)


@pytest.mark.parametrize(
    ("alg", "kty", "crv", "quirk", "odd"),
    [
        ("RS384", "RSA", "", "at_hash_sha256", SHA256),
        ("RS512", "RSA", "", "at_hash_sha256", SHA256),
        ("PS384", "RSA", "", "at_hash_sha256", SHA256),
        ("PS512", "RSA", "", "at_hash_sha256", SHA256),
        ("ES384", "EC", "P-384", "at_hash_sha256", SHA256),
        ("ES512", "EC", "P-521", "at_hash_sha256", SHA256),
        ("EdDSA", "OKP", "Ed25519", "at_hash_sha256", SHA256),
        ("Ed25519", "OKP", "Ed25519", "at_hash_sha256", SHA256),
        ("EdDSA", "OKP", "Ed448", "at_hash_sha256", SHA256),
        ("Ed448", "OKP", "Ed448", "at_hash_sha256", SHA256),
        ("EdDSA", "OKP", "Ed448", "at_hash_half_of_64_for_ed448", OF_64_OCTETS),
        ("Ed448", "OKP", "Ed448", "at_hash_half_of_64_for_ed448", OF_64_OCTETS),
    ],
)
def test_another_digest_is_a_quirk_that_has_to_be_named(
    alg: str, kty: str, crv: str, quirk: str, odd: str
) -> None:
    """Hydra takes SHA-256 for every algorithm, Keycloak 64 octets of SHAKE256 for Ed448."""
    key = Jwk(kty=kty, crv=crv, material=(b"",))
    provider = {"id_token_signing_alg_values_supported": (alg,)}
    rp = relying_party(policy=Policy(quirks={quirk}), provider=provider)
    how: dict[str, Any] = {"alg": alg, "key": key, "access_token": ACCESS_TOKEN}

    error = refusal(
        "at_hash_mismatch",
        with_claims(at_hash=odd),
        **{**how, "rp": relying_party(provider=provider)},
    )
    assert (error.kind, error.retryable, quirk in error.hint) == ("configuration", "no", True)
    _, evidence = checked(with_claims(at_hash=odd), rp=rp, **how)
    assert ("at_hash", f"quirk {quirk}") in evidence.skipped
    right = with_claims(at_hash=core_half_hash(alg, crv, ACCESS_TOKEN))
    assert "at_hash" not in dict(checked(right, rp=rp, **how)[1].skipped)
    for wrong in ("x", "", odd[:-1], half_hash("ES256", "another"), 5):
        error = refusal("at_hash_mismatch", with_claims(at_hash=wrong), rp=rp, **how)
        assert (error.kind, "quirk" in error.hint) == ("suspicious", False)


def test_the_quirk_for_one_digest_takes_no_other() -> None:
    key = Jwk(kty="OKP", crv="Ed448", material=(b"",))
    how: dict[str, Any] = {"alg": "EdDSA", "key": key, "access_token": ACCESS_TOKEN}
    rp = relying_party(policy=Policy(quirks={"at_hash_sha256"}))
    error = refusal("at_hash_mismatch", with_claims(at_hash=OF_64_OCTETS), rp=rp, **how)
    assert "at_hash_half_of_64_for_ed448" in error.hint
    rs = {**how, "alg": "ES512", "key": Jwk(kty="EC", crv="P-521", material=(b"",))}
    rp = relying_party(
        policy=Policy(quirks={"at_hash_half_of_64_for_ed448"}),
        provider={"id_token_signing_alg_values_supported": ("ES512",)},
    )
    error = refusal("at_hash_mismatch", with_claims(at_hash=OF_64_OCTETS), rp=rp, **rs)
    assert "quirk" not in error.hint


@pytest.mark.req("OIDCC-3.1.3.8-01")
def test_an_absent_at_hash_passes_unless_the_policy_requires_it() -> None:
    """D18."""
    _, evidence = checked(with_claims(), access_token=ACCESS_TOKEN)
    assert ("at_hash", "absent") in evidence.skipped
    strict = relying_party(policy=Policy(require_at_hash=True))
    for absent in (MISSING, None):
        claims = with_claims(at_hash=absent)
        error = refusal("at_hash_missing", claims, rp=strict, access_token=ACCESS_TOKEN)
        assert error.about == "at_hash"
    _, evidence = checked(with_claims(at_hash="x"), rp=strict)
    assert ("at_hash", "no access token came along") in evidence.skipped


@pytest.mark.req("OIDCC-2-10", "OIDCC-3.1.3.7-12")
@pytest.mark.parametrize("acr", ["Silver", "bronze", "", 1, True, ["silver"]])
def test_an_authentication_of_another_class_than_required_is_refused(acr: object) -> None:
    """D21."""
    refusal("acr_mismatch", with_claims(acr=acr), required_acr=("silver", "gold"))


@pytest.mark.req("OIDCC-2-10", "OIDCC-3.1.3.7-12")
@pytest.mark.parametrize("absent", [MISSING, None])
def test_an_authentication_of_no_class_is_refused_where_one_is_required(absent: object) -> None:
    """D21."""
    error = refusal("acr_missing", with_claims(acr=absent), required_acr=("silver", "gold"))
    assert (error.about, error.expected) == ("acr", ("silver", "gold"))


@pytest.mark.req("OIDCC-2-10", "OIDCC-3.1.3.7-12")
@pytest.mark.parametrize("acr", ["gold", "silver"])
def test_an_authentication_of_a_required_class_passes(acr: str) -> None:
    assert checked(with_claims(acr=acr), required_acr=("silver", "gold"))[0].acr == acr


def test_the_class_is_this_token_s_own() -> None:
    """D36: the rules assume no facts of an earlier session."""
    assert checked(with_claims())[0].acr is None
    assert checked(with_claims(acr="0"))[0].acr == "0"


@pytest.mark.req("OIDCC-2-08", "OIDCC-E3-2-01")
@pytest.mark.parametrize(
    ("auth_time", "code"),
    [
        (MISSING, "auth_time_missing"),
        (None, "auth_time_missing"),
        ("1800000000", "auth_time_malformed"),
        (True, "auth_time_malformed"),
        (-1, "auth_time_malformed"),
        ([NOW], "auth_time_malformed"),
        (NOW + 61, "auth_time_in_future"),
    ],
)
def test_with_max_age_an_auth_time_that_is_none_is_refused(auth_time: object, code: str) -> None:
    """D22."""
    assert refusal(code, with_claims(auth_time=auth_time), max_age=300).about == "auth_time"


@pytest.mark.req("OIDCC-3.1.3.7-13")
@pytest.mark.parametrize("max_age", [0, 300])
def test_an_authentication_before_max_age_is_refused_to_the_second(max_age: int) -> None:
    """D22."""
    earliest = NOW - 20 - max_age - 60

    refusal("auth_time_too_old", with_claims(auth_time=earliest - 1), max_age=max_age)
    refusal("auth_time_too_old", with_claims(auth_time=earliest - 0.5), max_age=max_age)
    for auth_time in (earliest, earliest + 0.5, NOW, NOW + 60):
        token, _ = checked(with_claims(auth_time=auth_time), max_age=max_age)
        assert token.auth_time == int(auth_time)


@pytest.mark.req("OIDCC-2-08")
@pytest.mark.parametrize(
    ("auth_time", "code"),
    [
        (MISSING, "auth_time_missing"),
        (None, "auth_time_missing"),
        ("1800000000", "auth_time_malformed"),
        (True, "auth_time_malformed"),
        (NOW + 61, "auth_time_in_future"),
    ],
)
def test_an_essential_auth_time_has_to_be_a_date(auth_time: object, code: str) -> None:
    refusal(code, with_claims(auth_time=auth_time), essential_claims=("auth_time",))


@pytest.mark.req("OIDCC-2-08")
def test_an_essential_auth_time_may_be_of_any_age() -> None:
    token, _ = checked(with_claims(auth_time=1), essential_claims=("auth_time",))
    assert token.auth_time == 1


@pytest.mark.req("OIDCC-2-10")
@pytest.mark.parametrize("amr", ["pwd", {"pwd": 1}, 5])
def test_what_nothing_hangs_on_becomes_absent_and_is_noted(amr: object) -> None:
    """D23."""
    token, evidence = checked(with_claims(amr=amr, auth_time="never", sid=5))

    assert (token.amr, token.auth_time, token.sid) == ((), None, None)
    assert evidence.notes == ("malformed, taken as absent: amr auth_time sid",)
    assert checked(with_claims(amr=["pwd", "otp"]))[0].amr == ("pwd", "otp")
    assert checked(with_claims(amr=["pwd", 1]))[0].amr == ()


def test_keys_offered_in_the_header_are_noted() -> None:
    """D24: the header is used for algorithm and key identifier only."""
    _, evidence = checked(with_claims(), ignored=("jku", "jwk"))
    assert evidence.notes == ("jku", "jwk")


@pytest.mark.parametrize(
    ("email", "verified", "found"),
    [
        ("alice@good.example", True, "alice@good.example"),
        ("alice@good.example", "true", None),
        ("alice@good.example", 1, None),
        ("alice@good.example", MISSING, None),
        ("alice@good.example", False, None),
        (MISSING, True, None),
        (["alice@good.example"], True, None),
        ("a@evil.example@good.example", True, None),
        ("alice", True, None),
        ("@good.example", True, None),
        ("alice@", True, None),
        ("a b@good.example", True, None),
        ("alice@g\u043e\u043ed.example", True, None),
        ("alice@good.example\n", True, None),
    ],
)
@pytest.mark.req("OIDCC-5.1-01", "OIDCC-5.1-02")
def test_an_email_counts_as_verified_only_by_json_true(
    email: object, verified: object, found: str | None
) -> None:
    """D25, D26."""
    token, _ = checked(with_claims(email=email, email_verified=verified))
    assert verified_email(token.claims) == found


@pytest.mark.req("OIDCC-5.7-01", "OIDCC-5.1-01")
def test_the_same_subject_of_two_issuers_is_two_identities() -> None:
    """D01."""
    assert Identity(ISSUER, SUB) != Identity(OTHER_ISSUER, SUB)
    assert len({Identity(ISSUER, SUB), Identity(OTHER_ISSUER, SUB), Identity(ISSUER, SUB)}) == 2


def check_typ(typ: str | None) -> None:
    members = {"alg": "ES256", **({} if typ is None else {"typ": typ})}
    header = parse_header(b64url(rendered(members)).encode())
    check_header(header, frozenset({"ES256"}), ID_TOKEN.types)


@pytest.mark.parametrize(
    "typ",
    [
        "at+jwt",
        "application/at+jwt",
        "AT+JWT",
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "oauth-authz-req+jwt",
        "token-introspection+jwt",
        "jwt ",
        "application/application/jwt",
    ],
)
def test_a_token_of_another_kind_is_no_id_token(typ: str) -> None:
    """D29, D30."""
    refused(ProtocolViolation, "typ_unexpected", lambda: check_typ(typ))


@pytest.mark.parametrize("typ", [None, "JWT", "jwt", "application/jwt", "application/JWT", "id+jwt",
    "ID+JWT", "application/id+jwt", "JOSE"])  # fmt: skip
def test_a_jwt_may_say_so(typ: str | None) -> None:
    """D29."""
    check_typ(typ)
    assert ID_TOKEN.types == {"", "jwt", "id+jwt"}


@pytest.mark.parametrize("events", [{}, {"http://schemas.openid.net/event/backchannel-logout": {}}])
def test_a_logout_token_without_its_typ_is_no_id_token(events: object) -> None:
    """D29, D30."""
    refusal("claim_forbidden", with_claims(events=events))


@pytest.mark.req("OIDCC-5.5.1-02")
@pytest.mark.parametrize("sub", ["Bob", SUB.lower(), f"{SUB} "])
def test_another_user_than_the_expected_one_is_refused(sub: str) -> None:
    """A21, A22, D32."""
    refusal("sub_mismatch", with_claims(sub=sub), sub=SUB)
    assert checked(with_claims(), sub=SUB)[0].sub == SUB


@pytest.mark.req("OIDCC-5.5.1-03")
@pytest.mark.parametrize("missing", [MISSING, None])
def test_a_missing_essential_claim_is_told_and_ends_the_login_only_by_policy(
    missing: object,
) -> None:
    claims = with_claims(b=missing, a=0)

    _, evidence = checked(claims, essential_claims=("a", "b"))
    assert dict(evidence.skipped)["claims"] == "absent: b"

    strict = relying_party(policy=Policy(require_essential_claims=True))
    error = refusal("claim_missing", claims, rp=strict, essential_claims=("a", "b"))
    assert error.about == "b"

    _, evidence = checked(with_claims(a=0), rp=strict, essential_claims=("a",))
    assert "claims" not in dict(evidence.skipped)


def test_keys_of_the_set_that_are_not_used_stand_in_the_evidence() -> None:
    weak = JsonObject({"kty": "oct", "kid": "shared", "k": "AAAA"})
    _, evidence = checked(with_claims(), keys=KeySet((weak,)))
    assert evidence.skipped_keys == (SkippedKey("shared", "key_not_public", "k"),)
    written = evidence_json(evidence)["skipped_keys"]
    assert written == (
        JsonObject({"kid": "shared", "code": "key_not_public", "about": "k", "reason": ""}),
    )


def test_response_and_token_of_a_template_name_the_same_tenant() -> None:
    """B10: each tenant is a separate issuer, though both are let in."""
    rule = IssuerRule.template(PATTERN, tenants=frozenset({"t1", "t2"}))
    rp = relying_party(provider={"issuer": PATTERN}, rule=rule)
    one, two = (PATTERN.replace("{tenantid}", tenant) for tenant in ("t1", "t2"))
    claims = with_claims(iss=one, tid="t1")
    checked(claims, rp=rp, iss=one)
    checked(claims, rp=rp)
    error = refusal("iss_mismatch", claims, rp=rp, iss=two)
    assert (error.found, error.expected) == (one, two)


def test_the_user_who_is_expected_is_expected_at_his_own_tenant() -> None:
    """A subject of one tenant is another user at the next (OIDC Core §2)."""
    rp = relying_party(
        provider={"issuer": PATTERN}, rule=IssuerRule.template(PATTERN, tenants=ANY_TENANT)
    )
    one, two = (PATTERN.replace("{tenantid}", tenant) for tenant in ("t1", "t2"))
    claims = with_claims(iss=one, tid="t1")
    assert checked(claims, rp=rp, sub=SUB, sub_iss=one)[0].sub == SUB
    assert checked(claims, rp=rp, sub=SUB)[0].sub == SUB
    assert refusal("sub_mismatch", claims, rp=rp, sub=SUB, sub_iss=two).about == "iss"


@pytest.mark.req("OIDCC-3.1.3.7-02")
@pytest.mark.parametrize(
    ("iss", "code"),
    [
        (MISSING, "iss_missing"),
        (None, "iss_missing"),
        ("", "iss_mismatch"),
        (5, "iss_malformed"),
        (False, "iss_malformed"),
    ],
)
@pytest.mark.parametrize(
    "rule",
    [
        IssuerRule.template(PATTERN, tenants=frozenset({"t1"})),
        IssuerRule.template(PATTERN, tenants=ANY_TENANT),
        IssuerRule.one_of(ISSUER, "https://op.example/"),
    ],
    ids=["template", "any tenant", "one of"],
)
def test_a_token_names_its_issuer_where_several_are_accepted_too(
    rule: IssuerRule, iss: object, code: str
) -> None:
    rp = relying_party(provider={"issuer": rule.canonical}, rule=rule)
    refusal(code, with_claims(iss=iss, tid="t1"), rp=rp)


@pytest.mark.req("OIDCC-5.6-01", "OIDCC-5.6.2-05")
def test_claims_of_other_providers_are_left_alone() -> None:
    """D33, D34."""
    sources = {"s": {"endpoint": "http://evil.example", "JWT": "x"}}
    names = {"sub": "s", "iss": "s", "email": "s"}

    token, _ = checked(with_claims(_claim_names=names, _claim_sources=sources))

    assert (token.iss, token.sub) == (ISSUER, SUB)
    assert "email" not in token.claims


@pytest.mark.req("OIDCC-3.1.3.7-06b", "OIDCC-3.1.3.7-06a")
def test_a_token_nobody_signed_is_refused() -> None:
    """F30."""
    refusal("signature_invalid", with_claims(), key=None)


@pytest.mark.req("OIDCC-3.1.3.7-07")
def test_an_algorithm_other_than_the_registered_one_is_refused() -> None:
    """F33, B14: what the metadata adds changes nothing."""
    rp = relying_party(
        provider={"id_token_signing_alg_values_supported": ("RS256", "HS256", "PS256")},
        client={"id_token_signed_response_alg": "PS256"},
    )

    refusal("alg_not_allowed", with_claims(), rp=rp)
    refusal("alg_not_allowed", with_claims(), alg="HS256", key=None)


@pytest.mark.req("OIDCC-3.1.3.7-07")
@pytest.mark.parametrize(
    ("advertised", "registered", "policy", "expected"),
    [
        ((), None, Policy(), {"RS256"}),
        (("RS256", "ES256", "none"), None, Policy(), {"RS256", "ES256"}),
        (("RS256", "ES256"), None, Policy(algorithms=frozenset({"ES256"})), {"ES256"}),
        (("RS256", "HS256"), "HS256", Policy(), {"HS256"}),
        (("RS256", "none", "PS256"), "PS256", Policy(), {"PS256"}),
    ],
)
def test_metadata_only_narrows_what_is_accepted(
    advertised: tuple[str, ...], registered: str | None, policy: Policy, expected: set[str]
) -> None:
    """B14."""
    rp = relying_party(
        provider={"id_token_signing_alg_values_supported": advertised},
        client={"id_token_signed_response_alg": registered},
        policy=policy,
    )
    assert rp.protection["id_token"].algorithms == expected


@pytest.mark.req("OIDCD-3-08")
def test_none_cannot_be_registered() -> None:
    refused(
        UsageError,
        "config_invalid",
        lambda: ClientRegistration(
            client_id=CLIENT_ID,
            redirect_uris=("https://rp.example/cb",),
            id_token_signed_response_alg="none",
        ),
    )
    refused(UsageError, "config_invalid", lambda: Policy(algorithms=frozenset({"none"})))
    refused(UsageError, "config_invalid", lambda: Policy(algorithms=frozenset({"HS256"})))


TENANT = "https://login.example/t1/v2.0"


def tenants(names: frozenset[str]) -> RelyingParty:
    rule = IssuerRule.template(PATTERN, tenants=names)
    return relying_party(provider={"issuer": PATTERN}, rule=rule)


@pytest.mark.req("RFC8725-3.8-01")
@pytest.mark.parametrize(
    ("iss", "tid"),
    [
        (TENANT, "t2"),
        ("https://login.example/t2/v2.0", "t2"),
        ("https://login.example/t3/v2.0", "t1"),
        (TENANT, MISSING),
        (TENANT, ["t1"]),
        (PATTERN, "{tenantid}"),
        ("https://login.example//v2.0", ""),
        ("https://login.example/t1/v2.0/", "t1"),
        ("https://evil.example/t1/v2.0", "t1"),
    ],
)
def test_of_many_tenants_only_the_named_and_consistent_pass(iss: str, tid: object) -> None:
    """B10."""
    rp = tenants(frozenset({"t1", "t3"}))

    refusal("iss_mismatch", with_claims(iss=iss, tid=tid), rp=rp)
    assert checked(with_claims(iss=TENANT, tid="t1"), rp=rp)[0].iss == TENANT


def test_any_tenant_has_to_be_named_and_still_has_to_be_consistent() -> None:
    """B10."""
    rp = tenants(ANY_TENANT)

    assert checked(with_claims(iss=TENANT, tid="t1"), rp=rp)[0].iss == TENANT
    refusal("iss_mismatch", with_claims(iss=TENANT, tid="t9"), rp=rp)
    refusal("iss_mismatch", with_claims(iss="https://login.example//v2.0", tid=""), rp=rp)
    refusal("iss_mismatch", with_claims(iss="https://login.example/a/b/v2.0", tid="a/b"), rp=rp)


@pytest.mark.req("RFC8725-3.8-01")
def test_a_key_that_is_for_one_issuer_signs_for_no_other() -> None:
    """B10."""
    rp = tenants(ANY_TENANT)
    claims = with_claims(iss=TENANT, tid="t1")

    for issuer in (TENANT, PATTERN):
        key = evolve(KEY, issuers=frozenset({issuer, "https://login.example/t9/v2.0"}))
        assert checked(claims, rp=rp, key=key)[0].iss == TENANT
    other = evolve(KEY, issuers=frozenset({f"https://login.example/t{at}/v2.0" for at in (3, 2)}))
    bound = ("https://login.example/t2/v2.0", "https://login.example/t3/v2.0")
    error = refusal("iss_mismatch", claims, rp=rp, key=other)
    assert (error.found, error.expected, error.about) == (TENANT, bound, "iss")


@pytest.mark.parametrize("issuer", [ISSUER, "https://other.example", "no issuer", ""])
def test_without_a_template_nothing_hangs_on_whom_a_key_says_it_is_for(issuer: str) -> None:
    """The member ``issuer`` of a JWK is one provider family's own (RFC 7517 §4)."""
    key = evolve(KEY, issuers=frozenset({issuer}))
    for rule in (IssuerRule.exact(ISSUER), IssuerRule.one_of(ISSUER, f"{ISSUER}/")):
        assert checked(with_claims(), rp=relying_party(rule=rule), key=key)[0].iss == ISSUER


def test_an_expectation_does_not_show_its_secrets() -> None:
    original = JsonObject({"nonce": NONCE, "sub": SUB})
    shown = repr(Expected(Demands(nonce=NONCE, started_at=NOW, sub=SUB), ACCESS_TOKEN, original))
    assert shown.startswith(f"Expected(Demands(started_at={NOW}, ")
    for secret in (NONCE, ACCESS_TOKEN, SUB):
        assert secret not in shown


# --- what the rules tell -------------------------------------------------------------------------


@pytest.mark.req("OIDCC-3.1.3.7-01b")
def test_a_token_that_came_in_clear_where_encryption_was_registered_is_refused() -> None:
    registered = evolve(
        RP.client,
        id_token_encrypted_response_alg=ECDH.alg,
        id_token_encrypted_response_enc=ECDH.enc,
    )
    rp = evolve(RP, client=registered, decrypter=ClientDecrypter(P256))

    _, evidence = checked(with_claims(), rp=rp, encryption=ECDH, ignored=("jku",))
    assert "encryption" not in dict(evidence.skipped)
    assert evidence.notes == ("jku", f"decrypted: {ECDH.alg} {ECDH.enc}")
    for other in (None, Encryption(ECDH.alg, "A192GCM"), Encryption("A128KW", ECDH.enc)):
        facts = told(partial(checked, with_claims(), rp=rp, encryption=other))
        assert facts == ("encryption_missing", "", None, f"{ECDH.alg} {ECDH.enc}")
    _, evidence = checked(with_claims())
    assert ("encryption", "not registered as encrypted") in evidence.skipped
    assert evidence.notes == ()


AT_HASH = half_hash("ES256", ACCESS_TOKEN)
SENT = fingerprint(NONCE)
LATE = f"up to {NOW}, 61 seconds earlier"


@pytest.mark.parametrize(
    ("changes", "expected", "facts"),
    [
        ({"iss": 5}, {}, ("iss_malformed", "iss", "a number", ISSUER)),
        ({"iss": None}, {}, ("iss_missing", "iss", None, ISSUER)),
        ({"iss": "x"}, {}, ("iss_mismatch", "iss", "x", ISSUER)),
        ({"aud": ["x"]}, {}, ("aud_mismatch", "aud", ("x",), CLIENT_ID)),
        ({"aud": 5}, {}, ("aud_malformed", "aud", "a number", CLIENT_ID)),
        ({"aud": [1]}, {}, ("aud_malformed", "aud", "a list", CLIENT_ID)),
        ({"aud": [CLIENT_ID, "x"]}, {}, ("aud_untrusted", "aud", ("x",), CLIENT_ID)),
        ({"azp": 5}, {}, ("azp_malformed", "azp", "a number", CLIENT_ID)),
        ({"azp": "x"}, {}, ("azp_mismatch", "azp", "x", CLIENT_ID)),
        ({}, {"key": None}, ("signature_invalid", "", None, "a key of the provider")),
        ({}, {"alg": "HS256", "key": None}, ("alg_not_allowed", "alg", "HS256", None)),
        ({"exp": "x"}, {}, ("exp_malformed", "exp", "a string", None)),
        ({"exp": NOW - 60}, {}, ("exp_expired", "exp", NOW - 60, f"after {NOW}")),
        ({"iat": "x"}, {}, ("iat_malformed", "iat", "a string", None)),
        ({"iat": NOW + 61}, {}, ("iat_in_future", "iat", NOW + 61, LATE)),
        ({"iat": 1}, {}, ("iat_too_old", "iat", 1, f"from {NOW - RP.policy.id_token_age}")),
        ({"nbf": NOW + 61}, {}, ("nbf_in_future", "nbf", NOW + 61, LATE)),
        ({"nbf": "soon"}, {}, ("nbf_malformed", "nbf", "a string", None)),
        ({}, {"nonce": EXPECT_NO_NONCE}, ("nonce_unexpected", "nonce", SENT, "absent")),
        ({"nonce": None}, {}, ("nonce_missing", "nonce", None, SENT)),
        ({"nonce": ""}, {}, ("nonce_mismatch", "nonce", "an empty string", SENT)),
        ({"nonce": 5}, {}, ("nonce_mismatch", "nonce", "a number", SENT)),
        ({"nonce": "x"}, {}, ("nonce_mismatch", "nonce", fingerprint("x"), SENT)),
        ({}, {"required_acr": ("a",)}, ("acr_missing", "acr", None, ("a",))),
        ({"acr": 5}, {"required_acr": ("a",)}, ("acr_mismatch", "acr", 5, ("a",))),
        ({"acr": "b"}, {"required_acr": ("a",)}, ("acr_mismatch", "acr", "b", ("a",))),
        ({}, {"max_age": 5}, ("auth_time_missing", "auth_time", None, None)),
        (
            {"auth_time": "x"},
            {"max_age": 5},
            ("auth_time_malformed", "auth_time", "x", None),
        ),
        (
            {"auth_time": NOW + 61},
            {"max_age": 5},
            ("auth_time_in_future", "auth_time", NOW + 61, LATE),
        ),
        (
            {"auth_time": 1},
            {"max_age": 5},
            ("auth_time_too_old", "auth_time", 1, f"from {NOW - 85}"),
        ),
        (
            {"sub": "Bob"},
            {"sub": SUB},
            ("sub_mismatch", "sub", fingerprint("Bob"), fingerprint(SUB)),
        ),
        (
            {},
            {"sub": SUB, "sub_iss": OTHER_ISSUER},
            ("sub_mismatch", "iss", ISSUER, OTHER_ISSUER),
        ),
        ({"sub": None}, {}, ("sub_missing", "sub", None, None)),
        (
            {"sub": 5},
            {},
            ("sub_malformed", "sub", "a number", "1 to 255 printable ASCII characters"),
        ),
        ({"events": 1}, {}, ("claim_forbidden", "events", None, "id_token")),
        (
            {"at_hash": "x"},
            {"access_token": ACCESS_TOKEN},
            ("at_hash_mismatch", "at_hash", "x", AT_HASH),
        ),
        (
            {"at_hash": 5},
            {"access_token": ACCESS_TOKEN},
            ("at_hash_mismatch", "at_hash", 5, AT_HASH),
        ),
    ],
)
def test_a_refusal_tells_the_claim_and_what_is_wrong_with_it(
    changes: dict[str, Any], expected: dict[str, Any], facts: tuple[str, str, object, object]
) -> None:
    assert told(lambda: checked(with_claims(**changes), **expected)) == facts


def test_another_user_than_the_expected_one_is_the_user_s_own_doing() -> None:
    """A step-up for Alice that Bob finished: there is nothing to repair, and no attack."""
    changes: list[dict[str, Any]] = [{"sub": "Bob"}, {"sub": SUB, "sub_iss": OTHER_ISSUER}]
    for expected in changes:
        error = refused(
            ProtocolViolation, "sub_mismatch", partial(checked, with_claims(), **expected)
        )
        assert (error.kind, error.retryable) == ("user", "no")
        assert "another user logged in" in str(error)
        assert SUB not in str(error)


def test_what_is_not_checked_is_told_with_its_reason() -> None:
    skipped = dict(checked(with_claims())[1].skipped)
    assert skipped == {
        "encryption": "not registered as encrypted",
        "azp": "absent",
        "nbf": "absent",
        "acr": "none was required",
        "auth_time": "no max_age was sent",
        "expected_sub": "nobody in particular was expected",
        "at_hash": "no access token came along",
        "claims": "the login demands no claim",
    }
    demanded: dict[str, Any] = {"essential_claims": ("auth_time", "b", "a")}
    _, evidence = checked(with_claims(auth_time=1, sid=5, acr=5), **demanded)
    assert dict(evidence.skipped)["auth_time"] == "the login allows any time"
    assert dict(evidence.skipped)["claims"] == "absent: b a"
    assert evidence.notes == ("malformed, taken as absent: acr sid",)


def test_leeway_is_granted_to_fractions_too() -> None:
    assert checked(with_claims(exp=NOW - 30.5))[0].exp == NOW - 31


def test_a_mac_is_bound_to_no_tenant_s_key() -> None:
    rule = IssuerRule.template(PATTERN, tenants=frozenset({"t1"}))
    registered = {"id_token_signed_response_alg": "HS256"}
    rp = relying_party(provider={"issuer": PATTERN}, client=registered, rule=rule)
    claims = with_claims(iss=TENANT, tid="t1")
    assert checked(claims, rp=rp, key=None, alg="HS256")[0].iss == TENANT


def test_the_rules_stand_in_the_order_and_with_the_numbers_of_the_specification() -> None:
    core = "OIDC Core §3.1.3.7, "
    assert ID_TOKEN_RULES.of == "id_token"
    assert [(rule.name, rule.spec, rule.says) for rule in ID_TOKEN_RULES.rules] == [
        ("encryption", f"{core}1", "it was encrypted if that was registered"),
        ("iss", f"{core}2", "the issuer is the provider, exactly"),
        ("aud", f"{core}3", "the audience is this client and nobody untrusted"),
        ("azp", f"{core}5", "an authorized party is this client"),
        ("signature", f"{core}6", "a key of the provider signed it"),
        ("alg", f"{core}7", "the algorithm is the registered one"),
        ("kind", "RFC 8725 §3.12", "it is not a token of another kind"),
        ("exp", f"{core}9", "it has not expired"),
        (
            "iat",
            f"{core}10",
            "it was not issued in the future, nor long ago where it has just come",
        ),
        ("nbf", "RFC 7519 §4.1.5", "it is valid already"),
        ("nonce", f"{core}11", "it belongs to this login"),
        ("acr", f"{core}12", "the authentication is of the required class"),
        ("auth_time", f"{core}13", "the authentication is recent enough"),
        ("sub", "OIDC Core §2", "the subject has its form"),
        ("expected_sub", "OIDC Core §3.1.2.1", "the expected user came"),
        ("at_hash", "OIDC Core §3.1.3.8", "the access token is its own"),
        ("claims", "OIDC Core §5.5.1", "essential claims are there"),
    ]
    assert ID_TOKEN_RULES.optional == ("acr", "amr", "auth_time", "sid")


def test_nothing_is_expected_but_what_is_named() -> None:
    demands = Demands(nonce=NONCE, started_at=NOW)
    assert Expected(demands) == (demands, None, None, frozenset())
    assert repr(Expected(demands)) == f"Expected({demands!r})"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("amr", [1]),
        ("amr", ["pwd", None]),
        ("amr", ["pwd", ["otp"]]),
        ("auth_time", -1),
        ("auth_time", -0.5),
        ("auth_time", 2**53),
        ("auth_time", 1e300),
    ],
)
def test_a_member_of_the_right_type_that_means_nothing_is_noted(name: str, value: Any) -> None:
    """The notes name each member that reads as absent; the other members still read as they are."""
    token, evidence = checked(with_claims(**{"acr": "a", "amr": ["pwd"], name: value}))
    assert evidence.notes == (f"malformed, taken as absent: {name}",)
    assert getattr(token, name) in {None, ()}
    for latest in (0, 0.0, 2**53 - 1):
        fine, evidence = checked(with_claims(amr=[], auth_time=latest))
        assert (fine.amr, fine.auth_time) == ((), latest)
        assert evidence.notes == ()


@pytest.mark.parametrize("name", ["acr", "amr", "auth_time", "sid"])
def test_each_optional_member_has_its_own_type(name: str) -> None:
    right: dict[str, Any] = {"acr": "a", "amr": ["pwd"], "auth_time": NOW, "sid": "s"}
    values: list[Any] = [*right.values(), 1.5, True, {}]
    for value in values:
        passes = type(value) in ({int, float} if name == "auth_time" else {type(right[name])})
        notes = checked(with_claims(**{**right, name: value})).evidence.notes
        assert notes == (() if passes else (f"malformed, taken as absent: {name}",))
    others: dict[str, Any] = {"acr": "a", "amr": {}, "auth_time": 1.5, "sid": {}}
    _, evidence = checked(with_claims(**others))
    assert evidence.notes == ("malformed, taken as absent: amr sid",)
    every = dict.fromkeys(right, MISSING)
    assert checked(with_claims(**every)).evidence.notes == ()


UNUSABLE: dict[str, list[object]] = {
    "b": [MISSING, None, "", " ", [], {}, [None], [""], [[], {}], {"c": None}, {"c": {"d": ""}}],
    "acr": [[], ["gold"], "", {}, 5, True],
    "amr": ["pwd", [], [5], {}],
    "email": ["", [], 5, True, {"a": "b"}, ["a@b.example"]],
    "email_verified": ["false", "true", "", 1, 0, None, [True], {}],
    "phone_number_verified": ["true", 1, []],
    "x_verified": ["yes", 1],
    "name": [5, [], {}, ["Alice"]],
    "address": ["", {}, "1 Street", {"formatted": ""}, []],
    "updated_at": ["", "1700000000", True, {}, -1],
    "sid": [5, "", []],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"{name}-{at}")
        for name, values in UNUSABLE.items()
        for at, value in enumerate(values)
    ],
)
def test_an_essential_claim_is_there_if_it_has_a_usable_value(name: str, value: object) -> None:
    claims = with_claims(**{name: value})

    _, evidence = checked(claims, essential_claims=(name,))
    assert dict(evidence.skipped)["claims"] == f"absent: {name}"

    strict = relying_party(policy=Policy(require_essential_claims=True))
    assert refusal("claim_missing", claims, rp=strict, essential_claims=(name,)).about == name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("b", 0),
        ("b", False),
        ("b", "x"),
        ("b", [None, "x"]),
        ("b", {"c": {"d": 0}}),
        ("acr", "gold"),
        ("acr", "0"),
        ("amr", ["pwd"]),
        ("email", "alice@op.example"),
        ("email_verified", False),
        ("email_verified", True),
        ("x_verified", False),
        ("address", {"country": "XX"}),
        ("updated_at", 0),
        ("sid", "s"),
    ],
)
def test_a_value_that_can_be_used_is_there(name: str, value: object) -> None:
    strict = relying_party(policy=Policy(require_essential_claims=True))

    _, evidence = checked(with_claims(**{name: value}), rp=strict, essential_claims=(name,))

    assert "claims" not in dict(evidence.skipped)


@pytest.mark.parametrize("acr", [[], ["gold"], "", {}, 5, True])
def test_a_demanded_class_is_a_text_that_says_something(acr: object) -> None:
    refusal("acr_mismatch", with_claims(acr=acr), required_acr=("gold",))
    refusal("acr_mismatch", with_claims(acr=acr), required_acr=("gold", ""))


@pytest.mark.parametrize("value", ["false", "true", 0, 1, [True], {"a": True}, ""])
@pytest.mark.parametrize("name", ["email_verified", "phone_number_verified", "x_verified"])
def test_what_is_no_boolean_is_never_taken_for_true(name: str, value: object) -> None:
    token, evidence = checked(with_claims(**{name: value}, email="a@op.example"))

    assert name not in token.claims
    assert token.claims["email"] == "a@op.example"
    assert f"malformed, taken as absent: {name}" in evidence.notes


@pytest.mark.parametrize("value", [True, False])
def test_what_is_a_boolean_stays(value: bool) -> None:
    token, evidence = checked(with_claims(email_verified=value))

    assert token.claims["email_verified"] is value
    assert evidence.notes == ()


# --- named ways out ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "claims"),
    [
        ("auth_time_missing", {}),
        ("auth_time_malformed", {"auth_time": "now"}),
        ("auth_time_too_old", {"auth_time": NOW - 500}),
    ],
)
def test_a_proof_that_the_library_asked_for_is_named_as_such(
    code: str, claims: dict[str, Any]
) -> None:
    """A21."""
    demanded: dict[str, Any] = {"max_age": 0}
    error = refusal(code, with_claims(**claims), **demanded)
    assert "the library added" not in str(error)
    error = refusal(code, with_claims(**claims), **demanded, prompt_login="proven")
    assert "the library added max_age=0 because of prompt=login" in str(error)
    assert 'reauthentication="unproven"' in error.hint


def test_the_evidence_says_that_no_proof_of_a_new_login_was_asked_for() -> None:
    _, evidence = checked(with_claims(auth_time=1), prompt_login="unproven")
    assert dict(evidence.skipped)["auth_time"].startswith("prompt=login was sent")


SIBLINGS: Final = relying_party(client={"further_audiences": "any_if_azp"})


@pytest.mark.req("OIDCC-3.1.3.7-03b")
def test_sibling_clients_are_accepted_where_that_is_set_and_azp_is_this_client() -> None:
    """D04: a provider that adds each client of a project to the audience."""
    grown = with_claims(aud=[CLIENT_ID, "sibling-1", "sibling-2"], azp=CLIENT_ID)
    token, evidence = checked(grown, rp=SIBLINGS)
    assert token.aud == (CLIENT_ID, "sibling-1", "sibling-2")
    reason = dict(evidence.skipped)["aud"]
    assert reason == "azp is this client, so these are accepted too: ('sibling-1', 'sibling-2')"
    assert "aud" not in dict(checked(with_claims(), rp=SIBLINGS)[1].skipped)

    error = refusal("aud_untrusted", grown)
    assert 'further_audiences="any_if_azp"' in error.hint
    refusal("aud_untrusted", grown, rp=SIBLINGS, key=None, alg="HS256")
    for azp in (MISSING, None):
        alone = with_claims(aud=[CLIENT_ID, "sibling-1"], azp=azp)
        error = refusal("aud_untrusted", alone, rp=SIBLINGS)
        assert "any_if_azp" not in error.hint
    for azp in ("sibling-1", 5, [CLIENT_ID]):
        with pytest.raises(ProtocolViolation):
            checked(with_claims(aud=[CLIENT_ID, "sibling-1"], azp=azp), rp=SIBLINGS)
    refusal("aud_mismatch", with_claims(aud=["sibling-1"], azp=CLIENT_ID), rp=SIBLINGS)


TEXTUAL: Final = relying_party(policy=Policy(quirks=frozenset({"verified_as_text"})))


def test_verified_in_text_is_read_only_under_its_quirk() -> None:
    claims = with_claims(
        email_verified="true", phone_number_verified="false", x_verified="TRUE", y_verified=True
    )
    token, evidence = checked(claims, rp=TEXTUAL)
    assert token.claims["email_verified"] is True
    assert token.claims["phone_number_verified"] is False
    assert "x_verified" not in token.claims
    assert evidence.notes == (
        "quirk verified_as_text: email_verified phone_number_verified",
        "malformed, taken as absent: x_verified",
    )
    plain, evidence = checked(claims)
    assert {"email_verified", "phone_number_verified"}.isdisjoint(plain.claims)
    assert evidence.notes == (
        "malformed, taken as absent: email_verified phone_number_verified x_verified",
    )


def test_an_essential_claim_is_there_in_text_only_under_the_quirk() -> None:
    """A24: what counts as there has a value that can be used."""
    essential: dict[str, Any] = {"essential_claims": ("email_verified", "acr")}
    claims = with_claims(email_verified="false", acr=[])
    assert dict(checked(claims, **essential)[1].skipped)["claims"] == "absent: email_verified acr"
    _, evidence = checked(claims, rp=TEXTUAL, **essential)
    assert dict(evidence.skipped)["claims"] == "absent: acr"
