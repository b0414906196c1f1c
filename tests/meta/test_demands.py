"""A rule judges each demand of a login, and code reads each member: no member is only stored.

A recording stand-in takes the place of the value; who reads which member is written down while the
rules themselves run.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from attrs import AttrsInstance, evolve, fields, make_class

from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_core.endpoints.id_token import ID_TOKEN_RULES, Expected
from oidc_core.endpoints.tokens import TokenResponse
from oidc_core.jose.jws import JoseHeader, VerifiedJws
from oidc_core.jose.profiles import ID_TOKEN
from oidc_core.machine.claim_rules import Examined
from oidc_core.machine.steps import Exchange
from oidc_core.model.demands import Demands
from oidc_core.model.evidence import RuleTable
from oidc_core.model.pending import PendingLogin
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.operations.logged_in import Asked, from_tokens
from oidc_core.operations.login import finish
from oidc_core.wire.errors import OidcError, ProtocolViolation
from oidc_core.wire.jsontypes import parse_object
from tests.parties import (
    ISSUER,
    NOW,
    RP,
    SUB,
    callback,
    claims_for,
    done,
    refused,
    relying_party,
    resume,
    started,
    token_answer,
    with_keys,
)
from tests.signing import signed

if TYPE_CHECKING:
    from oidc_core.endpoints.id_token import ExaminedIdToken

CARRIED: Final = frozenset({"resource"})
"""Members that no rule reads: the record of tokens takes them, and is bound to them."""

FROM_TOKENS: Final = "from_tokens"
STRICT: Final = relying_party(policy=Policy(forbid_extra_scope=True, userinfo="never"))
DEMANDED: Final = Demands(
    nonce="n",
    started_at=NOW,
    max_age=600,
    required_acr=("gold",),
    essential_claims=("email",),
    sub=SUB,
    sub_iss=ISSUER,
    scope="openid email",
    resource=("https://api.example/",),
    prompt_login="proven",
)
HONEST: Final = claims_for("n", auth_time=NOW, acr="gold", email="alice@op.example")
READERS: Final = {
    "nonce": {"nonce"},
    "started_at": {"auth_time"},
    "max_age": {"auth_time"},
    "prompt_login": {"auth_time"},
    "required_acr": {"acr"},
    "essential_claims": {"claims"},
    "sub": {"expected_sub"},
    "sub_iss": {"expected_sub"},
    "scope": {FROM_TOKENS},
}
"""Which rules read what."""


def members_of(value: AttrsInstance) -> dict[str, Any]:
    """Return what an attrs value holds, by name."""
    return {attribute.name: getattr(value, attribute.name) for attribute in fields(type(value))}


class Recording:
    """Stands in for a value and writes down which of its members are read."""

    def __init__(self, value: object) -> None:
        self._value = value
        self.read: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":  # it passes for one of the value's own
            value: object = object.__getattribute__(self, "_value")
            return type(value)
        return super().__getattribute__(name)

    def __getattr__(self, name: str) -> Any:
        self.read.add(name)
        return getattr(self._value, name)


def examined(demands: Demands) -> ExaminedIdToken:
    """Return an honest ID token on its way through the rules."""
    claims = parse_object(json.dumps(HONEST).encode())
    jws = VerifiedJws(JoseHeader("ES256", None, "", ()), b"", None, NOW, None)
    protection, lookup = RP.protection["id_token"], claims.members.get
    expected = Expected(demands)
    return Examined(RP, ID_TOKEN, protection, claims, lookup, NOW, jws, None, None, expected)


def readers(demands: Demands, table: RuleTable[ExaminedIdToken]) -> dict[str, set[str]]:
    """Return for each member which rules of a table read it, and whether the scope's check does."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for rule in table.rules:
        recording = Recording(demands)
        with suppress(OidcError):
            rule.check(examined(cast("Demands", recording)))
        for name in recording.read:
            found[name].add(rule.name)
    recording = Recording(demands)
    response = TokenResponse(access_token="a", id_token=signed(HONEST), received_at=NOW)
    from_tokens(RP, Asked(demands=cast("Demands", recording)), response)
    for name in recording.read:
        found[name].add(FROM_TOKENS)
    return dict(found)


