"""The values of options."""

from argparse import ArgumentTypeError
from collections.abc import Callable

import pytest

from oidc_adapters.cli.option_values import (
    as_given,
    as_misbehaviour,
    as_name,
    as_path,
    as_port,
    as_seconds,
    as_time,
)


@pytest.mark.parametrize(
    ("take", "text", "expected"),
    [
        (as_port, "0", 0),
        (as_port, "65535", 65_535),
        (as_seconds, "1", 1),
        (as_seconds, "9" * 9, 999_999_999),
        (as_given, "x", "x"),
        (as_time, "1800000000", 1_800_000_000),
        (as_path, "/a/b", "/a/b"),
        (as_name, "work_2", "work_2"),
        (as_misbehaviour, "no_iss", "no_iss"),
    ],
)
def test_a_good_value_is_taken(take: Callable[[str], object], text: str, expected: object) -> None:
    assert take(text) == expected


@pytest.mark.parametrize(
    ("take", "text"),
    [
        (as_port, "65536"),
        (as_port, "-1"),
        (as_seconds, "0"),
        (as_seconds, "9" * 10),
        (as_given, ""),
        (as_time, "9" * 13),
        (as_path, "a"),
        (as_path, "/a?b"),
        (as_name, "../x"),
        (as_name, "a" * 65),
        (as_name, ""),
        (as_misbehaviour, "no_is"),
    ],
)
def test_any_other_is_refused(take: Callable[[str], object], text: str) -> None:
    with pytest.raises(ArgumentTypeError):
        take(text)
