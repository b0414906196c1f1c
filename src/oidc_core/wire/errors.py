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
facts. No fact is a secret: :func:`fingerprint` replaces a secret. Only an :class:`OidcError` leaves
the core, on any bytes.
"""

from types import MappingProxyType
from typing import ClassVar, Final, NamedTuple, TypedDict, Unpack

from oidc_core.wire.causes import PROVIDER_HINTS
from oidc_core.wire.codes import CODES, CodeRow, Fault, Kind, Retryable
from oidc_core.wire.cookies import SetCookie
from oidc_core.wire.messages import ERROR_CODE, TEXT, Fact, cut, print_of, shown, without_secrets

_NOTE: Final = 512
"""How many characters a note about an error has at most."""


def fingerprint(secret: str) -> str:
    """Return 8 hexadecimal digits that tell secrets apart without showing them.

    Raises:
        UsageError: ``parameter_invalid`` for a value that is not text.
    """
    if type(secret) is not str:
        raise UsageError("parameter_invalid", about="secret", expected="str")
    return print_of(secret)


_PLACES: Final = MappingProxyType(
    {
        "discovery": ("metadata at", "OIDC Discovery §4.2"),
        "key_set": ("key set at", "RFC 7517 §5"),
        "token": ("token endpoint", "OIDC Core §3.1.3.3"),
        "refresh": ("token endpoint, to refresh,", "OIDC Core §12.2"),
        "userinfo": ("UserInfo endpoint", "OIDC Core §5.3.2"),
        "revocation": ("revocation endpoint", "RFC 7009 §2.2"),
    }
)
"""The purpose of an exchange: how a message names it, and the specification of its answer."""


class Place(NamedTuple):
    """Where an exchange failed.

    Attributes:
        purpose: the purpose of the exchange, as in ``token``.
        url: origin and path of its URL; a query may hold a secret.
    """

    purpose: str
    url: str

    def __str__(self) -> str:
        name, _ = _PLACES.get(self.purpose, (self.purpose, ""))
        return f"{name} {self.url}"

    @property
    def spec(self) -> str:
        """The specification of the answers there, or an empty string."""
        return _PLACES.get(self.purpose, ("", ""))[1]


class Facts(TypedDict, total=False):
    """Further facts that an error may get in addition to its code; see :class:`OidcError`."""

    found: Fact
    expected: Fact
    about: str
    of: str
    cause: str
    hint: str
    retryable: Retryable
    kind: Kind
    retry_after: int | None
    said: str


class OidcError(Exception):
    """Everything that this library refuses or cannot do.

    Attributes:
        code: a stable name out of :data:`oidc_core.wire.codes.CODES`.
        found: the fact that was met, if one can be told.
        expected: what should have been there.
        about: the name of the member, parameter or setting at stake, or an empty string.
        of: the kind of token or answer that the member belongs to, as in ``id_token``, or an empty
            string.
        place: the exchange in which it happened: its purpose and the URL; ``None`` outside of one.
        cause: why it happened, in one word, as in ``refused`` or ``certificate_expired``, or an
            empty string.
        hint: what to do about it, in one line.
        retryable: whether trying again helps: ``no``, ``restart`` or ``later``.
        kind: what to tell the user: ``user``, ``stale``, ``configuration``, ``later``,
            ``interaction`` or ``suspicious``; see :class:`oidc_core.wire.codes.CodeRow`.
        retry_after: after how many seconds trying again can help, if that is known.
        said: the provider's own untrusted words, bounded, or an empty string; escape them before
            you show them.
        cookies: of a login or logout that failed: to be set in the answer to the browser, so that
            it forgets what failed.
        connection, account, return_to: of a login that failed after it was certain that this
            browser started it: its :class:`~oidc_core.model.connection.Connection`, the account
            that would have got the identity, and where the application wanted to go on; empty
            before.
    """

    fault: ClassVar[Fault]

    def __init__(self, code: str, **facts: Unpack[Facts]) -> None:
        super().__init__(code)
        row = CODES.get(code)
        if row is None or row.fault != self.fault:
            message = f"{code} is not a code of {type(self).__name__}"
            raise LookupError(message)
        self.code = code
        self.found = facts.get("found")
        self.expected = facts.get("expected")
        self.about = facts.get("about", "")
        self.of = facts.get("of", "")
        self.place: Place | None = None
        self.cause = facts.get("cause", "")
        self.hint = facts.get("hint", row.hint)
        self.retryable: Retryable = facts.get("retryable", row.retryable)
        self.kind: Kind = facts.get("kind", row.kind)
        self.retry_after = facts.get("retry_after")
        self.said = cut(facts.get("said", ""), TEXT)
        self.cookies: tuple[SetCookie, ...] = ()
        self.connection: tuple[str, ...] = ()
        self.account = ""
        self.return_to = ""

    @property
    def row(self) -> CodeRow:
        """The code's row in the table: stage, specification, and what holds unless told."""
        return CODES[self.code]

    @property
    def spec(self) -> str:
        """The sentence of the specification at stake, as in ``OIDC Core §3.1.3.7, 2``.

        Errors that every exchange can meet are cited from the specification of the current
        exchange.
        """
        named = "" if self.place is None or self.row.stage != "http" else self.place.spec
        return named or self.row.spec

    @property
    def answer_status(self) -> int:
        """The HTTP status with which an application answers the browser.

        It is 500 only for what the application or its operator did: where the provider is at fault,
        it is 502 (RFC 9110 §15.6.3).
        """
        at_provider = self.fault in _OF_PROVIDER or self.code in _BY_PROVIDER
        if self.kind == "configuration" and at_provider:
            return BAD_GATEWAY
        return ANSWER_STATUS[self.kind]

    def __str__(self) -> str:
        head = self.named + ("" if self.place is None else f" at the {self.place}")
        told = self.told()
        spec = f" ({self.spec})" if self.spec else ""
        untold = self.retry_after is not None and "seconds" not in self.hint
        after = f"; try again in {self.retry_after} seconds" if untold else ""
        return f"{head}{': ' if told else ''}{', '.join(told)}{spec}; {self.hint}{after}"

    @property
    def named(self) -> str:
        """The code, and the member, parameter or setting at stake."""
        member = " of ".join([name for name in (self.about, self.of) if name])
        return self.code + (f" ({member})" if member else "")

    def told(self) -> list[str]:
        """Return the facts as the message has them, each bounded and printable."""
        facts = (("found", self.found), ("expected", self.expected))
        told = [f"{name} {shown(fact)}" for name, fact in facts if fact is not None]
        if self.cause:
            told.append(f"because of {self.cause}")
        told += self._answered()
        return [*told, f"the provider says {self.spoken}"] if self.said else told

    @property
    def spoken(self) -> str:
        """The provider's words as a message has them: quoted, bounded, and without secrets."""
        return cut(ascii(without_secrets(self.said)), TEXT)

    def _answered(self) -> list[str]:
        """Return the HTTP status that an error came with, where that is not what was found."""
        return []

    def __reduce__(self) -> "tuple[object, ...]":
        return _restored, (type(self), self.code, self.__dict__.copy())


