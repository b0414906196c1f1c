"""The choice that most strategies share: good samples, faulty ones, or both."""

from collections.abc import Mapping
from functools import cache

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy


@cache
def faults(names: tuple[str, ...], *, valid: bool | None) -> SearchStrategy[str]:
    """Draw the name of a fault: none of them if ``valid``, either if that is ``None``."""
    if valid or (valid is None and not names):
        return st.just("")
    if not names:
        return st.nothing()
    faulty = st.sampled_from([*names])
    return faulty if valid is False else st.just("") | faulty


@st.composite
def some_of(
    draw: st.DrawFn, strategies: Mapping[str, SearchStrategy[object]], most: int = 3
) -> dict[str, object]:
    """Draw values for a few of these names; the simplest draw is empty."""
    names = draw(_names(tuple(strategies), most))
    return {name: draw(strategies[name]) for name in names}


@cache
def _names(names: tuple[str, ...], most: int) -> SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=most, unique=True)
