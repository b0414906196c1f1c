"""Credentials: a request described by the core becomes one that can be sent.

The values the core only names are filled in here, anew for every transmission: the client's
secret, a freshly signed assertion, a proof that the client has a key.  They are looked up by
issuer and client id, and go to that issuer's own endpoints and nowhere else.
"""

from collections.abc import Awaitable, Coroutine, Mapping
from functools import lru_cache
from inspect import isawaitable
from typing import Final, NoReturn, TypeAlias

from attrs import field, frozen

from oidc_adapters.credentials.client_keys import AsyncSigner, ClientKeys, Signer
from oidc_adapters.credentials.dpop import DpopKeys, DpopNonces
from oidc_adapters.crypto import check_mac_secret, sign_mac
from oidc_adapters.runtime.entropy import Entropy
from oidc_core.jose.algorithms import HMAC
from oidc_core.machine.credentials import (
    assertion_payload,
    basic_credentials,
    encoded_header,
    signing_input,
)
from oidc_core.machine.dpop import dpop_payload, proof_of
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.encoding import b64url_encode, percent_encode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import (
    BasicCredentials,
    ClientAssertion,
    DpopProof,
    HttpRequest,
    Placeholder,
    Role,
    WireRequest,
)

_FORM: Final = ("content-type", "application/x-www-form-urlencoded")
_PUBLIC: Final = frozenset({"discovery", "key_set"})


@frozen(kw_only=True)
class ClientCredentials:
    """What one client can prove itself with at one issuer, and where that may go.

    Attributes:
        issuer, client_id: whose credentials these are.
        secret: the client's secret, if it has one.
        keys: the client's private keys, or a key service, if it has some.
        dpop_keys: the keys that its tokens are bound to, if it uses DPoP.
        endpoints: the URLs that may be sent credentials or tokens, each in its role only: the
            client's secret goes to the authorization server, never to a resource.
    """

    issuer: str
    client_id: str
    secret: str | None = field(default=None, repr=False)
    keys: ClientKeys[Signer] | ClientKeys[AsyncSigner] | None = None
    dpop_keys: DpopKeys[Signer] | DpopKeys[AsyncSigner] | None = None
    endpoints: frozenset[tuple[Role, str]]

    def __reduce__(self) -> NoReturn:
        message = "credentials are not pickled"
        raise TypeError(message)


