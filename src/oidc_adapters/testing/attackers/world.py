"""The world of an attack: browsers, providers, the application, and what the attacker knows.

Each method is one small thing that somebody does.  Everything is written down in the history.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlencode

from attrs import Factory, define, field, frozen

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing.attackers.application import (
    BACKCHANNEL,
    FRONTCHANNEL,
    HOME,
    LOGGED_OUT,
    REDIRECT_URIS,
    Application,
)
from oidc_adapters.testing.attackers.browsers import Browser, Tab
from oidc_adapters.testing.attackers.forging import taken_apart
from oidc_adapters.testing.attackers.hostile import HostileProvider
from oidc_adapters.testing.attackers.judge import Judge, judged, settle, take_in
from oidc_adapters.testing.attackers.knowledge import Knowledge
from oidc_adapters.testing.attackers.network import LaxProvider, Network
from oidc_adapters.testing.attackers.observations import (
    Call,
    CallKind,
    Entry,
    Flaw,
    Held,
    History,
    IssuedTo,
    Login,
    parameters_of,
)
from oidc_adapters.testing.attackers.settings import AttackSettings
from oidc_adapters.testing.dialect import Dialect
from oidc_adapters.testing.oauth_messages import RequestRefused
from oidc_adapters.testing.parties import ALICE, BOB, BackchannelLogout, FakeClient, FakeUser
from oidc_adapters.testing.provider import FakeProvider
from oidc_core.wire.errors import OidcError
from oidc_core.wire.incoming import Incoming

HONEST: Final = "https://honest.example"
HOSTILE: Final = "https://hostile.example"
EVIL: Final = "https://evil.example/callback"
EVIL_CLIENT: Final = "evil"
NOW: Final = 1_700_000_000
BROWSERS: Final = ("alice", "bob", "mallory")
"""Two victims, and the attacker, who has an account at the honest provider too."""

MALLORY: Final = FakeUser(sub="mallory", claims={"name": "Mallory"})
_USERS: Final = (ALICE, BOB, MALLORY)
_IDS: Final = {HONEST: "client", HOSTILE: "customer"}
_SECRET: Final = "the secret of 64 octets that the application has at a provider " + 8 * "x"


def own_client(issuer: str, layout: str) -> FakeClient:
    """Return the application's client at a provider."""
    place = (HONEST, HOSTILE).index(issuer)
    return FakeClient(
        client_id=_IDS[issuer],
        client_secret=_SECRET,
        redirect_uris=(REDIRECT_URIS[layout][place],),
        post_logout_redirect_uris=(LOGGED_OUT,),
        backchannel_logout_uri=BACKCHANNEL,
        frontchannel_logout_uri=FRONTCHANNEL,
    )


_EVIL: Final = FakeClient(client_id=EVIL_CLIENT, redirect_uris=(EVIL,))


def honest_provider(settings: AttackSettings, layout: str) -> FakeProvider:
    """Return the honest provider, with the attacker's own application as a second client."""
    kind = LaxProvider if settings.codes_of_any_client else FakeProvider
    without = tuple([f"id_token.{name}" for name in settings.id_token_without])
    return kind(
        issuer=HONEST,
        clients=(own_client(HONEST, layout), _EVIL),
        users=_USERS,
        id_token_alg="EdDSA",
        dialect=Dialect(pkce=settings.pkce, without=without),
        seed=1,
    )


def hostile_provider(layout: str) -> HostileProvider:
    """Return the hostile provider."""
    client = own_client(HOSTILE, layout)
    return HostileProvider(
        issuer=HOSTILE, clients=(client,), users=_USERS, id_token_alg="EdDSA", seed=2
    )


@frozen(eq=False)
class Mail:
    """A logout token on its way to the application, from its provider or from the attacker."""

    token: str = field(repr=False)
    sent: BackchannelLogout | None = None


