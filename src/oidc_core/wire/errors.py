"""The tree of errors, which answers first of all: whose fault is it?

::

    OidcError
    ├── ProtocolViolation   the provider, or an attacker in its place, broke the protocol
    ├── ProviderError       the provider's own well-formed OAuth error
    ├── CallbackError       what the browser brought back does not hold
    ├── TransportFailure    the provider could not be reached, or not in time
    ├── StoreFailure        a store of the application failed or returned something else
    └── UsageError          the calling code or its configuration; never caused by untrusted data

Each error has a stable ``code`` (:mod:`oidc_core.wire.codes`), and ``found`` and ``expected`` as
facts. No fact is a secret: where one would be, :func:`fingerprint` stands in its place.
Nothing but an :class:`OidcError` leaves the core, on any bytes whatever.
"""

from hashlib import sha256
from typing import ClassVar, Final, TypeAlias

from oidc_core.wire.codes import CODES, CodeRow, Fault, Retryable
from oidc_core.wire.cookies import SetCookie

Fact: TypeAlias = str | int | float | bool | tuple[str, ...] | None

TEXT: Final = 256
"""How many characters are kept of what a provider says: of its error's code and of its text."""

SHOWN: Final = 200
"""How many characters of a fact a message shows."""

_LONG: Final = 3 * SHOWN
"""How many bits a number has at most that is shown."""


def fingerprint(secret: str) -> str:
    """Return 8 hexadecimal digits that tell secrets apart without showing them.

    Raises:
        UsageError: ``parameter_invalid`` for what is no text.
    """
    if type(secret) is not str:
        raise UsageError("parameter_invalid", about="secret", expected="str")
    return "#" + sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def shown(fact: Fact) -> str:
    """Return a fact as one bounded, printable, quoted piece of text."""
    if isinstance(fact, int) and fact.bit_length() > _LONG:  # Python may refuse to write it out
        return f"a number of {fact.bit_length()} bits"
    text = ascii(fact)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


class OidcError(Exception):
    """Whatever this library refuses or cannot do.

    Attributes:
        code: a stable name out of :data:`oidc_core.wire.codes.CODES`.
        found: the fact that was met, if one can be told.
        expected: what should have been there.
        about: the name of the member, parameter or setting at stake, or an empty string.
        of: the kind of token or answer that the member belongs to, as in ``id_token``, or an empty
            string.
        cookies: of a login or logout that failed: to be set in the answer to the browser, so that
            it forgets what failed.
        return_to: of a login that failed after it was certain that this browser started it: where
            the application was to go on; empty before.
    """

    fault: ClassVar[Fault]

    def __init__(
        self,
        code: str,
        *,
        found: Fact = None,
        expected: Fact = None,
        about: str = "",
        of: str = "",
    ) -> None:
        super().__init__(code)
        row = CODES.get(code)
        if row is None or row.fault != self.fault:
            message = f"{code} is no code of {type(self).__name__}"
            raise LookupError(message)
        self.code = code
        self.found = found
        self.expected = expected
        self.about = about
        self.of = of
        self.cookies: tuple[SetCookie, ...] = ()
        self.return_to = ""

    @property
    def row(self) -> CodeRow:
        """The code's row in the table: stage, hint, specification."""
        return CODES[self.code]

    @property
    def spec(self) -> str:
        """The sentence of the specification at stake, as in ``OIDC Core §3.1.3.7, 2``."""
        return self.row.spec

    @property
    def hint(self) -> str:
        """What to do about it, in one line."""
        return self.row.hint

    @property
    def retryable(self) -> Retryable:
        """Whether trying again helps: ``no``, ``restart`` or ``later``."""
        return self.row.retryable

    def __str__(self) -> str:
        place = " of ".join([name for name in (self.about, self.of) if name])
        parts = [self.code + (f" ({place})" if place else "")]
        if self.found is not None:
            parts.append(f"found {shown(self.found)}")
        if self.expected is not None:
            parts.append(f"expected {shown(self.expected)}")
        head = ": ".join([parts[0], ", ".join(parts[1:])]) if len(parts) > 1 else parts[0]
        spec = f" ({self.spec})" if self.spec else ""
        return f"{head}{spec}; {self.hint}"

    def __reduce__(self) -> "tuple[object, ...]":
        later = {"cookies": self.cookies, "return_to": self.return_to}
        return _restored, (type(self), self.code, {**self._facts(), **later})

    def _facts(self) -> dict[str, Fact]:
        return {
            "found": self.found,
            "expected": self.expected,
            "about": self.about,
            "of": self.of,
        }


def _restored(kind: type[OidcError], code: str, facts: dict[str, object]) -> OidcError:
    """Build an error again, as pickle and copy ask for it."""
    error = kind.__new__(kind)
    Exception.__init__(error, code)
    error.code = code
    for name, value in facts.items():
        setattr(error, name, value)
    return error


class ProtocolViolation(OidcError):
    """The provider, or somebody in its place, broke a rule of the protocol."""

    fault = "protocol"


class ProviderError(OidcError):
    """The provider answered with a well-formed OAuth error (RFC 6749 §4.1.2.1, §5.2).

    Attributes:
        error: the provider's error code, as in ``access_denied``, bounded.
        error_description: the provider's untrusted text, bounded; escape it before showing it.
        error_uri: the provider's untrusted URI, bounded.
        status: the HTTP status it came with, or ``None`` for an authorization response.
        issuer_verified: whether it is certain that the configured provider said so.
    """

    fault = "provider"

    def __init__(
        self,
        error: str,
        *,
        error_description: str | None = None,
        error_uri: str | None = None,
        status: int | None = None,
        issuer_verified: bool = True,
    ) -> None:
        super().__init__("provider_error", found=error[:TEXT])
        self.error = error[:TEXT]
        self.error_description = error_description and error_description[:TEXT]
        self.error_uri = error_uri and error_uri[:TEXT]
        self.status = status
        self.issuer_verified = issuer_verified

    def _facts(self) -> dict[str, Fact]:
        return {
            **super()._facts(),
            "error": self.error,
            "error_description": self.error_description,
            "error_uri": self.error_uri,
            "status": self.status,
            "issuer_verified": self.issuer_verified,
        }


class CallbackError(OidcError):
    """What the browser brought back cannot be accepted: start the login again."""

    fault = "callback"


class TransportFailure(OidcError):
    """An exchange with the provider did not come to an end.

    Attributes:
        sent: ``no`` if the request certainly never reached the provider, else ``maybe``.
    """

    fault = "transport"

    def __init__(
        self,
        code: str,
        *,
        found: Fact = None,
        expected: Fact = None,
        about: str = "",
        of: str = "",
        sent: str = "maybe",
    ) -> None:
        super().__init__(code, found=found, expected=expected, about=about, of=of)
        self.sent = sent

    def _facts(self) -> dict[str, Fact]:
        return {**super()._facts(), "sent": self.sent}


class StoreFailure(OidcError):
    """A store failed, or gave back something that was not put there."""

    fault = "store"


class UsageError(OidcError):
    """The calling code or its configuration is at fault; untrusted data never causes this."""

    fault = "usage"
