"""The observations of an attack: what providers, browsers and the attacker saw.

A judge reads nothing else.  Nothing here comes from the evidence of the library, except the answers
that an application acts on.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import parse_qsl

from attrs import define, field, frozen

from oidc_adapters.testing.parties import Members

CallKind: TypeAlias = Literal[
    "start", "finish", "fresh", "leave", "return", "backchannel", "frontchannel"
]
Purpose: TypeAlias = Literal[
    "discovery", "keys", "token", "refresh", "userinfo", "revocation", "other"
]

SECRETS: Final = frozenset(
    {
        "access_token",
        "code",
        "code_challenge",
        "code_verifier",
        "id_token",
        "id_token_hint",
        "logout_token",
        "nonce",
        "refresh_token",
        "session",
        "sid",
        "state",
        "token",
    }
)
"""Parameters whose values a trace names and does not show."""


class Flaw(NamedTuple):
    """A broken invariant: its name, and the reason."""

    invariant: str
    why: str


def parameters_of(url: str) -> dict[str, str]:
    """Return the parameters of a URL; of a repeated one the first value."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(url.partition("?")[2], keep_blank_values=True):
        found.setdefault(name, value)
    return found


@frozen(kw_only=True, eq=False)
class Login:
    """A login that the application began, as its authorization URL shows it.

    Attributes:
        browser: the name of the browser that it was begun in.
        issuer: whose authorization endpoint the URL is.
        parameters: of the URL.
        cookies: the values that were set in the browser.
        at: when, in seconds since the epoch.
    """

    browser: str
    issuer: str
    parameters: Mapping[str, str] = field(repr=False)
    cookies: tuple[str, ...] = field(repr=False)
    at: int

    def asked(self, name: str) -> str:
        """Return a parameter, or an empty text."""
        return self.parameters.get(name, "")


@frozen(kw_only=True, eq=False)
class IssuedTo:
    """An authorization response of the honest provider: which browser and user it was for.

    Attributes:
        issuer: the provider.
        browser: the browser that brought the request.
        sub: the user who was signed in there.
        parameters: of the request.
        at: when, in seconds since the epoch.
    """

    issuer: str
    browser: str
    sub: str
    parameters: Mapping[str, str] = field(repr=False)
    at: int


@define(kw_only=True, eq=False)
class Sent:
    """A request of the application to a provider, and the answer.

    Attributes:
        issuer: whose provider it went to, empty for an unknown host.
        url: where to, without a query.
        purpose: the kind of request.
        form: the posted parameters.
        status: of the answer, 0 without one.
        members: of the JSON answer that the provider gave.
        lost: ``no`` if the request never arrived, ``maybe`` if the answer did not; empty otherwise.
        at: when, in seconds since the epoch.
    """

    issuer: str
    url: str
    purpose: Purpose
    form: Mapping[str, str] = field(repr=False)
    status: int = 0
    members: Members = field(factory=dict[str, object], repr=False)
    lost: Literal["", "no", "maybe"] = ""
    at: int


@frozen(kw_only=True, eq=False)
class Entry:
    """A user who is logged in, as the application sees it.

    Attributes:
        session: the name of the session.
        issuer, sub: who it is.
        with_userinfo: whether the application got claims of UserInfo.
    """

    session: str = field(repr=False)
    issuer: str
    sub: str
    with_userinfo: bool


@define(kw_only=True, eq=False)
class Call:
    """A call at the application, and everything that came of it.

    Attributes:
        kind: which call.
        browser: the browser that made it; empty for a provider or the attacker's own machine.
        process: which process of the application took it.
        url: the address of the application, without a query.
        given: the parameters.
        at: when, in seconds since the epoch.
        sent: the requests that the application sent meanwhile.
        code: the code of a refusal, empty after a success.
        retryable: as the refusal says.
        status: of the reply to a logout.
        entry: of a login that was completed.
        login: of a login that was begun.
        token: the access token that was handed out.
        ended: the sessions that the application was told to end meanwhile.
    """

    kind: CallKind
    browser: str
    process: int
    url: str = ""
    given: Mapping[str, str] = field(factory=dict[str, str], repr=False)
    at: int
    sent: list[Sent] = field(factory=list[Sent])
    code: str = ""
    retryable: str = ""
    status: int = 0
    entry: Entry | None = None
    login: Login | None = None
    token: str = field(default="", repr=False)
    ended: list[str] = field(factory=list[str], repr=False)


