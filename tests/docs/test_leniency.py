"""The tables about the cost of an absent or malformed member agree with the code."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_core.endpoints.tokens import parse_token_response
from oidc_core.jose.key_set import parse_key_set
from oidc_core.model.demands import Demands
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.policy import Policy
from oidc_core.operations.discovery import parse_metadata
from oidc_core.operations.logged_in import Asked, from_tokens
from oidc_core.operations.login import finish
from oidc_core.wire.errors import OidcError
from oidc_core.wire.jsontypes import JsonObject
from tests.docs.pages import Page
from tests.parties import (
    ISSUER,
    NOW,
    SUB,
    came,
    claims_for,
    done,
    json_response,
    relying_party,
    resume,
    started,
    token_answer,
    with_keys,
)
from tests.signing import published, signed, signing_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGE: Final = Page("docs/explanation/leniency.md")
PASSES: Final = "passes"
NOTED: Final = "passes, noted"
NONCE: Final = "n-0S6_WzA2Mj"
PLAIN: Final = relying_party(policy=Policy(userinfo="never"))
STRICT: Final = relying_party(policy=Policy(userinfo="never", require_essential_claims=True))
OPTIONAL: Final = relying_party()

TOKENS: Final[dict[str, object]] = {
    "access_token": 5,
    "token_type": 5,
    "id_token": 5,
    "refresh_token": 5,
    "expires_in": "soon",
    "scope": 5,
}
"""Members with a malformed value each."""

CLAIMS: Final[dict[str, object]] = {
    "iss": 5,
    "sub": 5,
    "aud": 5,
    "exp": "soon",
    "iat": "soon",
    "nbf": "soon",
    "azp": 5,
    "nonce": 5,
    "at_hash": 5,
    "acr": 5,
    "auth_time": "soon",
    "amr": "pwd",
    "sid": 5,
    "email_verified": "true",
}
DEMANDED: Final[dict[str, object]] = {"acr": 5, "auth_time": "soon", "email_verified": "true"}
DEMANDS: Final[dict[str, dict[str, Any]]] = {
    "acr": {"required_acr": ("gold",)},
    "auth_time": {"max_age": 60},
    "email_verified": {"essential_claims": ("email_verified",)},
}
USERINFO: Final[dict[str, object]] = {"sub": 5, "iss": 5, "email_verified": "true", "name": 5}
METADATA: Final[dict[str, object]] = {
    "issuer": 5,
    "authorization_endpoint": 5,
    "token_endpoint": 5,
    "jwks_uri": 5,
    "registration_endpoint": 5,
    "scopes_supported": 5,
    "require_signed_request_object": "no",
    "authorization_response_iss_parameter_supported": "yes",
    "claims_parameter_supported": "yes",
}
KEY: Final[dict[str, object]] = {"kty": 5, "kid": 5, "alg": 5, "use": 5, "key_ops": 5, "x": 5}
CALLBACK: Final[dict[str, object]] = {
    "state": "%FF",
    "code": "%FF",
    "iss": "%FF",
    "error": "%FF",
    "error_description": "%FF",
    "session_state": "%FF",
}


def logged_in(members: Mapping[str, object], claims: Mapping[str, object], **demands: Any) -> bool:
    token = signed(claims_for(NONCE, **claims))
    asked = Asked(demands=Demands(nonce=NONCE, started_at=NOW, scope="openid", **demands))
    answer = parse_token_response(json_response({**good_answer(token), **members}))
    result = done(with_keys(STRICT, from_tokens(STRICT, asked, answer)))
    return bool(result.notes or result.evidence.id_token.notes)


def good_answer(token: str) -> dict[str, object]:
    return {"access_token": "a", "token_type": "Bearer", "id_token": token}


def tokens(name: str, value: object) -> bool:
    return logged_in({name: value}, {})


def claims(name: str, value: object) -> bool:
    return logged_in({}, {name: value})


def demanded(name: str, value: object) -> bool:
    return logged_in({}, {name: value}, **DEMANDS[name])


def userinfo(name: str, value: object) -> bool:
    token = signed(claims_for(NONCE))
    asked = Asked(demands=Demands(nonce=NONCE, started_at=NOW, scope="openid"))
    answer = parse_token_response(token_answer(token))
    step = with_keys(OPTIONAL, from_tokens(OPTIONAL, asked, answer))
    result = done(resume(OPTIONAL, step, json_response({"sub": SUB, name: value})))
    evidence = result.evidence.userinfo
    return bool(result.notes) or (evidence is not None and bool(evidence.notes))


def metadata(name: str, value: object) -> bool:
    members = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/a",
        "token_endpoint": f"{ISSUER}/t",
        "jwks_uri": f"{ISSUER}/j",
        name: value,
    }
    return bool(parse_metadata(json_response(members), rule=IssuerRule.exact(ISSUER)).notes)


def key(name: str, value: object) -> bool:
    first = published(signing_key()).published[0]
    assert isinstance(first, JsonObject)
    jwk: dict[str, object] = {**first.plain(), name: value}
    found = parse_key_set({"keys": [{n: v for n, v in jwk.items() if v is not None}]})
    for skipped in found.skipped:
        raise LookupError(skipped.code)
    return any(jwk.odd is not None for jwk in found.keys)


def callback(name: str, value: object) -> bool:
    login = started(PLAIN)
    good = {"state": login.pending.state, "code": "c"}
    if name == "error":
        del good["code"]
    sent = {**good, name: value}
    query = "&".join([f"{n}={v}" for n, v in sent.items() if v is not None])
    finish(PLAIN, login.pending, came(query), binding=login.binding, now=NOW)
    return False


TABLES: Final[dict[str, tuple[Callable[[str, object], bool], dict[str, object]]]] = {
    "Token answer": (tokens, TOKENS),
    "ID token": (claims, CLAIMS),
    "ID token, where the login demands it": (demanded, DEMANDED),
    "UserInfo": (userinfo, USERINFO),
    "Callback": (callback, CALLBACK),
    "Metadata": (metadata, METADATA),
    "Key of a key set": (key, KEY),
}


def outcome(probe: Callable[[str, object], bool], name: str, value: object) -> str:
    try:
        return NOTED if probe(name, value) else PASSES
    except OidcError as error:
        return f"`{error.code}`"
    except LookupError as skipped:
        return f"costs the key: `{skipped.args[0]}`"


def rows_of(heading: str) -> list[tuple[str, str, str]]:
    """The table below a heading: member, absent, malformed."""
    part = PAGE.text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) \|", part, re.MULTILINE)
    return [(name, absent, malformed) for name, absent, malformed in found]


def computed(heading: str) -> list[tuple[str, str, str]]:
    probe, members = TABLES[heading]
    judged = partial(outcome, probe)
    return [(name, judged(name, None), judged(name, odd)) for name, odd in members.items()]


@pytest.mark.parametrize("heading", TABLES)
def test_the_page_says_what_a_member_costs(heading: str) -> None:
    assert rows_of(heading) == computed(heading)
