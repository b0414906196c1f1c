"""One run for each feature of the matrix. It fails, or returns what it saw."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from time import sleep, time
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.events import Event, RefreshRefused, TokensRefreshed
from oidc_adapters.transport import Transport
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.machine.grants import YOUNG
from oidc_core.model.records import Tokens
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import CallbackError, OidcError, ProviderError
from tests.interop.application import Application, Kind, cookie_pending
from tests.interop.browser import Endless, Stranded
from tests.interop.clients import POST_LOGOUT_REDIRECT_URI
from tests.interop.matrix import Cell, Feature
from tests.interop.parties import Party
from tests.refreshing import grants_by
from tests.refreshing import refreshed as refresh_now

Run = Callable[[Party, Transport], Cell]
ASKS_WHO: Final = {"login", "password"}
ASSERTION_AUDIENCE: Final = "assertion_audience_token_endpoint"
SHARING: Final = 8
"""Callers that ask for fresh tokens at the same moment."""

SHARING_TIMEOUT: Final = 30.0
UNLISTED_REVOCATION: Final = {"django_oauth_toolkit": "/revoke_token/"}
"""Where a provider revokes tokens, below its issuer, if its OpenID metadata does not say so."""

NO_REVOCATION: Final = "no `revocation_endpoint`"
UNPROVEN: Final = AuthenticationRequest(prompt="login", reauthentication="unproven")
PROVEN: Final = "proven by `auth_time`"
DEFAULT_MODES: Final = ("query", "fragment")
"""The response modes of a provider without this list in its metadata (Discovery §3)."""


def login(party: Party, transport: Transport) -> Cell:
    """Log in, with UserInfo, and once more, to see whether the provider keeps a session."""
    app = party.application(transport)
    logged_in = app.log_in()

    assert logged_in.identity.issuer == party.issuer
    assert logged_in.userinfo is not None
    assert logged_in.userinfo.sub == logged_in.identity.subject
    assert logged_in.missing_scope == ()
    claims = logged_in.id_token.claims.members
    asked = len(app.browser.pages)
    assert app.log_in().identity == logged_in.identity
    kept = ASKS_WHO.isdisjoint(app.browser.pages[asked:])
    return Cell(
        seen=(
            *(f"note `{note}`" for note in logged_in.notes),
            "`iss` in the response"
            if _answers_with_issuer(logged_in)
            else "no `iss` in the response",
            "`at_hash`" if "at_hash" in claims else "no `at_hash`",
            "`auth_time`" if "auth_time" in claims else "no `auth_time`",
            "keeps a session" if kept else "asks at every login",
            *_without(party, transport),
        ),
    )


def _without(party: Party, transport: Transport) -> Iterator[str]:
    """Log in without each quirk, which fails: the matrix names no quirk without need."""
    quirks = party.tried.quirks
    for quirk in quirks:
        fewer = tuple(each for each in quirks if each != quirk)
        without = replace(party, tried=replace(party.tried, quirks=fewer))
        with pytest.raises(ProviderError) as refusal:
            without.application(transport).log_in()
        assert quirk in refusal.value.hint
        yield f"without the quirk: `{refusal.value.error}`"


def _answers_with_issuer(logged_in: LoggedIn) -> bool:
    callback = logged_in.evidence.authorization_response
    assert callback is not None
    return {check.name: check.verdict for check in callback.checks}["iss"] == "passed"


def access_denied(party: Party, transport: Transport) -> Cell:
    """Refuse, on the page where the provider has a button or a link for that."""
    app = party.application(transport)
    try:
        arrival = app.browser.authorize(app.start(), cancel_at=party.refuses_at)
    except Stranded:
        return Cell(verdict="not offered", seen=("no button for it",))
    if "code" in arrival.parameters:
        return Cell(verdict="not offered", seen=("no page for it",))
    with pytest.raises((ProviderError, CallbackError)) as refusal:
        app.finish(arrival)
    if isinstance(refusal.value, ProviderError):
        return Cell(seen=_facts(refusal.value))
    state = "a `state`" if "state" in arrival.parameters else "no `state`"
    named = f"`{refusal.value.found}` in the error"
    return Cell(verdict="refused", code=refusal.value.code, seen=(state, named))


def _facts(refusal: ProviderError) -> tuple[str, ...]:
    assert refusal.code == "provider_error"
    return f"`{refusal.error}`", "with `iss`" if refusal.issuer_verified else "without `iss`"


def prompt_none(party: Party, transport: Transport) -> Cell:
    """Log in without a page, which a provider refuses to a user without a session."""
    app = party.application(transport)
    request = AuthenticationRequest(prompt="none")
    try:
        with pytest.raises(ProviderError) as refusal:
            app.log_in_silently(request)
    except Stranded as stranded:
        if stranded.status < 400:
            return Cell(verdict="fails", seen=("a login page",))
        raised = party.log().splitlines()[-1].partition(":")[0]
        return Cell(verdict="fails", seen=(f"HTTP {stranded.status}", f"`{raised}`"))
    app.log_in()
    second = _provider_error(lambda: app.log_in_silently(request))
    again = () if second is None else (f"`{second.error}` also after a login",)
    return Cell(seen=_facts(refusal.value) + again)


def prompt_login(party: Party, transport: Transport) -> Cell:
    """Ask a logged-in user to log in again, with a proof in the ID token.

    If that has no end, ask with a ``max_age`` of 60 seconds, and then without a proof.
    """
    app = party.application(transport)
    app.log_in()
    try:
        assert _again(app, AuthenticationRequest(prompt="login")) == PROVEN
    except Endless:
        return Cell(
            verdict="works with a setting",
            seen=(
                "`max_age=0`: asks without end",
                f"`max_age=60`: {_again(app, AuthenticationRequest(prompt='login', max_age=60))}",
                f"without a proof: {_again(app, UNPROVEN)}",
            ),
        )
    return Cell(seen=(PROVEN,))


def _again(app: Application, request: AuthenticationRequest) -> str:
    shown = len(app.browser.pages)
    evidence = app.log_in(request).evidence.id_token
    assert not ASKS_WHO.isdisjoint(app.browser.pages[shown:])
    passed = {check.name: check.verdict for check in evidence.checks}["auth_time"] == "passed"
    return PROVEN if passed else "asks once"


def signed_userinfo(party: Party, transport: Transport) -> Cell:
    """Register UserInfo signed by RS256."""
    alg = "RS256"
    app = party.application(transport, userinfo_signed_response_alg=alg)
    name = "userinfo_signing_alg_values_supported"
    if alg not in party.metadata().get(name, ()):
        strict = party.application(transport, userinfo="required", userinfo_signed_response_alg=alg)
        code = _refusal(strict.log_in)
        (note,) = app.log_in().notes
        assert note.startswith(f"userinfo: {code}")
        return Cell(verdict="not offered", code=code, seen=(_listed(party, name),))
    evidence = app.log_in().evidence.userinfo
    assert evidence is not None
    assert evidence.alg == alg
    return Cell()


def refresh(party: Party, transport: Transport) -> Cell:
    """Refresh, ask for UserInfo with the new tokens, and use the old refresh token once more."""
    app = party.application(transport)
    tokens = app.log_in().tokens
    stored: list[Tokens] = []
    refreshed = refresh_now(app.client, tokens, stored.append)

    assert stored == [refreshed.tokens]
    assert refreshed.tokens.access_token != tokens.access_token
    assert refreshed.claims_refreshed is (refreshed.id_token is not None)
    about_user = app.client.userinfo(refreshed.tokens)
    assert about_user.userinfo.sub == tokens.subject
    rotated = refreshed.tokens.refresh_token != tokens.refresh_token
    return Cell(
        seen=(
            "a new refresh token" if rotated else "the same refresh token",
            f"the old one: {_second_use(app, tokens)}",
            "a new ID token" if refreshed.claims_refreshed else "no ID token",
        ),
    )


def _second_use(app: Application, tokens: Tokens) -> str:
    refusal = _provider_error(lambda: refresh_now(app.client, tokens, lambda _: None))
    return "still good" if refusal is None else f"`{refusal.error}`"


def fresh_tokens_shared(party: Party, transport: Transport) -> Cell:
    """Let callers of two clients with one store ask for fresh tokens at once, after a refusal."""
    app = party.application(transport)
    tokens = app.log_in().tokens
    clock, heard = FrozenClock(int(time())), list[Event]()
    grants, (rp, shell) = grants_by(clock), (app.client.rp, app.client.shell)
    one, other = [
        OidcClient.of(rp, shell, cookie_pending(), grants=grants, on_event=heard.append)
        for _ in range(2)
    ]
    grant_id = one.keep(tokens)
    clock.advance(YOUNG)
    barrier = Barrier(SHARING)

    def ask(client: OidcClient) -> Tokens:
        barrier.wait(SHARING_TIMEOUT)
        return client.tokens(grant_id).fresh(refused=tokens.access_token)

    with ThreadPoolExecutor(SHARING) as callers:
        got = [*callers.map(ask, [one, other] * (SHARING // 2))]
    assert len({tokens.access_token, *[each.access_token for each in got]}) == 2
    assert one.userinfo(got[0]).userinfo.sub == tokens.subject
    exchanges = sum(isinstance(each, TokensRefreshed | RefreshRefused) for each in heard)
    return Cell(seen=(f"{SHARING} callers, {exchanges} exchange",))


def logout(party: Party, transport: Transport) -> Cell:
    """Log out and return to the application. The next login shows a login page."""
    app = party.application(transport)
    logged_out = app.log_out(app.log_in().tokens)

    assert logged_out.post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI
    assert app.jar.cookies == {}
    asks = "logout" in app.browser.pages
    shown = len(app.browser.pages)
    app.log_in()
    assert not ASKS_WHO.isdisjoint(app.browser.pages[shown:])
    return Cell(seen=("asks first" if asks else "asks nothing",))


def logout_of_a_session(party: Party, transport: Transport) -> Cell:
    """Log out by the name of a session whose tokens were refreshed, and return."""
    app = party.application(transport)
    logged_in = app.log_in()
    grant_id, clock = _kept(app, logged_in.tokens)
    clock.advance(YOUNG)
    session = app.client.tokens(grant_id)
    tokens = session.fresh()
    sleep(max(0.0, logged_in.id_token.iat + 1 - time()))  # two RS256 tokens of a second are alike
    assert session.fresh(refused=tokens.access_token).access_token != tokens.access_token

    redirect = app.client.start_logout(session=grant_id)

    (hint,) = parse_qs(urlsplit(redirect.url).query)["id_token_hint"]
    assert _refusal(session.fresh) == "grant_ended"
    assert app.leave(redirect).post_logout_redirect_uri == POST_LOGOUT_REDIRECT_URI
    shown = len(app.browser.pages)
    app.log_in()
    assert not ASKS_WHO.isdisjoint(app.browser.pages[shown:])
    of = "login" if hint == tokens.id_token else "refresh"
    return Cell(seen=(f"hints with the ID token of the {of}",))


def _kept(app: Application, tokens: Tokens, **policy: Any) -> tuple[str, FrozenClock]:
    """Have an application keep the tokens of a session; return its name, and the store's clock."""
    clock = FrozenClock(int(time()))
    rp, shell, pending = app.client.rp, app.client.shell, cookie_pending()
    rp = evolve(rp, policy=evolve(rp.policy, **policy))
    app.client = OidcClient.of(rp, shell, pending, grants=grants_by(clock))
    return app.client.keep(tokens), clock


