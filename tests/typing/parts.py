"""The parts of the core that a stranger puts together by hand, and what the adapters ship."""

from collections.abc import Callable
from typing import ClassVar, Never, TypeAlias, TypeVar

from attrs import evolve, frozen
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, MetaData, Table
from sqlalchemy.ext.asyncio import AsyncEngine

from oidc_adapters import (
    AsyncSigner,
    AsyncSpent,
    AsyncSqlRecords,
    AsyncTransport,
    ClientCredentials,
    ClientDecrypter,
    ClientKey,
    ClientKeys,
    Clock,
    CookiePendingLogins,
    CookieProfile,
    Credentials,
    CryptographyVerifier,
    DecryptionKey,
    DpopKeys,
    DpopNonces,
    Entropy,
    InThreads,
    LogoutSecrets,
    MemoryProviderKeys,
    MemoryRecords,
    MemorySpent,
    PendingLogins,
    ProviderKeys,
    RecordSpent,
    SealedBox,
    SignedSecret,
    Signer,
    Spent,
    SqlRecords,
    SystemClock,
    SystemEntropy,
    Taken,
    TakenLogout,
    Transport,
    Urllib3Transport,
    credentials_for,
    records_table,
)
from oidc_adapters.stores.records import AsyncRecords, Records
from oidc_core import (
    CALLBACK_RULES,
    CODES,
    DEFAULT_REQUEST,
    ID_TOKEN_RULES,
    LOGOUT_TOKEN_RULES,
    LOOPBACK_LISTENER,
    PROFILES,
    PUBLIC_ONLY,
    REFRESH_RULES,
    USERINFO_RULES,
    AnswerTo,
    Binding,
    Callback,
    Channel,
    CheckedIdToken,
    ClientRegistration,
    CodeResponse,
    CodeRow,
    Connection,
    Decrypter,
    Demands,
    Done,
    Evidence,
    Exchange,
    Fetch,
    FrontchannelNotice,
    Grace,
    HttpRequest,
    HttpResponse,
    Incoming,
    JsonObject,
    JwtProfile,
    KeyRecord,
    KeySet,
    KeysFound,
    KeysWanted,
    KeysWithheld,
    LoginSecrets,
    LoginStarted,
    LogoutNotice,
    LogoutRequest,
    LogoutToken,
    NeedKeys,
    NoAnswer,
    PendingLogin,
    PendingLogout,
    Policy,
    ProviderMetadata,
    RelyingParty,
    Reply,
    Revocable,
    Revoked,
    Routes,
    Rule,
    RuleTable,
    Session,
    SetCookie,
    SignatureVerifier,
    Step,
    TokenResponse,
    Tokens,
    Unbound,
    UserInfo,
    Verification,
    VerifiedJws,
    Way,
    admits,
    authentication_parameters,
    authorization_code_request,
    authorization_url,
    backchannel_logout,
    check_authorization_response,
    check_return,
    check_userinfo,
    client_request,
    decide,
    demands_of,
    dump_key_set,
    dump_metadata,
    dump_pending_login,
    dump_pending_logout,
    dump_tokens,
    end_session_url,
    failed,
    fetched,
    fingerprint,
    frontchannel_logout,
    frozen_json,
    load_key_set,
    load_metadata,
    load_pending_login,
    load_pending_logout,
    load_tokens,
    optional_parameters,
    parse_key_set,
    parse_object,
    parse_token_response,
    parse_userinfo,
    pending_id,
    pending_login,
    pending_logout,
    refresh_request,
    render,
    resume,
    returned_state,
    revocation,
    session_management,
    tokens_of,
    userinfo_request,
    validation,
    verify_jwt,
)

T = TypeVar("T")

Send: TypeAlias = Callable[[HttpRequest], HttpResponse | NoAnswer]
NOW: int = 1_700_000_000