def note_of(error: OidcError) -> str:
    """Return an error as a short note, for an operation that went on in spite of it.

    It has the code, the member, the facts, the HTTP status and the provider's words, each bounded.
    """
    told = ", ".join(error.told())
    return cut(f"{error.named}: {told}" if told else error.named, _NOTE)


ANSWER_STATUS: Final = MappingProxyType[Kind, int](
    {
        "user": 403,
        "stale": 400,
        "configuration": 500,
        "later": 503,
        "interaction": 403,
        "suspicious": 400,
    }
)
"""With which HTTP status an application answers the browser, by the kind of the error."""

BAD_GATEWAY: Final = 502
"""The HTTP status where an operator has to act, and it is the provider that is at fault."""

_OF_PROVIDER: Final = frozenset[Fault]({"protocol", "provider", "transport"})
_BY_PROVIDER: Final = frozenset({"response_mode_mismatch", "response_iss_missing"})
"""Codes of what a browser brought that only the provider can have made so."""


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
        retryable, kind = verdict(error, status)
        self.error = error[:ERROR_CODE]
        super().__init__(
            "provider_error",
            found=self.error,
            retryable=retryable,
            kind=kind,
            hint=_hint(error, retryable),
            said=error_description or "",
        )
        self.error_description = error_description and self.said
        self.error_uri = error_uri and cut(error_uri, TEXT)
        self.status = status
        self.issuer_verified = issuer_verified

    def _answered(self) -> list[str]:
        return [] if self.status is None else [f"status {self.status}"]


_INTERACTION: Final = frozenset(
    {
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
        "unmet_authentication_requirements",
    }
)
_DOWN: Final = frozenset({"temporarily_unavailable", "server_error"})
_BUSY: Final = frozenset({408, 425, 429})


def _hint(error: str, retryable: Retryable) -> str:
    """Return what to do about a provider's error."""
    if retryable == "later":
        return PROVIDER_HINTS["temporarily_unavailable"]
    return PROVIDER_HINTS.get(error, CODES["provider_error"].hint)


def heals(status: int | None) -> bool:
    """Return whether what comes with an HTTP status can end differently after a while."""
    return status is not None and (status >= 500 or status in _BUSY)


def verdict(error: str, status: int | None) -> tuple[Retryable, Kind]:
    """Return whether trying again helps after a provider's error, and its kind."""
    if heals(status) or error in _DOWN:
        return "later", "later"
    if error == "access_denied":
        return "no", "user"
    if error in _INTERACTION:
        return "no", "interaction"
    if error == "invalid_grant":
        return "restart", "stale"
    return "no", "configuration"


class CallbackError(OidcError):
    """The client cannot accept the callback that the browser brought back."""

    fault = "callback"


class TransportFailure(OidcError):
    """An exchange with the provider did not come to an end.

    Attributes:
        sent: ``no`` if the request certainly never reached the provider, otherwise ``maybe``.
    """

    fault = "transport"

    def __init__(self, code: str, *, sent: str = "maybe", **facts: Unpack[Facts]) -> None:
        super().__init__(code, **facts)
        self.sent = sent


class StoreFailure(OidcError):
    """A store failed, or gave back something that was not put there."""

    fault = "store"


class UsageError(OidcError):
    """The calling code or its configuration is at fault; untrusted data never causes this."""

    fault = "usage"
