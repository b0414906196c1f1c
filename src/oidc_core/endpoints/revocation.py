"""The revocation endpoint (RFC 7009): the client needs a token no more."""

from typing import Final, Literal, TypeAlias

from attrs import evolve

from oidc_core.machine.credentials import client_request
from oidc_core.model.relying_party import RelyingParty
from oidc_core.model.supported import check_named
from oidc_core.wire.answers import OK, refusal_in_body, unexpected_status
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpRequest, HttpResponse, Parameters
from oidc_core.wire.settings import check_kind, check_text

TokenKind: TypeAlias = Literal["access_token", "refresh_token"]
"""The kind of a token, for the hint in the request (§2.1)."""

_METHODS: Final = "revocation_endpoint_auth_methods_supported"
_ALGORITHMS: Final = "revocation_endpoint_auth_signing_alg_values_supported"
_ASSERTIONS: Final = frozenset({"client_secret_jwt", "private_key_jwt"})


def revocation_request(rp: RelyingParty, token: str, kind: TokenKind | None = None) -> HttpRequest:
    """Ask for a token to be revoked; the client authenticates as at the token endpoint (§2.1).

    Asking twice does no harm, so the request may be sent again.

    Args:
        rp: the relying party.
        token: the token.
        kind: what it is, if that is known.

    Raises:
        UsageError: ``parameter_invalid`` for an empty token; ``unsupported_by_provider`` without a
            ``revocation_endpoint``, or where the metadata lists other ways to authenticate there.
    """
    check_text(token, "token")
    check_kind(kind, TokenKind | None, about="kind")
    if not token:
        raise UsageError("parameter_invalid", about="token", expected="a token")
    _check_method(rp)
    parameters: Parameters = (("token", token),)
    if kind is not None:
        parameters = (*parameters, ("token_type_hint", kind))
    request = client_request(
        rp,
        "revocation",
        "revocation_endpoint",
        parameters,
        max_body=rp.policy.limits.token_response,
    )
    return evolve(request, resend="safe")


def _check_method(rp: RelyingParty) -> None:
    """Refuse a way to authenticate that the metadata rules out there; absent lists say nothing."""
    method = rp.auth_method
    if method == "none":
        return
    hint = "change token_endpoint_auth_method"
    check_named(rp.provider, _METHODS, method, hint)
    if method in _ASSERTIONS:
        hint = "change token_endpoint_auth_signing_alg"
        check_named(rp.provider, _ALGORITHMS, rp.client.assertion_alg, hint)


def check_revocation(response: HttpResponse) -> None:
    """Read the answer: 200 says that the token is not valid any more, with any body.

    That includes a token that the provider does not know (§2.2). After 503 the token still exists
    (§2.2.1): the error has the seconds to wait, if the provider told them.

    Raises:
        ProviderError: the provider's error, as in ``unsupported_token_type``.
        ProtocolViolation: ``http_status_unexpected``.
    """
    if response.status != OK:
        raise refusal_in_body(response) or unexpected_status(response)