def started(rp: RelyingParty, secrets: LoginSecrets) -> LoginStarted:
    """The first redirect, and what waits for the second."""
    demands: Demands = demands_of(rp, DEFAULT_REQUEST, secrets.nonce, NOW)
    pending: PendingLogin = pending_login(rp, DEFAULT_REQUEST, secrets, NOW)
    connection: Connection = pending.connection
    assert optional_parameters(DEFAULT_REQUEST, demands) == ()
    assert (pending.demands, connection) == (demands, rp.connection)
    url: str = authorization_url(rp, authentication_parameters(rp, DEFAULT_REQUEST, pending))
    kept: PendingLogin = load_pending_login(dump_pending_login(pending))
    return LoginStarted(url=url, pending=kept, binding=secrets.binding)


def returned(rp: RelyingParty, pending: PendingLogin, url: str) -> CodeResponse:
    """The second redirect."""
    at, _, query = url.partition("?")
    callback = Callback.of(Incoming(method="GET", url=at, query=query))
    assert pending_id(callback) == pending.id
    binding: Binding = LOOPBACK_LISTENER
    assert isinstance(binding, Unbound)
    return check_authorization_response(
        rp, pending, callback, binding=binding, now=NOW, single_use="process"
    )


def keys_of(rp: RelyingParty, send: Send) -> KeysFound:
    """A store of keys that remembers nothing."""
    wanted: KeysWanted = rp.keys_wanted["solicited"]
    decision: Fetch | KeysFound | KeysWithheld = decide(KeyRecord(), wanted, NOW)
    assert isinstance(decision, Fetch)
    answer = send(wanted.request)
    if isinstance(answer, NoAnswer):
        record, found = failed(decision.record, wanted, NOW)
    else:
        record, found = fetched(decision.record, wanted, answer, NOW)
    assert isinstance(found, KeysFound)
    assert record.key_set is not None
    loaded: tuple[KeySet, int] = load_key_set(dump_key_set(record.key_set, record.fetched_at))
    published = parse_key_set(JsonObject({"keys": loaded[0].published}))
    assert published.published == found.key_set.published
    return found


@frozen(kw_only=True)
class Signed(Verification[VerifiedJws]):
    """A token of a known kind of which only the signature counts."""

    profile: ClassVar[JwtProfile] = PROFILES["id_token"]

    def passed(self, rp: RelyingParty, jws: VerifiedJws, claims: JsonObject) -> Step[VerifiedJws]:
        """Be content."""
        return Done(jws)


def tokens_for(rp: RelyingParty, pending: PendingLogin, code: str, send: Send) -> Tokens:
    """The tokens of a code, their ID token verified twice."""
    answer = send(authorization_code_request(rp, pending, code))
    assert isinstance(answer, HttpResponse)
    response: TokenResponse = parse_token_response(answer)
    raw, found = response.id_token or "", keys_of(rp, send)
    wait: Step[VerifiedJws] = verify_jwt(rp, Signed(token=raw), source="solicited", now=NOW)
    jws: VerifiedJws = _with_keys(rp, wait, found)
    validating = validation.validate(rp, raw, pending.demands, now=NOW, source="solicited")
    checked: CheckedIdToken = _with_keys(rp, validating, found)
    assert jws.header == checked.evidence.header
    session = Session(
        id_token=raw,
        subject=checked.id_token.sub,
        resource=(),
        nonce=checked.id_token.nonce,
        sid=checked.id_token.sid,
        auth_time=checked.id_token.auth_time,
    )
    return tokens_of(rp, response, pending.demands.scope, session)


def way_to(rp: RelyingParty, name: str, address: str) -> Way | None:
    """The way to an endpoint, if the address is one that may be reached."""
    way: Way = rp.targets[name].way
    strict: Policy = Policy(addresses=PUBLIC_ONLY, back_channel={"https://a.example": "https://b"})
    lenient: Policy = Policy(resend_in_doubt=Grace(60))
    assert strict.digest != rp.policy.digest != lenient.digest
    told: Channel = Channel("verified", addresses_judged=True)
    return way if told in way.channels and admits(way.reach, address) else None


