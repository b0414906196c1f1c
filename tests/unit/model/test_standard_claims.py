"""The standard claims, typed: what is malformed is absent."""

from __future__ import annotations

from typing import Any, Final

import pytest

from oidc_core.model.claims import IdToken, UserInfo
from oidc_core.model.standard_claims import Email, PhoneNumber, StandardClaims
from oidc_core.wire.jsontypes import JsonObject, frozen_json

TEXTS: Final = (
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
)


def views(**claims: Any) -> tuple[StandardClaims, ...]:
    frozen: Any = frozen_json(claims)
    return IdToken(frozen, "raw"), UserInfo("alice", frozen)


@pytest.mark.req("OIDCC-5.1-01")
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_a_text_or_absent(name: str) -> None:
    for view in views(**{name: " Alice "}):
        assert getattr(view, name) == " Alice "
    for odd in (None, "", "  ", 5, True, ["a"], {"a": "b"}):
        for view in views(**{name: odd}):
            assert getattr(view, name) is None
    assert getattr(views()[0], name) is None


@pytest.mark.parametrize(
    ("claims", "verified"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": False}, False),
        ({"email_verified": "true"}, False),
        ({"email_verified": 1}, False),
        ({"email_verified": None}, False),
        ({}, False),
    ],
)
def test_an_address_never_comes_without_whether_it_was_verified(
    claims: dict[str, Any], verified: bool
) -> None:
    for view in views(email="a@rp.example", **claims):
        assert view.email == Email("a@rp.example", verified)
        assert "a@rp" not in repr(view.email)
    for odd in (None, "", 5):
        assert views(email=odd, **claims)[0].email is None


@pytest.mark.parametrize(("said", "verified"), [(True, True), (False, False), ("true", False)])
def test_a_phone_number_never_comes_without_whether_it_was_verified(
    said: object, verified: bool
) -> None:
    for view in views(phone_number="+1 555 0100", phone_number_verified=said):
        assert view.phone_number == PhoneNumber("+1 555 0100", verified)
        assert "555" not in repr(view.phone_number)
    assert views(phone_number_verified=True)[0].phone_number is None


def test_an_address_is_an_object_and_a_time_a_number() -> None:
    good = views(address={"country": "DE"}, updated_at=5.5)[0]
    assert good.address == JsonObject({"country": "DE"})
    assert good.updated_at == 5
    odd = views(address="Berlin", updated_at="2020-01-01")[0]
    assert (odd.address, odd.updated_at) == (None, None)


@pytest.mark.parametrize(
    ("claims", "elsewhere"),
    [
        ({}, ()),
        ({"groups": []}, ()),
        ({"_claim_names": {"groups": "src1"}}, ("groups",)),
        ({"_claim_names": {"roles": "src1", "groups": "gone"}}, ("groups", "roles")),
        ({"_claim_names": {"groups": "src1"}, "groups": ["staff"]}, ()),
        ({"_claim_names": {"groups": None}, "_claim_sources": 5}, ("groups",)),
        ({"_claim_names": {}}, ()),
        ({"_claim_names": ["groups"]}, ()),
        ({"_claim_names": "groups"}, ()),
        ({"_claim_names": None}, ()),
    ],
)
def test_a_claim_that_is_kept_elsewhere_is_told_from_one_that_is_not_there(
    claims: dict[str, Any], elsewhere: tuple[str, ...]
) -> None:
    for view in views(**claims):
        assert view.claims_elsewhere == elsewhere
