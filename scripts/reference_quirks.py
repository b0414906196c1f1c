"""The page of the reference about quirks: what each relaxes, and who needs it."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from oidc_core.model.policy import QUIRKS
from reference_text import table

ABOUT: Final = """\
Every relaxation there is.
Each is named in the policy of one client, and stands in the evidence of each login that it was \
in force for.
[Deal with a provider's quirks](../how-to/provider-quirks.md) shows how to name one, and what has \
no way out.
"""

NEEDED_BY: Final = MappingProxyType(
    {
        "basic_raw_credentials": "nanoidp, and others that do not decode HTTP Basic, where the"
        " identifier or the secret has characters such as `%` and `+`",
        "assertion_audience_token_endpoint": "Ory Hydra, Canaille, Login.gov",
        "at_hash_sha256": "Ory Hydra with RS512 and ES512; providers that sign with EdDSA and hash"
        " with SHA-256",
        "at_hash_half_of_64_for_ed448": "Keycloak with Ed448",
        "lenient_key_encoding": "providers that write keys by hand: padding, leading zero octets",
        "omit_pkce": "providers that refuse a request with `code_challenge` or `code_verifier`",
        "nonce_not_echoed": "providers that send no `nonce`, or an empty one, as Casdoor did",
        "verified_as_text": "Apple in some ID tokens, Amazon Cognito in UserInfo, and others that"
        ' send `"true"` instead of `true`',
        "logout_uri": "Amazon Cognito, whose logout endpoint takes the URI to return to as"
        " `logout_uri`",
        "insecure_allow_http_loopback": "any provider on your own machine, for development",
        "insecure_skip_tls_verification": "none; it stands in the evidence of the original"
        " system's calls without verification",
        "proxy_enforces_addresses": "none; networks in which a proxy judges the addresses",
        "unbound_browser": "none; it stands in the evidence of the original system's calls",
    }
)
"""Which providers need a quirk, as far as that is known."""


def page() -> str:
    """Return the page; a quirk without an entry is an error."""
    rows = [
        (f"`{quirk.name}`", quirk.relaxes, NEEDED_BY[quirk.name], quirk.spec)
        for quirk in QUIRKS.values()
    ]
    heads = ("quirk", "what it relaxes", "which providers need it", "departs from")
    return "\n".join(["# Quirks\n", ABOUT, table(heads, rows)])