def _with_keys(rp: RelyingParty, step: Step[T], found: KeysFound) -> T:
    assert isinstance(step, NeedKeys)
    last = resume(rp, step, found)
    assert isinstance(last, Done)
    return last.result


def userinfo_of(rp: RelyingParty, tokens: Tokens, send: Send) -> tuple[UserInfo, Evidence]:
    """UserInfo, by hand."""
    answer = send(userinfo_request(rp, tokens.access_token))
    assert isinstance(answer, HttpResponse)
    claims: JsonObject | str = parse_userinfo(rp, answer)
    assert isinstance(claims, JsonObject)
    assert parse_object(render(claims).encode()) == claims
    return check_userinfo(rp, claims, sub=tokens.subject, jws=None, now=NOW)


def kept(rp: RelyingParty, tokens: Tokens) -> tuple[Tokens, ProviderMetadata, PendingLogout]:
    """Records that cross a process come back as they were."""
    leaving: PendingLogout = pending_logout(rp, LogoutRequest(), state="state-1", now=NOW)
    assert end_session_url(rp, LogoutRequest(), leaving).startswith("https://")
    returned = Incoming(method="GET", url=None, query="state=state-1")
    check_return(leaving, returned_state(returned), NOW)
    return (
        load_tokens(dump_tokens(tokens)),
        load_metadata(dump_metadata(rp.provider)),
        load_pending_logout(dump_pending_logout(leaving)),
    )


def ended(
    rp: RelyingParty, posted: Incoming, framed: Incoming, send: Send
) -> tuple[tuple[str | None, ...], tuple[Reply, ...]]:
    """The sessions that the provider says have ended, and the answers."""
    assert backchannel_logout.addressees((rp,), posted) == (0,)
    found = keys_of(rp, send)
    notice: LogoutNotice = _with_keys(rp, backchannel_logout.receive(rp, posted, now=NOW), found)
    token: LogoutToken = notice.logout_token
    backchannel_logout.refuse_repeat(notice, used=False)
    seen: FrontchannelNotice = frontchannel_logout.receive(rp, framed)
    answers = (
        backchannel_logout.reply(),
        frontchannel_logout.reply((rp,)),
        session_management.frame(rp, "hash.salt", interval=5),
    )
    return (token.sid, seen.sid), answers


def revoked(rp: RelyingParty, tokens: Tokens, send: Send) -> tuple[Revoked, ...]:
    """The tokens of a session that the provider does not take any more."""
    kept: tuple[Revocable, ...] = revocation.to_revoke(tokens)
    found: list[Revoked] = []
    for each in kept:
        step = revocation.revoke(rp, tokens, each)
        assert isinstance(step, Exchange)
        last = resume(rp, step, AnswerTo(step.request, send(step.request)))
        assert isinstance(last, Done)
        found.append(last.result)
    return tuple(found)


def requests_of(rp: RelyingParty, tokens: Tokens) -> tuple[HttpRequest, HttpRequest]:
    """A refresh, and a grant that the core does not know."""
    own = client_request(
        rp, "token", "token_endpoint", (("grant_type", "client_credentials"),), max_body=1_000
    )
    return refresh_request(rp, tokens), own


def facts() -> tuple[str, ...]:
    """The checks, and the things that can go wrong."""
    tables: tuple[RuleTable[Never], ...] = (
        CALLBACK_RULES,
        ID_TOKEN_RULES,
        REFRESH_RULES,
        USERINFO_RULES,
        LOGOUT_TOKEN_RULES,
    )
    first: Rule[Never] = tables[0].rules[0]
    row: CodeRow = CODES["state_mismatch"]
    shown: str = fingerprint("a secret")
    assert frozen_json({"a": [1]}) == JsonObject({"a": (1,)})
    return (first.name, row.code, shown, *[table.of for table in tables])


def records_of(engine: Engine, awaited: AsyncEngine) -> tuple[Records, AsyncRecords]:
    """Records that processes share, in a database; Alembic reads their table with others."""
    table: Table = records_table(MetaData(), "grants", schema="auth")
    assert table.fullname == "auth.grants"
    return (
        SqlRecords(engine, table="grants", schema="auth"),
        AsyncSqlRecords(awaited, table="grants", schema="auth"),
    )


