"""Client metadata for the provider: one client for each authentication method and algorithm."""

from collections.abc import Mapping
from typing import Final, Literal

AuthMethod = Literal[
    "none", "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"
]
AUTH_METHODS: Final[tuple[AuthMethod, ...]] = (
    "none",
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
)
ID_TOKEN_ALGS: Final = ("RS256", "PS256", "ES256", "EdDSA", "Ed25519")

REDIRECT_URI: Final = "http://127.0.0.1:9999/cb"
POST_LOGOUT_REDIRECT_URI: Final = "http://127.0.0.1:9999/bye"

# Every character that form encoding, percent-encoding and Basic authentication can get wrong; and
# long enough for HS512.
AWKWARD_SECRET: Final = "awkward +%&=/?:~-_.*'(\"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHI)"


def client_metadata(
    auth_method: AuthMethod = "client_secret_basic",
    id_token_alg: str = "RS256",
    *,
    jwks: Mapping[str, object] | None = None,
    client_id: str | None = None,
    **members: object,
) -> dict[str, object]:
    """Describe a native client with the code and refresh grants (OIDC Registration §2).

    `jwks` is the client's public key set, for `private_key_jwt` and encryption. `members` are
    further metadata by the specification's names (`userinfo_signed_response_alg="ES256"`,
    `token_endpoint_auth_signing_alg="PS256"`) and this provider's own `rotates_refresh_tokens`:
    False gives the same refresh token again and again, where the default gives a new one at each
    use. The default `client_id` is made of all that, with colons, so that each kind of client has a
    different one.
    """
    assert jwks is not None or auth_method != "private_key_jwt", "a key set goes with that method"
    kind = [f"{name}={value}" for name, value in sorted(members.items())]
    metadata: dict[str, object] = {
        "client_id": client_id or ":".join(["rp", auth_method, id_token_alg, *kind]),
        "application_type": "native",
        "redirect_uris": [REDIRECT_URI],
        "post_logout_redirect_uris": [POST_LOGOUT_REDIRECT_URI],
        "response_types": ["code"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": auth_method,
        "id_token_signed_response_alg": id_token_alg,
    }
    if auth_method.startswith("client_secret"):
        metadata["client_secret"] = AWKWARD_SECRET
    if jwks is not None:
        metadata["jwks"] = jwks
    return metadata | members
