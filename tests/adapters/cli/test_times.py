"""Times in words."""

import pytest

from oidc_adapters.cli.times import date_text, distance_text, length_text


def test_a_date_is_within_the_calendar() -> None:
    assert date_text(0) == "1970-01-01 00:00:00 UTC"
    assert date_text(253_402_300_799) == "9999-12-31 23:59:59 UTC"
    assert (date_text(253_402_300_800), date_text(-1)) == ("", "")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (7_199, "1 hour"),
        (-86_400, "1 day"),
        (200_000, "2 days"),
    ],
)
def test_a_length_is_told_in_its_largest_unit(seconds: int, expected: str) -> None:
    assert length_text(seconds) == expected


def test_a_distance_has_a_direction() -> None:
    assert distance_text(160, 100) == "in 1 minute"
    assert distance_text(40, 100) == "1 minute ago"
    assert distance_text(100, 100) == "now"
