"""The table of token kinds: no token fits two rows."""

from __future__ import annotations

from itertools import combinations
from typing import Final

import pytest

from oidc_core.jose.algorithms import HMAC, SIGNATURES
from oidc_core.jose.kinds import (
    ACCESS_TOKEN,
    DPOP_PROOF,
    ID_TOKEN,
    KINDS,
    LOGOUT_TOKEN,
    USERINFO,
    Kind,
    refuse_other_kinds,
    spelled,
)
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject
from tests.token_kinds import EXAMPLES, Example

PAIRS: Final = [(one, other) for one, other in combinations(KINDS.values(), 2)]
BY_NONCE: Final = {("id_token", "userinfo")}
"""Kept apart by the nonce, which each login sends; a refreshed ID token may have none, and then
says no more than UserInfo does."""


def excludes(one: Kind, other: Kind) -> bool:
    """Whether what one kind has to have, the other must not have."""
    any_of = bool(one.any_of) and one.any_of <= other.forbidden
    return any_of or not one.required.isdisjoint(other.forbidden)


def test_every_kind_stands_under_its_name() -> None:
    assert [*KINDS] == [kind.name for kind in KINDS.values()]
    assert [*KINDS] == [
        "id_token", "access_token", "logout_token", "userinfo", "authorization_response",
        "request_object", "dpop_proof", "introspection_response",
    ]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=lambda kind: kind.name)
def test_two_kinds_that_share_a_typ_exclude_each_other_by_their_members(
    one: Kind, other: Kind
) -> None:
    if one.types.isdisjoint(other.types):
        return
    if (one.name, other.name) in BY_NONCE:
        assert "nonce" in other.forbidden - one.forbidden
    else:
        assert excludes(one, other) or excludes(other, one)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_row_is_possible(kind: Kind) -> None:
    assert kind.required.isdisjoint(kind.forbidden)
    assert not kind.any_of or kind.any_of - kind.forbidden
    assert all(typ == spelled(typ) for typ in kind.types)
    assert kind.spec
    assert kind.algorithms <= SIGNATURES
    assert "none" not in kind.algorithms


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_a_token_fits_one_kind_only(example: Example) -> None:
    fitting = {name for name, kind in KINDS.items() if kind.fits(example.typ, example.claims)}

    assert fitting == {example.kind}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_a_token_that_lacks_what_its_kind_has_to_have_does_not_fit(example: Example) -> None:
    kind = KINDS[example.kind]
    for name in kind.required:
        assert not kind.fits(example.typ, example.claims.keys() - {name})
    for name in kind.forbidden:
        assert not kind.fits(example.typ, {*example.claims, name})
    if kind.any_of:
        assert not kind.fits(example.typ, example.claims.keys() - kind.any_of)


def test_what_only_key_holders_may_make_has_no_mac() -> None:
    assert ACCESS_TOKEN.algorithms.isdisjoint(HMAC)
    assert DPOP_PROOF.algorithms.isdisjoint(HMAC)


@pytest.mark.parametrize(
    ("typ", "accepted"),
    [
        (None, True), ("JWT", True), ("jwt", True), ("logout+jwt", True), ("Logout+JWT", True),
        ("application/logout+jwt", True), ("at+jwt", False), ("secevent+jwt", False),
        ("LOGOUT", False), ("dpop+jwt", False), ("application/application/jwt", False),
        ("", True), (" jwt", False),
    ],
)  # fmt: skip
def test_the_typ_of_a_logout_token(typ: str | None, accepted: bool) -> None:
    assert (spelled(typ) in LOGOUT_TOKEN.types) is accepted


@pytest.mark.parametrize("value", [None, {}, "", 0, "x"])
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_member_of_another_kind_is_refused_whatever_its_value(kind: Kind, value: None) -> None:
    refuse_other_kinds(kind, JsonObject({"iss": "x", "foo": value}))
    for name in kind.forbidden:
        with pytest.raises(ProtocolViolation) as caught:
            refuse_other_kinds(kind, JsonObject({"iss": "x", name: value}))
        assert (caught.value.code, caught.value.about) == ("claim_forbidden", name)
        assert caught.value.expected == kind.name


def test_the_validators_take_their_types_from_the_table() -> None:
    from oidc_core.endpoints import id_token, userinfo

    assert id_token.TYPES is ID_TOKEN.types
    assert userinfo.TYPES is USERINFO.types
