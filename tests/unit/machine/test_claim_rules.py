"""The rules that all kinds of JWT share: each alone, under the profile of a kind."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_core.jose.jws import Encryption, JoseHeader, VerifiedJws
from oidc_core.jose.profiles import (
    ID_TOKEN,
    LOGOUT_TOKEN,
    PROFILES,
    USERINFO,
    JwtProfile,
)
from oidc_core.machine import claim_rules
from oidc_core.machine.claim_rules import Examined, refused
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.model.protection import Protection
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.facts import kind_of
from oidc_core.wire.jsontypes import UNREADABLE, JsonObject
from tests.parties import CLIENT_ID, ISSUER, NOW, OTHER_ISSUER, RP, keys, relying_party

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.wire.jsontypes import JsonValue
    from oidc_core.wire.messages import Fact

KEY: Final = keys().key_set.keys[0]
SIGNED: Final = VerifiedJws(JoseHeader("ES256", "k1", "", ()), b"{}", KEY, NOW, NOW)
MAC: Final = VerifiedJws(JoseHeader("HS256", None, "", ()), b"{}", None, NOW, None)
LEEWAY: Final = RP.policy.leeway
AGE: Final = RP.policy.id_token_age
LATE: Final = f"up to {NOW}, {LEEWAY + 1} seconds earlier"
ODD: Final[tuple[JsonValue, ...]] = (5, True, JsonObject({}), (), (5,), ("a", None))
NO_DATE: Final[tuple[JsonValue, ...]] = (
    "1800000000", True, -1, -0.5, 2**53, 1e300, (NOW,), JsonObject({}),
)  # fmt: skip
UNREQUIRED: Final = ID_TOKEN._replace(required=frozenset())
PATTERN: Final = "https://login.example/{tenantid}/v2.0"
TENANTS: Final = IssuerRule.template(PATTERN, tenants=frozenset({"t1", "t2"}))
T1: Final = "https://login.example/t1/v2.0"
T2: Final = "https://login.example/t2/v2.0"
MULTI: Final = relying_party(provider={"issuer": PATTERN}, rule=TENANTS)

WANTED = {"iss": ISSUER, "aud": CLIENT_ID, "azp": CLIENT_ID}
"""The expected value of a refusal, where there is one."""


def jwt(
    claims: Mapping[str, JsonValue],
    profile: JwtProfile = ID_TOKEN,
    *,
    rp: RelyingParty = RP,
    jws: VerifiedJws | None = SIGNED,
    encryption: Encryption | None = None,
    protection: Protection | None = None,
    iss: str | None = None,
) -> Examined[None]:
    """Claims on their way through the rules."""
    members = JsonObject({**claims})
    return Examined(
        rp=rp,
        profile=profile,
        protection=rp.protection["id_token"] if protection is None else protection,
        claims=members,
        claim=members.members.get,
        now=NOW,
        jws=jws,
        encryption=encryption,
        iss=iss,
        expected=None,
    )


def told(
    rule: Callable[[Examined[None]], str | None], examined: Examined[None]
) -> tuple[str, str, Fact, Fact]:
    """Return the facts of a refusal: code, about, found, expected; and the kind that it names."""
    with pytest.raises(ProtocolViolation) as caught:
        rule(examined)
    error = caught.value
    assert error.of == examined.profile.name
    return error.code, error.about, error.found, error.expected


# --- what a claim that is absent or malformed means ----------------------------------------------


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("iss", claim_rules.issuer),
        ("aud", claim_rules.audiences),
        ("exp", claim_rules.expiry),
        ("iat", claim_rules.issued_at),
    ],
)
@pytest.mark.parametrize("profile", [*PROFILES.values(), UNREQUIRED])
def test_an_absent_claim_is_refused_only_where_the_kind_has_to_have_it(
    name: str, rule: Callable[[Examined[None]], str | None], profile: JwtProfile
) -> None:
    absent: tuple[dict[str, JsonValue], ...] = ({}, {name: None})
    for claims in absent:
        if name in profile.required:
            assert told(rule, jwt(claims, profile)) == (
                f"{name}_missing", name, None, WANTED.get(name),
            )  # fmt: skip
        else:
            assert rule(jwt(claims, profile)) == "absent"


@pytest.mark.parametrize(
    "rule", [claim_rules.authorized_party, claim_rules.not_before], ids=["azp", "nbf"]
)
def test_azp_and_nbf_may_always_be_absent(rule: Callable[[Examined[None]], str | None]) -> None:
    for profile in PROFILES.values():
        assert rule(jwt({}, profile)) == rule(jwt({"azp": None, "nbf": None}, profile)) == "absent"


@pytest.mark.parametrize(
    ("name", "rule", "values"),
    [
        ("iss", claim_rules.issuer, (*ODD, ("https://op.example",))),
        ("aud", claim_rules.audiences, (5, True, JsonObject({}), (5,), ("a", None))),
        ("azp", claim_rules.authorized_party, (*ODD, (CLIENT_ID,))),
        ("exp", claim_rules.expiry, NO_DATE),
        ("iat", claim_rules.issued_at, NO_DATE),
        ("nbf", claim_rules.not_before, NO_DATE),
    ],
)
@pytest.mark.parametrize("profile", [ID_TOKEN, UNREQUIRED, USERINFO], ids=["all", "none", "some"])
def test_a_malformed_claim_is_never_taken_for_absent(
    name: str,
    rule: Callable[[Examined[None]], str | None],
    values: tuple[JsonValue, ...],
    profile: JwtProfile,
) -> None:
    for value in values:
        found = kind_of(value)
        assert told(rule, jwt({name: value}, profile)) == (
            f"{name}_malformed", name, found, WANTED.get(name),
        )  # fmt: skip


# --- signature, algorithm, encryption ------------------------------------------------------------


def test_a_token_is_signed_by_a_key_of_the_provider_or_by_the_client_s_secret() -> None:
    assert claim_rules.signature(jwt({"iss": ISSUER})) is None
    assert claim_rules.signature(jwt({}, jws=MAC)) is None
    nobody = SIGNED._replace(key=None)
    for jws in (None, nobody):
        facts = ("signature_invalid", "", None, "a key of the provider")
        assert told(claim_rules.signature, jwt({}, jws=jws)) == facts


def test_where_only_a_signed_token_will_do_another_is_refused() -> None:
    assert jwt({}).signed is SIGNED
    expected = ("signature_invalid", "", None, None)
    assert told(lambda token: str(token.signed), jwt({}, USERINFO, jws=None)) == expected


def test_a_key_signs_for_its_own_issuers_only() -> None:
    """A key may name the tenants that it is for."""
    own = SIGNED._replace(key=evolve(KEY, issuers=frozenset({T1})))
    assert claim_rules.signature(jwt({"iss": T1}, rp=MULTI, jws=own)) is None
    assert told(claim_rules.signature, jwt({"iss": T2}, rp=MULTI, jws=own)) == (
        "iss_mismatch", "iss", T2, (T1,),
    )  # fmt: skip
    anybody = SIGNED._replace(key=evolve(KEY, issuers=frozenset({PATTERN})))
    assert claim_rules.signature(jwt({"iss": T2}, rp=MULTI, jws=anybody)) is None


@pytest.mark.parametrize("claims", [{}, {"iss": 5}])
def test_whether_there_is_an_issuer_is_another_rule(claims: dict[str, JsonValue]) -> None:
    own = SIGNED._replace(key=evolve(KEY, issuers=frozenset({T1})))
    assert claim_rules.signature(jwt(claims, rp=MULTI, jws=own)) is None


def test_the_algorithm_is_one_of_those_agreed_upon() -> None:
    agreed = Protection(frozenset({"ES256"}), None)
    assert claim_rules.algorithm(jwt({}, protection=agreed)) is None
    for jws, found in ((MAC, "HS256"), (None, "none")):
        examined = jwt({}, jws=jws, protection=agreed)
        assert told(claim_rules.algorithm, examined) == ("alg_not_allowed", "alg", found, None)


def test_a_token_is_encrypted_as_that_was_registered() -> None:
    plain = Protection(frozenset({"ES256"}), None)
    assert claim_rules.encryption(jwt({}, protection=plain)) == "not registered as encrypted"
    how = Encryption("ECDH-ES", "A128GCM")
    agreed = Protection(frozenset({"ES256"}), how)
    assert claim_rules.encryption(jwt({}, protection=agreed, encryption=how)) is None
    for odd in (None, how._replace(alg="dir"), how._replace(enc="A256GCM")):
        assert told(claim_rules.encryption, jwt({}, protection=agreed, encryption=odd)) == (
            "encryption_missing", "", None, "ECDH-ES A128GCM",
        )  # fmt: skip


# --- the kind ------------------------------------------------------------------------------------


@pytest.mark.req("RFC8725-3.12-01")
@pytest.mark.parametrize("value", [None, {}, "", 0, "x"])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_claim_of_another_kind_is_refused_whatever_its_value(
    profile: JwtProfile, value: Any
) -> None:
    own: dict[str, JsonValue] = dict.fromkeys(sorted(profile.any_of)[:1], "x")
    assert claim_rules.kind(jwt({"iss": "x", "foo": value, **own}, profile)) is None
    for name in profile.forbidden:
        assert told(claim_rules.kind, jwt({"iss": "x", name: value, **own}, profile)) == (
            "claim_forbidden", name, None, profile.name,
        )  # fmt: skip


def test_of_several_claims_of_another_kind_the_first_by_name_is_told() -> None:
    claims: dict[str, JsonValue] = {"token_introspection": 1, "nonce": 1, "events": 1}
    assert told(claim_rules.kind, jwt(claims, USERINFO))[1] == "events"


def test_a_kind_that_needs_one_claim_of_several_is_refused_without_any() -> None:
    for name in ("sub", "sid"):
        assert claim_rules.kind(jwt({name: "x"}, LOGOUT_TOKEN)) is None
    without: tuple[dict[str, JsonValue], ...] = (
        {"iss": "x"},
        {"sub": None},
        {"sub": None, "sid": None},
    )
    for claims in without:
        assert told(claim_rules.kind, jwt(claims, LOGOUT_TOKEN)) == (
            "claim_missing", "sid", None, ("sid", "sub"),
        )  # fmt: skip


# --- issuer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", [ID_TOKEN, USERINFO])
def test_the_issuer_is_the_provider_exactly(profile: JwtProfile) -> None:
    assert claim_rules.issuer(jwt({"iss": ISSUER}, profile)) is None
    for odd in (OTHER_ISSUER, f"{ISSUER}/", "", "https://OP.example"):
        assert told(claim_rules.issuer, jwt({"iss": odd}, profile)) == (
            "iss_mismatch", "iss", odd, ISSUER,
        )  # fmt: skip


def test_a_provider_of_several_names_is_one_of_them() -> None:
    rule = IssuerRule.one_of("https://accounts.example", ISSUER)
    rp = relying_party(rule=rule)
    for iss in ("https://accounts.example", ISSUER):
        assert claim_rules.issuer(jwt({"iss": iss}, rp=rp, iss=ISSUER)) is None
    assert told(claim_rules.issuer, jwt({"iss": OTHER_ISSUER}, rp=rp)) == (
        "iss_mismatch", "iss", OTHER_ISSUER, "https://accounts.example",
    )  # fmt: skip


def test_where_tenants_are_let_in_a_claim_of_an_id_token_names_the_tenant() -> None:
    assert claim_rules.issuer(jwt({"iss": T1, "tid": "t1"}, rp=MULTI)) is None
    for claims in ({"iss": T1}, {"iss": T1, "tid": "t2"}, {"iss": PATTERN, "tid": "t1"}):
        assert told(claim_rules.issuer, jwt(claims, rp=MULTI)) == (
            "iss_mismatch", "iss", claims["iss"], PATTERN,
        )  # fmt: skip


def test_where_tenants_are_let_in_the_session_names_the_tenant_of_other_kinds() -> None:
    assert claim_rules.issuer(jwt({"iss": T1}, USERINFO, rp=MULTI, iss=T1)) is None
    assert claim_rules.issuer(jwt({"iss": T1}, USERINFO, rp=MULTI)) is None
    assert told(claim_rules.issuer, jwt({"iss": OTHER_ISSUER}, USERINFO, rp=MULTI)) == (
        "iss_mismatch", "iss", OTHER_ISSUER, PATTERN,
    )  # fmt: skip


@pytest.mark.parametrize(("profile", "more"), [(ID_TOKEN, {"tid": "t2"}), (USERINFO, {})])
def test_a_session_of_one_tenant_takes_no_token_of_another(
    profile: JwtProfile, more: dict[str, JsonValue]
) -> None:
    examined = jwt({"iss": T2, **more}, profile, rp=MULTI, iss=T1)
    assert told(claim_rules.issuer, examined) == ("iss_mismatch", "iss", T2, T1)
    assert claim_rules.issuer(jwt({"iss": T2, **more}, profile, rp=MULTI, iss=T2)) is None


# --- audience ------------------------------------------------------------------------------------


@pytest.mark.parametrize("aud", [CLIENT_ID, (CLIENT_ID,), (CLIENT_ID, CLIENT_ID)])
@pytest.mark.parametrize("audience", ["trusted", "includes_us", "only_us"])
def test_a_token_is_for_this_client(aud: JsonValue, audience: Any) -> None:
    profile = ID_TOKEN._replace(audience=audience)
    assert claim_rules.audiences(jwt({"aud": aud}, profile)) is None


@pytest.mark.parametrize(
    ("aud", "found"),
    [
        ("client-2", ("client-2",)),
        ("CLIENT-1", ("CLIENT-1",)),
        ("", ("",)),
        ((), ()),
        (("client-2", "client-3"), ("client-2", "client-3")),
    ],
)
@pytest.mark.parametrize("profile", [ID_TOKEN, USERINFO, UNREQUIRED])
def test_a_token_for_others_is_refused(
    aud: JsonValue, found: tuple[str, ...], profile: JwtProfile
) -> None:
    assert told(claim_rules.audiences, jwt({"aud": aud}, profile)) == (
        "aud_mismatch", "aud", found, CLIENT_ID,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("audience", "trusted", "jws", "foreign"),
    [
        ("includes_us", frozenset[str](), SIGNED, ()),
        ("includes_us", frozenset[str](), None, ()),
        ("trusted", frozenset({"api-1", "api-2"}), SIGNED, ()),
        ("trusted", frozenset({"api-1"}), SIGNED, ("api-2",)),
        ("trusted", frozenset[str](), SIGNED, ("api-1", "api-2")),
        ("trusted", frozenset({"api-1", "api-2"}), MAC, ("api-1", "api-2")),
        ("trusted", frozenset({"api-1", "api-2"}), None, ("api-1", "api-2")),
        ("only_us", frozenset({"api-1", "api-2"}), SIGNED, ("api-1", "api-2")),
    ],
)
def test_who_may_stand_beside_this_client_the_profile_says(
    audience: Any, trusted: frozenset[str], jws: VerifiedJws | None, foreign: tuple[str, ...]
) -> None:
    """The meaning of a MAC to several audiences is unspecified (OIDC Core §3.1.3.7, 8)."""
    rp = relying_party(client={"trusted_audiences": trusted})
    profile = ID_TOKEN._replace(audience=audience)
    examined = jwt({"aud": ("api-1", CLIENT_ID, "api-2")}, profile, rp=rp, jws=jws)
    if foreign:
        assert told(claim_rules.audiences, examined) == (
            "aud_untrusted", "aud", foreign, CLIENT_ID,
        )  # fmt: skip
    else:
        assert claim_rules.audiences(examined) is None


def test_a_party_that_a_token_was_issued_to_is_this_client() -> None:
    assert claim_rules.authorized_party(jwt({"azp": CLIENT_ID})) is None
    for odd in ("client-2", "", "CLIENT-1"):
        assert told(claim_rules.authorized_party, jwt({"azp": odd})) == (
            "azp_mismatch", "azp", odd, CLIENT_ID,
        )  # fmt: skip


# --- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("exp", [NOW - LEEWAY + 1, NOW, NOW + 1, 2**53 - 1, NOW + 0.5])
def test_what_ends_later_has_not_expired(exp: JsonValue) -> None:
    assert claim_rules.expiry(jwt({"exp": exp})) is None


@pytest.mark.parametrize("exp", [NOW - LEEWAY, NOW - LEEWAY - 1, 0])
def test_what_ended_has_expired(exp: int) -> None:
    for profile in (ID_TOKEN, UNREQUIRED):
        assert told(claim_rules.expiry, jwt({"exp": exp}, profile)) == (
            "exp_expired", "exp", exp, f"after {NOW}",
        )  # fmt: skip


@pytest.mark.parametrize("iat", [NOW + LEEWAY, NOW, NOW - AGE, NOW - AGE - LEEWAY, NOW + 0.9])
def test_what_was_issued_not_long_ago_is_taken(iat: JsonValue) -> None:
    assert claim_rules.issued_at(jwt({"iat": iat})) is None


def test_what_will_be_issued_is_refused() -> None:
    for profile in (ID_TOKEN, LOGOUT_TOKEN):
        assert told(claim_rules.issued_at, jwt({"iat": NOW + LEEWAY + 1}, profile)) == (
            "iat_in_future", "iat", NOW + LEEWAY + 1, LATE,
        )  # fmt: skip


@pytest.mark.parametrize("iat", [NOW - AGE - LEEWAY - 1, 0])
def test_what_was_issued_long_ago_is_refused_where_the_kind_has_to_be_fresh(iat: int) -> None:
    assert told(claim_rules.issued_at, jwt({"iat": iat})) == (
        "iat_too_old", "iat", iat, f"from {NOW - AGE}",
    )  # fmt: skip
    assert claim_rules.issued_at(jwt({"iat": iat}, USERINFO)) is None


@pytest.mark.parametrize("nbf", [NOW + LEEWAY, NOW, 0, NOW + 0.5])
def test_what_is_valid_already_is_taken(nbf: JsonValue) -> None:
    assert claim_rules.not_before(jwt({"nbf": nbf})) is None


def test_what_is_not_valid_yet_is_refused() -> None:
    assert told(claim_rules.not_before, jwt({"nbf": NOW + LEEWAY + 1})) == (
        "nbf_in_future", "nbf", NOW + LEEWAY + 1, LATE,
    )  # fmt: skip


@pytest.mark.parametrize("value", [*ODD, "", " "])
def test_the_name_of_a_token_is_text(value: JsonValue) -> None:
    assert told(claim_rules.identifier, jwt({"jti": value}, LOGOUT_TOKEN))[0] == "jti_malformed"


def test_a_token_has_a_name_where_its_kind_has_one() -> None:
    assert claim_rules.identifier(jwt({"jti": "a"}, LOGOUT_TOKEN)) is None
    assert told(claim_rules.identifier, jwt({}, LOGOUT_TOKEN))[0] == "jti_missing"
    assert claim_rules.identifier(jwt({}, ID_TOKEN)) == "absent"


@pytest.mark.parametrize(
    ("events", "found"),
    [
        (None, ("events_missing", "events", None, "an object")),
        (("e",), ("events_malformed", "events", "a list", "an object")),
        ("e", ("events_malformed", "events", "a string", "an object")),
        (UNREADABLE, ("events_malformed", "events", "a value that cannot be read", "an object")),
        (JsonObject({}), ("event_unexpected", "events", (), "e")),
        (JsonObject({"f\n": {}}), ("event_unexpected", "events", ("'f\\n'",), "e")),
        (JsonObject({"e": "x"}), ("events_malformed", "events", "a string", "e with an object")),
        (JsonObject({"e": None}), ("events_malformed", "events", "absent", "e with an object")),
    ],
)
@pytest.mark.parametrize("kind", ["logout_token", "security_event"])
def test_an_event_is_told_with_an_object(kind: str, events: JsonValue, found: object) -> None:
    given = {} if events is None else {"events": events}
    assert told(partial(claim_rules.event, name="e"), jwt(given, PROFILES[kind])) == found


def test_other_events_do_not_count() -> None:
    events = JsonObject({"e": {"a": 1}, "f": "x"})
    assert claim_rules.event(jwt({"events": events}, LOGOUT_TOKEN), "e") is None


def test_how_far_clocks_may_differ_the_policy_says() -> None:
    rp = relying_party(policy=Policy(leeway=0, id_token_age=10))
    assert claim_rules.expiry(jwt({"exp": NOW + 1}, rp=rp)) is None
    assert told(claim_rules.expiry, jwt({"exp": NOW}, rp=rp))[0] == "exp_expired"
    assert told(claim_rules.issued_at, jwt({"iat": NOW + 1}, rp=rp))[0] == "iat_in_future"
    assert claim_rules.issued_at(jwt({"iat": NOW - 10}, rp=rp)) is None
    assert told(claim_rules.issued_at, jwt({"iat": NOW - 11}, rp=rp))[0] == "iat_too_old"
    assert told(claim_rules.not_before, jwt({"nbf": NOW + 1}, rp=rp))[0] == "nbf_in_future"


# --- refusals ------------------------------------------------------------------------------------


def test_a_refusal_says_of_what_kind_of_token_it_is() -> None:
    for profile in PROFILES.values():
        error = refused(jwt({}, profile), "iss_mismatch", "iss", found="a", expected="b")
        assert (error.code, error.about, error.of) == ("iss_mismatch", "iss", profile.name)
        assert (error.found, error.expected) == ("a", "b")
        assert str(error).startswith(f"iss_mismatch (iss of {profile.name}): found 'a'")