@define(eq=False)
class World:
    """Everybody who takes part.

    Attributes:
        honest, hostile: the providers.
        network: between application and providers.
        application: the attacked one.
        clock: which everybody goes by.
        history: everything that was observed.
        knowledge: what the attacker knows.
        browsers: by name.
        mail: logout tokens of the honest provider that did not arrive yet.
        reached: the names of the things that happened in this run.
        judge: says which invariant a call breaks.
        flaws: what it said.
    """

    honest: FakeProvider
    hostile: HostileProvider
    network: Network
    application: Application
    clock: FrozenClock
    history: History
    knowledge: Knowledge = field(
        default=Factory(lambda self: Knowledge(self.history.leaked), takes_self=True)
    )
    browsers: dict[str, Browser] = field(
        factory=lambda: {name: Browser(name, name == "mallory") for name in BROWSERS}
    )
    mail: list[Mail] = field(factory=list[Mail])
    reached: set[str] = field(factory=set[str])
    judge: Judge = judged
    flaws: list[Flaw] = field(factory=list[Flaw])

    # --- browsers --------------------------------------------------------------------------------

    def open(
        self, browser: Browser, tab: Tab, url: str, *, process: int = 0, approve: bool = True
    ) -> None:
        """Let a tab open a URL: of a provider, of the application, or of the attacker."""
        tab.shown, tab.following = url, ""
        base = url.partition("?")[0]
        if browser.controlled or base in {EVIL, f"{HOSTILE}/authorize"}:
            self.knowledge.see(url)
        for provider in (self.honest, self.hostile):
            if base == f"{provider.issuer}/authorize":
                tab.following = self._authorize(provider, browser, url, approve=approve)
            elif base == f"{provider.issuer}/end-session":
                tab.following = self._end_session(provider, browser, url)
        if base == EVIL:
            self._take_in(url)
        elif base == LOGGED_OUT:
            self._return(browser, url, process)
        elif base.startswith(f"{HOME}/callback"):
            self._finish(browser, url, process)
        if browser.controlled and tab.following:
            self.knowledge.see(tab.following)

    def _authorize(
        self, provider: FakeProvider, browser: Browser, url: str, *, approve: bool
    ) -> str:
        now, issuer, asked = self.clock.now(), provider.issuer, parameters_of(url)
        session = browser.at.get(issuer)
        try:
            response = provider.authorize(
                url, now, user=browser.name, approve=approve, session=session
            )
        except RequestRefused as refused:
            self._tell(browser, f"is refused by {issuer}: {refused.error_description}", asked)
            return ""
        self._tell(browser, f"is answered by {issuer}", asked)
        if response.session is not None:
            browser.at[issuer] = response.session
            code = response.parameter("code")
            if issuer == HONEST and code is not None:
                self.history.codes[code] = IssuedTo(
                    issuer=issuer,
                    browser=browser.name,
                    sub=response.session.sub,
                    parameters=asked,
                    at=now,
                )
        if issuer == HOSTILE:
            self.knowledge.see(response.url)
        return response.url

    def _end_session(self, provider: FakeProvider, browser: Browser, url: str) -> str:
        try:
            place = provider.end_session(url, self.clock.now())
        except RequestRefused:
            return ""
        browser.at.pop(provider.issuer, None)
        self._tell(browser, f"leaves {provider.issuer}", {})
        return place or ""

    def _take_in(self, url: str) -> None:
        """Let the attacker's own application take a response."""
        code = parameters_of(url).get("code")
        if code is not None:
            self.knowledge.see_code(code)
            self.reached.add("a code of the attacker's own")

    def _tell(self, browser: Browser, did: str, facts: Mapping[str, str]) -> None:
        self.history.tell(f"{browser.name}'s browser", did, facts)

    # --- the application -------------------------------------------------------------------------

    @contextmanager
    def calling(
        self,
        kind: CallKind,
        browser: str,
        process: int,
        url: str = "",
        given: Mapping[str, str] | None = None,
    ) -> Generator[Call]:
        """Call the application, and write down its refusal and the requests that it sent."""
        facts = given or {}
        now, before = self.clock.now(), len(self.application.ended)
        call = Call(kind=kind, browser=browser, process=process, url=url, given=facts, at=now)
        who = f"{browser}'s browser" if browser else "a message"
        self.history.tell(who, f"calls {kind} {url}".strip(), facts)
        self.network.calls.append(call)
        try:
            yield call
        except OidcError as error:
            call.code, call.retryable = error.code, error.retryable
            if browser in self.browsers:
                self.browsers[browser].receive(error.cookies)
        finally:
            self.network.calls.remove(call)
        call.ended = self.application.ended[before:]
        outcome = call.code or (f"status {call.status}" if call.status else "done")
        self.history.tell("application", f"{kind}: {outcome}")
        self._judged(call)

    def _judged(self, call: Call) -> None:
        """Judge a call at once; a flaw is kept, since nobody would hear of it in other threads."""
        take_in(self.history, call)
        self.history.calls.append(call)
        flaw = self.judge(self.history, call)
        if flaw is not None:
            self.flaws.append(flaw)
        settle(self.history, call)

    def start(self, browser: Browser, tab: Tab, issuer: str, process: int) -> None:
        """Let a browser begin a login at the application."""
        with self.calling("start", browser.name, process, given={"issuer": issuer}) as call:
            page = self.application.start(process, issuer, browser.header)
            browser.receive(page.cookies)
            parameters = parameters_of(page.url)
            call.login = Login(
                browser=browser.name,
                issuer=issuer,
                parameters=parameters,
                cookies=tuple([each.value for each in page.cookies if each.max_age]),
                at=self.clock.now(),
            )
            self.history.logins.setdefault(parameters.get("state", ""), call.login)
            tab.shown, tab.following = HOME, page.url
            if browser.controlled:
                self.knowledge.see(page.url)

    def _finish(self, browser: Browser, url: str, process: int) -> None:
        base, _, query = url.partition("?")
        incoming = Incoming(method="GET", url=base, query=query, cookie=browser.header)
        given = parameters_of(url)
        with self.calling("finish", browser.name, process, base, given) as call:
            result = self.application.finish(process, incoming)
            browser.receive(result.cookies)
            found = result.logged_in
            call.entry = Entry(
                session=result.grant_id,
                issuer=found.identity.issuer,
                sub=found.identity.subject,
                with_userinfo=found.userinfo is not None,
            )
            browser.sessions.append(result.grant_id)
            self._hold(browser, call, call.entry)

    def _hold(self, browser: Browser, call: Call, entry: Entry) -> None:
        """Write a session down, as its provider answered."""
        login = self.history.logins.get(call.given.get("state", ""))
        answers = [each for each in call.sent if each.purpose == "token" and each.status == 200]
        if login is None or not answers:
            return
        answer = answers[-1]
        claims = taken_apart(str(answer.members.get("id_token", ""))).claims
        issued = claims.get("iat")
        held = Held(
            name=entry.session,
            browser=browser.name,
            issuer=entry.issuer,
            sub=entry.sub,
            sid=str(claims.get("sid", "")),
            began=login.at,
            issued=issued if isinstance(issued, int) else call.at,
            nonce=login.asked("nonce"),
            code=call.given.get("code", ""),
        )
        held.handed = str(answer.members.get("access_token", ""))
        held.access_tokens[held.handed] = answer
        held.refresh_tokens.add(str(answer.members.get("refresh_token", "")))
        self.history.sessions[entry.session] = held
        if entry.issuer == HONEST:
            self.reached.add("an honest login")

    # --- sessions --------------------------------------------------------------------------------

    def fresh(self, held: Held, process: int, *, refused: str | None = None) -> None:
        """Let the application ask for an access token of a session."""
        given = {"session": held.name, "access_token": refused or ""}
        with self.calling("fresh", "", process, given=given) as call:
            call.token = self.application.fresh(process, held.issuer, held.name, refused=refused)

    def leave(self, held: Held, process: int) -> str:
        """Let a user log out at the application; return where the browser goes."""
        browser = self.browsers[held.browser]
        with self.calling("leave", browser.name, process, given={"session": held.name}):
            page = self.application.leave(process, held.issuer, held.name, browser.header)
            browser.receive(page.cookies)
            held.ended = held.ended or "its user left"
            return page.url
        return ""

    def _return(self, browser: Browser, url: str, process: int) -> None:
        base, _, query = url.partition("?")
        incoming = Incoming(method="GET", url=base, query=query, cookie=browser.header)
        with self.calling("return", browser.name, process, base, parameters_of(url)):
            self.application.returned(process, incoming)

    def post(self, token: str, process: int) -> Call:
        """Post a logout token to the application: anybody can."""
        body = f"logout_token={token}".encode("ascii", "replace")
        kind = "application/x-www-form-urlencoded"
        incoming = Incoming(method="POST", url=BACKCHANNEL, body=body, content_type=kind)
        given = {"logout_token": token}
        with self.calling("backchannel", "", process, BACKCHANNEL, given) as call:
            call.status = self.application.backchannel(process, incoming).status
        return call

    def frame(self, issuer: str, sid: str, process: int) -> None:
        """Let a browser load the frame that ends a session: anybody can."""
        given = {"iss": issuer, "sid": sid}
        incoming = Incoming(method="GET", url=FRONTCHANNEL, query=urlencode(given))
        with self.calling("frontchannel", "", process, FRONTCHANNEL, given) as call:
            call.status = self.application.frontchannel(process, incoming).status

    def meanwhile(self, happens: Callable[[], None] | None) -> None:
        """Let something happen during the next refresh."""
        self.network.meanwhile = happens
