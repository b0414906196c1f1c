"""An authorization request at the fake provider, and the demands on it (OIDC Core §3.1.2)."""

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from oidc_adapters.testing.dialect import Dialect
from oidc_adapters.testing.metadata import endpoint
from oidc_adapters.testing.oauth_messages import OAuthError, RequestRefused, unique_parameters
from oidc_adapters.testing.parties import FakeClient, ResponseMode
from oidc_adapters.testing.provider_state import ProviderState

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_SECONDS: Final = re.compile(r"[0-9]{1,15}")
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_NOT_SUPPORTED: Final = ("request", "request_uri", "registration")


@frozen(kw_only=True)
class AuthorizationRequest:
    """An authorization request that can be answered: who asks and where the answer goes."""

    client: FakeClient
    parameters: Mapping[str, str] = field(repr=False)
    repeated: tuple[str, ...]

    @property
    def mode(self) -> ResponseMode:
        """How the answer is delivered; an unknown mode is refused by ``query``."""
        return "form_post" if self.parameters.get("response_mode") == "form_post" else "query"

    @property
    def prompts(self) -> frozenset[str]:
        """The values of ``prompt``."""
        return frozenset(self.words("prompt"))

    def words(self, name: str) -> list[str]:
        """Return the words of a parameter, in the order sent."""
        return self.parameters.get(name, "").split()


def arrival(state: ProviderState, url: str, form: bytes = b"") -> AuthorizationRequest:
    """Find out who asks and whether the answer may go where they say.

    Args:
        state: the provider.
        url: the URL of the browser's request.
        form: what it posted, if it did (OIDC Core §3.1.2.1).

    Raises:
        RequestRefused: it must not: there is nobody to redirect to (RFC 6749 §4.1.2.1).
    """
    base, _, query = url.partition("?")
    if base != endpoint(state.base, "authorize") or "#" in url:
        raise RequestRefused("invalid_request", f"{base} is not the authorization endpoint")
    try:
        encoded = "&".join([part for part in (query, form.decode("ascii")) if part])
        parameters, repeated = unique_parameters(encoded)
    except ValueError:
        raise RequestRefused("invalid_request", "the request is not form-encoded") from None
    if {"client_id", "redirect_uri"} & set(repeated):
        raise RequestRefused("invalid_request", f"repeated: {' '.join(repeated)}")
    client = state.client(parameters.get("client_id"))
    if client is None:
        raise RequestRefused("unauthorized_client", "the client is unknown")
    if not _is_registered(parameters.get("redirect_uri", ""), client):
        raise RequestRefused("invalid_request", "redirect_uri is not registered exactly so")
    request = AuthorizationRequest(client=client, parameters=parameters, repeated=repeated)
    by_form = [name for name in state.dialect.form_post_for if name in request.words("scope")]
    if by_form and request.mode != "form_post":
        raise RequestRefused("invalid_request", f"{by_form[0]} needs response_mode=form_post")
    return request


def _is_registered(uri: str, client: FakeClient) -> bool:
    """Compare exactly; one on loopback without a port stands for every port (RFC 8252 §7.3)."""
    if uri in client.redirect_uris:
        return True
    host, colon, rest = uri.removeprefix("http://").partition(":")
    port, slash, path = rest.partition("/")
    portless = f"http://{host}{slash}{path}"
    on_loopback = uri.startswith("http://") and host == "127.0.0.1" and bool(colon)
    return on_loopback and port.isdecimal() and portless in client.redirect_uris


def check_request(state: ProviderState, request: AuthorizationRequest) -> None:
    """Hold the client to its duties in every code flow.

    Raises:
        OAuthError: the request breaks a rule; as RFC 6749 §4.1.2.1 and OIDC Core §3.1.2.6 name it.
    """
    _check_flow(request)
    _check_dialect(state.dialect, request.parameters)
    if state.dialect.pkce == "required":
        _check_challenge(request)
    _check_options(request)


def _check_flow(request: AuthorizationRequest) -> None:
    """Hold the client to the needs of a code flow (OIDC Core §3.1.2.1, §6, §7.2.1)."""
    parameters = request.parameters
    if request.repeated:
        raise OAuthError("invalid_request", f"repeated: {' '.join(request.repeated)}")
    for name in _NOT_SUPPORTED:
        if name in parameters:
            raise OAuthError(f"{name}_not_supported", f"{name} is not supported")
    if "response_type" not in parameters:
        raise OAuthError("invalid_request", "response_type is missing")
    if parameters["response_type"] != "code":
        raise OAuthError("unsupported_response_type", "response_type is not code")
    if "openid" not in parameters.get("scope", "").split(" "):
        raise OAuthError("invalid_scope", "scope is without openid")


def _check_dialect(dialect: Dialect, parameters: Mapping[str, str]) -> None:
    """Hold the client to the demands of this one provider."""
    odd = [name for name in parameters["scope"].split() if name not in dialect.scopes]
    if dialect.scopes and odd:
        raise OAuthError("invalid_scope", f"there is no scope {odd[0]}")
    missing = [name for name in dialect.required_parameters if name not in parameters]
    if missing:
        raise OAuthError("invalid_request", f"{missing[0]} is missing")


def _check_challenge(request: AuthorizationRequest) -> None:
    """Hold the client to PKCE (RFC 7636 §4.4.1, RFC 9700 §2.1.1).

    Where it is optional, a challenge is still judged.
    """
    parameters = request.parameters
    sent = {"code_challenge", "code_challenge_method"} & parameters.keys()
    if not sent and not request.client.require_pkce:
        return
    if parameters.get("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "code_challenge_method is not S256")
    if not _CHALLENGE.fullmatch(parameters.get("code_challenge", "")):
        raise OAuthError("invalid_request", "code_challenge is missing or no SHA-256")


def _check_options(request: AuthorizationRequest) -> None:
    """Hold the client to the defined values of optional parameters (OIDC Core §3.1.2.1)."""
    parameters, prompts = request.parameters, request.prompts
    if parameters.get("response_mode", "query") not in {"query", "form_post"}:
        raise OAuthError("invalid_request", "response_mode is neither query nor form_post")
    if not prompts <= _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise OAuthError("invalid_request", "prompt has an unknown value, or `none` and another")
    if not _SECONDS.fullmatch(parameters.get("max_age", "0")):
        raise OAuthError("invalid_request", "max_age is not a number of seconds")
