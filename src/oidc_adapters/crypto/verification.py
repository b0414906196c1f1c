"""The port to signature verification, filled with ``cryptography``.

Prepared keys are remembered by algorithm and octets, not by ``kid``: no stranger can make one
stand for another, and a set that is fetched again finds its keys prepared.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from oidc_adapters.runtime.client_secret import Secret, opened
from oidc_adapters.runtime.locks import ProcessLock
from oidc_core.jose.algorithms import ALGORITHMS, row_for, rows_for
from oidc_core.jose.jwk import Jwk
from oidc_core.jose.jws import Recognised
from oidc_core.jose.key_set import KeySet
from oidc_core.wire.errors import ProtocolViolation, UsageError
from oidc_core.wire.settings import as_entries

if TYPE_CHECKING:
    from oidc_adapters.crypto.primitives import Verify

REMEMBERED: Final = 64
"""How many prepared keys, and how many headers, are kept."""

_SECRETS: Final = Mapping[tuple[str, str], Secret] | None

_Name: TypeAlias = tuple[str, str, tuple[bytes, ...] | str]
"""(alg, crv, octets of the key), or (issuer, client id, alg)."""


def check_mac_secret(alg: str, secret: str) -> None:
    """Refuse a client secret that is too short to be the key of a MAC (RFC 7518 §3.2).

    To be called when the client is configured: the provider issued that secret and this algorithm.

    Raises:
        UsageError: ``config_invalid`` for fewer bits than the digest has, or if the algorithm is
            not an HMAC: the developer names both.
    """
    row = row_for(alg, "oct", "")
    if row is None:
        raise UsageError("config_invalid", found=alg, expected="HMAC", about="alg")
    bits = 8 * len(_octets(secret))
    if bits < row.min_bits:
        expected = f"{row.min_bits} bits for {alg}"
        raise UsageError("config_invalid", found=bits, expected=expected, about="client_secret")


class CryptographyVerifier:
    """Verifies signatures with a provider's keys and MACs with a client's secrets.

    It fulfils :class:`oidc_core.jose.jws.SignatureVerifier`: the same answer for the same
    arguments, a ``bool`` for any octets, if the installed libraries have the algorithm. Threads may
    share it.

    Args:
        client_secrets: (issuer, client id) to client secret, or to a call that opens it for each
            use; needed for HS256 and its like only.
    """

    __slots__ = ("_headers", "_prepared", "_process", "_secrets")

    def __init__(self, client_secrets: Mapping[tuple[str, str], Secret] | None = None) -> None:
        self._secrets = as_entries(client_secrets, _SECRETS, "client_secrets")
        self._prepared: dict[_Name, Verify] = {}
        self._headers: dict[bytes, tuple[KeySet, Recognised]] = {}
        self._process = ProcessLock()

    def __repr__(self) -> str:
        return f"CryptographyVerifier(client_secrets={len(self._secrets)})"

    def __reduce__(self) -> NoReturn:
        message = "a verifier holds client secrets and is not pickled"
        raise TypeError(message)

    def check_mac(self, issuer: str, client_id: str, alg: str) -> None:
        """Refuse a client that has no secret, or one that is too short for this algorithm.

        Raises:
            UsageError: ``credential_missing``; ``config_invalid`` as :func:`check_mac_secret`.
        """
        self._secret(issuer, client_id, alg)

    def recall(self, protected: bytes, keys: KeySet) -> Recognised | None:
        """Return the memory of this header, if it was seen with exactly this key set."""
        remembered = self._headers.get(protected)
        return remembered[1] if remembered is not None and remembered[0] is keys else None

    def remember(self, protected: bytes, keys: KeySet, recognised: Recognised) -> None:
        """Remember a header with a valid signature; the oldest makes room."""
        with self._process.lock:
            self._headers.pop(protected, None)  # whose place is free then
            if len(self._headers) >= REMEMBERED:
                del self._headers[next(iter(self._headers))]
            self._headers[protected] = (keys, recognised)

    def verifies(self, key: Jwk, alg: str, signing_input: bytes, signature: bytes) -> bool:
        """Return whether the signature was made with this key and algorithm.

        Raises:
            ProtocolViolation: ``alg_not_allowed`` if ``cryptography``, or the library under it,
                does not have the algorithm, as with ML-DSA: this is not a verdict about the
                signature.
        """
        name = (alg, key.crv, key.material)
        verify = self._prepared.get(name)
        if verify is None:
            verify = self._remembered(name, _for_key(key, alg))
        return verify(signing_input, signature)

    def verifies_mac(
        self, issuer: str, client_id: str, alg: str, signing_input: bytes, signature: bytes
    ) -> bool:
        """Return whether the MAC was made with this client's secret at this issuer.

        Raises:
            UsageError: as :meth:`check_mac`: a secret may open to another than it did then.
        """
        name = (issuer, client_id, alg)
        verify = self._prepared.get(name)
        if verify is None:
            secret = self._secret(issuer, client_id, alg)
            verify = _for_secret(secret, alg)
            if isinstance(self._secrets[issuer, client_id], str):  # what was opened is not kept
                self._remembered(name, verify)
        return verify(signing_input, signature)

    def _secret(self, issuer: str, client_id: str, alg: str) -> str:
        """Return the secret of a client, once it is certain that it makes such MACs."""
        secret = self._secrets.get((issuer, client_id))
        if secret is None:
            raise UsageError(
                "credential_missing", found=client_id, expected=alg, about="client_secret"
            )
        open_secret = opened(secret)
        check_mac_secret(alg, open_secret)
        return open_secret

    def _remembered(self, name: _Name, verify: "Verify") -> "Verify":
        with self._process.lock:
            while len(self._prepared) >= REMEMBERED:
                del self._prepared[next(iter(self._prepared))]
            self._prepared[name] = verify
        return verify


def _for_key(key: Jwk, alg: str) -> "Verify":
    from cryptography.exceptions import UnsupportedAlgorithm

    from oidc_adapters.crypto.primitives import verifier

    row = row_for(alg, key.kty, key.crv)
    if row is None:
        return _refuse
    try:
        return verifier(row, key.material)
    except ValueError:
        return _refuse
    except UnsupportedAlgorithm:
        # EdDSA has two curves: the key of the other one may be what a token without kid means.
        return partial(_lacks, alg) if len(rows_for(alg)) == 1 else _refuse


def _for_secret(secret: str, alg: str) -> "Verify":
    from oidc_adapters.crypto.primitives import mac_verifier

    return mac_verifier(ALGORITHMS[alg, ""], _octets(secret))


def _octets(secret: str) -> bytes:
    """The key that a client secret is: its UTF-8 (OIDC Core §10.1)."""
    return secret.encode("utf-8", "surrogatepass")


def _refuse(_signing_input: bytes, _signature: bytes) -> bool:
    return False


def _lacks(alg: str, _signing_input: bytes, _signature: bytes) -> bool:
    expected = "an algorithm that the installed cryptography has"
    raise ProtocolViolation("alg_not_allowed", found=alg, expected=expected, about="alg")
