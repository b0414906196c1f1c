"""The messages of a login, from one that runs while it is drawn: at the fake provider, in memory.

Of each message the picture has the names of its members, never their values.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

from oidc_adapters import ClientSetup, Shell
from oidc_adapters.testing import FakeProvider, InMemoryTransport
from oidc_core import Callback, Done, Exchange, RelyingParty, Step, discovery, login, resume
from oidc_core.wire.http import Answer, HttpResponse, WireRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")
BROWSER: Final = "Browser"
APPLICATION: Final = "Application"
LIBRARY: Final = "oidc_core"
PROVIDER: Final = "Provider"
_WORDS: Final = (
    "The application starts a login, and sends the browser to the provider. The user signs in, and"
    " the browser brings a code back. The library exchanges the code for tokens, reads the"
    " provider's keys and UserInfo, and tells the application who the user is."
)
_WIDEST: Final = 30
"""How many characters of names a message shows."""


@dataclass
class Recorder:
    """Writes down what is said in a login.

    Attributes:
        lines: as Mermaid has them.
    """

    lines: list[str] = field(default_factory=list[str])

    def says(self, who: str, to: str, what: str, *, answers: bool = False) -> None:
        """Write down a message."""
        self.lines.append(f"    {who}{'-->>' if answers else '->>'}{to}: {what}")

    def note(self, who: str, what: str) -> None:
        """Write down the state that somebody is in."""
        self.lines.append(f"    Note over {who}: {what}")


def picture() -> str:
    """Run a login, and return its messages for Mermaid."""
    recorder = Recorder()
    _log_in(recorder)
    return "\n".join(
        [
            "sequenceDiagram",
            "    accTitle: The messages of a login",
            f"    accDescr: {_WORDS}",
            *[f"    participant {who}" for who in (BROWSER, APPLICATION, LIBRARY, PROVIDER)],
            *recorder.lines,
            "",
        ]
    )


def _log_in(recorder: Recorder) -> None:
    """Log in as an application does, and write down what is said."""
    provider = FakeProvider()
    transport, setup = InMemoryTransport(provider), _setup(provider)
    shell = Shell(transport, setup.credentials(setup.relying_party()))
    driver = _Driver(recorder, transport, shell, setup.relying_party())

    recorder.says(BROWSER, APPLICATION, "GET /login")
    recorder.says(APPLICATION, LIBRARY, "login.start")
    rp = driver.run(discovery.discover(driver.rp))
    driver = _Driver(recorder, transport, shell, rp)
    shell.credentials = setup.credentials(rp)
    now = shell.clock.now()
    started = driver.run(login.start(rp, shell.entropy.login_secrets(), now=now))
    recorder.says(LIBRARY, APPLICATION, type(started).__name__, answers=True)
    recorder.says(APPLICATION, BROWSER, "redirect, with a cookie", answers=True)

    asked = urlsplit(started.url)
    names = [name for name, _ in parse_qsl(asked.query)]
    recorder.says(BROWSER, PROVIDER, f"GET {asked.path}{_listed(names)}")
    recorder.note(PROVIDER, "Alice signs in")
    came_back = provider.authorize(started.url, now=now)
    arrived = Callback.of(came_back.incoming())
    back = [name for name, _ in parse_qsl(came_back.encoded)]
    recorder.says(PROVIDER, BROWSER, f"redirect{_listed(back)}", answers=True)
    recorder.says(
        BROWSER, APPLICATION, f"GET {urlsplit(came_back.redirect_uri).path}{_listed(back)}"
    )
    recorder.says(APPLICATION, LIBRARY, "login.finish")
    finish = login.finish(rp, started.pending, arrived, binding=started.binding, now=now)
    done = driver.run(finish)
    recorder.says(LIBRARY, APPLICATION, type(done).__name__, answers=True)
    recorder.says(APPLICATION, BROWSER, "the page, and a session", answers=True)


def _setup(provider: FakeProvider) -> ClientSetup:
    return ClientSetup(
        issuer="https://op.example",
        client_id="client",
        client_secret=provider.clients[0].client_secret,
        redirect_uri="https://rp.example/callback",
        scope="openid profile email",
    )


@dataclass(frozen=True)
class _Driver:
    """The loop of a driver, which tells a recorder of each step and each exchange."""

    recorder: Recorder
    transport: InMemoryTransport
    shell: Shell
    rp: RelyingParty

    def run(self, step: Step[T]) -> T:
        """Drive an operation to its end."""
        while not isinstance(step, Done):
            self.recorder.note(LIBRARY, type(step).__name__)
            before = len(self.transport.exchanges)
            if isinstance(step, Exchange):
                step = resume(self.rp, step, self.shell.send(step.request))
            else:
                step = resume(self.rp, step, self.shell.keys(step.wanted))
            for request, answer in self.transport.exchanges[before:]:
                self._exchanged(request, answer)
        return step.result

    def _exchanged(self, request: WireRequest, answer: Answer) -> None:
        """Write an exchange down."""
        path = urlsplit(request.url).path
        form = [name for name, _ in parse_qsl((request.body or b"").decode())]
        self.recorder.says(LIBRARY, PROVIDER, f"{request.method} {path}{_listed(form)}")
        if not isinstance(answer, HttpResponse):
            raise TypeError(answer)
        names = list(json.loads(answer.body))
        self.recorder.says(PROVIDER, LIBRARY, f"{answer.status}{_listed(names)}", answers=True)


def _listed(names: Sequence[str]) -> str:
    """Return the first names of members in brackets, or nothing."""
    shown = [*names]
    while len(", ".join(shown)) > _WIDEST:
        shown.pop()
    more = ["…"] if len(shown) < len(names) else []
    return f" ({', '.join([*shown, *more])})" if names else ""
