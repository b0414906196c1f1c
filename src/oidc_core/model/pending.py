"""A login in flight, as one frozen value; and the secrets that start it.

Everything the callback will be compared with is written down when the login starts. No fact is
reconstructed from the URL that comes in, and the relying party keeps no fact of the user.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

from oidc_core.model.connection import Connection
from oidc_core.model.demands import Demands
from oidc_core.wire.encoding import b64url_encode, same
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.settings import check_fields, fields_of

Delivery: TypeAlias = Literal["query", "form_post"]
"""How a callback comes: with a GET, or with a POST across sites."""

ResponseMode: TypeAlias = Literal["query", "form_post"]

DELIVERIES: Final[Mapping[ResponseMode, Delivery]] = MappingProxyType(
    {"query": "query", "form_post": "form_post"}
)
"""Every response mode that can be asked for, and how its callback comes."""

SingleUse: TypeAlias = Literal["shared", "process", "provider_only"]

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43,128}")
_BINDING: Final = re.compile(r"[A-Za-z0-9_-]{22,128}")
# 128 bits of a digest, enough for a random value.
_OCTETS: Final = 16


@frozen(kw_only=True)
class LoginSecrets:
    """Four fresh secrets in base64url, each of at least 256 bits; 128 are enough for ``binding``.

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
        sent = (self.state, self.nonce, self.code_verifier)
        try:
            good = len({*sent, self.binding}) == len(sent) + 1 and bool(
                all(map(_SECRET.fullmatch, sent)) and _BINDING.fullmatch(self.binding)
            )
        except TypeError:
            good = False
        if not good:
            check_fields(self, _SECRETS)  # which names the one that is not text
            raise UsageError("entropy_failure")


_SECRETS: Final = fields_of(LoginSecrets, "parameter_invalid")


@frozen(kw_only=True)
class PendingLogin:
    """A login in flight.

    Attributes:
        id: the one-time identifier under which it waits, 22 characters of base64url; derived from
            ``state``.
        connection: the client, provider and policy it belongs to.
        state, code_verifier: secrets of this login.
        binding_digest: a digest of the browser's binding secret.
        redirect_uri: as sent in the authorization request, byte for byte.
        response_mode: how the callback will arrive.
        expects_iss: whether the provider promised ``iss`` in the response (RFC 9207).
        demands: what is demanded of the tokens.
        account: where an account gets the identity: the application's handle of it.
        return_to: where the application goes on afterwards; opaque here.
    """

    id: str
    connection: Connection
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)
    binding_digest: str = field(repr=False)
    redirect_uri: str
    response_mode: ResponseMode = "query"
    expects_iss: bool = False
    demands: Demands
    account: str = ""
    return_to: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _PENDING)

    @property
    def created_at(self) -> int:
        """When it started, in seconds since the epoch."""
        return self.demands.started_at


_PENDING: Final = fields_of(PendingLogin, "parameter_invalid")


def pending_id_of(state: str) -> str:
    """Return the identifier a login waits under: looking it up does not reveal the state."""
    return _digest(f"pending {state}")


def binding_digest_of(binding: str) -> str:
    """Return what a pending login keeps of its browser's secret."""
    return _digest(f"binding {binding}")


def _digest(text: str) -> str:
    return b64url_encode(sha256(text.encode("utf-8", "surrogatepass")).digest()[:_OCTETS])


def check_binding(pending: PendingLogin, binding: str) -> None:
    """Check that the browser which brings this secret is the one that started the login.

    Raises:
        CallbackError: ``binding_missing`` for an empty one, ``binding_mismatch``.
    """
    if not binding:
        raise CallbackError("binding_missing", about="cookie")
    if not same(binding_digest_of(binding), pending.binding_digest):
        raise CallbackError("binding_mismatch", about="cookie")
