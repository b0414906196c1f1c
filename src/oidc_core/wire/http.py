"""The messages between core and world: requests, answers, placeholders.

The core *describes* a request.  An adapter prepares it, that is, it replaces the values that only
it can know (a client secret, a freshly signed assertion), and sends it.  So nothing the core holds,
keeps or prints contains a client secret or a private key.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias, cast

from attrs import evolve, field, fields, frozen

from oidc_core.wire.addresses import Reach
from oidc_core.wire.causes import CAUSES
from oidc_core.wire.codes import CODES
from oidc_core.wire.encoding import percent_encode
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject, render
from oidc_core.wire.limits import LIMITS, Limits
from oidc_core.wire.settings import check_fields, fields_of, pairs
from oidc_core.wire.way import NOT_TOLD, Channel, ChannelState, Way

Role: TypeAlias = Literal["authorization_server", "resource"]
Resend: TypeAlias = Literal["never", "if_unsent", "safe"]
Sent: TypeAlias = Literal["no", "maybe"]
Source: TypeAlias = Literal["solicited", "unsolicited"]
Purpose: TypeAlias = Literal["discovery", "key_set", "token", "refresh", "userinfo", "revocation"]


DEADLINE: Final = 10
"""How many seconds an exchange may take, connecting included."""

NO_CACHE: Final = ("cache-control", "no-cache")
"""Asks the caches between to ask the provider itself (RFC 9111 §5.2.1.4)."""

_KEYS_ACCEPTED: Final = ("accept", "application/json, application/jwk-set+json")


@frozen(kw_only=True)
class ClientSecret:
    """In place of a form value: the secret of this client at this issuer."""

    issuer: str
    client_id: str


class BasicCredentials(NamedTuple):
    """In place of an ``Authorization`` header: HTTP Basic with the client's secret.

    ``raw`` leaves out the percent-encoding of RFC 6749 §2.3.1, as several providers expect.
    """

    issuer: str
    client_id: str
    raw: bool


@frozen(kw_only=True)
class ClientAssertion:
    """In place of a form value: a JWT that authenticates the client (RFC 7523 §3).

    It is signed again for each transmission. ``alg`` is ``HS256`` and the like for
    ``client_secret_jwt``, otherwise the algorithm of the client's key.
    """

    issuer: str
    client_id: str
    audience: str
    alg: str
    lifetime: int


class DpopProof(NamedTuple):
    """In place of the header ``dpop``: a proof that the client has a key (RFC 9449 §4).

    It is signed again for each transmission, with the key of that thumbprint.

    Attributes:
        issuer, client_id: whose key it is.
        thumbprint: the key's JWK thumbprint (RFC 7638), the ``jkt`` of RFC 9449 §6.1.
        htm: the method of the request.
        htu: its URL without query and fragment.
        ath: the hash of the access token that is sent along, or empty.
        nonce: the server's nonce; ``None`` leaves it to the adapter's memory of that server.
        demanded: whether the server asked for that nonce in answer to this same request.
    """

    issuer: str
    client_id: str
    thumbprint: str
    htm: str
    htu: str
    ath: str | None = None
    nonce: str | None = None
    demanded: bool = False


Placeholder: TypeAlias = ClientSecret | BasicCredentials | ClientAssertion | DpopProof
"""In place of a value that only an adapter can know."""

ParameterValue: TypeAlias = str | int | JsonObject | Placeholder
"""Text, number, JSON, or a placeholder: how it is written depends on where it is sent."""

Parameters: TypeAlias = tuple[tuple[str, ParameterValue], ...]
"""Names and values, in order: the parts of a request before it is known how they are sent."""


Fill: TypeAlias = Callable[[Placeholder], str]
"""Returns the value of a placeholder, for one transmission."""


def unfilled(value: Placeholder) -> NoReturn:
    """Refuse a placeholder where no adapter fills one in.

    Raises:
        UsageError: ``credential_missing``.
    """
    raise UsageError("credential_missing", about=type(value).__name__, expected=value.issuer)


def written(parameters: Parameters, fill: Fill = unfilled) -> tuple[tuple[str, str], ...]:
    """Return parameters as text."""
    return tuple([(n, v if isinstance(v, str) else _text(v, fill)) for n, v in parameters])


def form_encoded(parameters: Parameters, fill: Fill = unfilled) -> str:
    """Return parameters as ``application/x-www-form-urlencoded`` text, for a query or a body.

    Their names need no encoding: they are made of letters, digits and ``-._`` (RFC 6749 §8.2).  A
    space in a value becomes ``%20``, which every server reads.
    """
    return "&".join(
        [
            f"{n}={percent_encode(v if isinstance(v, str) else _text(v, fill))}"
            for n, v in parameters
        ]
    )


def _text(value: int | JsonObject | Placeholder, fill: Fill) -> str:
    if isinstance(value, int):
        return str(value)
    return fill(value) if isinstance(value, Placeholder) else render(value)


def placeholders(parameters: Parameters) -> tuple[Placeholder, ...]:
    """Return the placeholders that only an adapter can fill in, in order."""
    odd = [value for _, value in parameters if not isinstance(value, str)]
    return tuple([value for value in odd if not isinstance(value, (int, JsonObject))])


@frozen(kw_only=True)
class HttpRequest:
    """One request to be sent once, after it was prepared.

    Attributes:
        purpose: its purpose; an adapter may log it.
        method: ``GET`` or ``POST``.
        url: an absolute URL, to be used verbatim, as the provider publishes it.
        way: how it goes over the network.
        headers: names in lower case with values or placeholders.
        form: the body as names and values or placeholders, or ``None`` for no body.
        issuer: the issuer identifier of the provider it belongs to.
        client_id: the client on whose behalf it is sent.
        role: whether it goes to the authorization server or to a resource.
        resend: ``never``, ``if_unsent`` (again if no octet left) or ``safe``.
        max_body: how many octets of an answer's body are read before giving up.
        deadline: seconds for the whole exchange, connecting included.
    """

    purpose: Purpose
    method: str
    url: str
    way: Way
    headers: Parameters = field(repr=False)
    form: Parameters | None = field(default=None, repr=False)
    issuer: str
    client_id: str
    role: Role = "authorization_server"
    resend: Resend
    max_body: int
    deadline: int = DEADLINE


@frozen(kw_only=True)
class KeysWanted:
    """A wish for a provider's key set.

    Attributes:
        issuer: the provider's identity.
        client_id: the client on whose behalf it is asked.
        jwks_uri: where the set is published.
        max_age: seconds after which a stored set must be fetched again.
        newer_than: if given, a set fetched at that time or before does not do: it lacks a key.
        missing_kid: the key it lacks, if the token names one.
        source: ``solicited`` if the token came from the provider itself, ``unsolicited`` if a
            browser or a stranger brought it, so that strangers cannot use up the fetches of the
            former.
        way: how a request for it goes over the network.
        limits: how large it may be.
    """

    issuer: str
    client_id: str
    jwks_uri: str
    max_age: int
    newer_than: int | None = None
    missing_kid: str | None = None
    source: Source
    way: Way
    limits: Limits = LIMITS

    @property
    def kept_under(self) -> tuple[object, ...]:
        """The key of the set in a store: everything that decides which set is found.

        One that anybody could have sent serves no policy that wants the server verified.
        """
        return _DECIDE_THE_SET(self)

    @property
    def request(self) -> HttpRequest:
        """The request that fetches the set; a cache must not answer with an older set."""
        return HttpRequest(
            purpose="key_set",
            method="GET",
            url=self.jwks_uri,
            way=self.way,
            headers=(_KEYS_ACCEPTED,) if self.newer_than is None else (_KEYS_ACCEPTED, NO_CACHE),
            issuer=self.issuer,
            client_id=self.client_id,
            resend="safe",
            max_body=self.limits.key_set,
        )


_DECIDE_THE_FETCH: Final = frozenset(
    {"client_id", "max_age", "newer_than", "missing_kid", "source"}
)
_SIZES: Final = ("limits.key_set", "limits.keys", "limits.members")
_DECIDE_THE_SET: Final[Callable[[KeysWanted], tuple[object, ...]]] = attrgetter(
    *[each.name for each in fields(KeysWanted) if each.name not in _DECIDE_THE_FETCH | {"limits"}],
    *_SIZES,
)
"""Every member except those that only decide when a set is fetched: an added member counts."""


@frozen(kw_only=True)
class WireRequest:
    """A prepared request: what goes over the wire.  Transports take nothing else.

    It has the members of the request that it was made of. ``deadline`` is what is left of that
    request's, in seconds, so that waiting for a turn counts too. ``reach`` says which addresses may
    be connected to.
    """

    method: str
    url: str
    reach: Reach = "public"
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes | None = field(repr=False)
    resend: Resend
    max_body: int
    deadline: float

    def __reduce__(self) -> NoReturn:
        message = "a prepared request holds credentials and is not pickled"
        raise TypeError(message)


def _channel(told: Channel | ChannelState) -> Channel:
    if isinstance(told, Channel):
        return told
    if not isinstance(cast("object", told), str):
        raise UsageError("answer_unexpected", found=type(told).__name__, about="channel")
    return Channel(told)


@frozen
class HttpResponse:
    """A whole answer.

    Attributes:
        status: the HTTP status code.
        headers: names in lower case with values, in the order received.
        body: the octets of the body, without any Content-Encoding.
        received_at: when it was received, in seconds since the epoch.
        channel: the transport's facts about the way it came; for the server alone, a word is
            enough.

    Raises:
        UsageError: ``answer_unexpected`` for a value that is not a channel.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False, converter=pairs)
    body: bytes = field(repr=False)
    received_at: int
    channel: Channel = field(default=NOT_TOLD, converter=_channel)

    def __attrs_post_init__(self) -> None:
        check_fields(self, _RESPONSE)

    def header(self, name: str) -> str | None:
        """Return the first header of that lower-case name."""
        for header, value in self.headers:
            if header == name:
                return value
        return None

    @property
    def media_type(self) -> str:
        """The media type in lower case without parameters, or an empty string.

        Where several headers name different ones, all of them, which is the type of nothing: which
        of them another reader believes, nobody knows.
        """
        named = dict(self.headers)
        if len(named) == len(self.headers):  # no name is there twice
            return named.get("content-type", "").partition(";")[0].strip().lower()
        each = [evolve(self, headers=(h,)) for h in self.headers if h[0] == "content-type"]
        return ", ".join(dict.fromkeys([one.media_type for one in each]))


