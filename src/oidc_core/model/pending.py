"""A login in flight, as one frozen value; and the secrets that start it.

Everything the callback will be compared with is written down when the login starts.  Nothing is
reconstructed from the URL that comes in, and nothing of the user is kept on the relying party.
"""

import re
from hashlib import sha256
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.wire.errors import UsageError

ResponseMode: TypeAlias = Literal["query", "form_post"]

SingleUse: TypeAlias = Literal["shared", "process", "provider_only"]

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43,128}")
# 128 bits of a digest, enough for what is random itself.
_DIGITS: Final = 32


@frozen(kw_only=True)
class LoginSecrets:
    """Four fresh secrets, each of at least 256 random bits in base64url.

    Attributes:
        state: comes back with the callback (RFC 6749 §10.12).
        nonce: comes back in the ID token (OIDC Core §15.5.2).
        code_verifier: proves to the provider who started the login (RFC 7636).
        binding: proves to us which browser started it; goes into a cookie.

    Raises:
        UsageError: ``entropy_failure`` if one is too short, or two are the same.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    binding: str = field(repr=False)

    def __attrs_post_init__(self) -> None:
        secrets = (self.state, self.nonce, self.code_verifier, self.binding)
        if len({*secrets}) != len(secrets) or not all(map(_SECRET.fullmatch, secrets)):
            raise UsageError("entropy_failure")


@frozen(kw_only=True)
class PendingLogin:
    """A login in flight.

    Attributes:
        id: the one-time identifier under which it waits; derived from ``state``.
        issuer: the provider's identity.
        client_id: the client.
        connection_id: tells connections to the same provider apart.
        endpoints_digest: of issuer and endpoints; a login whose endpoints moved ends.
        policy: the name of the policy.
        state, nonce, code_verifier: secrets of this login.
        binding_digest: SHA-256 of the browser's binding secret.
        redirect_uri: as sent in the authorization request, byte for byte.
        response_type: ``code``.
        response_mode: how the callback will arrive.
        scope: as asked for.
        prompt: as asked for, or an empty string.
        max_age: the re-authentication that was asked for, in seconds.
        required_acr: one of these has to come back as ``acr``.
        essential_claims: have to be in the ID token.
        expects_iss: whether the provider promised ``iss`` in the response (RFC 9207).
        expected_sub: the only user who may come back, from an ``id_token_hint``.
        expected_iss: the issuer of that user's token, where each tenant is an issuer of its own.
        account: where the identity is to be added to an account: the application's handle of it.
        resource: the resources asked for (RFC 8707).
        dpop_thumbprint: the key the tokens will be bound to, or an empty string.
        return_to: where the application goes on afterwards; opaque here.
        created_at: when it started, in seconds since the epoch.
    """

    id: str
    issuer: str
    client_id: str
    connection_id: str = ""
    endpoints_digest: str
    policy: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    binding_digest: str = field(repr=False)
    redirect_uri: str
    response_type: str = "code"
    response_mode: ResponseMode = "query"
    scope: str
    prompt: str = ""
    max_age: int | None = None
    required_acr: tuple[str, ...] = ()
    essential_claims: tuple[str, ...] = ()
    expects_iss: bool = False
    expected_sub: str | None = None
    expected_iss: str | None = None
    account: str = ""
    resource: tuple[str, ...] = ()
    dpop_thumbprint: str = ""
    return_to: str = ""
    created_at: int


def pending_id_of(state: str) -> str:
    """Return the identifier a login waits under: looking it up tells nothing of the state."""
    return sha256(f"pending {state}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def binding_digest_of(binding: str) -> str:
    """Return what a pending login keeps of its browser's secret."""
    return sha256(f"binding {binding}".encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
