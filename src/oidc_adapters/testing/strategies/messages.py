"""Strategies of the provider's messages: metadata, callbacks and answers of the token endpoint."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from oidc_adapters.testing.samples import (
    CALLBACK_FAULTS,
    METADATA_FAULTS,
    TOKEN_RESPONSE_FAULTS,
    SampleCallback,
    SampleMetadata,
    SampleTokenResponse,
    SignedToken,
)
from oidc_adapters.testing.strategies.choices import faults, some_of
from oidc_adapters.testing.strategies.keys import prepared
from oidc_adapters.testing.strategies.tokens import TOKEN_ALGS, tokens
from oidc_adapters.testing.strategies.values import json_values

_LEFT_OUT: Final = (
    "scopes_supported",
    "claims_supported",
    "grant_types_supported",
    "userinfo_endpoint",
    "end_session_endpoint",
    "acr_values_supported",
)
_METADATA: Final[dict[str, SearchStrategy[object]]] = {
    **{name: st.none() for name in _LEFT_OUT},
    "vendor": json_values(),
    "ui_locales_supported": st.lists(st.sampled_from(("en", "de", "fr-CA")), max_size=2),
    "service_documentation": st.just("https://op.example/docs"),
    "prompt_values_supported": st.just(["none", "login"]),
    "claim_types_supported": st.just(["normal"]),
    "require_request_uri_registration": st.booleans(),
}
"""The members that good metadata may lack, or have otherwise."""

_EXTRA: Final = ("session_state", "client_info", "utm_source", "x")
_MEMBERS: Final[dict[str, SearchStrategy[object]]] = {
    "expires_in": st.none() | st.integers(1, 10**6),
    "token_type": st.sampled_from(("bearer", "BEARER")),
    "scope": st.sampled_from(("openid", "openid profile")),
    "not-before-policy": st.integers(0, 1),
    "vendor": json_values(),
}
"""The members that a good token answer may lack, or have otherwise."""


@st.composite
def _metadata(draw: st.DrawFn, *, valid: bool | None) -> SampleMetadata:
    members, fault = draw(some_of(_METADATA)), draw(faults(tuple(METADATA_FAULTS), valid=valid))
    return SampleMetadata(members={} if fault else members, fault=fault)


def metadata(*, valid: bool | None = None) -> SearchStrategy[SampleMetadata]:
    """Metadata documents.

    Simplest: ``SampleMetadata()``, that of the fake provider; of the faulty ones,
    ``SampleMetadata(fault='wrong_issuer')``.

    Args:
        valid: ``True`` for good documents only, ``False`` for faulty ones only.
    """
    return _metadata(valid=valid)


@st.composite
def _callbacks(draw: st.DrawFn, *, valid: bool | None) -> SampleCallback:
    extra = draw(st.lists(st.sampled_from(_EXTRA), max_size=2, unique=True))
    return SampleCallback(
        login_seed=draw(st.integers(0, 99)),
        response_mode=draw(st.sampled_from(("query", "form_post"))),
        extra=tuple([(name, draw(st.text("abc09-_ /&=", max_size=8))) for name in extra]),
        extra_first=bool(extra) and draw(st.booleans()),
        fault=draw(faults(tuple(CALLBACK_FAULTS), valid=valid)),
    )


def callbacks(*, valid: bool | None = None) -> SearchStrategy[SampleCallback]:
    """Authorization responses as browsers bring them, with parameters that a client ignores.

    Simplest: ``SampleCallback()``; of the faulty ones, ``SampleCallback(fault='wrong_state')``.

    Args:
        valid: ``True`` for good callbacks only, ``False`` for faulty ones only.
    """
    return _callbacks(valid=valid)


@st.composite
def _token_responses(draw: st.DrawFn, *, valid: bool | None) -> SampleTokenResponse:
    id_token, refreshable = draw(tokens(valid=True)), draw(st.booleans())
    members = draw(some_of(_MEMBERS))
    if valid is not True and draw(st.booleans()):
        id_token = draw(tokens(valid=False).filter(_asked_nothing))
        return SampleTokenResponse(id_token=id_token, refreshable=refreshable)
    fault = draw(faults(tuple(TOKEN_RESPONSE_FAULTS), valid=valid))
    return SampleTokenResponse(
        id_token=id_token,
        refreshable=refreshable,
        members={} if fault else members,
        fault=fault,
    )


def _asked_nothing(token: SignedToken) -> bool:
    """Return whether the fault is one without any demand of the login."""
    return token.needs not in {"max_age", "acr"}


def token_responses(*, valid: bool | None = None) -> SearchStrategy[SampleTokenResponse]:
    """Answers of the token endpoint, each with the ID token of one login.

    A faulty one has one fault: of the answer, or of the ID token in it.
    Simplest: ``SampleTokenResponse()``; of the faulty ones,
    ``SampleTokenResponse(fault='token_html')``.

    Args:
        valid: ``True`` for good answers only, ``False`` for faulty ones only.
    """
    return prepared(_token_responses(valid=valid), TOKEN_ALGS)
