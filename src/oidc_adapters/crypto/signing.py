"""Signatures for the client's own messages.

For a key that signs often, :class:`oidc_adapters.credentials.client_keys.ClientKey` prepares all
this once.
"""

from typing import TYPE_CHECKING

from oidc_adapters.crypto.verification import check_mac_secret
from oidc_core.jose.algorithms import Algorithm, row_for, rows_for
from oidc_core.wire.errors import UsageError

if TYPE_CHECKING:
    from oidc_adapters.crypto.primitives import PrivateKey


def sign(key: "PrivateKey", alg: str, signing_input: bytes) -> bytes:
    """Sign in the format of JOSE: ECDSA as r and s of fixed width (RFC 7518 §3.4).

    Raises:
        UsageError: ``config_invalid`` if the key does not fit the algorithm.
    """
    from oidc_adapters.crypto.primitives import signer

    return signer(row_of(key, alg), key)(signing_input)


def row_of(key: "PrivateKey", alg: str) -> Algorithm:
    """Return the row of this algorithm that takes this private key.

    Raises:
        UsageError: ``config_invalid`` if it is missing.
    """
    from oidc_adapters.crypto.primitives import shape_of

    row = row_for(alg, *shape_of(key))
    if row is None:
        kinds = tuple(f"{row.kty} {row.crv}".strip() for row in rows_for(alg))
        raise UsageError("config_invalid", found=alg, expected=kinds, about="alg")
    return row


def sign_mac(secret: str, alg: str, signing_input: bytes) -> bytes:
    """Make the MAC of ``client_secret_jwt`` (OIDC Core §9) with HS256, HS384 or HS512.

    Raises:
        UsageError: ``config_invalid``, like
            :func:`~oidc_adapters.crypto.verification.check_mac_secret`.
    """
    from oidc_adapters.crypto.primitives import mac_signer

    check_mac_secret(alg, secret)
    row = rows_for(alg)[0]
    return mac_signer(row, secret.encode("utf-8", "surrogatepass"))(signing_input)
