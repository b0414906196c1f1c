"""Credentials: a request described by the core becomes one that can be sent.

The values the core only names are filled in here, again for every transmission: the client's
secret, a freshly signed assertion, a proof that the client has a key.  They are looked up by
issuer and client id, and go to that issuer's own endpoints and nowhere else.
"""

from collections.abc import Awaitable, Coroutine, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from inspect import isawaitable
from typing import Final, NoReturn, TypeAlias, assert_never, cast

from attrs import field, frozen

from oidc_adapters.credentials.client_keys import ABOUT, AsyncSigner, ClientKeys, Signer
from oidc_adapters.credentials.dpop import DpopKeys, DpopNonces
from oidc_adapters.crypto import check_mac_secret, sign_mac
from oidc_adapters.runtime.client_secret import Secret, check_secret, opened
from oidc_adapters.runtime.entropy import Entropy
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_core.jose.algorithms import HMAC
from oidc_core.machine.credentials import (
    assertion_payload,
    basic_credentials,
    encoded_header,
    signing_input,
)
from oidc_core.machine.dpop import dpop_payload
from oidc_core.model.client import REGISTERED, ClientRegistration
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import b64url_encode
from oidc_core.wire.errors import StoreFailure, UsageError
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    ClientSecret,
    DpopProof,
    Fill,
    HttpRequest,
    Placeholder,
    Role,
    WireRequest,
    form_encoded,
    placeholders,
    written,
)
from oidc_core.wire.settings import check_fields, check_kind, fields_of

Keys: TypeAlias = ClientKeys[Signer] | ClientKeys[AsyncSigner]
"""The client's private keys, here or in a key service."""

_SIGNER: Final = FailsClosed(ABOUT)
_FORM: Final = ("content-type", "application/x-www-form-urlencoded")
_PUBLIC: Final = frozenset({"discovery", "key_set"})


_Endpoints: TypeAlias = (
    AbstractSet[tuple[Role, str]] | list[tuple[Role, str]] | tuple[tuple[Role, str], ...]
)


def _frozen_set(value: _Endpoints) -> frozenset[tuple[Role, str]]:
    try:
        return frozenset(value) if type(value) in {list, tuple, set} else cast("_Frozen", value)
    except TypeError:  # something in it has no hash, so it is not a pair of text
        return cast("_Frozen", value)


_Frozen: TypeAlias = frozenset[tuple[Role, str]]


@frozen(kw_only=True)
class ClientCredentials:
    """The credentials of one client at one issuer, and where they may go.

    Attributes:
        issuer, client_id: whose credentials these are.
        secret: the client's secret, if it has one, or a call that opens it for each use.
        keys: the client's private keys, or a key service, if it has some.
        dpop_keys: the keys that its tokens are bound to, if it uses DPoP.
        endpoints: the URLs that may be sent credentials or tokens, each in its role only: the
            client's secret goes to the authorization server, never to a resource.
    """

    issuer: str
    client_id: str
    secret: Secret | None = field(default=None, repr=False)
    keys: Keys | None = None
    dpop_keys: DpopKeys[Signer] | DpopKeys[AsyncSigner] | None = None
    endpoints: frozenset[tuple[Role, str]] = field(converter=_frozen_set)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _FIELDS)
        check_secret(self.secret)

    def __reduce__(self) -> NoReturn:
        message = "credentials are not pickled"
        raise TypeError(message)


_FIELDS: Final = fields_of(ClientCredentials)


def check_credentials(
    client: ClientRegistration,
    *,
    secret: Secret | None,
    keys: Keys | None,
) -> None:
    """Refuse credentials that do not fit what the client registered.

    Raises:
        UsageError: ``credential_missing`` if the registered authentication needs a missing
            credential; ``config_invalid`` if it has no use for a given one, or for a secret that is
            too short for a MAC.
    """
    check_secret(secret)
    method = client.token_endpoint_auth_method or "client_secret"
    if method.startswith("client_secret") and secret is None:
        raise UsageError("credential_missing", about="client_secret", expected=method)
    if method == "private_key_jwt":
        if keys is None:
            raise UsageError("credential_missing", about="client key", expected=method)
        keys.for_alg(client.assertion_alg)
    if method == "none" and not (secret is None and keys is None):
        expected = "neither client_secret nor client_keys"
        about = "token_endpoint_auth_method"
        raise UsageError("config_invalid", about=about, found=method, expected=expected)
    macs = {*map(client.signed_with, REGISTERED)}
    if method == "client_secret_jwt":
        macs.add(client.assertion_alg)
    for alg in macs & HMAC:
        if secret is None:
            raise UsageError("credential_missing", about="client_secret", expected=alg)
        check_mac_secret(alg or "", opened(secret))


