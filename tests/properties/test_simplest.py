"""The simplest value of each strategy: somebody reads it after a failure, so a test compares it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

import pytest
from hypothesis import find, settings

from oidc_adapters.testing import strategies
from oidc_adapters.testing.samples import (
    ENCRYPTION,
    SampleCallback,
    SampleClock,
    SampleKey,
    SampleKeySet,
    SampleMetadata,
    SampleTokenResponse,
    SignedToken,
    misbehaviour,
)
from oidc_core import AuthenticationRequest, Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy


T = TypeVar("T")

TABS: Final = {"first": ("start", "finish"), "second": ("start", "finish")}


def anything(_value: Any) -> bool:
    return True


def simplest(strategy: SearchStrategy[T], that: Callable[[T], bool]) -> T:
    """Return the simplest value that fulfils a condition."""
    return find(strategy, that, settings=settings(max_examples=500, database=None, deadline=None))


def logouts() -> SearchStrategy[SignedToken]:
    return strategies.tokens(kind="logout_token", encrypted=True)


SIMPLEST: Final[dict[str, tuple[SearchStrategy[Any], Callable[[Any], bool], object]]] = {
    "a key": (strategies.keys(), anything, SampleKey()),
    "a faulty key": (strategies.keys(valid=False), anything, SampleKey(fault="private")),
    "an RSA key": (
        strategies.keys(),
        lambda key: key.alg.startswith("RS"),
        SampleKey(alg="RS256"),
    ),
    "a key set": (strategies.key_sets(), anything, SampleKeySet()),
    "a faulty key set": (
        strategies.key_sets(valid=False),
        anything,
        SampleKeySet(fault="no_keys"),
    ),
    "two keys": (
        strategies.key_sets(valid=True),
        lambda key_set: len(key_set.keys) > 1,
        SampleKeySet(keys=(SampleKey(), SampleKey(seed=1))),
    ),
    "a token": (strategies.tokens(), anything, SignedToken()),
    "a faulty token": (
        strategies.tokens(valid=False),
        anything,
        SignedToken(fault="id_token_two_parts"),
    ),
    "a token with a claim": (
        strategies.tokens(valid=True),
        lambda token: "acr" in token.claims,
        SignedToken(claims={"acr": "a"}),
    ),
    "an encrypted logout token": (
        logouts(),
        anything,
        SignedToken(kind="logout_token", encryption=ENCRYPTION),
    ),
    "metadata": (strategies.metadata(), anything, SampleMetadata()),
    "faulty metadata": (
        strategies.metadata(valid=False),
        anything,
        SampleMetadata(fault="wrong_issuer"),
    ),
    "a callback": (strategies.callbacks(), anything, SampleCallback()),
    "a faulty callback": (
        strategies.callbacks(valid=False),
        anything,
        SampleCallback(fault="wrong_state"),
    ),
    "a token answer": (strategies.token_responses(), anything, SampleTokenResponse()),
    "a faulty token answer": (
        strategies.token_responses(valid=False),
        anything,
        SampleTokenResponse(fault="token_html"),
    ),
    "a clock": (strategies.clocks(), anything, SampleClock()),
    "a clock set back": (
        strategies.clocks(),
        lambda clock: min(clock.jumps, default=0) < 0,
        SampleClock(jumps=(-1,)),
    ),
    "an order": (
        strategies.interleavings(TABS),
        anything,
        (("first", "start"), ("first", "finish"), ("second", "start"), ("second", "finish")),
    ),
    "an order of tabs that are left": (
        strategies.interleavings(TABS, abandon=True, repeat=True),
        lambda order: len({tab for tab, _ in order}) > 1,
        (("first", "start"), ("second", "start")),
    ),
    "a policy": (strategies.policies(), anything, Policy()),
    "a request": (strategies.requests(), anything, AuthenticationRequest()),
    "a misbehaviour": (strategies.misbehaviours(), anything, (misbehaviour("wrong_issuer"),)),
    "two misbehaviours": (
        strategies.misbehaviours(during=["login"], most=2),
        lambda rows: len(rows) > 1,
        (misbehaviour("wrong_state"), misbehaviour("token_html")),
    ),
    "JSON": (strategies.json_values(), anything, None),
    "a JSON object": (strategies.json_objects(), lambda value: isinstance(value, dict), {}),
}
QUICK: Final = ("a token", "a faulty callback", "an order")


def check(name: str) -> None:
    strategy, that, expected = SIMPLEST[name]

    assert simplest(strategy, that) == expected


@pytest.mark.parametrize("name", QUICK)
def test_what_is_drawn_shrinks_to_the_simplest(name: str) -> None:
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SIMPLEST if name not in QUICK])
def test_everything_that_is_drawn_shrinks_to_the_simplest(name: str) -> None:
    check(name)


def test_each_strategy_is_looked_at() -> None:
    drawn = {name for name in strategies.__all__ if name.islower()}

    assert len(drawn) == 13
    assert len(SIMPLEST) >= len(drawn)
