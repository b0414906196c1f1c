"""The results of the context's calls, returned in place of raising: errors as values."""

from copy import copy
from typing import Any, TypeAlias

from attrs import field, frozen

from oidc_core.wire.errors import OidcError, ProviderError


@frozen
class APIError:
    """Something was refused or failed here.

    Attributes:
        error: a stable code out of :data:`oidc_core.wire.codes.CODES`, as in ``state_expired``.
        cause: the error in full, with its hint and specification; no part of comparisons.
    """

    error: str
    cause: OidcError | None = field(default=None, eq=False, repr=False)


@frozen
class AuthServerError:
    """The provider answered with its own error (OIDC Core §3.1.2.6, RFC 6749 §5.2).

    Attributes:
        error: the provider's error code, as in ``access_denied``; as untrusted as the other two,
            since a stranger who sends a browser here may have written it.  At most
            256 printable ASCII characters without quotation mark and backslash (RFC 6749
            appendix A.7): compare it with the codes you know, and escape it before showing it.
        error_description: the provider's untrusted text, bounded; escape it before showing it.
        error_uri: the provider's untrusted URI, bounded; never a link by itself.
        cause: the error in full; no part of comparisons.
    """

    error: str
    error_description: str | None = None
    error_uri: str | None = None
    cause: OidcError | None = field(default=None, eq=False, repr=False)


Failure: TypeAlias = APIError | AuthServerError

TokenDict: TypeAlias = dict[str, Any]
"""An answer of the token endpoint as plain JSON, without the members that cannot be read."""


def failure(fault: OidcError) -> Failure:
    """Return the value that stands for an error.

    The traceback is left behind: its frames hold the secrets of the call.  The error itself stays
    as it is, for others may hold it too.
    """
    cause = copy(fault)
    if isinstance(cause, ProviderError):
        return AuthServerError(cause.error, cause.error_description, cause.error_uri, cause)
    return APIError(cause.code, cause)
