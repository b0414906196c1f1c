"""A feature that lands brings its misbehaviours: each code, endpoint and token has a row.

What has none has a reason here.  A new code without either makes these tests fail.
"""

from __future__ import annotations

from typing import Final, get_args

import pytest
from attrs import fields

from oidc_adapters.testing import MISBEHAVIOURS, ODD_BUT_LEGAL
from oidc_adapters.testing.misbehaviours import Changes, During, Endpoint, Needs
from oidc_core.jose.profiles import PROFILES
from oidc_core.model.provider import ProviderMetadata
from oidc_core.wire.codes import CODES
from tests.meta.trees import ROOT

ROWS: Final = tuple(MISBEHAVIOURS.values())
HAVE: Final = frozenset(row.code for row in ROWS)

BROWSER: Final = "the browser or the application brought it about, at the callback"
STORE: Final = "a store of the application, not the provider"
USAGE: Final = "a mistake of the caller, which no message of a provider can be"
NETWORK: Final = "the transport says so: its duties have a case for it"
STORES: Final = (
    "store_unavailable",
    "pending_too_many",
    "store_full",
    "refresh_busy",
    "grant_unknown",
    "grant_ended",
    "grant_expired",
    "seal_invalid",
    "record_invalid",
    "record_version_unknown",
)
MISTAKES: Final = (
    "foreign_step",
    "answer_foreign",
    "answer_unexpected",
    "config_invalid",
    "redirect_uri_unknown",
    "redirect_uri_shared",
    "pkce_or_nonce_required",
    "issuer_invalid",
    "issuer_not_allowed",
    "url_invalid",
    "url_scheme_not_allowed",
    "url_userinfo_not_allowed",
    "url_host_invalid",
    "url_address_not_allowed",
    "url_port_invalid",
    "parameter_reserved",
    "parameter_invalid",
    "client_issuer_mismatch",
    "credential_missing",
    "entropy_failure",
    "origin_not_allowed",
    "pending_too_large",
    "refresh_token_missing",
    "login_unknown",
)
NO_ROW: Final = {
    "state_expired": BROWSER,
    "state_used": BROWSER,
    "policy_changed": BROWSER,
    "session_ended": "a logout during a login: two messages of an honest provider",
    "binding_missing": BROWSER,
    "logout_state_mismatch": BROWSER,
    "logout_expired": BROWSER,
    "state_mismatch": BROWSER,
    "binding_mismatch": BROWSER,
    "binding_duplicated": BROWSER,
    "cookie_invalid": BROWSER,
    "connection_mismatch": BROWSER,
    "method_unexpected": BROWSER,
    "redirect_uri_mismatch": BROWSER,
    "cookie_key_unknown": BROWSER,
    "account_mismatch": BROWSER,
    "account_refused": BROWSER,
    "logout_session_missing": BROWSER,
    "logout_iss_mismatch": BROWSER,
    "metadata_changed": "metadata that change during a login: it takes two documents",
    "json_string_invalid": "half a character costs one key, and no document, of a key set",
    "jwe_malformed": "what has not five parts is told as a missing encryption first",
    "jwks_invalid": "a key set that cannot be read is told as keys that are unavailable",
    "nonce_unexpected": "every login of a client sends a nonce",
    "channel_unverified": NETWORK,
    "http_timeout": NETWORK,
    "http_connect_failed": NETWORK,
    "tls_failed": NETWORK,
    "address_not_allowed": NETWORK,
    "dpop_nonce_repeated": "it takes a client that proves possession; tests/flows/test_dpop.py",
    "token_refused": "a resource server refuses the token, not the provider's own endpoint",
    **dict.fromkeys(STORES, STORE),
    **dict.fromkeys(MISTAKES, USAGE),
}
"""Codes without a row, each with the reason.  Only ever shorter."""

OPERATIONS: Final = {
    "backchannel_logout": "logout",
    "discovery": "discovery",
    "login": "login",
    "refresh": "refresh",
    "userinfo": "userinfo",
}
"""Operations that read messages of a provider, and when a misbehaviour meets them."""

