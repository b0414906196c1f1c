"""The parties of every sample: one provider and one client, whose secrets follow from seeds."""

from typing import Final, Literal, TypeAlias

from attrs import evolve
from cryptography.hazmat.primitives.asymmetric import ec

from oidc_adapters.credentials.client_keys import DecryptionKey
from oidc_adapters.crypto.decryption import ClientDecrypter
from oidc_adapters.crypto.verification import CryptographyVerifier
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing.metadata import metadata
from oidc_adapters.testing.parties import Members
from oidc_adapters.testing.provider_state import ProviderState
from oidc_adapters.testing.signing import ALGORITHMS
from oidc_core.model.client import ClientRegistration
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.policy import DEFAULT_POLICY, Policy
from oidc_core.model.provider import metadata_of
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.jsontypes import JsonObject

TokenKind: TypeAlias = Literal["id_token", "logout_token", "userinfo"]
TOKEN_KINDS: Final[tuple[TokenKind, ...]] = ("id_token", "logout_token", "userinfo")

ISSUER: Final = "https://op.example"
CLIENT_ID: Final = "client"
REDIRECT_URI: Final = "https://rp.example/callback"
LOGOUT_URI: Final = "https://rp.example/backchannel-logout"
SUB: Final = "alice"
ACR: Final = "urn:example:two-factor"
NOW: Final = 1_800_000_000
"""When every sample is judged, in seconds since the epoch."""

METADATA: Final[Members] = {
    **metadata(ProviderState(issuer=ISSUER)),
    "id_token_signing_alg_values_supported": list(ALGORITHMS),
    "userinfo_signing_alg_values_supported": list(ALGORITHMS),
}
"""The honest metadata: that of the fake provider, which signs with every algorithm it knows."""


CLIENT: Final = ClientRegistration(client_id=CLIENT_ID, redirect_uris=(REDIRECT_URI,))
"""The client before it registers how tokens are signed and encrypted."""


def login_secrets(seed: int) -> LoginSecrets:
    """Return the secrets of the login of that seed: its state, nonce, verifier and binding."""
    return FixedEntropy(seed).login_secrets()


def named_secret(name: str, seed: int) -> str:
    """Return the code, token or client secret of that name and seed; 43 characters."""
    return f"{name}-{FixedEntropy(seed).token()}"[:43]


def client_secret(seed: int) -> str:
    """Return the client's secret of that seed, long enough for HS512."""
    entropy = FixedEntropy(seed)
    return entropy.token() + entropy.token()


def decryption_key(seed: int) -> DecryptionKey:
    """Return the client's private key of that seed, on P-256, that tokens are encrypted for."""
    private = ec.derive_private_key(seed + 1, ec.SECP256R1())
    return DecryptionKey(private, kid=f"p-256-{seed}")


def registered(
    kind: TokenKind, alg: str, encryption: tuple[str, str] | None = None
) -> ClientRegistration:
    """Return the client that registered how one kind of token is signed and encrypted."""
    wrap, enc = encryption or (None, None)
    if kind == "userinfo":
        return evolve(
            CLIENT,
            userinfo_signed_response_alg=alg,
            userinfo_encrypted_response_alg=wrap,
            userinfo_encrypted_response_enc=enc,
        )
    return evolve(
        CLIENT,
        id_token_signed_response_alg=alg,
        id_token_encrypted_response_alg=wrap,
        id_token_encrypted_response_enc=enc,
    )


def relying_party(
    client: ClientRegistration = CLIENT, *, policy: Policy = DEFAULT_POLICY, key_seed: int = 0
) -> RelyingParty:
    """Return the client at the provider, as far as a sample needs both.

    Args:
        client: its registration.
        policy: the policy it has.
        key_seed: the seed of its secret and of its private key.
    """
    secrets = {(ISSUER, CLIENT_ID): client_secret(key_seed)}
    return RelyingParty(
        provider=metadata_of(JsonObject(METADATA)),
        client=client,
        verifier=CryptographyVerifier(secrets),
        decrypter=ClientDecrypter(decryption_key(key_seed), client_secrets=secrets),
        policy=policy,
    )
