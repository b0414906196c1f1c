"""Strategies of the settings of an application: policies, and the demands of a login."""

from collections.abc import Collection
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.model.policy import MAX_LEEWAY, Policy

_FLAGS: Final = (
    "require_at_hash",
    "require_logout_typ",
    "require_essential_claims",
    "forbid_extra_scope",
    "revoke_at_logout",
)
_POLICY: Final[dict[str, SearchStrategy[object]]] = {
    "userinfo": st.sampled_from(("optional", "required", "never")),
    "leeway": st.integers(0, MAX_LEEWAY),
    "login_lifetime": st.integers(60, 3_600),
    "id_token_age": st.integers(0, 86_400),
    "logout_token_age": st.integers(0, 600),
    "key_set_max_age": st.integers(0, 86_400),
    "resend_in_doubt": st.sampled_from(("once", "never")),
    "quirks": st.sampled_from(
        (
            ["nonce_not_echoed"],
            ["verified_as_text"],
            ["at_hash_sha256"],
            ["lenient_key_encoding"],
            ["basic_raw_credentials"],
        )
    ),
    **dict.fromkeys(_FLAGS, st.sampled_from((True,))),
}


@st.composite
def _policies(draw: st.DrawFn) -> Policy:
    names = draw(st.lists(st.sampled_from([*_POLICY]), max_size=4, unique=True))
    return draw(st.builds(Policy, **{name: _POLICY[name] for name in names}))


def policies() -> SearchStrategy[Policy]:
    """Policies that an application may choose; each differs in a few settings from the default.

    Simplest: ``Policy()``.
    """
    return _policies()


_SCOPES: Final = (
    "openid",
    "openid profile",
    "openid email",
    "openid profile email address phone offline_access",
)
_ACR: Final = st.lists(
    st.sampled_from(("urn:example:two-factor", "urn:example:password")), min_size=1, unique=True
)
_CLAIMS: Final[tuple[dict[str, object], ...]] = (
    {"id_token": {"email": None}},
    {"id_token": {"auth_time": {"essential": True}}},
    {"userinfo": {"name": {"essential": True}}},
)
_REQUEST: Final[dict[str, SearchStrategy[object]]] = {
    "scope": st.sampled_from(_SCOPES),
    "response_mode": st.just("form_post"),
    "display": st.sampled_from(("page", "popup", "touch", "wap")),
    "prompt": st.sampled_from(("login", "consent", "select_account", "none", "login consent")),
    "max_age": st.integers(0, 86_400),
    "reauthentication": st.just("unproven"),
    "ui_locales": st.sampled_from(("en", "fr-CA fr en")),
    "login_hint": st.sampled_from(("alice", "alice@op.example")),
    "acr_values": st.just("urn:example:two-factor"),
    "required_acr": _ACR,
    "claims": st.sampled_from(_CLAIMS),
    "resource": st.just(["https://api.example/"]),
    "return_to": st.sampled_from(("/", "/orders?page=2#last")),
    "expected_sub": st.just("alice"),
    "extra": st.just({"kc_idp_hint": "corp"}),
}


@st.composite
def _requests(draw: st.DrawFn, without: frozenset[str]) -> AuthenticationRequest:
    free = [name for name in _REQUEST if name not in without]
    names = draw(st.lists(st.sampled_from(free), max_size=4, unique=True))
    return draw(st.builds(AuthenticationRequest, **{name: _REQUEST[name] for name in names}))


def requests(*, without: Collection[str] = ()) -> SearchStrategy[AuthenticationRequest]:
    """The demands of logins; the library takes each, and a provider may still refuse it.

    Simplest: ``AuthenticationRequest()``.

    Args:
        without: the names of arguments that are not drawn, as in ``{"prompt"}``.
    """
    return _requests(frozenset(without))
