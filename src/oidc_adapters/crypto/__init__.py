"""Signatures, MACs and decryption with ``cryptography``, which is imported when first used."""

from oidc_adapters.crypto.decryption import ClientDecrypter
from oidc_adapters.crypto.signing import sign, sign_mac
from oidc_adapters.crypto.verification import CryptographyVerifier, check_mac_secret

__all__ = ["ClientDecrypter", "CryptographyVerifier", "check_mac_secret", "sign", "sign_mac"]
