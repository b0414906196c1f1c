"""Signatures and MACs with ``cryptography``, which is imported when first used."""

from oidc_adapters.crypto.signing import sign, sign_mac
from oidc_adapters.crypto.verification import CryptographyVerifier, check_mac_secret

__all__ = ["CryptographyVerifier", "check_mac_secret", "sign", "sign_mac"]
