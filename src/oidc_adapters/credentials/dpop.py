"""DPoP (RFC 9449): the keys that the client proves, and the nonces that servers gave out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, NoReturn, TypeVar

from oidc_adapters.credentials.client_keys import AsyncSigner, Signer
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.jose.jwk import parse_jwk
from oidc_core.machine.credentials import encoded_header
from oidc_core.machine.dpop import nonce_of, proof_of
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.http import Answer, DpopProof, HttpRequest, HttpResponse, Role
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.settings import check_kind, json_object

REMEMBERED: Final = 256
"""How many servers' nonces are remembered; the one that was heard of longest ago goes first."""

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "RSA": ("kty", "n", "e"),
        "EC": ("kty", "crv", "x", "y"),
        "OKP": ("kty", "crv", "x"),
        "AKP": ("kty", "alg", "pub"),
    }
)
"""The facts that a server needs about a key, its thumbprint included; it needs no other fact."""

_TYP: Final = "dpop+jwt"
_SIGNER: Final = FailsClosed("DPoP key")

SignerT = TypeVar("SignerT", bound=Signer | AsyncSigner)
SignerT_co = TypeVar("SignerT_co", bound=Signer | AsyncSigner, covariant=True)


class ProofKey(NamedTuple, Generic[SignerT_co]):
    """A key with the encoded header of its proofs."""

    key: SignerT_co
    header: str


class DpopKeys(Generic[SignerT_co]):
    """The keys that tokens are bound to, by their JWK thumbprint.

    Give DPoP its own keys: one that also signs client assertions serves two purposes (RFC 8725
    §3.12). The public key goes into each proof's header, which is encoded once.

    Raises:
        UsageError: ``config_invalid`` for a key that is weak or not public, that does not fit the
            algorithm it is said to sign with, or that is given twice, if only for two algorithms.
    """

    __slots__ = ("_by_thumbprint",)

    def __init__(self, *keys: SignerT_co) -> None:
        prepared = [_prepared(key) for key in keys]
        self._by_thumbprint = dict(prepared)
        if len(self._by_thumbprint) != len(prepared):  # one of them would never be found
            found = tuple([thumbprint for thumbprint, _ in prepared])
            raise UsageError("config_invalid", found=found, about="DPoP key")

    @property
    def thumbprints(self) -> tuple[str, ...]:
        """The thumbprints of all keys, in the order given."""
        return tuple(self._by_thumbprint)

    def find(self, thumbprint: str) -> ProofKey[SignerT_co]:
        """Return the key of that thumbprint.

        Raises:
            UsageError: ``credential_missing`` if it is not here.
        """
        found = self._by_thumbprint.get(thumbprint)
        if found is None:
            raise UsageError("credential_missing", expected=thumbprint, about="DPoP key")
        return found

    def __repr__(self) -> str:
        return f"DpopKeys({', '.join(self._by_thumbprint)})"

    def __reduce__(self) -> NoReturn:
        message = "keys are not pickled"
        raise TypeError(message)


def _prepared(key: SignerT) -> tuple[str, ProofKey[SignerT]]:
    """Judge a key, and encode the header of its proofs (RFC 9449 §4.2)."""
    check_kind(key, Signer | AsyncSigner, about="DPoP key", code="config_invalid")
    with _SIGNER:
        published, alg = json_object(key.public_jwk()), key.alg
    check_kind(published, JsonObject, about="DPoP key", code="config_invalid")
    check_kind(alg, str, about="alg", code="config_invalid")
    try:
        judged = parse_jwk(published)
    except ProtocolViolation as weak:
        raise UsageError("config_invalid", found=weak.code, about="DPoP key") from None
    if not judged.fits(alg):  # which no public key does for a MAC
        raise UsageError("config_invalid", found=alg, about="DPoP key")
    jwk = JsonObject({name: published[name] for name in _MEMBERS[judged.kty]})
    header = encoded_header({"typ": _TYP, "alg": alg, "jwk": jwk})
    return judged.thumbprint, ProofKey(key, header)


class DpopNonces:
    """The newest nonce of each server, by issuer, origin and role (RFC 9449 §8.2, §9).

    A server that stops giving nonces out has not taken the last one back, so that stays. A nonce
    that is dropped at the cap costs one exchange more, because that server demands its nonce again.
    """

    __slots__ = ("_nonces", "_process")

    def __init__(self) -> None:
        self._nonces: dict[tuple[str, str, Role], str] = {}
        self._process = ProcessLock()

    def newest(self, request: HttpRequest, proof: DpopProof) -> str | None:
        """Return the known facts about the server that a request goes to."""
        return self._nonces.get(_server(request, proof))

    def remember(self, request: HttpRequest, answer: Answer) -> None:
        """Remember the nonce of an answer to a request with a proof, refused or not."""
        proof = proof_of(request)
        if proof is None or not isinstance(answer, HttpResponse):
            return
        nonce = nonce_of(answer)
        if nonce is None:
            return
        server = _server(request, proof)
        with self._process.lock:
            self._nonces.pop(server, None)
            self._nonces[server] = nonce
            if len(self._nonces) > REMEMBERED:
                del self._nonces[next(iter(self._nonces))]

    def __repr__(self) -> str:
        return f"DpopNonces({len(self._nonces)})"


def _server(request: HttpRequest, proof: DpopProof) -> tuple[str, str, Role]:
    """Return whose nonce it is, the origin in one spelling."""
    origin = "/".join(proof.htu.split("/", 3)[:3]).lower()
    default = ":443" if origin.startswith("https:") else ":80"
    return request.issuer, origin.removesuffix(default), request.role
