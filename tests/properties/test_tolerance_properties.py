"""Tolerant JSON: a value that cannot be read costs its own top-level member, and nothing else."""

import json
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object, render, unreadable
from tests.strategies import json_values

ODD: Final = ("1e999", "-1e999", "1" * 20, "-" + "9" * 30, '"\\ud800"', '"a\\udc00"')
AROUND: Final = ("%s", "[%s]", '{"x":%s}', '[1,{"y":[%s,2]}]', '{"\\udfff":%s}')
NAMES: Final = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=6)
ODD_TEXTS: Final = st.sampled_from([around % odd for around in AROUND for odd in ODD])
MEMBERS: Final = st.dictionaries(NAMES, json_values().map(render) | ODD_TEXTS, max_size=6)


def is_odd(text: str) -> bool:
    return any(odd in text for odd in (*ODD, "\\udfff"))


def document(members: dict[str, str]) -> bytes:
    return ("{" + ",".join([f"{json.dumps(n)}:{v}" for n, v in members.items()]) + "}").encode()


def outcome(octets: bytes, *, tolerant: bool = True) -> JsonObject | ProtocolViolation:
    try:
        return parse_object(octets, tolerant=tolerant)
    except ProtocolViolation as refusal:
        return refusal


@given(MEMBERS)
def test_each_member_is_read_or_named_and_none_is_lost(members: dict[str, str]) -> None:
    found = outcome(document(members))
    if isinstance(found, ProtocolViolation):
        assert found.code == "json_too_deep"
        return
    assert [*found] == [*members]
    assert {*unreadable(found)} == {name for name, text in members.items() if is_odd(text)}
    for name, text in members.items():
        if not is_odd(text):
            assert found[name] == parse_object(f'{{"v":{text}}}'.encode())["v"]


@given(MEMBERS)
def test_strict_and_tolerant_agree_where_all_can_be_read(members: dict[str, str]) -> None:
    strict, tolerant = outcome(document(members), tolerant=False), outcome(document(members))
    if isinstance(tolerant, JsonObject) and not unreadable(tolerant):
        assert strict == tolerant
        return
    assert isinstance(strict, ProtocolViolation)
    of_a_member = {"json_number_invalid", "json_string_invalid"}
    codes = {tolerant.code} if isinstance(tolerant, ProtocolViolation) else of_a_member
    assert strict.code in codes


NEARLY: Final = st.text('{}[]":,\\ud8019eE+-. ', max_size=40).map(str.encode)


@given(st.binary(max_size=64) | NEARLY)
def test_nothing_but_a_refusal_comes_of_any_octets(octets: bytes) -> None:
    found = outcome(octets)
    if isinstance(found, ProtocolViolation):
        assert found.row.stage == "json"
    else:
        render(found).encode("ascii")
