"""The claims of an ID token, distorted one by one; the oracle says how the login has to end."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oidc_core.wire.errors import OidcError
from tests.flows.test_token_kinds import at_login, jwt
from tests.parties import CLIENT_ID, NOW
from tests.properties import oracle
from tests.properties.oracle import ABSENT, LOGGED_IN
from tests.properties.test_leniency import CHANGED
from tests.token_kinds import CLAIMS

GOOD: Final = CLAIMS["id_token"]
RULES: Final = {
    **oracle.CLAIMS,
    "azp": oracle.party(CLIENT_ID),
    "nbf": oracle.not_before(NOW),
}
UNREAD: Final = (
    "acr", "amr", "auth_time", "sid", "name", "email", "email_verified", "groups", "ver", "tid",
    "token_use", "scope", "jti", "c_hash", "address", "updated_at", "_claim_names",
)  # fmt: skip
"""Claims that no rule reads unless a login demands them; no rule reads an unknown name either."""

TIMES: Final = st.integers(NOW - 90_000, NOW + 90_000) | st.floats(NOW - 400, NOW + 400)
CLIENTS: Final = st.lists(st.sampled_from([CLIENT_ID, "other", ""]), max_size=3)
VALUES: Final = st.one_of(CHANGED, TIMES, CLIENTS)


def end_of(name: str, value: object) -> str:
    """Return how a login with this ID token ends."""
    claims = {each: held for each, held in GOOD.items() if each != name}
    if value is not ABSENT:
        claims[name] = value
    try:
        at_login(jwt(claims))
    except OidcError as error:
        return error.code
    return LOGGED_IN


@pytest.mark.parametrize("name", RULES)
@given(value=VALUES)
@example(value=ABSENT)
@example(value=None)
@example(value="")
@example(value=[])
@example(value={})
@example(value=True)
@example(value=0)
@example(value="\ud800")
@example(value=10**400)
@example(value=NOW + 60)
@example(value=NOW + 61)
@example(value=NOW - 60)
@example(value=NOW - 59)
@example(value=NOW - 86_460)
@example(value=NOW - 86_461)
def test_a_claim_that_a_rule_reads_is_decided_by_the_rule(name: str, value: object) -> None:
    right = RULES[name](value, GOOD.get(name, ABSENT))

    assert end_of(name, value) in right, (name, value, sorted(right))


@given(data=st.data())
def test_a_claim_that_no_rule_reads_changes_nothing(data: st.DataObject) -> None:
    unheard = st.text(min_size=1, max_size=20).map("x_".__add__)
    name = data.draw(st.one_of(st.sampled_from(UNREAD), unheard))
    value = data.draw(VALUES)

    assert end_of(name, value) == LOGGED_IN, (name, value)


def test_every_rule_can_refuse() -> None:
    for name, rule in RULES.items():
        ends = [rule(value, GOOD.get(name, ABSENT)) for value in ({"odd": 1}, 2**53)]
        assert any(LOGGED_IN not in end for end in ends), name