def ports_of(rp: RelyingParty) -> tuple[SignatureVerifier, Decrypter | None]:
    """The work that the core hands to cryptography."""
    verifier: SignatureVerifier = CryptographyVerifier()
    decrypter: Decrypter = ClientDecrypter(
        DecryptionKey(ec.derive_private_key(7, ec.SECP256R1()), kid="d")
    )
    assert verifier is not rp.verifier
    return verifier, decrypter


class KeyService:
    """A key that signs elsewhere."""

    alg = "ES256"
    kid = "remote"

    def __init__(self, key: Signer) -> None:
        self._key = key

    def public_jwk(self) -> JsonObject:
        """The public part of it."""
        return self._key.public_jwk()

    async def sign(self, signing_input: bytes) -> bytes:
        """Sign after a while."""
        return self._key.sign(signing_input)


def keys_of_a_client(rp: RelyingParty) -> tuple[ClientCredentials, ClientCredentials, Credentials]:
    """Keys at hand and keys elsewhere."""
    signer: Signer = ClientKey(ec.derive_private_key(8, ec.SECP256R1()), alg="ES256", kid="s")
    service: AsyncSigner = KeyService(signer)
    at_hand: ClientKeys[Signer] = ClientKeys(signer)
    signed: str = SignedSecret(key=signer, iss="team", sub="client", aud="op")()
    assert signed
    elsewhere: ClientKeys[AsyncSigner] = ClientKeys(service)
    client: ClientRegistration = evolve(
        rp.client,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg=signer.alg,
    )
    rp = evolve(rp, client=client)
    own: ClientCredentials = credentials_for(rp, keys=at_hand, dpop_keys=DpopKeys(signer))
    remote: ClientCredentials = credentials_for(rp, keys=elsewhere, dpop_keys=DpopKeys(service))
    return own, remote, Credentials(own, nonces=DpopNonces())


def world() -> tuple[Clock, Entropy, Transport, AsyncTransport, ProviderKeys]:
    """The world as it is."""
    transport = Urllib3Transport()
    return SystemClock(), SystemEntropy(), transport, InThreads(transport), MemoryProviderKeys()


def bound_logout(rp: RelyingParty, entropy: Entropy) -> TakenLogout:
    """A logout that waits in a cookie."""
    pending: PendingLogins = CookiePendingLogins("s" * 32)
    secrets: LogoutSecrets = pending.logout_secrets(entropy)
    leaving = pending_logout(rp, LogoutRequest(), state=secrets.state, now=NOW)
    (cookie,) = pending.put_logout(rp, leaving, secrets, (), NOW)
    routes = Routes((rp,))
    assert routes.among("https://rp.example/callback") == (0,)
    named = ((cookie.name, cookie.value),)
    named_by = pending_id(Callback(parameters=(("state", secrets.state),)))
    return pending.take_logout(rp, named_by, named, NOW)


def waited(rp: RelyingParty, entropy: Entropy) -> tuple[LoginStarted, Taken]:
    """A login that waits in a cookie."""
    spent: Spent = RecordSpent(MemoryRecords())
    awaited: AsyncSpent = RecordSpent(MemoryRecords())
    assert spent.single_use == awaited.single_use == MemorySpent().single_use
    profile = CookieProfile.insecure_for_loopback_development()
    pending = CookiePendingLogins("s" * 32, spent=spent, profile=profile)
    login = started(rp, pending.secrets(entropy))
    cookies: tuple[SetCookie, ...] = pending.put(rp, login, (), NOW)
    named = tuple([(cookie.name, cookie.value) for cookie in cookies])
    taken: Taken = pending.take(rp, login.pending.id, named, NOW)
    box = SealedBox("s" * 32)
    assert box.open(box.close("text", label="x"), label="x") == "text"
    return login, taken