def tokens_revoked_at_logout(party: Party, transport: Transport) -> Cell:
    """Log out by the name of the session, and use its tokens once more."""
    path = UNLISTED_REVOCATION.get(party.tried.key)
    if "revocation_endpoint" in party.metadata():
        assert path is None
        return Cell(seen=_after_revocation(party.application(transport)))
    without = party.application(transport)
    grant_id, _ = _kept(without, without.log_in().tokens, revoke_at_logout=True)
    (note,) = without.client.start_logout(session=grant_id).notes
    assert note.startswith("tokens not revoked")
    if path is None:
        return Cell(verdict="not offered", seen=(NO_REVOCATION,))
    told = {"revocation_endpoint": party.issuer + path}
    seen = _after_revocation(party.application(transport, overrides=told))
    return Cell(verdict="works with a setting", seen=(f"without: {NO_REVOCATION}", *seen))


def _after_revocation(app: Application) -> tuple[str, str]:
    """Log out of a session, and describe how the provider refuses its tokens."""
    tokens = app.log_in().tokens
    grant_id, _ = _kept(app, tokens, revoke_at_logout=True)

    assert app.client.start_logout(session=grant_id).notes == ()

    assert _refusal(app.client.tokens(grant_id).fresh) == "grant_ended"
    code = _refusal(lambda: app.client.userinfo(tokens))
    about_user = f"`{code}`" if code else "still good"
    return f"the refresh token: {_second_use(app, tokens)}", f"the access token: {about_user}"


