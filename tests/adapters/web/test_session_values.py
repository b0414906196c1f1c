"""The record of a session."""

from __future__ import annotations

import pytest

from oidc_adapters.web.session_values import Kept, dump_session, load_session
from oidc_core.wire.errors import StoreFailure
from oidc_core.wire.jsontypes import JsonObject
from tests.adapters.web.test_record_sessions import session
from tests.flows.rig import NOW
from tests.parties import refused


@pytest.mark.parametrize("until", [None, NOW + 60])
def test_a_session_comes_back(until: int | None) -> None:
    claims, evidence = {"groups": ["a"], "age": 7}, (JsonObject({"of": "id_token"}),)
    kept = Kept(session("name", until=until, claims=claims, evidence=evidence), NOW + 5)

    assert load_session(dump_session(kept), "name") == kept


def test_a_record_without_evidence_is_read() -> None:
    kept = Kept(session("name"), NOW)
    text = dump_session(kept).replace('"evidence":[],', "")

    assert "evidence" not in text
    assert load_session(text, "name") == kept


@pytest.mark.parametrize("evidence", ['"all"', "[1]", "null"])
def test_evidence_that_is_damaged_is_refused(evidence: str) -> None:
    text = dump_session(Kept(session("name"), NOW)).replace(
        '"evidence":[]', f'"evidence":{evidence}'
    )

    refused(StoreFailure, "record_invalid", lambda: load_session(text, "name"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"v":1}',
        (
            '{"v":1,"identity":["i"],"claims":{},"connection":["","","","",""],"grant":"",'
            '"times":[1,2,3]}'
        ),
        '{"v":1,"identity":["i","s"],"claims":{},"connection":["",""],"grant":"","times":[1,2,3]}',
        (
            '{"v":1,"identity":["i","s"],"claims":{},"connection":["","","","",""],"grant":"",'
            '"times":[1,2,null]}'
        ),
    ],
)
def test_a_damaged_record_is_refused(text: str) -> None:
    refused(StoreFailure, "record_invalid", lambda: load_session(text, "name"))


@pytest.mark.parametrize("version", ["2", '"1"', "null"])
def test_a_record_of_another_release_is_refused(version: str) -> None:
    refused(
        StoreFailure, "record_version_unknown", lambda: load_session(f'{{"v":{version}}}', "name")
    )