OTHER_OPERATIONS: Final = {
    "frontchannel_logout": "a browser brings two parameters; no message of the provider is read",
    "grants": "the refresh of a kept grant: the rows of a refresh",
    "logged_in": "the path after the tokens of a login",
    "logout": "a browser comes back; no message of the provider is read",
    "revocation": "whatever the provider answers, the tokens are gone here",
    "session_management": "a page for the browser; no message of the provider is read",
    "validation": "an ID token from elsewhere: the same rules as in a login",
}
TOKENS: Final = {
    "id_token": ("id_token", "token"),
    "userinfo": ("userinfo_jwt", "userinfo"),
    "logout_token": ("logout_token", "logout"),
}
"""Kinds of JWT: the part of the changes, and the endpoint of the rows."""

NOT_READ: Final = "no operation reads it yet"
OTHER_TOKENS: Final = {
    "access_token": "for a resource server: a client does not look into it",
    "authorization_response": NOT_READ,
    "dpop_proof": "the client makes it",
    "introspection_response": NOT_READ,
    "request_object": "the client makes it",
    "security_event": NOT_READ,
}
ENDPOINTS: Final = {
    "authorization_endpoint": "authorization",
    "token_endpoint": "token",
    "userinfo_endpoint": "userinfo",
    "jwks_uri": "keys",
}
NOT_ASKED: Final = "no operation asks there yet"
OTHER_ENDPOINTS: Final = {
    "check_session_iframe": "a browser loads it",
    "introspection_endpoint": NOT_ASKED,
    "registration_endpoint": NOT_ASKED,
    "end_session_endpoint": "a browser goes there, and brings back no more than state",
    "revocation_endpoint": OTHER_OPERATIONS["revocation"],
}


def test_every_code_has_a_row_or_a_reason() -> None:
    assert sorted(CODES.keys() - HAVE - NO_ROW.keys()) == []


def test_no_code_has_both_and_none_is_unknown() -> None:
    assert sorted(HAVE & NO_ROW.keys()) == []
    assert sorted((HAVE | NO_ROW.keys()) - CODES.keys()) == []


def test_whose_fault_it_is_fits_the_reason() -> None:
    """A provider's fault is excused one by one, never by a reason for a whole class."""
    for code, reason in NO_ROW.items():
        fault = CODES[code].fault
        assert (reason == USAGE) == (fault == "usage"), code
        assert reason != STORE or fault == "store", code
        assert reason != BROWSER or fault == "callback", code


def test_every_operation_has_rows_or_a_reason() -> None:
    folder = ROOT / "src/oidc_core/operations"
    there = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")}

    assert sorted(there - OPERATIONS.keys() - OTHER_OPERATIONS.keys()) == []
    assert sorted((OPERATIONS.keys() | OTHER_OPERATIONS.keys()) - there) == []
    assert {row.during for row in ROWS} == set(OPERATIONS.values()) == set(get_args(During))


def test_every_kind_of_jwt_is_named() -> None:
    assert sorted(PROFILES) == sorted(TOKENS | OTHER_TOKENS)


@pytest.mark.parametrize("profile", TOKENS)
def test_every_kind_of_jwt_has_rows(profile: str) -> None:
    part, endpoint = TOKENS[profile]

    forged = [row for row in ROWS if getattr(row.changes, part) != getattr(Changes(), part)]

    assert len(forged) > 5
    assert {row.endpoint for row in forged} >= {endpoint}


def test_every_endpoint_has_rows_or_a_reason() -> None:
    named = {
        each.name
        for each in fields(ProviderMetadata)
        if each.name.endswith(("_endpoint", "_uri", "_iframe"))
    }

    assert sorted(named - ENDPOINTS.keys() - OTHER_ENDPOINTS.keys()) == []
    assert {row.endpoint for row in ROWS} == set(get_args(Endpoint))


def test_every_need_has_rows() -> None:
    assert {row.needs for row in ROWS} == set(get_args(Needs))


def test_the_counts() -> None:
    print(f"{len(ROWS)} misbehaviours with {len(HAVE)} of {len(CODES)} codes")
    print(f"{len(NO_ROW)} codes with a reason, {len(ODD_BUT_LEGAL)} odd but legal")
    assert len(ROWS) >= 300
    assert len(HAVE) >= 90
