"""Kinds of tokens against validators: exactly the diagonal is accepted (RFC 8725 §3.11, §3.12).

All tokens are signed by the provider's own key, for the same client and about the same user, so
that only their kind tells them apart.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeAlias

import pytest
from attrs import evolve

from oidc_core.jose.profiles import ID_TOKEN, LOGOUT_TOKEN, PROFILES, USERINFO, normalized_typ
from oidc_core.machine.steps import Exchange, Step
from oidc_core.model.demands import Demands
from oidc_core.model.policy import Policy
from oidc_core.operations.backchannel_logout import receive
from oidc_core.operations.login import finish
from oidc_core.operations.refresh import renew, verify
from oidc_core.operations.validation import validate
from oidc_core.wire.errors import ProtocolViolation
from tests.logouts import posted
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    callback,
    done,
    json_response,
    refused,
    relying_party,
    resume,
    started,
    token_answer,
    with_keys,
)
from tests.signing import signed
from tests.token_kinds import CLAIMS, EXAMPLES, NONCE, Example

Validator: TypeAlias = Callable[[str], object]

RP: Final = relying_party(policy=Policy(userinfo="never"))
ASKING: Final = relying_party(
    client={"userinfo_signed_response_alg": "ES256"}, policy=Policy(userinfo="required")
)


def jwt(claims: Mapping[str, Any], typ: str | None = None) -> str:
    return signed(claims, typ=typ)


def after_login(rp: Any, token: str) -> Step[Any]:
    login = started(rp)
    step = finish(rp, login.pending, callback(login), binding=login.binding, now=NOW)
    assert isinstance(step, Exchange)
    return with_keys(rp, resume(rp, step, token_answer(token)))


def at_login(token: str) -> object:
    return done(after_login(RP, token))


def at_refresh(token: str) -> object:
    tokens = done(after_login(RP, jwt(CLAIMS["id_token"]))).tokens
    step = renew(RP, evolve(tokens, refresh_token="refresh-token-1"))
    assert isinstance(step, Exchange)
    renewed = done(resume(RP, step, token_answer(token)))
    return done(with_keys(RP, verify(RP, renewed, now=NOW)))


def alone(token: str) -> object:
    demands = Demands(nonce=NONCE, started_at=NOW)
    step = validate(RP, token, demands, now=NOW, access_token=ACCESS_TOKEN)
    return done(with_keys(RP, step))


def at_userinfo(token: str) -> object:
    step = after_login(ASKING, jwt(CLAIMS["id_token"]))
    assert isinstance(step, Exchange)
    answer = json_response(token.encode(), content_type="application/jwt")
    return done(with_keys(ASKING, resume(ASKING, step, answer)))


def at_logout(token: str) -> object:
    return done(with_keys(RP, receive(RP, posted(token), now=NOW)))


VALIDATORS: Final[dict[str, tuple[str, Validator]]] = {
    "login": ("id_token", at_login),
    "refresh": ("id_token", at_refresh),
    "validation": ("id_token", alone),
    "userinfo": ("userinfo", at_userinfo),
    "logout": ("logout_token", at_logout),
}

LOGIN: Final = {
    "userinfo": "exp_missing",
    "authorization_response": "iat_missing",
    "request_object": "iss_mismatch",
}
UNTYPED: Final[dict[str, dict[str, str]]] = {
    "login": LOGIN,
    "validation": LOGIN,
    "refresh": {
        "userinfo": "exp_missing",
        "authorization_response": "sub_missing",
        "request_object": "iss_mismatch",
    },
    "userinfo": {"authorization_response": "sub_missing", "request_object": "sub_missing"},
    "logout": {
        "id_token": "events_missing",
        "userinfo": "iat_missing",
        "authorization_response": "iat_missing",
        "request_object": "iss_mismatch",
    },
}
"""The missing member of an untyped token, where every member also fits the wanted kind."""


@pytest.mark.req("RFC8725-3.11-01", "RFC8725-3.12-01", "OIDCBCL-4.1-01")
@pytest.mark.parametrize("door", VALIDATORS)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_exactly_the_diagonal_is_accepted(door: str, example: Example) -> None:
    """D29, D30."""
    wanted, validator = VALIDATORS[door]
    token = jwt(example.claims, example.typ)
    if example.kind == wanted:
        assert validator(token)
        return
    own_typ = example.typ not in {None, "JWT", "JOSE"}
    code = "typ_unexpected" if own_typ else UNTYPED[door].get(example.kind, "claim_forbidden")
    error = refused(ProtocolViolation, code, partial(validator, token))
    assert error.of == ("" if own_typ else wanted)


def test_every_kind_is_tried() -> None:
    assert {example.kind for example in EXAMPLES} == {*PROFILES}
    for example in EXAMPLES:
        assert PROFILES[example.kind].fits(normalized_typ(example.typ), example.claims)


DISGUISED: Final = ("logout_token", "security_event", "authorization_response", "request_object",
                    "dpop_proof", "introspection_response")  # fmt: skip


@pytest.mark.parametrize("typ", [None, "JWT", "application/jwt"])
@pytest.mark.parametrize(
    ("kind", "door"),
    [(kind, door) for kind in DISGUISED for door in VALIDATORS if VALIDATORS[door][0] != kind],
)
def test_a_token_in_disguise_is_refused(door: str, kind: str, typ: str | None) -> None:
    """The typ is dropped, and issuer and audience are those the validator waits for."""
    claims = {**CLAIMS[kind], "iss": ISSUER, "aud": CLIENT_ID}

    with pytest.raises(ProtocolViolation):
        VALIDATORS[door][1](jwt(claims, typ))


@pytest.mark.parametrize("door", VALIDATORS)
@pytest.mark.parametrize(
    "typ", ["at+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "oauth-authz-req+jwt", "jose+json",
            "token-introspection+jwt", "jwt2"],
)  # fmt: skip
@pytest.mark.parametrize("spelling", ["{}", "application/{}", "APPLICATION/{}"])
def test_the_right_claims_under_another_typ_are_refused(door: str, typ: str, spelling: str) -> None:
    wanted, validator = VALIDATORS[door]
    if typ in PROFILES[wanted].types:
        return
    token = jwt(CLAIMS[wanted], spelling.format(typ.upper() if "A" in spelling[:1] else typ))
    refused(ProtocolViolation, "typ_unexpected", partial(validator, token))


@pytest.mark.parametrize("value", [None, {}, "x"])
@pytest.mark.parametrize(
    ("door", "name"),
    [
        (door, name)
        for door, (kind, _) in VALIDATORS.items()
        for name in sorted(PROFILES[kind].forbidden)
    ],
)
def test_a_forbidden_member_is_refused_whatever_its_value(
    door: str, name: str, value: object
) -> None:
    wanted, validator = VALIDATORS[door]
    token = jwt({**CLAIMS[wanted], name: value})

    error = refused(ProtocolViolation, "claim_forbidden", partial(validator, token))
    assert (error.about, error.of, error.expected) == (name, wanted, wanted)


MISSING: Final = {
    "login": {"iss": "iss_missing", "sub": "sub_missing", "aud": "aud_missing",
              "exp": "exp_missing", "iat": "iat_missing"},
    "refresh": {"iss": "iss_missing", "sub": "sub_missing", "aud": "aud_missing",
                "exp": "exp_missing", "iat": "iat_missing"},
    "userinfo": {"sub": "sub_missing"},
    "logout": {"iss": "iss_missing", "aud": "aud_missing", "iat": "iat_missing",
               "exp": "exp_missing", "jti": "jti_missing", "events": "events_missing"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("door", "name", "code"),
    [(door, name, code) for door, codes in MISSING.items() for name, code in codes.items()],
)
def test_a_required_member_has_to_be_there(door: str, name: str, code: str) -> None:
    wanted, validator = VALIDATORS[door]
    claims = {member: value for member, value in CLAIMS[wanted].items() if member != name}

    error = refused(ProtocolViolation, code, partial(validator, jwt(claims)))
    assert (error.about, error.of) == (name, wanted)


def test_every_required_member_is_tried() -> None:
    assert {*MISSING["login"]} == {*MISSING["refresh"]} == ID_TOKEN.required
    assert {*MISSING["userinfo"]} == USERINFO.required
    assert {*MISSING["logout"]} == LOGOUT_TOKEN.required


@pytest.mark.req("RFC8725-3.12-01")
@pytest.mark.parametrize(
    ("door", "code"),
    [
        ("login", "iss_mismatch"),
        ("validation", "iss_mismatch"),
        ("refresh", "iss_mismatch"),
        ("userinfo", "sub_mismatch"),
        ("logout", "iss_mismatch"),
    ],
)
@pytest.mark.parametrize("typ", [None, "JWT"])
def test_a_client_assertion_is_neither(door: str, code: str, typ: str | None) -> None:
    claims = {"iss": CLIENT_ID, "sub": CLIENT_ID, "aud": ISSUER, "jti": "a-1", "iat": NOW}

    token = jwt({**claims, "exp": NOW + 60}, typ)

    wanted, validator = VALIDATORS[door]
    error = refused(ProtocolViolation, code, partial(validator, token))
    assert error.of == wanted
