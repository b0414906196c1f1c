from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.testing.strategies.choices import faults, some_of

NAMES = ("first", "second")


@given(faults(NAMES, valid=True), faults(NAMES, valid=False), faults(NAMES, valid=None))
def test_a_fault_is_drawn_where_it_is_asked_for(none: str, one: str, either: str) -> None:
    assert none == ""
    assert one in NAMES
    assert either in {"", *NAMES}


@given(faults((), valid=None))
def test_where_there_is_no_fault_none_is_drawn(none: str) -> None:
    assert none == ""
    assert faults((), valid=False).is_empty


@given(some_of({"a": st.just(1), "b": st.just(2), "c": st.just(3)}, most=2))
def test_only_a_few_members_are_drawn(members: dict[str, object]) -> None:
    assert len(members) <= 2
    assert members.items() <= {"a": 1, "b": 2, "c": 3}.items()