def credentials_for(
    rp: RelyingParty,
    *,
    secret: str | None = None,
    keys: ClientKeys[Signer] | ClientKeys[AsyncSigner] | None = None,
    dpop_keys: DpopKeys[Signer] | DpopKeys[AsyncSigner] | None = None,
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
            keys, in a memory of its own by default.
    """

    __slots__ = ("_clients", "nonces")

    def __init__(self, *clients: ClientCredentials, nonces: DpopNonces | None = None) -> None:
        bound = any(client.dpop_keys is not None for client in clients)
        self.nonces = DpopNonces() if nonces is None and bound else nonces
        self._clients = {(client.issuer, client.client_id): client for client in clients}

    def prepare(self, request: HttpRequest, *, now: int, entropy: Entropy) -> WireRequest:
        """Seal a request; each call signs its assertion and its proof anew.

        Raises:
            UsageError: ``credential_missing``, ``origin_not_allowed`` for an endpoint that is not
                the issuer's, ``config_invalid`` for a key that must be awaited.
        """
        client = self._client(request)
        assertion, signed, proven = _assertion(request), "", ""
        if assertion is not None and client is not None:
            signed = _at_once(*_signature(client, assertion, now, entropy))
        if self.nonces is not None and client is not None:
            to_prove = _proof(client, request, self.nonces, now, entropy)
            proven = "" if to_prove is None else _at_once(*to_prove)
        return _wire(request, client, signed, proven)

    async def prepare_async(
        self, request: HttpRequest, *, now: int, entropy: Entropy
    ) -> WireRequest:
        """Prepare a request and wait for its key service; else as :meth:`prepare`."""
        client = self._client(request)
        assertion, signed, proven = _assertion(request), "", ""
        if assertion is not None and client is not None:
            signed = await _awaited(*_signature(client, assertion, now, entropy))
        if self.nonces is not None and client is not None:
            to_prove = _proof(client, request, self.nonces, now, entropy)
            proven = "" if to_prove is None else await _awaited(*to_prove)
        return _wire(request, client, signed, proven)

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
    """Return whether there is anything to fill in but a proof, which is for a resource too."""
    values = (*request.headers, *(request.form or ()))
    return any(not isinstance(value, (str, DpopProof)) for _, value in values)


def _assertion(request: HttpRequest) -> ClientAssertion | None:
    """Find the assertion a request carries; the core puts it last."""
    last = request.form[-1][1] if request.form else None
    return last if isinstance(last, ClientAssertion) else None


_ToSign: TypeAlias = tuple[bytes, bytes | Awaitable[bytes]]
"""What was signed and the signature; that of a key service is to be awaited."""


def _signature(
    client: ClientCredentials, assertion: ClientAssertion, now: int, entropy: Entropy
) -> _ToSign:
    payload = assertion_payload(assertion, now=now, jti=entropy.token())
    if assertion.alg in HMAC:
        octets = signing_input(_header(assertion.alg, None), payload)
        return octets, sign_mac(_secret(client), assertion.alg, octets)
    if client.keys is None:
        raise UsageError("credential_missing", about="client key", expected=assertion.alg)
    key = client.keys.for_alg(assertion.alg)
    octets = signing_input(_header(assertion.alg, key.kid), payload)
    return octets, key.sign(octets)


@lru_cache(maxsize=64)
def _header(alg: str, kid: str | None) -> str:
    """Return the encoded header of an assertion; a client has a handful of them."""
    named = {} if kid is None else {"kid": kid}
    return encoded_header({"alg": alg, "typ": "JWT", **named})


def _proof(
    client: ClientCredentials,
    request: HttpRequest,
    nonces: DpopNonces,
    now: int,
    entropy: Entropy,
) -> _ToSign | None:
    proof = proof_of(request)
    if proof is None or client.dpop_keys is None:
        return None
    key, header = client.dpop_keys.find(proof.thumbprint)
    nonce = nonces.newest(request, proof)
    octets = signing_input(header, dpop_payload(proof, now=now, jti=entropy.token(), nonce=nonce))
    return octets, key.sign(octets)


def _at_once(octets: bytes, signature: bytes | Awaitable[bytes]) -> str:
    if isawaitable(signature):
        if isinstance(signature, Coroutine):
            signature.close()
        raise UsageError("config_invalid", about="client key", expected="AsyncShell")
    return _compact(octets, signature)


async def _awaited(octets: bytes, signature: bytes | Awaitable[bytes]) -> str:
    return _compact(octets, await signature if isawaitable(signature) else signature)


def _compact(octets: bytes, signature: bytes) -> str:
    return f"{octets.decode('ascii')}.{b64url_encode(signature)}"


def _secret(client: ClientCredentials) -> str:
    if client.secret is None:
        raise UsageError("credential_missing", about="client_secret", expected=client.issuer)
    return client.secret


def _wire(
    request: HttpRequest, client: ClientCredentials | None, assertion: str, proof: str
) -> WireRequest:
    headers = [
        (name, value if isinstance(value, str) else _filled_in(value, client, assertion, proof))
        for name, value in request.headers
    ]
    body: bytes | None = None
    if request.form is not None:
        headers.append(_FORM)
        pairs = [
            f"{name}={percent_encode(value)}"
            if isinstance(value, str)
            else f"{name}={percent_encode(_filled_in(value, client, assertion, proof))}"
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


def _filled_in(
    value: Placeholder, client: ClientCredentials | None, assertion: str, proof: str
) -> str:
    """Return what a placeholder stands for."""
    if client is None or (value.issuer, value.client_id) != (client.issuer, client.client_id):
        raise UsageError("credential_missing", expected=value.issuer)
    if isinstance(value, ClientAssertion):
        return assertion or _missed("client_assertion")
    if isinstance(value, BasicCredentials):
        return basic_credentials(value.client_id, _secret(client), raw=value.raw)
    if isinstance(value, DpopProof):
        if client.dpop_keys is None:
            raise UsageError("credential_missing", about="DPoP key", expected=value.thumbprint)
        return proof or _missed("dpop")
    return _secret(client)


def _missed(about: str) -> NoReturn:
    """Refuse what has to be signed and stands where nobody looks for it."""
    raise UsageError("config_invalid", about=about, expected="at the end")
