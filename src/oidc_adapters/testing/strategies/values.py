"""Strategies of plain values: JSON, clocks, and orders in which several tabs take their steps."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from oidc_adapters.testing.samples import NOW, SampleClock
from oidc_adapters.testing.signing import b64url

K = TypeVar("K")
S = TypeVar("S")

JOSE_WORDS: Final = (
    "RSA", "EC", "OKP", "oct", "AKP", "P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448",
    "RS256", "PS512", "ES256", "EdDSA", "HS256", "none", "sig", "enc", "verify", "AQAB", "",
    "ES256K", "ML-DSA-44",
)  # fmt: skip
"""Words that a parser of JOSE looks for."""

JOSE_NAMES: Final = (
    "kty", "crv", "kid", "alg", "use", "key_ops", "issuer", "n", "e", "x", "y", "pub", "d", "k",
)  # fmt: skip
"""The names of members that a JWK may have."""


def json_values() -> SearchStrategy[object]:
    """Any JSON as ``json.dumps`` takes it, with the words of JOSE among its strings.

    Simplest: ``None``.
    """
    leaves: SearchStrategy[object] = (
        st.none()
        | st.booleans()
        | st.integers(-(10**18), 10**18)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.sampled_from(JOSE_WORDS)
        | st.text(max_size=60)
        | st.binary(max_size=80).map(b64url)
    )
    return st.recursive(
        leaves,
        lambda inner: (
            st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
        ),
        max_leaves=8,
    )


def json_objects() -> SearchStrategy[dict[str, object]]:
    """Any JSON object whose member names are often those of a JWK.

    Simplest: the empty object.
    """
    names = st.sampled_from(JOSE_NAMES) | st.text(max_size=8)
    return st.dictionaries(names, json_values(), max_size=8)


_DAY: Final = 86_400
_JUMPS: Final = (0, 1, 60, 61, 300, 600, 3_600, _DAY, -1, -60, -61, -600, -3_600, -_DAY)


def clocks(
    *, start: int = NOW, most: int = 8, backwards: bool = True
) -> SearchStrategy[SampleClock]:
    """Clocks that jump between two readings, often by as much as a rule tolerates.

    Simplest: ``SampleClock()``, which never moves.

    Args:
        start: the first reading.
        most: the number of jumps.
        backwards: whether a clock may be set back.
    """
    known = st.sampled_from([seconds for seconds in _JUMPS if backwards or seconds >= 0])
    any_jump = st.integers(-_DAY if backwards else 0, _DAY)
    jumps = st.lists(known | any_jump, max_size=most).map(tuple)
    return st.builds(SampleClock, start=st.just(start), jumps=jumps)


@st.composite
def _interleavings(
    draw: st.DrawFn, tabs: Mapping[K, Sequence[S]], *, abandon: bool, repeat: bool
) -> tuple[tuple[K, S], ...]:
    left = {tab: [*steps] for tab, steps in tabs.items()}
    if abandon:
        left = {tab: steps[: draw(st.integers(0, len(steps)))] for tab, steps in left.items()}
    taken: list[tuple[K, S]] = []
    while waiting := [tab for tab, steps in left.items() if steps]:
        tab = draw(st.sampled_from(waiting))
        step = left[tab].pop(0)
        taken += [(tab, step)] * (2 if repeat and draw(st.booleans()) else 1)
    return tuple(taken)


def interleavings(
    tabs: Mapping[K, Sequence[S]], *, abandon: bool = False, repeat: bool = False
) -> SearchStrategy[tuple[tuple[K, S], ...]]:
    """Orders in which several tabs, browsers or tasks take their steps; each keeps its own order.

    Simplest: one tab after the other, in the order of the mapping; with ``abandon``, no step.

    Args:
        tabs: the steps of each tab, as in ``{"first": ("start", "finish"), "second": …}``.
        abandon: whether a tab may stop before its end.
        repeat: whether a step may be taken twice in a row, as by a double click.
    """
    return _interleavings(tabs, abandon=abandon, repeat=repeat)
