"""Sealing: a request described by the core becomes one that can be sent.

The values the core only names are filled in here, anew for every transmission: the client's
secret, a freshly signed assertion.  They are looked up by issuer and client id, and go to that
issuer's own endpoints and nowhere else.
"""

from collections.abc import Awaitable, Coroutine, Mapping
from inspect import isawaitable
from typing import Final, NoReturn

from attrs import field, frozen

from oidc_adapters.client_keys import AsyncSigner, ClientKeys, Signer
from oidc_adapters.crypto import check_mac_secret, sign_mac
from oidc_adapters.entropy import Entropy
from oidc_core.algorithms import HMAC
from oidc_core.credentials import assertion_claims, basic_credentials, signing_input
from oidc_core.encoding import b64url_encode, percent_encode
from oidc_core.errors import UsageError
from oidc_core.http import (
    BasicCredentials,
    ClientAssertion,
    HttpRequest,
    Role,
    Unsealed,
    WireRequest,
)
from oidc_core.relying_party import RelyingParty

_FORM: Final = ("content-type", "application/x-www-form-urlencoded")
_PUBLIC: Final = frozenset({"discovery", "key_set"})


@frozen(kw_only=True)
class ClientCredentials:
    """What one client can prove itself with at one issuer, and where that may go.

    Attributes:
        issuer, client_id: whose credentials these are.
        secret: the client's secret, if it has one.
        keys: the client's private keys, or a key service, if it has some.
        endpoints: the URLs that may be sent credentials or tokens, each in its role only: the
            client's secret goes to the authorization server, never to a resource.
    """

    issuer: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    keys: ClientKeys[Signer] | ClientKeys[AsyncSigner] | None = None
    endpoints: frozenset[tuple[Role, str]]

    def __reduce__(self) -> NoReturn:
        message = "credentials are not pickled"
        raise TypeError(message)


def credentials_for(
    rp: RelyingParty,
    *,
    secret: str | None = None,
    keys: ClientKeys[Signer] | ClientKeys[AsyncSigner] | None = None,
) -> ClientCredentials:
    """Return the credentials of a relying party, for the endpoints its metadata names.

    Raises:
        UsageError: ``credential_missing`` if the registered authentication needs what is not here.
        ProtocolViolation: ``key_too_small`` for a secret that is too short for a MAC.
    """
    method = rp.client.token_endpoint_auth_method
    if method.startswith("client_secret") and secret is None:
        raise UsageError("credential_missing", about="client_secret", expected=method)
    if method == "private_key_jwt":
        if keys is None:
            raise UsageError("credential_missing", about="client key", expected=method)
        keys.for_alg(rp.client.assertion_alg)
    macs = {rp.client.id_token_signed_response_alg, rp.client.userinfo_signed_response_alg}
    if method == "client_secret_jwt":
        macs.add(rp.client.assertion_alg)
    for alg in macs & HMAC:
        if secret is None:
            raise UsageError("credential_missing", about="client_secret", expected=alg)
        check_mac_secret(alg or "", secret)
    return ClientCredentials(
        issuer=rp.issuer,
        client_id=rp.client.client_id,
        secret=secret,
        keys=keys,
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
    """The credentials of all clients of this process, by issuer and client id."""

    __slots__ = ("_clients",)

    def __init__(self, *clients: ClientCredentials) -> None:
        self._clients = {(client.issuer, client.client_id): client for client in clients}

    def seal(self, request: HttpRequest, *, now: int, entropy: Entropy) -> WireRequest:
        """Seal a request; each call signs its assertions anew.

        Raises:
            UsageError: ``credential_missing``, ``origin_not_allowed`` for an endpoint that is not
                the issuer's, ``config_invalid`` for a key that must be awaited.
        """
        client = self._client(request)
        assertion, signed = _assertion(request), ""
        if assertion is not None and client is not None:
            octets, signature = _signature(client, assertion, now, entropy)
            if isawaitable(signature):
                if isinstance(signature, Coroutine):
                    signature.close()
                raise UsageError("config_invalid", about="client key", expected="AsyncShell")
            signed = _compact(octets, signature)
        return _wire(request, client, signed)

    async def seal_async(self, request: HttpRequest, *, now: int, entropy: Entropy) -> WireRequest:
        """Seal a request, and wait for a key service if a key is there; else as :meth:`seal`."""
        client = self._client(request)
        assertion, signed = _assertion(request), ""
        if assertion is not None and client is not None:
            octets, signature = _signature(client, assertion, now, entropy)
            signed = _compact(octets, await signature if isawaitable(signature) else signature)
        return _wire(request, client, signed)

    def _client(self, request: HttpRequest) -> ClientCredentials | None:
        """Find whose credentials a request may carry; none for public documents."""
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


def _proves_client(request: HttpRequest) -> bool:
    """Return whether there is anything to unseal."""
    return any(not isinstance(value, str) for _, value in (*request.headers, *(request.form or ())))


def _assertion(request: HttpRequest) -> ClientAssertion | None:
    """Find the assertion a request carries; the core puts it last."""
    last = request.form[-1][1] if request.form else None
    return last if isinstance(last, ClientAssertion) else None


def _signature(
    client: ClientCredentials, assertion: ClientAssertion, now: int, entropy: Entropy
) -> tuple[bytes, bytes | Awaitable[bytes]]:
    """Return what was signed and the signature; that of a key service is to be awaited."""
    claims = assertion_claims(assertion, now=now, jti=entropy.token())
    if assertion.alg in HMAC:
        octets = signing_input(assertion.alg, None, "JWT", claims)
        return octets, sign_mac(_secret(client), assertion.alg, octets)
    if client.keys is None:
        raise UsageError("credential_missing", about="client key", expected=assertion.alg)
    key = client.keys.for_alg(assertion.alg)
    octets = signing_input(assertion.alg, key.kid, "JWT", claims)
    return octets, key.sign(octets)


def _compact(octets: bytes, signature: bytes) -> str:
    return f"{octets.decode('ascii')}.{b64url_encode(signature)}"


def _secret(client: ClientCredentials) -> str:
    if client.secret is None:
        raise UsageError("credential_missing", about="client_secret", expected=client.issuer)
    return client.secret


def _wire(request: HttpRequest, client: ClientCredentials | None, assertion: str) -> WireRequest:
    headers = [
        (name, value if isinstance(value, str) else _unsealed(value, client, assertion))
        for name, value in request.headers
    ]
    body: bytes | None = None
    if request.form is not None:
        headers.append(_FORM)
        pairs = [
            f"{name}={percent_encode(value)}"
            if isinstance(value, str)
            else f"{name}={percent_encode(_unsealed(value, client, assertion))}"
            for name, value in request.form
        ]
        body = "&".join(pairs).encode("ascii")
    return WireRequest(
        method=request.method,
        url=request.url,
        headers=tuple(headers),
        body=body,
        resend=request.resend,
        max_body=request.max_body,
        deadline=request.deadline,
    )


def _unsealed(value: Unsealed, client: ClientCredentials | None, assertion: str) -> str:
    """Return what an unsealed value stands for."""
    if client is None or (value.issuer, value.client_id) != (client.issuer, client.client_id):
        raise UsageError("credential_missing", expected=value.issuer)
    if isinstance(value, ClientAssertion):
        if not assertion:
            raise UsageError("config_invalid", about="client_assertion", expected="at the end")
        return assertion
    secret = _secret(client)
    if isinstance(value, BasicCredentials):
        return basic_credentials(value.client_id, secret, raw=value.raw)
    return secret