@define(kw_only=True, eq=False)
class Held:
    """A session of the application, as those outside know it.

    Attributes:
        name: its name.
        browser: where it was begun.
        issuer, sub, sid: who logged in, and the provider's name of the session.
        began: when its login began, in seconds since the epoch.
        issued: when its ID token was issued.
        nonce: of its login.
        access_tokens: each with the answer that it came in.
        refresh_tokens: every one that it had.
        handed: the access token that the application got last.
        code: of its login.
        ended: why it has ended, empty while it lives.
        disturbed: whether an answer was lost or the provider took its grant back.
    """

    name: str = field(repr=False)
    browser: str
    issuer: str
    sub: str
    sid: str = field(repr=False)
    began: int
    issued: int
    nonce: str = field(repr=False)
    access_tokens: dict[str, Sent] = field(factory=dict[str, Sent], repr=False)
    refresh_tokens: set[str] = field(factory=set[str], repr=False)
    handed: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    ended: str = ""
    disturbed: bool = False


@define(eq=False)
class History:
    """All observations so far.

    Attributes:
        client_ids: the application's identifier at each issuer.
        calls: the calls at the application that have come to their end, in that order.
        logins: the begun logins by their state.
        codes: who each code of the honest provider was issued to.
        sessions: by name.
        keys: the keys that each issuer has published, as far as anybody asked.
        told: the identifiers of logout tokens that were taken.
        returned: the states of the logins that came back to where they began.
        exchanged: the states of the logins that a code was sent for.
        secrets: the values of earlier logins that must not come again.
        refreshes: what was sent with each refresh token, in that order.
        logouts: the claims of the logout tokens that were taken, each with the time.
        leaked: the codes and states that the attacker has seen.
        controlled: the browsers that the attacker owns.
        most_sends: how often a refresh token may be sent.
        lines: who did what, for a trace.
    """

    client_ids: Mapping[str, str]
    most_sends: int = 2
    calls: list[Call] = field(factory=list[Call])
    logins: dict[str, Login] = field(factory=dict[str, Login])
    codes: dict[str, IssuedTo] = field(factory=dict[str, IssuedTo])
    sessions: dict[str, Held] = field(factory=dict[str, Held])
    keys: dict[str, list[Members]] = field(factory=dict[str, list[Members]])
    told: set[str] = field(factory=set[str])
    returned: set[str] = field(factory=set[str])
    exchanged: set[str] = field(factory=set[str])
    secrets: set[str] = field(factory=set[str])
    leaked: set[str] = field(factory=set[str])
    controlled: frozenset[str] = frozenset({"mallory"})
    refreshes: dict[str, list[Sent]] = field(factory=dict[str, list[Sent]])
    logouts: list[tuple[int, Members]] = field(factory=list[tuple[int, Members]])
    lines: list[tuple[str, str, Mapping[str, str]]] = field(
        factory=list[tuple[str, str, Mapping[str, str]]]
    )

    def tell(self, who: str, did: str, facts: Mapping[str, str] | None = None) -> None:
        """Write a line of the trace."""
        self.lines.append((who, did, facts or {}))

    def trace(self) -> str:
        """Return who did what, a line each; a secret has a name in the place of its value."""
        names: dict[str, str] = {}
        drawn: dict[str, int] = {}

        def shown(name: str, value: str) -> str:
            if name not in SECRETS or not value:
                return value
            if value not in names:
                drawn[name] = drawn.get(name, 0) + 1
                names[value] = f"<{name} {drawn[name]}>"
            return names[value]

        return "\n".join(
            " ".join([f"{who}: {did}", *(f"{n}={shown(n, v)}" for n, v in facts.items())])
            for who, did, facts in self.lines
        )