def private_key_jwt(party: Party, transport: Transport) -> Cell:
    """Authenticate by a signed assertion, with the issuer as its audience or as the quirk says."""
    name = "token_endpoint_auth_methods_supported"
    if "private_key_jwt" not in party.metadata().get(name, ("client_secret_basic",)):
        return Cell(verdict="not offered", seen=(_listed(party, name),))
    kind = Kind(auth_method="private_key_jwt", assertion_alg="ES256")
    refusal = _provider_error(party.application(transport, kind=kind).log_in)
    if refusal is None:
        return Cell()
    assert ASSERTION_AUDIENCE in refusal.hint
    quirked = replace(party, tried=replace(party.tried, quirks=(ASSERTION_AUDIENCE,)))
    quirked.application(transport, kind=kind).log_in()
    without = f"without the quirk: `{refusal.error}`"
    return Cell(verdict="works with a setting", seen=(without,))


def _provider_error(act: Callable[[], Any]) -> ProviderError | None:
    try:
        act()
    except ProviderError as refusal:
        return refusal
    return None


def form_post(party: Party, transport: Transport) -> Cell:
    """Log in by a form that the browser posts."""
    app = party.application(transport)
    request = AuthenticationRequest(response_mode="form_post")
    name = "response_modes_supported"
    if "form_post" not in party.metadata().get(name, DEFAULT_MODES):
        code = _refusal(lambda: app.log_in(request))
        return Cell(verdict="not offered", code=code, seen=(_listed(party, name),))
    arrival = app.browser.authorize(app.start(request))
    assert arrival.form is not None
    app.finish(arrival)
    return Cell()


def _listed(party: Party, name: str) -> str:
    """Describe this list of the metadata."""
    values = party.metadata().get(name)
    return f"no `{name}`" if values is None else f"`{name}`: {', '.join(values)}"


def _refusal(act: Callable[[], Any]) -> str:
    """The error code of the library, or an empty string if there was no error."""
    try:
        act()
    except OidcError as refusal:
        return refusal.code
    return ""


RUNS: Final[Mapping[Feature, Run]] = {
    "login": login,
    "access denied": access_denied,
    "prompt=none": prompt_none,
    "prompt=login": prompt_login,
    "signed UserInfo": signed_userinfo,
    "refresh": refresh,
    "fresh tokens shared": fresh_tokens_shared,
    "logout": logout,
    "logout of a session": logout_of_a_session,
    "tokens revoked at logout": tokens_revoked_at_logout,
    "form_post": form_post,
    "private_key_jwt": private_key_jwt,
}
