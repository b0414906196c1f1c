"""The fake provider's metadata and key set (OIDC Discovery §3, RFC 8414, RFC 7517 §5)."""

from urllib.parse import urlsplit

from oidc_adapters.testing.claims import SCOPE_CLAIMS
from oidc_adapters.testing.encryption import ENCRYPTION_ALGS, ENCRYPTION_ENCS
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.provider_state import ACR_VALUES, ProviderState
from oidc_adapters.testing.session_management import PATH
from oidc_adapters.testing.signing import ALGORITHMS, SigningKey

AUTH_METHODS = (
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
)


def discovery_urls(issuer: str) -> tuple[str, str]:
    """Return where metadata lies: appended (OIDC Discovery §4.1) and inserted (RFC 8414 §3.1)."""
    parts = urlsplit(issuer)
    root = f"{parts.scheme}://{parts.netloc}"
    return (
        issuer.rstrip("/") + "/.well-known/openid-configuration",
        f"{root}/.well-known/oauth-authorization-server{parts.path.rstrip('/')}",
    )


def endpoint(base: str, name: str) -> str:
    """Return the URL of an endpoint below the issuer, or below another URL."""
    return f"{base.rstrip('/')}/{name}"


def metadata(state: ProviderState) -> Members:
    """Return the members of the metadata."""
    algs = list(dict.fromkeys((*state.signing_algs(), "RS256")))
    claims = [
        "sub",
        "auth_time",
        "acr",
        *(name for group in SCOPE_CLAIMS.values() for name in group),
    ]
    return {
        "issuer": state.issuer,
        "authorization_endpoint": endpoint(state.base, "authorize"),
        "token_endpoint": endpoint(state.base, "token"),
        "userinfo_endpoint": endpoint(state.base, "userinfo"),
        "jwks_uri": endpoint(state.base, "jwks"),
        "scopes_supported": ["openid", *SCOPE_CLAIMS, "offline_access"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algs,
        "userinfo_signing_alg_values_supported": algs,
        "id_token_encryption_alg_values_supported": list(ENCRYPTION_ALGS),
        "id_token_encryption_enc_values_supported": list(ENCRYPTION_ENCS),
        "userinfo_encryption_alg_values_supported": list(ENCRYPTION_ALGS),
        "userinfo_encryption_enc_values_supported": list(ENCRYPTION_ENCS),
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "acr_values_supported": list(ACR_VALUES),
        "claims_supported": claims,
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": state.says_iss,
        **_ends(state),
    }


def _ends(state: ProviderState) -> Members:
    """Return the members about the ends of sessions and tokens."""
    frame = {"check_session_iframe": endpoint(state.base, PATH)}
    return {
        **(frame if state.has_session_state else {}),
        "end_session_endpoint": endpoint(state.base, "end-session"),
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
        "revocation_endpoint": endpoint(state.base, "revoke"),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
    }


def key_set(state: ProviderState) -> Members:
    """Return the members of the key set: no secret and no private key is in it."""
    about = {"issuer": state.issuer} if state.dialect.keys_name_issuer else {}
    keys = [{**key.public_jwk(), **about} for key in published_keys(state)]
    return {"keys": [{**state.dialect.spoken("key", key)} for key in keys]}


def published_keys(state: ProviderState) -> tuple[SigningKey, ...]:
    """Return the keys that are published now."""
    algs = tuple(alg for alg in state.signing_algs() if ALGORITHMS[alg].family != "HS")
    return tuple(state.keys.published(algs))
