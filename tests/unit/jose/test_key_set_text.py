"""The text of a key set: one odd key costs that key only, broken syntax the document."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from oidc_core.jose.key_set import parse_key_set
from oidc_core.jose.key_set_text import read_key_set
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.jsontypes import parse_object
from oidc_core.wire.limits import LIMITS, Limits
from tests.unit.jose.public_keys import ec, rsa
from tests.unit.parties import told

GOOD: Final = json.dumps({**rsa(kid="good")})
ALSO: Final = json.dumps({**ec(kid="also")})


def nested(depth: int) -> str:
    return '{"a":' + depth * "[" + depth * "]" + "}"


ODD: Final = [
    ('{"kty":"RSA","kty":"EC"}', "json_member_duplicated"),
    ('{"kid":"a","\\u006bid":"b"}', "json_member_duplicated"),
    ('{"a":{"b":1,"b":2}}', "json_member_duplicated"),
    ('{"iat":NaN}', "json_number_invalid"),
    ('{"iat":-Infinity}', "json_number_invalid"),
    (nested(17), "json_too_deep"),
    (nested(100_000), "json_too_deep"),
    (nested(100), "json_too_deep"),
    ("{" + ",".join([f'"m{n}":1' for n in range(20_000)]) + "}", "json_too_large"),
    ('{"a":[' + ",".join(["{}"] * 9_000) + "]}", "json_too_large"),
    ('[{"a":1,"a":1}]', "json_member_duplicated"),
]
IDS: Final = [f"{at} {code}" for at, (_, code) in enumerate(ODD)]


@pytest.mark.parametrize(("odd", "code"), ODD, ids=IDS)
@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_odd_key_costs_that_key_only(odd: str, code: str, at: int) -> None:
    elements = [GOOD, ALSO]
    elements.insert(at, odd)
    document = '{"keys": [ ' + " ,\n".join(elements) + ' ] , "more": [{"keys": 1}]}'

    keys = parse_key_set(document.encode(), limits=Limits(key_set=2_000_000))

    assert [key.kid for key in keys.keys] == ["good", "also"]
    assert [(key.kid, key.code) for key in keys.skipped] == [(None, code)]
    assert keys.unread == keys.skipped
    assert [key.kid for key in keys.select("good", "RS256")] == ["good"]


def test_a_set_of_odd_keys_only_is_a_set_without_keys() -> None:
    keys = parse_key_set(('{"keys":[' + ",".join([odd for odd, _ in ODD[:5]]) + "]}").encode())
    assert keys.keys == ()
    assert [key.code for key in keys.skipped] == [code for _, code in ODD[:5]]


@pytest.mark.parametrize("odd", ["12345678901234567890", "1e400", '"\\ud800"', '["\\ud800"]'])
def test_a_value_that_cannot_be_read_costs_a_key_only_where_a_rule_reads_it(odd: str) -> None:
    """A certificate, or a date, is nothing that a key is used by; its ``use`` is."""
    good, bad = GOOD[:-1] + f',"iat":{odd},"\\udfff":1}}', ALSO[:-1] + f',"use":{odd}}}'
    keys = parse_key_set(f'{{"keys":[{good},{bad}]}}'.encode())

    assert [key.kid for key in keys.keys] == ["good"]
    assert [(key.kid, key.code, key.about) for key in keys.skipped] == [
        ("also", "jwk_invalid", "use")
    ]
    assert keys.unread == ()


def test_what_is_no_object_is_skipped_as_ever() -> None:
    keys = parse_key_set(f'{{"keys":[5,"]",null,[],{ODD[0][0]},{GOOD},"{{\\""]}}'.encode())
    assert [key.kid for key in keys.keys] == ["good"]
    assert [key.code for key in keys.skipped] == 5 * ["jwk_invalid"] + ["json_member_duplicated"]


def test_a_certificate_of_any_length_costs_nothing() -> None:
    long = json.dumps({**rsa(kid="long"), "x5c": [100_000 * "A"]})
    keys = parse_key_set(f'{{"keys":[{long}]}}'.encode())
    assert [key.kid for key in keys.keys] == ["long"]
    keys = parse_key_set(f'{{"keys":[{long},{ODD[0][0]}]}}'.encode())
    assert [key.kid for key in keys.keys] == ["long"]


@pytest.mark.parametrize(
    "document",
    [
        '{"keys":[%s,nul]}',
        '{"keys":[%s,]}',
        '{"keys":[,%s]}',
        '{"keys":[%s,{"a":1]}',
        '{"keys":[%s,{"a":1}}',
        '{"keys":[%s,{"a":"x}]}',
        '{"keys":[%s',
        '{"keys":[%s,{"a":1}',
        '{"keys":[%s]]}',
        '{"keys":[%s]',
        '{"keys":[%s]}}',
        '{"keys":[%s] "more":1}',
        "{'keys':[%s]}",
        '{"keys"[%s]}',
    ],
)
def test_broken_syntax_refuses_the_document(document: str) -> None:
    """Nobody can tell where a key ends; where that is at its end, the odd key is met first."""
    with pytest.raises(ProtocolViolation) as caught:
        parse_key_set((document % ODD[0][0]).encode())
    assert caught.value.code in {"json_malformed", "json_member_duplicated"}


def test_an_odd_key_is_not_read_to_its_end() -> None:
    keys = parse_key_set(f'{{"keys":[{ODD[0][0]}{{}},{GOOD}]}}'.encode())
    assert [key.kid for key in keys.keys] == ["good"]
    assert [key.code for key in keys.skipped] == ["json_member_duplicated"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{"keys":[],"keys":[%s]}', "json_member_duplicated"),
        ('{"keys":[%s],"keys":[]}', "json_member_duplicated"),
        ('{"more":1,"more":1,"keys":[%s]}', "json_member_duplicated"),
        ('{"keys":{"a":[%s]}}', "json_member_duplicated"),
        ('{"more":[%s],"keys":[]}', "json_member_duplicated"),
        ('{"a":{"keys":[%s]}}', "json_member_duplicated"),
        ('{"more":"keys","a":[%s]}', "json_member_duplicated"),
        ('["keys",[%s]]', "json_member_duplicated"),
    ],
)
def test_what_is_odd_elsewhere_refuses_the_document(document: str, code: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        parse_key_set((document % ODD[0][0]).encode())
    assert caught.value.code == code


def test_the_number_of_keys_is_limited_before_any_is_parsed() -> None:
    few = Limits(keys=2)
    document = ('{"keys":[' + ",".join([ODD[0][0]] * 3) + "]}").encode()
    assert told(lambda: parse_key_set(document, limits=few)) == (
        "jwks_invalid",
        "keys",
        3,
        "up to 2",
    )
    two = ('{"keys":[' + ",".join([ODD[0][0]] * 2) + "]}").encode()
    assert len(parse_key_set(two, limits=few).skipped) == 2


def test_the_arrays_and_objects_of_all_keys_together_are_limited() -> None:
    few = Limits(members=10)
    key = '{"kid":"%d","x5c":[[[[]]]]}'
    document = '{"keys":[{"a":1,"a":1},' + ",".join([key % number for number in range(9)]) + "]}"
    read = read_key_set(document.encode(), few)
    keys: Any = read.members["keys"]
    assert [each["kid"] for each in keys] == ["0", "1", "2", "3", "4", "5", "6", "7"]
    assert [refusal.code for refusal in read.unread] == [
        "json_member_duplicated",
        "json_too_large",
    ]


def test_the_refusal_is_that_of_the_document_where_there_is_no_array() -> None:
    for document in ('{"a":1,"a":2}', '{"keys":5,"keys":6}', '{"a":' + 20 * "[" + 20 * "]" + "}"):
        with pytest.raises(ProtocolViolation):
            read_key_set(document.encode(), LIMITS)


@pytest.mark.parametrize("spaces", ["", " ", "\n\t\r "])
def test_white_space_decides_nothing(spaces: str) -> None:
    members = ["", "{", '"a"', ":", '"keys"', ",", '"keys"', ":"]
    array = ["[", ODD[0][0], ",", GOOD, "]", "}", ""]
    document = spaces.join([*members, *array])
    read = read_key_set(document.encode(), LIMITS)
    assert [refusal.code for refusal in read.unread] == ["json_member_duplicated"]
    keys: Any = read.members["keys"]
    assert keys == (parse_object(GOOD.encode()),)
