"""Dialects of real providers: how each answers where it differs from others, without a fault.

Each fact here was seen at the real provider, or its makers or users reported it; a comment names
the source.  They are not whole providers: everything else in them is as the specifications say.
"""

from typing import Final

from oidc_adapters.testing.dialect import Dialect

KEYCLOAK_LIKE: Final = Dialect(
    # A login brings a refresh token without offline_access (docs/providers/keycloak.md).
    offline_access="unasked",
    # A logout with an ID token whose key was withdrawn is refused; seen there.
    accepts_hint="key_published",
)
"""Like Keycloak: refresh tokens unasked, and logouts only with a hint whose key is published."""

HYDRA_LIKE: Final = Dialect(
    # Seen there with RS512 and ES512: a client needs the quirk at_hash_sha256.
    at_hash="sha256",
    # Seen there: private_key_jwt with the issuer as its audience is refused.
    assertion_audience="token_endpoint",
    # https://github.com/ory/hydra/issues/449 shows the type in lower case.
    tokens={"token_type": "bearer"},
    # Descriptions seen there have 273 to 364 characters, with the useful part at the end.
    error_hint=(
        ". The provided authorization grant (e.g., authorization code, resource owner credentials)"
        " or refresh token is invalid, expired, revoked, does not match the redirection URI used in"
        " the authorization request, or was issued to another client. The request was already used."
    ),
)
"""Like Ory Hydra: ``at_hash`` by SHA-256, assertions for the token endpoint, long descriptions."""

ENTRA_LIKE: Final = Dialect(
    # Seen at Entra B2C.
    code_length=5_000,
    # docs/providers/entra-id.md
    sends_iss=False,
    without=(
        "metadata.code_challenge_methods_supported",
        "metadata.revocation_endpoint",
        "id_token.email_verified",
        "userinfo.email_verified",
    ),
    # docs/providers/entra-id-tenants.md
    unasked=("tid",),
    # https://github.com/OpenIDC/mod_auth_openidc/issues/336 and docs/how-to/multi-tenant-issuers.md
    keys_name_issuer=True,
)
"""Like Microsoft Entra ID: very long codes, no ``iss``, unverified addresses, keys with an issuer.

For several tenants give the provider an issuer with ``{tenantid}`` and its users a ``tid``.
"""

LEMONLDAP_LIKE: Final = Dialect(
    # https://lemonldap-ng.org/documentation/latest/idpopenidconnect.html has an example of both.
    as_text=("metadata.request_parameter_supported", "metadata.request_uri_parameter_supported"),
    session_management=True,
)
"""Like LemonLDAP::NG: flags of the metadata as text, and session management."""
