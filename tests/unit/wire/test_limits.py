"""How large things may be."""

from functools import partial
from typing import Any, Final

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.wire.errors import ProtocolViolation, TransportFailure, UsageError
from oidc_core.wire.jsontypes import parse_object
from oidc_core.wire.limits import LIMITS, UPPER_BOUNDS, LimitName, Limits, excess, name_excess
from tests.parties import refused

KIB: Final = 1_024
MIB: Final = 1_024 * KIB
SIZES: Final[dict[LimitName, tuple[int, int]]] = {
    "callback": (16 * KIB, 64 * KIB),
    "id_token": (128 * KIB, 512 * KIB),
    "token_response": (512 * KIB, 2 * MIB),
    "userinfo": (MIB, 4 * MIB),
    "metadata": (256 * KIB, MIB),
    "key_set": (MIB, 4 * MIB),
    "keys": (512, 2_048),
    "jose_header": (16 * KIB, 64 * KIB),
    "members": (2_048, 16_384),
}


def test_the_limits_are_those_that_are_written_down() -> None:
    assert [each.name for each in fields(Limits)] == [*SIZES]
    for name, (default, bound) in SIZES.items():
        assert (getattr(LIMITS, name), getattr(UPPER_BOUNDS, name)) == (default, bound)


@given(st.sampled_from([*SIZES]), st.integers())
def test_a_limit_is_within_its_bounds(name: LimitName, most: int) -> None:
    given_limits: dict[str, Any] = {name: most}
    bound = SIZES[name][1]
    if 1 <= most <= bound:
        assert getattr(Limits(**given_limits), name) == most
        return
    error = refused(UsageError, "config_invalid", lambda: Limits(**given_limits))
    assert (error.about, error.found) == (f"limits.{name}", most)
    assert error.expected == f"1 to {bound}"


@pytest.mark.parametrize("name", [*SIZES])
def test_the_bounds_themselves(name: LimitName) -> None:
    def limits(most: Any) -> Limits:
        return Limits(**{name: most})

    bound = SIZES[name][1]
    assert (getattr(limits(1), name), getattr(limits(bound), name)) == (1, bound)
    for odd in (0, -1, bound + 1, "1024", 1.5, True, None):
        error = refused(UsageError, "config_invalid", partial(limits, odd))
        assert error.about in {name, f"limits.{name}"}


@pytest.mark.parametrize("name", [*SIZES])
def test_what_is_too_large_is_told_with_its_limit_and_setting(name: LimitName) -> None:
    default, bound = SIZES[name]
    facts = excess(name, default, default + 1)
    assert (facts["found"], facts["expected"]) == (default + 1, f"up to {default}")
    assert (facts["retryable"], facts["kind"]) == ("no", "configuration")
    assert facts["hint"] == f"raise Policy.limits.{name}, up to {bound}, or have less sent"
    assert excess(name, bound)["hint"] == "have less sent: no limit is higher"
    assert excess(name, bound)["found"] is None


def test_too_many_members_are_told_with_the_setting_too() -> None:
    hint = excess("members", LIMITS.members)["hint"]
    for text in ('{"a":1,"b":2}', '{"a":[' + "[]," * 20 + "[]]}"):
        error = refused(
            ProtocolViolation, "json_too_large", partial(parse_object, text.encode(), members=1)
        )
        assert error.hint == hint


def test_an_error_is_told_what_was_too_large() -> None:
    error = TransportFailure("code_in_doubt", found="http_too_large")
    name_excess(error, "token_response", 5)
    assert (error.found, error.expected) == ("http_too_large", "up to 5")
    assert (error.retryable, error.kind) == ("no", "configuration")
    assert error.hint.startswith("raise Policy.limits.token_response")
