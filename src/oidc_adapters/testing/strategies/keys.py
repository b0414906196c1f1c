"""Strategies of the provider's keys and key sets."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from oidc_adapters.testing.samples import SET_FAULTS, SampleKey, SampleKeySet, key_faults
from oidc_adapters.testing.signing import ALGORITHMS
from oidc_adapters.testing.strategies.choices import faults, some_of

T = TypeVar("T")

SIGNING_ALGS: Final = (
    "ES256", "EdDSA", "ES384", "ES512", "Ed25519",
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
)  # fmt: skip
"""The algorithms of published keys, the simplest first."""

RSA: Final = frozenset({"RS", "PS"})
"""The families of algorithms whose keys are RSA keys."""

_RSA_KEYS: Final = 2
_KEYS: Final = 20
_MOST_UNNAMED: Final = 4
_FOREIGN: Final[tuple[dict[str, object], ...]] = (
    {"kty": "AKP", "kid": "post-quantum", "alg": "ML-DSA-44", "pub": "AA"},
    {"kty": "vendor", "kid": "vendor"},
)
"""Keys of unknown types: a client ignores these (RFC 7517 §5)."""


_MEMBERS: Final[Mapping[str, SearchStrategy[object]]] = MappingProxyType(
    {
        "use": st.none(),
        "alg": st.none(),
        "key_ops": st.just(["verify"]),
        "x5t": st.text("abcdef", max_size=6),
        "vendor": st.text(max_size=6),
    }
)
"""The members that a good key may lack, or have otherwise."""


def key_seeds(alg: str) -> SearchStrategy[int]:
    """Draw the seed of a key; there are few RSA keys, since each takes a while to make."""
    return st.integers(0, (_RSA_KEYS if ALGORITHMS[alg].family in RSA else _KEYS) - 1)


def make(*_parts: object) -> None:
    """Take what was just made: RSA keys then exist for the rest of the process."""


def prepared(strategy: SearchStrategy[T], algs: Sequence[str]) -> SearchStrategy[T]:
    """Have the RSA keys of a strategy made before its first example.

    They take a while: a deadline or a health check would take that for a slow test.
    """

    def with_keys() -> SearchStrategy[T]:
        for alg in [alg for alg in algs if ALGORITHMS[alg].family in RSA][:1]:
            for seed in range(_RSA_KEYS):
                make(SampleKey(alg=alg, seed=seed).signing_key)
        return strategy

    return st.deferred(with_keys)


@st.composite
def _keys(draw: st.DrawFn, algs: tuple[str, ...], *, valid: bool | None) -> SampleKey:
    alg, named = draw(st.sampled_from(algs)), not draw(st.booleans())
    seed, otherwise = draw(key_seeds(alg)), draw(some_of(_MEMBERS))
    fault = draw(faults(key_faults(alg), valid=valid))
    return SampleKey(
        alg=alg,
        seed=seed,
        named=named or bool(fault),
        members={} if fault else otherwise,
        fault=fault,
    )


def keys(
    *, algs: Sequence[str] = SIGNING_ALGS, valid: bool | None = None
) -> SearchStrategy[SampleKey]:
    """Keys as a provider publishes them.

    Simplest: ``SampleKey()``, which is on P-256; a faulty one is ``SampleKey(fault='private')``.

    Args:
        algs: their algorithms, the simplest first.
        valid: ``True`` for good keys only, ``False`` for faulty ones only.
    """
    return prepared(_keys(tuple(algs), valid=valid), algs)


def _identity(key: SampleKey) -> tuple[str, int]:
    """Return what makes the octets of a key: RSA keys of one seed are one key."""
    is_rsa = ALGORITHMS[key.alg].family in RSA
    return ("RSA" if is_rsa else key.alg), key.seed


@st.composite
def _key_sets(
    draw: st.DrawFn, algs: tuple[str, ...], most: int, *, valid: bool | None
) -> SampleKeySet:
    good = _keys(algs, valid=True)
    held = draw(st.lists(good, min_size=1, max_size=most, unique_by=_identity))
    others = draw(st.lists(st.sampled_from(_FOREIGN), max_size=2, unique_by=str))
    if valid is not True and draw(st.booleans()):
        odd = draw(_keys(algs, valid=False))
        held = [odd, *[key for key in held if _identity(key) != _identity(odd)]][:most]
        return SampleKeySet(keys=tuple(held), others=tuple(others))
    fault = draw(faults(tuple(SET_FAULTS), valid=valid))
    return SampleKeySet(keys=tuple(held), others=tuple(others), fault=fault)


def key_sets(
    *, algs: Sequence[str] = SIGNING_ALGS, most: int = _MOST_UNNAMED, valid: bool | None = None
) -> SearchStrategy[SampleKeySet]:
    """Key sets as a provider publishes them, with keys of unknown types among the good ones.

    Simplest: ``SampleKeySet()``, which is one key on P-256; of the faulty ones, that key with
    ``fault='private'``.

    Args:
        algs: the algorithms of its keys, the simplest first.
        most: the number of keys for this client, at most 4: a client tries so many for a token
            without ``kid``.
        valid: ``True`` for sets whose keys all serve, ``False`` for those with a fault.
    """
    sets = _key_sets(tuple(algs), min(most, _MOST_UNNAMED), valid=valid)
    return prepared(sets, algs)
