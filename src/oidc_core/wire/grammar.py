"""The characters of OAuth's grammar (RFC 6749, appendix A), each as a class of :mod:`re`."""

from typing import Final

VSCHAR: Final = r"[\x20-\x7e]"
"""Visible characters, and space: ``state``, ``code``."""

NQCHAR: Final = r"[\x21\x23-\x5b\x5d-\x7e]"
"""The same without space, quotation mark and backslash: a word of ``scope``, a DPoP nonce."""

NQSCHAR: Final = r"[\x20\x21\x23-\x5b\x5d-\x7e]"
"""The same with space: ``error``, ``error_description``."""
