"""The closed table of causes: why an exchange failed, in one word, and what to do about it.

A transport tells the cause where it knows one.  The cause decides whether trying again helps: a
port that refuses may be open in a minute, a certificate for another name stays what it is.
"""

from types import MappingProxyType
from typing import Final, NamedTuple

from oidc_core.wire.codes import Kind, Retryable


class CauseRow(NamedTuple):
    """The facts about one cause; see :class:`oidc_core.wire.codes.CodeRow` for both verdicts."""

    cause: str
    retryable: Retryable
    kind: Kind
    hint: str


def _rows(verdict: tuple[Retryable, Kind], *entries: tuple[str, str]) -> tuple[CauseRow, ...]:
    return tuple([CauseRow(cause, *verdict, hint) for cause, hint in entries])


_TABLE: Final = (
    *_rows(
        ("later", "later"),
        ("refused", "nothing listens there: check that the provider is up and the port is right"),
        ("unreachable", "no route leads to that host: check the network and the firewall"),
        ("dns", "the name of the host has no address: check the name and the name server"),
        ("timeout", "the provider was too slow: check its health and the network between"),
        ("busy", "the request waited for a free connection or thread until its deadline"),
        ("reset", "the other side closed the connection before the answer was complete"),
        ("proxy", "the proxy cannot be reached or refused to connect: check the proxy"),
    ),
    *_rows(
        ("no", "configuration"),
        ("not_http", "what answers there does not speak HTTP/1.1: check the port of the URL"),
        ("plain_http", "the server does not speak TLS at that port: give the port for https"),
        (
            "tls_handshake",
            (
                "the two sides do not agree on TLS: check the server's versions and ciphers, and"
                " whether it asks for a client certificate"
            ),
        ),
        ("tls_too_old", "the server must speak TLS 1.2 or newer"),
        ("certificate_expired", "the server's certificate has expired: renew it, or check clocks"),
        (
            "certificate_not_yet_valid",
            "the server's certificate is not valid yet: check the clocks of both sides",
        ),
        (
            "certificate_name",
            "the server's certificate is for another name: use a host that it names",
        ),
        (
            "certificate_unknown_ca",
            (
                "no known authority signed the certificate: give the authority's as ca, or have the"
                " server send its whole chain"
            ),
        ),
        (
            "certificate_self_signed",
            "the server's certificate is signed by itself: give it as ca, if it is the right one",
        ),
        ("certificate_revoked", "the server's certificate was revoked: it needs another"),
        ("certificate_weak", "the server's certificate has a key or digest that is too weak"),
        ("certificate_invalid", "the server's certificate cannot be verified: check its chain"),
        (
            "client_certificate",
            ("the server refuses the client's certificate, or misses it: check client_certificate"),
        ),
        (
            "address_not_allowed",
            "the host has no public address; if it is yours, name its origin in the policy",
        ),
        (
            "proxy_for_http",
            "http goes through no proxy to hosts beyond this machine: use https, or no proxy",
        ),
    ),
)

_NONE: Final = "the provider would have to ask the user: start a login without prompt=none"
_NOT_SUPPORTED: Final = "the provider does not take this parameter: do not send it"
_REDIRECT: Final = "register redirect_uri at the provider, the same character by character"

PROVIDER_HINTS: Final = MappingProxyType(
    {
        "access_denied": "the user, or a rule at the provider, said no",
        "account_selection_required": _NONE,
        "consent_required": _NONE,
        "insufficient_scope": "the access token lacks a scope that this endpoint needs",
        "interaction_required": _NONE,
        "invalid_client": (
            "compare client_id, secret or key, and token_endpoint_auth_method with the registration"
        ),
        "invalid_dpop_proof": "check this clock, and whether the provider binds tokens to keys",
        "invalid_grant": (
            "the code or token was used before, has expired, or is another client's: start a new"
            " login"
        ),
        "invalid_redirect_uri": _REDIRECT,
        "invalid_request": (
            "the provider refuses a parameter: see what it says, and whether redirect_uri is"
            " registered"
        ),
        "invalid_scope": "ask only for scopes that the provider lets this client have",
        "invalid_target": "ask only for resources that the provider knows",
        "invalid_token": "the access token has expired or was revoked: refresh it, or log in again",
        "login_required": _NONE,
        "redirect_uri_mismatch": _REDIRECT,
        "registration_not_supported": _NOT_SUPPORTED,
        "request_not_supported": _NOT_SUPPORTED,
        "request_uri_not_supported": _NOT_SUPPORTED,
        "server_error": "the provider failed or is overloaded: try again later",
        "temporarily_unavailable": "the provider failed or is overloaded: try again later",
        "unauthorized_client": (
            "have the provider allow this client the authorization code grant, or refresh tokens"
        ),
        "unmet_authentication_requirements": "the user cannot log in as acr_values demands",
        "unsupported_grant_type": "the provider does not offer this grant at its token endpoint",
        "unsupported_token_type": "the provider does not revoke such tokens: let them expire",
        "unsupported_response_type": "have the provider allow this client response_type=code",
    }
)
"""Error code of a provider (RFC 6749 §4.1.2.1, §5.2, OIDC Core §3.1.2.6) to the advice about it."""

LOST: Final = frozenset(
    {"http_status_unexpected", "http_redirect_refused", "content_type_unexpected", "json_malformed"}
)
"""Codes of an answer that did not come from the endpoint which was asked."""

_ELSEWHERE: Final = MappingProxyType(
    {
        "discovery": "check the issuer; give discovery_url if the metadata is somewhere else",
        "key_set": "check jwks_uri in the metadata; metadata_overrides can correct it",
        "token": "check token_endpoint in the metadata, and what answers in its place",
        "refresh": "check token_endpoint in the metadata, and what answers in its place",
        "userinfo": "check userinfo_endpoint in the metadata, and what answers in its place",
        "revocation": "check revocation_endpoint in the metadata, and what answers in its place",
    }
)


def hint_at(purpose: str, code: str) -> str:
    """Return what to check where something else answers than the endpoint, or an empty string.

    Args:
        purpose: the purpose of the exchange.
        code: of the error that its answer was refused with.
    """
    return _ELSEWHERE.get(purpose, "") if code in LOST else ""


CAUSES: Final = MappingProxyType({row.cause: row for row in _TABLE})
"""Cause to row, for :attr:`oidc_core.wire.http.NoAnswer.cause`."""
