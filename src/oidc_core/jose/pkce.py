"""Proof Key for Code Exchange (RFC 7636), with S256 and nothing else.

``plain`` would hand the verifier to anybody who reads the authorization request.
"""

import re
from typing import Final

from oidc_core.wire.encoding import sha256_b64url
from oidc_core.wire.errors import UsageError

CODE_CHALLENGE_METHOD: Final = "S256"

_GRAMMAR: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}").fullmatch


def challenge_s256(code_verifier: str) -> str:
    """Return the ``code_challenge`` of a verifier (RFC 7636 §4.2), 43 characters.

    Raises:
        UsageError: ``entropy_failure`` as :func:`check_code_verifier`.
    """
    check_code_verifier(code_verifier)
    return sha256_b64url(code_verifier)


def check_code_verifier(code_verifier: str) -> None:
    """Refuse what cannot be a code verifier (RFC 7636 §4.1): 43 to 128 unreserved characters.

    Raises:
        UsageError: ``entropy_failure``; the verifier is a secret, so only its length is told.
    """
    if _GRAMMAR(code_verifier) is None:
        raise UsageError(
            "entropy_failure",
            found=len(code_verifier),
            expected="43 to 128 unreserved characters",
            about="code_verifier",
        )
