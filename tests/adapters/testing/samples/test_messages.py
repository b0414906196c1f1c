from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from oidc_adapters.testing import MISBEHAVIOURS
from oidc_adapters.testing.samples import (
    CALLBACK_FAULTS,
    METADATA_FAULTS,
    TOKEN_RESPONSE_FAULTS,
    SampleCallback,
    SampleMetadata,
    SampleTokenResponse,
    SignedToken,
    judged,
    token_faults,
)
from oidc_core import HttpResponse, UsageError
from tests.parties import refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.testing.samples.judges import Judged

FAULTY: list[Judged] = [
    *[SampleMetadata(fault=fault) for fault in METADATA_FAULTS],
    *[SampleCallback(fault=fault) for fault in CALLBACK_FAULTS],
    *[SampleCallback(response_mode="form_post", fault=fault) for fault in CALLBACK_FAULTS],
    *[SampleTokenResponse(fault=fault) for fault in TOKEN_RESPONSE_FAULTS],
]


@pytest.mark.parametrize("sample", FAULTY, ids=repr)
def test_a_faulty_message_is_refused_with_its_code(sample: Judged) -> None:
    assert sample.code
    assert judged(sample) == sample.code


@pytest.mark.parametrize(
    "sample",
    [
        SampleMetadata(),
        SampleMetadata(members={"userinfo_endpoint": None, "x": {"y": 1}}),
        SampleCallback(),
        SampleCallback(response_mode="form_post", extra={"session_state": "a"}, extra_first=True),
        SampleTokenResponse(),
        SampleTokenResponse(refreshable=True, members={"expires_in": None, "scope": "openid"}),
        SampleTokenResponse(id_token=SignedToken(login_seed=7, alg="HS512")),
    ],
    ids=repr,
)
def test_a_good_message_is_accepted(sample: Judged) -> None:
    assert (sample.code, judged(sample)) == ("", "")


def test_the_misbehaviours_at_an_endpoint_are_its_faults() -> None:
    """A new row of the table is drawn by itself."""
    of_login = {
        n: row
        for n, row in MISBEHAVIOURS.items()
        if row.during in {"discovery", "login"} and row.needs != "strict"
    }

    assert {n for n, row in of_login.items() if row.endpoint == "discovery"} == {*METADATA_FAULTS}
    assert {n for n, row in of_login.items() if row.endpoint == "authorization"} == {
        *CALLBACK_FAULTS,
        "foreign_code",
    }
    tokens = {n for n, row in of_login.items() if row.endpoint == "token"}
    of_the_token = {
        *token_faults("id_token", "EdDSA"),
        *token_faults("id_token", "EdDSA", encrypted=True),
    }
    assert tokens - of_the_token == {*TOKEN_RESPONSE_FAULTS}


def test_members_are_changed_or_left_out() -> None:
    metadata = SampleMetadata(members={"jwks_uri": None, "vendor": [1]})
    answer = SampleTokenResponse(members={"expires_in": None, "vendor": [1]}).answer

    assert ("jwks_uri" in metadata.document, metadata.document["vendor"]) == (False, [1])
    assert isinstance(answer, HttpResponse)
    assert ("expires_in" in json.loads(answer.body), json.loads(answer.body)["vendor"]) == (
        False,
        [1],
    )


def test_a_callback_brings_its_parameters_in_their_order() -> None:
    before = SampleCallback(extra=(("x", "1"),), extra_first=True).response
    after = SampleCallback(extra=(("x", "1"),)).response

    assert [name for name, _ in before.parameters] == ["x", "code", "state", "iss"]
    assert [name for name, _ in after.parameters] == ["code", "state", "iss", "x"]


def test_messages_of_one_login_belong_together() -> None:
    first, second = SampleCallback(login_seed=1), SampleCallback(login_seed=2)

    assert first.response == SampleCallback(login_seed=1).response
    assert first.response.parameter("state") != second.response.parameter("state")
    assert first.response.parameter("code") != second.response.parameter("code")


def test_a_token_answer_has_the_code_of_its_id_token() -> None:
    answer = SampleTokenResponse(id_token=SignedToken(fault="wrong_nonce"))

    assert judged(answer) == answer.code == "nonce_mismatch"


MAKERS: list[tuple[Callable[[], object], str]] = [
    (lambda: SampleMetadata(fault="wrong_state"), "fault"),
    (lambda: SampleCallback(fault="wrong_issuer"), "fault"),
    (lambda: SampleTokenResponse(fault="wrong_nonce"), "fault"),
    (lambda: SampleTokenResponse(id_token=SignedToken(kind="userinfo")), "id_token"),
    (lambda: SampleTokenResponse(id_token=SignedToken(fault="weaker_acr")), "id_token"),
]


@pytest.mark.parametrize(("make", "about"), MAKERS)
def test_what_cannot_be_is_refused_by_its_name(make: Callable[[], object], about: str) -> None:
    assert refused(UsageError, "config_invalid", make).about == about