def credentials_for(
    rp: RelyingParty,
    *,
    secret: Secret | None = None,
    keys: Keys | None = None,
    dpop_keys: DpopKeys[Signer] | DpopKeys[AsyncSigner] | None = None,
) -> ClientCredentials:
    """Return the credentials of a relying party, for the endpoints its metadata names.

    Raises:
        UsageError: like :func:`check_credentials`.
    """
    check_kind(rp, RelyingParty, about="rp")
    check_kind(keys, Keys | None, about="keys", code="config_invalid")
    check_credentials(rp.client, secret=secret, keys=keys)
    return ClientCredentials(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        secret=secret,
        keys=keys,
        dpop_keys=dpop_keys,
        endpoints=frozenset(
            [(role, url) for name, url in rp.provider.endpoints if (role := _ROLES.get(name))]
        ),
    )


_ROLES: Final[Mapping[str, Role]] = {
    "token_endpoint": "authorization_server",
    "revocation_endpoint": "authorization_server",
    "introspection_endpoint": "authorization_server",
    "userinfo_endpoint": "resource",
}


class Credentials:
    """The credentials of all clients of this process, by issuer and client id.

    Args:
        clients: whose credentials these are.
        nonces: where the DPoP nonces of servers are remembered: if one of the clients has DPoP
            keys, in a separate memory by default.
    """

    __slots__ = ("_clients", "nonces")

    def __init__(self, *clients: ClientCredentials, nonces: DpopNonces | None = None) -> None:
        for client in clients:
            check_kind(client, ClientCredentials, about="clients", code="config_invalid")
        check_kind(nonces, DpopNonces | None, about="nonces", code="config_invalid")
        bound = any(client.dpop_keys is not None for client in clients)
        self.nonces = DpopNonces() if nonces is None and bound else nonces
        self._clients = {(client.issuer, client.client_id): client for client in clients}

    def prepare(self, request: HttpRequest, *, now: int, entropy: Entropy) -> WireRequest:
        """Prepare a request; each call signs its assertion and its proof again.

        Raises:
            UsageError: ``credential_missing``, ``origin_not_allowed`` for an endpoint that is not
                the issuer's, ``config_invalid`` for a key that must be awaited.
        """
        client = self._client(request)

        def fill(value: Placeholder) -> str:
            return _at_once(self._filling(client, request, value, now, entropy))

        return _wire(request, fill)

    async def prepare_async(
        self, request: HttpRequest, *, now: int, entropy: Entropy
    ) -> WireRequest:
        """Prepare a request and wait for its key service; otherwise like :meth:`prepare`."""
        client, filled = self._client(request), dict[Placeholder, str]()
        for value in _named_by(request):
            filling = self._filling(client, request, value, now, entropy)
            filled[value] = filling if isinstance(filling, str) else await _signed(filling)
        return _wire(request, filled.__getitem__)

    def _filling(
        self,
        client: ClientCredentials | None,
        request: HttpRequest,
        value: Placeholder,
        now: int,
        entropy: Entropy,
    ) -> "str | _ToSign":
        """Return the value of a placeholder, or the draft that must be signed for it."""
        if client is None or (value.issuer, value.client_id) != (client.issuer, client.client_id):
            raise UsageError("credential_missing", expected=value.issuer)
        match value:
            case ClientSecret():
                return _secret(client)
            case BasicCredentials():
                return basic_credentials(value.client_id, _secret(client), raw=value.raw)
            case ClientAssertion():
                payload = assertion_payload(value, now=now, jti=entropy.token())
                return _jwt(client, value.alg, "JWT", payload)
            case DpopProof():
                nonce = None if self.nonces is None else self.nonces.newest(request, value)
                return _proof(client, value, nonce, now, entropy)
            case _:
                assert_never(value)

    def _client(self, request: HttpRequest) -> ClientCredentials | None:
        """Find whose credentials a request may carry; public documents need no credentials."""
        if request.purpose in _PUBLIC:
            return None
        client = self._clients.get((request.issuer, request.client_id))
        if client is None:
            raise UsageError("credential_missing", about=request.purpose, expected=request.issuer)
        if (request.role, request.url) not in client.endpoints:
            raise UsageError("origin_not_allowed", found=request.url, expected=request.issuer)
        if request.role == "resource" and _proves_client(request):
            raise UsageError(
                "origin_not_allowed", found=request.url, expected="authorization_server"
            )
        return client

    def __repr__(self) -> str:
        return f"Credentials({len(self._clients)})"

    def __reduce__(self) -> NoReturn:
        message = "credentials are not pickled"
        raise TypeError(message)


