"""Rows of one kind differ in what they are given, and nothing else."""

import pytest

from oidc_adapters.testing import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours import rows
from oidc_adapters.testing.signing import JwtDraft

NOTHING = Changes()


def same(draft: JwtDraft) -> str:
    return draft.signed()


@pytest.mark.parametrize(
    ("row", "endpoint", "during"),
    [
        (rows.id_token_row("own", "wrong", "does it", same), "token", "login"),
        (rows.userinfo_row("own", "wrong", "does it", NOTHING), "userinfo", "userinfo"),
        (rows.response_row("own", "wrong", "does it", NOTHING), "authorization", "login"),
    ],
)
def test_a_row_is_met_where_its_kind_is(row: Misbehaviour, endpoint: str, during: str) -> None:
    assert (row.name, row.code, row.summary) == ("own", "wrong", "does it")
    assert (row.endpoint, row.during, row.needs) == (endpoint, during, "")


def test_one_member_is_changed() -> None:
    members = {"iss": "a", "sub": "b"}

    assert rows.metadata_with("iss", 1).metadata(members) == {"iss": 1, "sub": "b"}
    assert rows.metadata_rewritten("iss", str.upper).metadata(members) == {"iss": "A", "sub": "b"}
    assert rows.tokens_with("x", None).tokens(members) == {**members, "x": None}
    assert rows.userinfo_with("sub", 2).userinfo(members) == {"iss": "a", "sub": 2}
