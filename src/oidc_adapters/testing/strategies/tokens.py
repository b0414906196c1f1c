"""Strategies of signed and encrypted tokens."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from oidc_adapters.testing.samples import (
    CLIENT_ID,
    ENCRYPTION,
    NOW,
    SignedToken,
    TokenKind,
    token_faults,
)
from oidc_adapters.testing.signing import ALGORITHMS
from oidc_adapters.testing.strategies.choices import faults, some_of
from oidc_adapters.testing.strategies.keys import RSA, SIGNING_ALGS, key_seeds, make, prepared
from oidc_adapters.testing.strategies.values import json_values

TOKEN_ALGS: Final = (*SIGNING_ALGS, "HS256", "HS384", "HS512")
"""The algorithms of tokens, the simplest first."""

_ENCRYPTIONS: Final = (
    ENCRYPTION,
    ("ECDH-ES", "A256GCM"),
    ("ECDH-ES+A256KW", "A256CBC-HS512"),
    ("A128KW", "A128CBC-HS256"),
    ("A256GCMKW", "A192GCM"),
    ("dir", "A128CBC-HS256"),
)
_TEXT: Final = st.text(max_size=10)
_WORDS: Final = st.text("abcdefghij", min_size=1, max_size=6)
_Claims = Mapping[str, SearchStrategy[object]]

_OF_ID_TOKEN: Final[_Claims] = MappingProxyType(
    {
        "acr": _WORDS,
        "amr": st.lists(_WORDS, max_size=2),
        "aud": st.just([CLIENT_ID]),
        "azp": st.just(CLIENT_ID),
        "at_hash": st.none(),
        "auth_time": st.none() | st.integers(0, NOW),
        "sid": _WORDS,
    }
)
_OF_USER: Final[_Claims] = MappingProxyType(
    {
        "name": _TEXT,
        "email": st.just("alice@other.example"),
        "email_verified": st.booleans(),
        "updated_at": st.integers(0, NOW),
        "vendor": json_values(),
    }
)
_OF_LOGOUT: Final[_Claims] = MappingProxyType(
    {"sid": _WORDS, "aud": st.just([CLIENT_ID]), "vendor": json_values()}
)
_FREE: Final[Mapping[TokenKind, _Claims]] = MappingProxyType(
    {
        "id_token": MappingProxyType({**_OF_ID_TOKEN, **_OF_USER}),
        "userinfo": MappingProxyType({**_OF_USER, "aud": st.just([CLIENT_ID])}),
        "logout_token": _OF_LOGOUT,
    }
)
"""The claims of each kind that a good token may have, or have otherwise."""

_TYPES: Final[Mapping[TokenKind, tuple[str | None, ...]]] = MappingProxyType(
    {
        "id_token": ("JWT", None, "jwt"),
        "userinfo": ("JWT", None, "jwt"),
        "logout_token": ("logout+jwt", None, "JWT"),
    }
)
_AHEAD: Final = st.integers(-30, 0)
_AGES: Final[Mapping[TokenKind, SearchStrategy[int]]] = MappingProxyType(
    {
        "id_token": st.integers(0, 3_600) | _AHEAD,
        "userinfo": st.integers(0, 3_600) | _AHEAD,
        "logout_token": st.integers(0, 110) | _AHEAD,
    }
)
_LIFETIMES: Final = st.just(300) | st.integers(1, 10**7)


@st.composite
def _tokens(
    draw: st.DrawFn,
    kinds: tuple[TokenKind, ...],
    algs: tuple[str, ...],
    *,
    valid: bool | None,
    encrypted: bool,
    only: frozenset[str],
) -> SignedToken:
    kind, alg = draw(st.sampled_from(kinds)), draw(st.sampled_from(algs))
    named = not draw(st.booleans()) or ALGORITHMS[alg].family == "HS"
    seed, login_seed = draw(key_seeds(alg)), draw(st.integers(0, 99))
    # A faulty token draws these too, and drops them: otherwise it would be simpler than a good one.
    encryption, otherwise = draw(st.sampled_from(_ENCRYPTIONS)), draw(_variations(kind))
    names = token_faults(kind, alg, encrypted=encrypted, named=named)
    fault = draw(faults(tuple(n for n in names if not only or n in only), valid=valid))
    return made(
        SignedToken(
            kind=kind,
            alg=alg,
            key_seed=seed,
            key_named=named,
            login_seed=login_seed,
            encryption=(ENCRYPTION if fault else encryption) if encrypted else None,
            fault=fault,
            **({} if fault else otherwise),
        )
    )


def made(token: SignedToken) -> SignedToken:
    """Have the RSA keys made that a fault needs: while a value is drawn, no deadline counts."""
    if token.fault and ALGORITHMS[token.alg].family in RSA:
        make(token.text, token.published)
    return token


@st.composite
def _variations(draw: st.DrawFn, kind: TokenKind) -> dict[str, Any]:
    """Draw what a good token may have otherwise."""
    age = draw(_AGES[kind])
    typ = draw(st.sampled_from(_TYPES[kind]))
    return {
        "age": age,
        "lifetime": max(age, 0) + draw(_LIFETIMES),
        "claims": draw(some_of(_FREE[kind])),
        "header": {} if typ == _TYPES[kind][0] else {"typ": typ},
    }


def tokens(
    *,
    kind: TokenKind | Sequence[TokenKind] = "id_token",
    algs: Sequence[str] = TOKEN_ALGS,
    valid: bool | None = None,
    encrypted: bool = False,
    only: Collection[str] = (),
) -> SearchStrategy[SignedToken]:
    """Tokens of a provider, each for the login of its seed.

    Simplest: ``SignedToken()``, an ID token signed with ES256; of the faulty ones,
    ``SignedToken(fault='id_token_two_parts')``.

    Args:
        kind: ``id_token``, ``logout_token`` or ``userinfo``, or several of them.
        algs: the algorithms of their signatures, the simplest first.
        valid: ``True`` for good tokens only, ``False`` for faulty ones only.
        encrypted: whether they are encrypted after they are signed.
        only: the names of the faults that are drawn; empty for all.
    """
    kinds: tuple[TokenKind, ...] = (kind,) if isinstance(kind, str) else tuple(kind)
    drawn = _tokens(kinds, tuple(algs), valid=valid, encrypted=encrypted, only=frozenset(only))
    return prepared(drawn, algs)
