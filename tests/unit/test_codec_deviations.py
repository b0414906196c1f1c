"""In what a login deviates from one that asks for nothing in particular, and back again."""

import json
from typing import Any, Final

import pytest
from attrs import evolve, fields
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.codec import dump_deviations, load_deviations
from oidc_core.model.connection import Connection
from oidc_core.model.demands import EXPECT_NO_NONCE, Demands
from oidc_core.model.pending import PendingLogin, pending_id_of
from oidc_core.wire.errors import StoreFailure

STATE: Final = "c3RhdGUtMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA"
PLAIN: Final = PendingLogin(
    id=pending_id_of(STATE),
    connection=Connection("https://op.example", "client-1", "", "endpoints", "policy"),
    state=STATE,
    code_verifier="verifier",
    binding_digest="binding",
    redirect_uri="https://app.example/callback",
    demands=Demands(nonce="nonce", started_at=1_800_000_000, scope="openid email"),
)
OF_LOGIN: Final[dict[str, list[Any]]] = {
    "redirect_uri": ["https://app.example/other", ""],
    "response_mode": ["form_post"],
    "expects_iss": [True],
    "account": ["user-7", "é"],
}
OF_DEMANDS: Final[dict[str, list[Any]]] = {
    "nonce": ["own", "", EXPECT_NO_NONCE],
    "started_at": [0, 2**32, -1],
    "max_age": [0, 1, 253_402_300_799],
    "required_acr": [("gold",), ("gold", "silver"), ("a b",)],
    "essential_claims": [("email", "名")],
    "sub": ["alice", ""],
    "sub_iss": ["https://op.example/tenant", ""],
    "scope": ["openid", ""],
    "resource": [("https://api.example/",)],
    "prompt_login": ["proven", "unproven"],
}
WHOLE: Final = {"id", "connection", "state", "code_verifier", "binding_digest"}
EACH: Final = [
    *[
        pytest.param(evolve(PLAIN, **{name: value}), {name}, id=f"{name}-{value!a}")
        for name, values in OF_LOGIN.items()
        for value in values
    ],
    *[
        pytest.param(
            evolve(PLAIN, demands=evolve(PLAIN.demands, **{name: value})),
            {name},
            id=f"{name}-{value!a}",
        )
        for name, values in OF_DEMANDS.items()
        for value in values
    ],
]


def test_every_member_is_told_of() -> None:
    """One that were not would come back as configured, with any demands of the login."""
    of_login = {a.name for a in fields(PendingLogin)} - WHOLE - {"demands", "return_to"}

    assert of_login == {*OF_LOGIN}
    assert {a.name for a in fields(Demands)} == {*OF_DEMANDS}
    assert not OF_LOGIN.keys() & OF_DEMANDS.keys()


def test_a_login_that_does_not_deviate_takes_no_room() -> None:
    assert dump_deviations(PLAIN, PLAIN) == ""
    assert dump_deviations(evolve(PLAIN, return_to="/orders"), PLAIN) == ""


@pytest.mark.parametrize(("pending", "names"), EACH)
def test_each_member_comes_back_and_no_other_is_written(
    pending: PendingLogin, names: set[str]
) -> None:
    text = dump_deviations(pending, PLAIN)

    assert json.loads(text).keys() == names
    assert load_deviations(text, PLAIN) == pending


@pytest.mark.parametrize(("plain", "names"), EACH)
def test_a_member_at_its_default_comes_back_where_the_plain_login_is_not(
    plain: PendingLogin, names: set[str]
) -> None:
    text = dump_deviations(PLAIN, plain)

    assert json.loads(text).keys() == names
    assert load_deviations(text, plain) == PLAIN


TEXTS: Final = st.text(max_size=20)
LISTS: Final = st.lists(TEXTS, max_size=3).map(tuple)
LOGINS: Final = st.builds(
    evolve,
    st.just(PLAIN),
    redirect_uri=TEXTS,
    response_mode=st.sampled_from(["query", "form_post"]),
    expects_iss=st.booleans(),
    account=TEXTS,
    demands=st.builds(
        Demands,
        nonce=TEXTS | st.just(EXPECT_NO_NONCE),
        started_at=st.integers(-(2**40), 2**40),
        max_age=st.none() | st.integers(0, 2**40),
        required_acr=LISTS,
        essential_claims=LISTS,
        sub=st.none() | TEXTS,
        sub_iss=st.none() | TEXTS,
        scope=TEXTS,
        resource=LISTS,
    ),
)


@given(LOGINS, LOGINS)
def test_whatever_two_logins_differ_in_comes_back(
    pending: PendingLogin, plain: PendingLogin
) -> None:
    text = dump_deviations(pending, plain)

    assert text.isascii()
    assert (load_deviations(text, plain) if text else plain) == pending


def test_what_makes_a_login_itself_is_never_believed() -> None:
    planted = {"state": "x", "id": "x", "code_verifier": "x", "binding_digest": "x", "v": 9,
               "connection": {"issuer": "x"}, "demands": {"nonce": "x"}, "x": None}  # fmt: skip

    assert load_deviations(json.dumps(planted), PLAIN) == PLAIN


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"sub":"a","sub":"b"}', '{"max_age":NaN}', "\ufeff{}", "\ud800",
     '{"sub":"\\ud800"}', '{"max_age":"1"}', '{"max_age":true}', '{"sub":5}', '{"resource":"x"}',
     '{"required_acr":[5]}', '{"response_mode":"fragment"}', '{"expects_iss":1}', '{"nonce":5}',
     '{"redirect_uri":null}', '{"started_at":null}', '{"account":[]}'],
    ids=ascii,
)  # fmt: skip
def test_what_does_not_fit_is_the_stores_failure(text: str) -> None:
    with pytest.raises(StoreFailure) as caught:
        load_deviations(text, PLAIN)

    assert caught.value.code == "record_invalid"
