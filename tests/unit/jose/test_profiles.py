"""The table of profiles: no token fits two rows."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import pytest

from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.jose.profiles import (
    ACCESS_TOKEN,
    DPOP_PROOF,
    ID_TOKEN,
    KEPT_ID_TOKEN,
    LOGOUT_TOKEN,
    PROFILES,
    TYPED_LOGOUT_TOKEN,
    USERINFO,
    JwtProfile,
    normalized_typ,
)
from tests.token_kinds import EXAMPLES, Example

PAIRS: Final = [(one, other) for one, other in combinations(PROFILES.values(), 2)]
BY_NONCE: Final = {("id_token", "userinfo")}
"""Kept apart by the nonce, which each login sends; a refreshed ID token may have no nonce, and then
says no more than UserInfo does."""


def excludes(one: JwtProfile, other: JwtProfile) -> bool:
    """Whether what one kind has to have, the other must not have."""
    any_of = bool(one.any_of) and one.any_of <= other.forbidden
    return any_of or not one.required.isdisjoint(other.forbidden)


def test_every_profile_stands_under_its_name() -> None:
    assert [*PROFILES] == [profile.name for profile in PROFILES.values()]
    assert [*PROFILES] == [
        "id_token", "access_token", "logout_token", "security_event", "userinfo",
        "authorization_response", "request_object", "dpop_proof", "introspection_response",
    ]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda profile: profile.name)
def test_two_kinds_that_share_a_typ_exclude_each_other_by_their_claims(
    one: JwtProfile, other: JwtProfile
) -> None:
    if one.types.isdisjoint(other.types):
        return
    if (one.name, other.name) in BY_NONCE:
        assert "nonce" in other.forbidden - one.forbidden
    else:
        assert excludes(one, other) or excludes(other, one)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_a_row_is_possible(profile: JwtProfile) -> None:
    assert profile.required.isdisjoint(profile.forbidden)
    assert not profile.any_of or profile.any_of - profile.forbidden
    assert all(typ == normalized_typ(typ or None) for typ in profile.types)
    assert profile.spec
    assert profile.algorithms <= SIGNATURES
    assert "none" not in profile.algorithms


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_a_token_fits_one_profile_only(example: Example) -> None:
    typ = normalized_typ(example.typ)
    fitting = {name for name, profile in PROFILES.items() if profile.fits(typ, example.claims)}

    assert fitting == {example.kind}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_a_token_that_lacks_what_its_kind_has_to_have_does_not_fit(example: Example) -> None:
    profile, typ = PROFILES[example.kind], normalized_typ(example.typ)
    for name in profile.required:
        assert not profile.fits(typ, example.claims.keys() - {name})
    for name in profile.forbidden:
        assert not profile.fits(typ, {*example.claims, name})
    if profile.any_of:
        assert not profile.fits(typ, example.claims.keys() - profile.any_of)


def test_what_only_key_holders_may_make_has_no_mac() -> None:
    for profile in PROFILES.values():
        lone = profile in {ACCESS_TOKEN, DPOP_PROOF}
        assert profile.algorithms == (SIGNATURES - HMAC if lone else SIGNATURES)


@pytest.mark.parametrize(
    ("typ", "accepted"),
    [
        (None, True), ("JWT", True), ("jwt", True), ("logout+jwt", True), ("Logout+JWT", True),
        ("application/logout+jwt", True), ("APPLICATION/logout+jwt", True), ("at+jwt", False),
        ("secevent+jwt", False), ("LOGOUT", False), ("dpop+jwt", False),
        ("application/application/jwt", False), (" jwt", False), ("", False), ("/", False),
        ("application/", False), ("APPLICATION/", False), ("application/ ", False), ("/jwt", False),
        (" ", False), ("application", False), ("jwt ", False), ("application/ jwt", False),
    ],
)  # fmt: skip
def test_the_typ_of_a_logout_token(typ: str | None, accepted: bool) -> None:
    assert (normalized_typ(typ) in LOGOUT_TOKEN.types) is accepted


def test_a_logout_token_may_have_to_say_what_it_is() -> None:
    assert LOGOUT_TOKEN._replace(types=frozenset({"logout+jwt"})) == TYPED_LOGOUT_TOKEN


def test_a_security_event_token_says_what_it_is() -> None:
    """RFC 8417 §2.2, §2.3."""
    profile = PROFILES["security_event"]
    assert profile.types == {"secevent+jwt"}
    assert profile.required == LOGOUT_TOKEN.required - {"aud", "exp"}


def test_only_an_id_token_and_a_logout_token_may_name_trusted_others_and_have_to_be_new() -> None:
    """OIDC Back-Channel Logout §2.6, 4: a logout token is checked as an ID token is."""
    for profile in PROFILES.values():
        told = (profile.audience, profile.age)
        own = profile in {ID_TOKEN, LOGOUT_TOKEN}
        age = f"{profile.name}_age"
        assert told == (("trusted", age) if own else ("includes_us", None))
    assert ID_TOKEN._replace(age=None) == KEPT_ID_TOKEN


def test_only_an_id_token_names_its_tenant() -> None:
    assert [row for row in PROFILES.values() if row.tenant == "claim"] == [ID_TOKEN]


def test_each_kind_has_its_size_and_its_place_in_the_registration() -> None:
    assert {name: profile.limit for name, profile in PROFILES.items()} == {
        name: "userinfo" if name == "userinfo" else "id_token" for name in PROFILES
    }
    assert {name: profile.registered_as for name, profile in PROFILES.items()} == {
        **dict.fromkeys(PROFILES, "id_token"),
        "userinfo": "userinfo",
        "authorization_response": "authorization",
        "introspection_response": "introspection",
    }


def test_userinfo_needs_only_its_subject() -> None:
    """OIDC Core §5.3.2: signed, it SHOULD name issuer and audience."""
    assert USERINFO.required == {"sub"}