def unread(demands: Demands, table: RuleTable[ExaminedIdToken] = ID_TOKEN_RULES) -> set[str]:
    """Name the members that no rule reads, and that are not carried on either."""
    return {*members_of(demands)} - readers(demands, table).keys() - CARRIED


def test_every_member_of_the_demands_is_read_by_a_rule() -> None:
    assert unread(DEMANDED) == set()
    assert readers(DEMANDED, ID_TOKEN_RULES) == READERS


def test_all_of_it_was_demanded() -> None:
    """A rule leaves what is not demanded unread, so each member differs from its default."""
    defaults = [n.name for n in fields(Demands) if getattr(DEMANDED, n.name) == n.default]

    assert defaults == []


def without(*names: str) -> RuleTable[ExaminedIdToken]:
    rules = tuple([rule for rule in ID_TOKEN_RULES.rules if rule.name not in names])
    assert len(rules) == len(ID_TOKEN_RULES.rules) - len(names)
    return RuleTable("id_token", rules)


@pytest.mark.parametrize(
    ("rule", "members"),
    [
        ("nonce", {"nonce"}),
        ("acr", {"required_acr"}),
        ("auth_time", {"max_age", "prompt_login", "started_at"}),
        ("expected_sub", {"sub", "sub_iss"}),
        ("claims", {"essential_claims"}),
    ],
)
def test_a_rule_that_is_taken_out_is_seen(rule: str, members: set[str]) -> None:
    assert unread(DEMANDED, without(rule)) == members


def test_a_member_that_nothing_reads_is_seen() -> None:
    more = make_class("More", ["vectors_of_trust"], bases=(Demands,), frozen=True, kw_only=True)
    longer = more(**members_of(DEMANDED), vectors_of_trust="P1.Cc")

    assert unread(longer) == {"vectors_of_trust"}


def test_the_scope_is_judged_where_it_is_read() -> None:
    response = TokenResponse(
        access_token="a", id_token=signed(HONEST), scope="openid admin", received_at=NOW
    )
    asked = Asked(demands=DEMANDED)

    error = refused(
        ProtocolViolation, "scope_unexpected", lambda: from_tokens(STRICT, asked, response)
    )

    assert (error.found, error.about) == (("admin",), "scope")
    more = Asked(demands=evolve(DEMANDED, scope="openid admin"))
    assert done(with_keys(STRICT, from_tokens(STRICT, more, response))).tokens.scope


def test_what_is_carried_on_is_named_in_the_record_of_tokens() -> None:
    assert {attribute.name for attribute in fields(Tokens)} >= CARRIED
    assert readers(DEMANDED, ID_TOKEN_RULES).keys() & CARRIED == set()
    response = TokenResponse(access_token="a", id_token=signed(HONEST), received_at=NOW)

    step = from_tokens(STRICT, Asked(demands=DEMANDED), response)

    assert done(with_keys(STRICT, step)).tokens.resource == DEMANDED.resource


# --- the login in flight -------------------------------------------------------------------------


def read_of_a_login(pending: PendingLogin) -> set[str]:
    """Return which members a login reads, from the store to the request for tokens."""
    login = started(RP, return_to="/inbox", account="a-1")
    recording = Recording(pending)
    kept = evolve(login, pending=cast("PendingLogin", recording))
    store = MemoryPendingLogins()
    (cookie,) = store.put(RP, kept, (), NOW)
    taken = store.take(RP, pending.id, ((cookie.name, cookie.value),), NOW)
    arrived = evolve(callback(login), url=pending.redirect_uri)
    step = finish(RP, taken.pending, arrived, binding=taken.binding, now=NOW, account="a-1")
    assert isinstance(step, Exchange)
    resume(RP, step, token_answer(signed(HONEST)))
    return recording.read


def test_every_member_of_a_login_in_flight_is_read() -> None:
    pending = started(RP, return_to="/inbox", account="a-1").pending

    assert {*members_of(pending)} - read_of_a_login(pending) == set()


def test_a_member_of_a_login_in_flight_that_nothing_reads_is_seen() -> None:
    pending = started(RP, return_to="/inbox", account="a-1").pending
    more = make_class("More", ["prompt"], bases=(PendingLogin,), frozen=True, kw_only=True)

    longer = more(**members_of(pending), prompt="login")

    assert {*members_of(longer)} - read_of_a_login(longer) == {"prompt"}
