"""Tolerant JSON: a value that cannot be read costs its own top-level member, and nothing else."""

import json
from typing import Final, NamedTuple

from hypothesis import example, given
from hypothesis import strategies as st

from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import JsonObject, parse_object, render, unreadable
from tests.strategies import json_values

ODD: Final = ("1e999", "-1e999", "1" * 20, "-" + "9" * 30, '"\\ud800"', '"a\\udc00"')
AROUND: Final = ("%s", "[%s]", '{"x":%s}', '[1,{"y":[%s,2]}]', '{"\\udfff":%s}')
NAMES: Final = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=6)
ODD_TEXTS: Final = st.sampled_from([around % odd for around in AROUND for odd in ODD])


class Member(NamedTuple):
    """A member's text, and whether it is one that cannot be read."""

    text: str
    odd: bool


PLAIN_MEMBERS: Final = json_values().map(lambda value: Member(render(value), odd=False))
ODD_MEMBERS: Final = ODD_TEXTS.map(lambda text: Member(text, odd=True))
MEMBERS: Final = st.dictionaries(NAMES, PLAIN_MEMBERS | ODD_MEMBERS, max_size=6)
LIKE_A_SURROGATE: Final = {"": Member('"\\\\udfff"', odd=False)}
"""A backslash and five letters: only a single backslash begins an escape."""


def document(members: dict[str, Member]) -> bytes:
    pairs = [f"{json.dumps(name)}:{member.text}" for name, member in members.items()]
    return ("{" + ",".join(pairs) + "}").encode()


def outcome(octets: bytes, *, tolerant: bool = True) -> JsonObject | ProtocolViolation:
    try:
        return parse_object(octets, tolerant=tolerant)
    except ProtocolViolation as refusal:
        return refusal


@given(MEMBERS)
@example(LIKE_A_SURROGATE)
def test_each_member_is_read_or_named_and_none_is_lost(members: dict[str, Member]) -> None:
    found = outcome(document(members))
    if isinstance(found, ProtocolViolation):
        assert found.code == "json_too_deep"
        return
    assert [*found] == [*members]
    assert {*unreadable(found)} == {name for name, member in members.items() if member.odd}
    for name, member in members.items():
        if not member.odd:
            assert found[name] == parse_object(f'{{"v":{member.text}}}'.encode())["v"]


@given(MEMBERS)
def test_strict_and_tolerant_agree_where_all_can_be_read(members: dict[str, Member]) -> None:
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
