"""Typed claims, and what a claim must not be."""

from typing import Any

import pytest

from oidc_core.model.claims import (
    Identity,
    IdToken,
    UserInfo,
    malformed,
    subject,
    verified_email,
)
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.facts import private
from oidc_core.wire.jsontypes import JsonObject, JsonValue
from tests.unit.parties import told


@pytest.mark.req("OIDCC-2-02", "OIDCC-2-03")
@pytest.mark.parametrize("value", ["a", "A", " ", "x" * 255, "~!@ 'x'", "AbC" * 85])
def test_a_subject_is_kept_to_the_letter(value: str) -> None:
    assert subject(value) == value


@pytest.mark.req("OIDCC-2-02")
@pytest.mark.parametrize(
    "value",
    ["", 5, True, ("a",), JsonObject({}), "x" * 256, "é", "a\x00", "a\n", "\x7f", "\ud800"],
)
def test_what_is_no_subject_is_refused(value: JsonValue) -> None:
    expected = "1 to 255 printable ASCII characters"
    assert told(lambda: subject(value)) == ("sub_malformed", "sub", private(value), expected)


def test_a_subject_that_is_absent_is_refused_as_such() -> None:
    assert told(lambda: subject(None)) == ("sub_missing", "sub", None, None)


@pytest.mark.parametrize("value", [None, 5, "Not supported currently. Use oid claim."])
def test_a_refused_subject_says_whose_it_is(value: JsonValue) -> None:
    for of in ("", "id_token", "userinfo"):
        with pytest.raises(ProtocolViolation) as caught:
            subject(value, of=of)
        assert caught.value.of == of


@pytest.mark.parametrize("name", ["oid", "objectId"])
def test_a_subject_that_every_user_has_is_refused(name: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        subject(f"Not supported currently. Use {name} claim.")
    assert caught.value.code == "sub_placeholder"


@pytest.mark.req("OIDCC-5.7-01")
def test_an_identity_is_issuer_and_subject() -> None:
    one = Identity("https://op.example", "a")
    assert one == Identity("https://op.example", "a")
    assert (
        len({one, Identity("https://op.example", "A"), Identity("https://op.example/", "a")}) == 3
    )


FULL = IdToken(
    JsonObject(
        {
            "iss": "https://op.example",
            "sub": "a",
            "aud": ("client-1", "client-2"),
            "exp": 3,
            "iat": 1.5,
            "auth_time": 0,
            "nonce": "s3cret",
            "acr": "silver",
            "amr": ("pwd",),
            "azp": "client-1",
            "sid": "session",
            "session_expiry": 5.5,
            "more": True,
        }
    ),
    "raw.id.token",
)


def test_claims_are_typed_when_they_are_read() -> None:
    assert (FULL.iss, FULL.sub, FULL.aud) == ("https://op.example", "a", ("client-1", "client-2"))
    assert (FULL.exp, FULL.iat, FULL.auth_time) == (3, 1, 0)
    assert (FULL.nonce, FULL.acr, FULL.amr) == ("s3cret", "silver", ("pwd",))
    assert (FULL.azp, FULL.sid, FULL.claims["more"]) == ("client-1", "session", True)
    assert FULL.session_expiry == 5
    assert "s3cret" not in repr(FULL)
    assert "raw.id.token" not in repr(FULL)


@pytest.mark.parametrize("value", [None, False, JsonObject({}), (1,), -1])
def test_a_malformed_claim_reads_as_absent(value: JsonValue) -> None:
    odd = IdToken(JsonObject(dict.fromkeys(FULL.claims, value)), "")
    for token in (odd, IdToken(JsonObject({}), "")):
        assert (token.iss, token.sub, token.aud) == ("", "", ())
        assert (token.exp, token.iat, token.auth_time) == (0, 0, None)
        assert (token.nonce, token.acr, token.amr) == (None, None, ())
        assert (token.azp, token.sid, token.session_expiry) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ()),
        ({"acr": None, "amr": None, "auth_time": None, "sid": None}, ()),
        ({"acr": "", "amr": (), "auth_time": 0}, ()),
        ({"sid": ""}, ("sid",)),
        ({"sid": " "}, ("sid",)),
        ({"acr": 1}, ("acr",)),
        ({"amr": "pwd"}, ("amr",)),
        ({"amr": ("pwd", 1)}, ("amr",)),
        ({"auth_time": "0"}, ("auth_time",)),
        ({"auth_time": -1}, ("auth_time",)),
        ({"sid": ("s",), "acr": False}, ("acr", "sid")),
    ],
)
def test_a_claim_of_a_wrong_type_is_told_apart_from_one_that_is_absent(
    changes: dict[str, JsonValue], names: tuple[str, ...]
) -> None:
    claims = JsonObject({**FULL.claims, **changes})
    assert malformed(claims, ("acr", "amr", "auth_time", "sid")) == names
    assert malformed(claims, ()) == ()


def test_userinfo_is_about_somebody() -> None:
    assert UserInfo("a", JsonObject({"sub": "a"})).sub == "a"


@pytest.mark.parametrize(
    ("verified", "email", "found"),
    [
        (True, "a@op.example", "a@op.example"),
        (True, "A.b+c@op.example", "A.b+c@op.example"),
        (False, "a@op.example", None),
        ("true", "a@op.example", None),
        (1, "a@op.example", None),
        (None, "a@op.example", None),
        (True, None, None),
        (True, ("a@op.example",), None),
        (True, "", None),
        (True, "a", None),
        (True, "@op.example", None),
        (True, "a@", None),
        (True, "a@evil.example@good.example", None),
        (True, "a b@op.example", None),
        (True, "a@op.example\n", None),
        (True, "a@exаmple.com", None),
        (True, "é@op.example", None),
    ],
)
def test_an_email_counts_only_if_the_provider_says_it_verified_it(
    verified: JsonValue, email: JsonValue, found: str | None
) -> None:
    claims = JsonObject({"email": email, "email_verified": verified})
    assert verified_email(claims) == found
    assert verified_email(JsonObject({})) is None


@pytest.mark.parametrize("claims", [None, "email", b"{}", 5, [("email", "a@op.example")]])
def test_an_address_is_looked_up_in_claims(claims: Any) -> None:
    with pytest.raises(UsageError) as caught:
        verified_email(claims)
    assert (caught.value.code, caught.value.about) == ("parameter_invalid", "claims")


def test_claims_may_be_any_mapping() -> None:
    assert verified_email({"email": "a@op.example", "email_verified": True}) == "a@op.example"
    assert verified_email({"email": "a@op.example", "email_verified": "true"}) is None
    assert verified_email({"email": "a@op.example", "email_verified": 1}) is None
