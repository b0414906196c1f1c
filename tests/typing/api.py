"""Every public name, used as a stranger would: for mypy and pyright, and run once by a test."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import evolve

from oidc_adapters import (
    AsyncConnections,
    AsyncOidcClient,
    AsyncSessionTokens,
    AsyncShell,
    AsyncTransport,
    ClientSetup,
    Connections,
    Credentials,
    EndedSession,
    FixedEntropy,
    FrozenClock,
    Grace,
    Grants,
    LoginResult,
    LogoutResult,
    MemoryPendingLogins,
    OidcClient,
    PendingLogins,
    ProviderKeys,
    Redirect,
    SessionTokens,
    Shell,
    StaticProviderKeys,
    Transport,
    credentials_for,
)
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import (
    AsyncInMemoryTransport,
    FakeClient,
    FakeProvider,
    InMemoryTransport,
)
from oidc_core import (
    ANY_TENANT,
    DEFAULT_POLICY,
    EXPECT_NO_NONCE,
    LOOPBACK_LISTENER,
    QUIRKS,
    AnswerTo,
    AuthenticationRequest,
    Callback,
    CallbackError,
    Check,
    ClientRegistration,
    Demands,
    Done,
    Email,
    Evidence,
    Exchange,
    HttpRequest,
    HttpResponse,
    Identity,
    IdToken,
    Incoming,
    IssuerRule,
    JsonObject,
    Jwk,
    KeySet,
    KeysFound,
    KeysWanted,
    KeysWithheld,
    Limits,
    LoggedIn,
    LoggedOut,
    LoginEvidence,
    LoginSecrets,
    LoginStarted,
    LogoutRequest,
    LogoutStarted,
    NeedKeys,
    NoAnswer,
    OidcError,
    PendingLogin,
    PendingLogout,
    PhoneNumber,
    Policy,
    ProtocolViolation,
    ProviderError,
    ProviderMetadata,
    Refreshed,
    RelyingParty,
    Step,
    StoreFailure,
    Tokens,
    TokensRenewed,
    TransportFailure,
    UsageError,
    UserInfo,
    WireRequest,
    discovery,
    evidence_json,
    login,
    logout,
    path_only,
    refresh,
    resume,
    validation,
    verified_email,
)

T = TypeVar("T")

NOW: int = 1_700_000_000


def told(error: OidcError) -> str:
    """Whose fault it was, by the class."""
    facts: tuple[str, str, str, str] = (error.code, error.spec, error.hint, error.retryable)
    match error:
        case ProtocolViolation() | CallbackError() | StoreFailure() | UsageError():
            return facts[0]
        case ProviderError():
            description: str | None = error.error_description
            return description or error.error
        case TransportFailure():
            return error.sent
        case _:
            return str(error)


def settings() -> tuple[Policy, IssuerRule, ClientRegistration, ProviderMetadata]:
    """A policy, a rule, a registration and metadata by hand."""
    quirks: frozenset[str] = frozenset(QUIRKS) & {"basic_raw_credentials"}
    limits = Limits(id_token=2 * DEFAULT_POLICY.limits.id_token)
    policy = Policy(name="strict", leeway=DEFAULT_POLICY.leeway, quirks=quirks, limits=limits)
    rule = IssuerRule.template("https://login.example/{tid}/v2.0", tenants=ANY_TENANT)
    registration = ClientRegistration(
        client_id="client", redirect_uris=("https://rp.example/callback",)
    )
    metadata = ProviderMetadata(issuer="https://op.example", jwks_uri="https://op.example/jwks")
    return policy, rule, registration, metadata


def drive(
    rp: RelyingParty,
    step: Step[T],
    send: Callable[[HttpRequest], HttpResponse | NoAnswer],
    keys: Callable[[KeysWanted], KeysFound | KeysWithheld],
) -> T:
    """The loop of an embedder, who says which request an answer was given to."""
    while not isinstance(step, Done):
        if isinstance(step, Exchange):
            request: HttpRequest = step.request
            step = resume(rp, step, AnswerTo(request, send(request)))
        else:
            waiting: NeedKeys[T] = step  # a third kind of pause would be an error here
            step = resume(rp, waiting, keys(waiting.wanted))
    return step.result


def by_steps(rp: RelyingParty, shell: Shell, provider: FakeProvider) -> LoggedIn:
    """A login, operation by operation."""
    found: RelyingParty = shell.run(rp, discovery.discover(rp))
    shell.credentials = Credentials(credentials_for(found))
    secrets: LoginSecrets = shell.entropy.login_secrets()
    request = AuthenticationRequest(scope="openid email offline_access", prompt="consent")
    started: LoginStarted = shell.run(found, login.start(found, secrets, request, now=NOW))
    waiting: PendingLogin = started.pending
    arrived = Callback.of(provider.authorize(started.url, NOW).incoming())
    step: Step[LoggedIn] = login.finish(found, waiting, arrived, binding=LOOPBACK_LISTENER, now=NOW)
    logged_in: LoggedIn = drive(found, step, lambda to: shell.send(to).answer, shell.keys)
    after_login(found, shell, logged_in)
    return logged_in


def after_login(rp: RelyingParty, shell: Shell, logged_in: LoggedIn) -> None:
    """Refresh, validate on its own, log out."""
    tokens: Tokens = logged_in.tokens
    renewed: TokensRenewed = shell.run(rp, refresh.renew(rp, tokens))
    refreshed: Refreshed = shell.run(rp, refresh.verify(rp, renewed, now=NOW))
    fresh: IdToken | None = refreshed.id_token
    demands = Demands(nonce=tokens.nonce or EXPECT_NO_NONCE, started_at=NOW)
    valid = shell.run(rp, validation.validate(rp, tokens.id_token, demands, now=NOW))
    same: tuple[str, str] = (valid.id_token.sub, fresh.sub if fresh else "")
    request = LogoutRequest(id_token_hint=tokens.id_token, logout_hint=same[0])
    out: LogoutStarted = shell.run(
        rp, logout.start(rp, request, state=shell.entropy.token(), now=NOW)
    )
    waiting: PendingLogout = out.pending
    incoming = Incoming(method="GET", url=None, query=f"state={waiting.state}")
    gone: LoggedOut = shell.run(rp, logout.finish(rp, waiting, incoming, now=NOW))
    uri: str = gone.post_logout_redirect_uri
    assert uri == waiting.post_logout_redirect_uri


def read(logged_in: LoggedIn) -> str:
    """The values of a login that an application reads."""
    identity: Identity = logged_in.identity
    token: IdToken = logged_in.id_token
    userinfo: UserInfo | None = logged_in.userinfo
    claims: JsonObject = logged_in.claims
    as_mapping: Mapping[str, object] = claims
    known: LoginEvidence = logged_in.evidence
    each: tuple[Evidence, ...] = known.each
    evidence: Evidence = known.id_token
    checks: tuple[Check, ...] = evidence.checks
    key: Jwk | None = evidence.key
    as_json: JsonObject = evidence_json(evidence)
    email: str | None = verified_email(claims)
    address: Email | None = logged_in.email
    phone: PhoneNumber | None = logged_in.phone_number
    times: tuple[int, int | None] = (token.exp, token.auth_time)
    other: str | None = None if userinfo is None else userinfo.sub
    seen = (as_mapping, each, checks, key, as_json, times, other, address, phone)
    assert len(seen) == 9
    return f"{identity.subject} {email}"


def ports(provider: FakeProvider, key_set: KeySet) -> tuple[Transport, AsyncTransport]:
    """The shipped classes fit the ports."""
    transport: Transport = InMemoryTransport(provider)
    awaited: AsyncTransport = AsyncInMemoryTransport(provider)
    keys: ProviderKeys = StaticProviderKeys(key_set)
    assert isinstance(keys, StaticProviderKeys)
    return transport, awaited


def prepared(shell: Shell, request: HttpRequest) -> WireRequest:
    """A request, ready for the wire."""
    return shell.credentials.prepare(request, now=NOW, entropy=shell.entropy)


def paved(provider: FakeProvider, setup: ClientSetup) -> tuple[LoginResult, LogoutResult]:
    """The paved road, sync."""
    pending: PendingLogins = MemoryPendingLogins()
    transport, clock = InMemoryTransport(provider), FrozenClock(NOW)
    grants = Grants(
        MemoryRecords(clock=clock),
        "a secret of at least 32 octets, kept",
        lifetime=3_600,
        trusted=1,
    )
    client = OidcClient.discover(setup, pending, transport=transport, grants=grants, clock=clock)
    redirect: Redirect = client.start_login(return_to=path_only("/inbox"), cookie="")
    incoming: Incoming = provider.authorize(redirect.url, NOW).incoming(header_of(redirect))
    result = Connections(client).finish_login(incoming)
    shared: SessionTokens = client.tokens(result.grant_id)
    tokens: Tokens = shared.fresh(60, refused=None, scope="", resource=())
    ended: EndedSession | None = shared.end()
    assert ended is not None
    leaving = client.start_logout(tokens)
    back = provider.end_session(leaving.url, NOW) or ""
    url, _, query = back.partition("?")
    returned = Incoming(method="GET", url=url, query=query, cookie=header_of(leaving))
    return result, client.finish_logout(returned)


def header_of(redirect: Redirect) -> str:
    """The ``Cookie`` header of a browser that follows a redirect."""
    return "; ".join([f"{cookie.name}={cookie.value}" for cookie in redirect.cookies])


async def paved_async(provider: FakeProvider, setup: ClientSetup) -> LoginResult:
    """The paved road, async."""
    transport, clock = AsyncInMemoryTransport(provider), FrozenClock(NOW)
    pending = MemoryPendingLogins()
    grants = Grants(MemoryRecords(clock=clock), b"a secret of 32 octets or more, kept")
    lenient = evolve(setup, policy=Policy(resend_in_doubt=Grace(60)))
    client = await AsyncOidcClient.discover(
        lenient, pending, transport=transport, grants=grants, clock=clock
    )
    shell: AsyncShell = client.shell
    redirect: Redirect = await client.start_login()
    came_back = provider.authorize(redirect.url, shell.clock.now())
    incoming = came_back.incoming(header_of(redirect))
    result: LoginResult = await AsyncConnections(client).finish_login(incoming)
    shared: AsyncSessionTokens = client.tokens(result.grant_id)
    tokens: Tokens = await shared.fresh()
    assert tokens.issuer == provider.issuer
    return result


def a_provider() -> FakeProvider:
    """A provider with a public client."""
    client = FakeClient(token_endpoint_auth_method="none")
    return FakeProvider(session_management=True, id_token_alg="EdDSA", clients=(client,))


def a_setup(provider: FakeProvider) -> ClientSetup:
    """The settings of its client."""
    return ClientSetup(
        issuer=provider.issuer,
        client_id="client",
        token_endpoint_auth_method="none",
        redirect_uri="https://rp.example/callback",
        post_logout_redirect_uri="https://rp.example/",
        scope="openid email offline_access",
    )


def a_shell(provider: FakeProvider) -> Shell:
    """A separate world, in memory."""
    clock, entropy = FrozenClock(NOW), FixedEntropy(1)
    return Shell(InMemoryTransport(provider), Credentials(), clock=clock, entropy=entropy)