_RESPONSE: Final = fields_of(HttpResponse, "parameter_invalid")


@frozen
class NoAnswer:
    """The exchange failed: no answer, or no usable one.

    Attributes:
        sent: ``no`` if the request certainly never reached the provider, otherwise ``maybe``.
        code: ``http_timeout``, ``http_connect_failed``, ``address_not_allowed``, ``tls_failed``,
            ``http_malformed``, ``http_too_large`` or ``content_encoding_unexpected``.
        at: when that was certain, in seconds since the epoch.
        cause: why, out of :data:`oidc_core.wire.causes.CAUSES`; empty if the transport cannot tell.

    Raises:
        UsageError: ``answer_unexpected`` for a code that no failure of an exchange has, or a cause
            that is not in the table.
    """

    sent: Sent
    code: str
    at: int
    cause: str = ""

    def __attrs_post_init__(self) -> None:
        check_fields(self, _NO_ANSWER)
        row = CODES.get(self.code)
        if row is None or row.fault != "transport":
            raise UsageError("answer_unexpected", found=self.code, about="NoAnswer")
        if self.cause and self.cause not in CAUSES:
            raise UsageError("answer_unexpected", found=self.cause, about="cause")


_NO_ANSWER: Final = fields_of(NoAnswer, "parameter_invalid")

Answer: TypeAlias = HttpResponse | NoAnswer


class AnswerTo(NamedTuple):
    """An answer with the request that it was given to, written down by the shell that sent it.

    Attributes:
        request: the request, as the step asked for it.
        answer: the answer, or the failure.
    """

    request: HttpRequest
    answer: Answer