def _named_by(request: HttpRequest) -> tuple[Placeholder, ...]:
    """Return each placeholder of the request, in any part of it."""
    return placeholders(request.headers + (request.form or ()))


def _proves_client(request: HttpRequest) -> bool:
    """Return whether there is anything to fill in but a proof, which is for a resource too."""
    return any(not isinstance(value, DpopProof) for value in _named_by(request))


_ToSign: TypeAlias = tuple[bytes, bytes | Awaitable[bytes]]
"""The signed octets and the signature; a key service's signature must be awaited."""


def _jwt(client: ClientCredentials, alg: str, typ: str, payload: str) -> _ToSign:
    """Sign what the client says with its secret or one of its keys."""
    if alg in HMAC:
        octets = signing_input(_header(alg, typ, None), payload)
        return octets, sign_mac(_secret(client), alg, octets)
    if client.keys is None:
        raise UsageError("credential_missing", about="client key", expected=alg)
    with _SIGNER:
        key = client.keys.for_alg(alg)
        octets = signing_input(_header(alg, typ, key.kid), payload)
        return octets, key.sign(octets)


@lru_cache(maxsize=64)
def _header(alg: str, typ: str, kid: str | None) -> str:
    """Return the encoded header of a JWT that the client signs; it has a handful of them."""
    named = {} if kid is None else {"kid": kid}
    return encoded_header({"alg": alg, "typ": typ, **named})


def _proof(
    client: ClientCredentials, proof: DpopProof, nonce: str | None, now: int, entropy: Entropy
) -> _ToSign:
    if client.dpop_keys is None:
        raise UsageError("credential_missing", about="DPoP key", expected=proof.thumbprint)
    key, header = client.dpop_keys.find(proof.thumbprint)
    octets = signing_input(header, dpop_payload(proof, now=now, jti=entropy.token(), nonce=nonce))
    with _SIGNER:
        return octets, key.sign(octets)


def _at_once(filling: str | _ToSign) -> str:
    if isinstance(filling, str):
        return filling
    octets, signature = filling
    if isawaitable(signature):
        if isinstance(signature, Coroutine):
            signature.close()
        raise UsageError("config_invalid", about="client key", expected="AsyncShell")
    return _compact(octets, signature)


async def _signed(to_sign: _ToSign) -> str:
    octets, signature = to_sign
    with _SIGNER:
        return _compact(octets, await signature if isawaitable(signature) else signature)


def _compact(octets: bytes, signature: object) -> str:
    """Put the JWT together; a signer of the application may return anything.

    Raises:
        StoreFailure: ``store_unavailable`` for a value that is not a signature.
    """
    if not isinstance(signature, bytes) or not signature:
        found = type(signature).__name__
        raise StoreFailure("store_unavailable", about=ABOUT, found=found, expected="a signature")
    return f"{octets.decode('ascii')}.{b64url_encode(signature)}"


def _secret(client: ClientCredentials) -> str:
    secret = client.secret
    if isinstance(secret, str):
        return secret
    if secret is None:
        raise UsageError("credential_missing", about="client_secret", expected=client.issuer)
    return opened(secret)


def _wire(request: HttpRequest, fill: Fill) -> WireRequest:
    headers = written(request.headers, fill)
    body: bytes | None = None
    if request.form is not None:
        headers = (*headers, _FORM)
        body = form_encoded(request.form, fill).encode("ascii")
    return WireRequest(
        method=request.method,
        url=request.way.url or request.url,
        reach=request.way.reach,
        headers=headers,
        body=body,
        resend=request.resend,
        max_body=request.max_body,
        deadline=request.deadline,
    )
