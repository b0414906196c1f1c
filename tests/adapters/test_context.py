"""The context of the original system: each row of what it has, each promise, each refusal."""

import copy
import inspect
import json
import pickle
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import evolve

from oidc_adapters.clock import FrozenClock
from oidc_adapters.context import (
    DEFAULT_SCOPES,
    APIError,
    AuthServerError,
    Failure,
    OIDCCtx,
    check_id_token,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.context.memory import Flights, Memory, key_of
from oidc_adapters.context.outcomes import TokenDict
from oidc_adapters.entropy import FixedEntropy
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    FakeClient,
    FakeProvider,
    InMemoryTransport,
    serve,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_core.errors import (
    OidcError,
    ProtocolViolation,
    StoreFailure,
    TransportFailure,
    UsageError,
)
from oidc_core.http import Answer, HttpResponse, NoAnswer, WireRequest
from oidc_core.login import LoggedIn
from oidc_core.pkce import challenge_s256
from tests.adapters.fault_server import Authority, FaultServer, Read, Send, ok

NOW: Final = 1_800_000_000
ISSUER: Final = "https://op.example"
REDIRECT_URI: Final = "https://rp.example/auth/login"
CLIENT: Final = FakeClient(
    redirect_uris=(REDIRECT_URI,), token_endpoint_auth_method="client_secret_post"
)
SCOPES: Final = (*DEFAULT_SCOPES, "offline_access")
BROWSER: Final = "the-session-identifier-of-one-browser"


class World:
    """A provider, a clock, and the context that uses both."""

    def __init__(
        self,
        provider: FakeProvider | None = None,
        *,
        issuer: str = ISSUER,
        transport: InMemoryTransport | None = None,
        **settings: Any,
    ) -> None:
        self.clock = FrozenClock(NOW)
        self.provider = provider or FakeProvider(clients=(CLIENT,))
        self.transport = transport or InMemoryTransport(self.provider)
        given = {"scopes": SCOPES, "random_device": FixedEntropy(1), **settings}
        self.ctx = OIDCCtx(
            issuer,
            REDIRECT_URI,
            CLIENT.client_id,
            CLIENT.client_secret,
            transport=self.transport,
            clock=self.clock,
            **given,
        )

    def callback(self, url: str | None = None, **wishes: Any) -> dict[str, str]:
        """Let a browser go to the provider and return with this query."""
        url = url or flow_request_authorization_code(self.ctx, **wishes)
        return dict(self.provider.authorize(url, self.clock.now()).parameters)

    def code(self, **wishes: Any) -> str:
        return text(flow_get_authorization_code(self.ctx, self.callback(**wishes)))

    def tokens(self, **wishes: Any) -> TokenDict:
        return plain(flow_get_token(self.ctx, self.code(**wishes)))

    def forms(self, grant_type: str) -> list[dict[str, list[str]]]:
        """The forms that went to the token endpoint for a grant."""
        bodies = [request.body for request, _ in self.transport.exchanges if request.body]
        forms = [parse_qs(body.decode()) for body in bodies]
        return [form for form in forms if form["grant_type"] == [grant_type]]

    def fetched(self, path: str) -> int:
        return sum(request.url.endswith(path) for request, _ in self.transport.exchanges)


def text(outcome: str | Failure) -> str:
    assert isinstance(outcome, str), outcome
    return outcome


def plain(outcome: TokenDict | Failure) -> TokenDict:
    assert isinstance(outcome, dict), outcome
    return outcome


def parameters(url: str) -> dict[str, str]:
    return {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


class TestOIDCCtx:
    """``OIDCCtx(issuer, redirect_uri, client_id, client_secret, scopes; …)``."""

    def test_parameters_and_defaults_are_the_originals(self) -> None:
        known = inspect.signature(OIDCCtx).parameters
        first = [name for name, one in known.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
        defaults = {name: known[name].default for name in (*first[4:], *list(known)[5:12])}

        assert first == ["issuer", "redirect_uri", "client_id", "client_secret", "scopes"]
        assert defaults == {
            "scopes": ("openid", "profile", "email"),
            "verify": True,
            "cacrt": None,
            "state_timeout_secs": 60,
            "allowed_skew_secs": 120,
            "key_refresh_secs": 3600,
            "random_device": None,
            "pkce": True,
        }

    def test_it_discovers_the_provider_when_it_is_made(self, world: World) -> None:
        sent = [request.url for request, _ in world.transport.exchanges]

        assert sent == [ISSUER + "/.well-known/openid-configuration"]
        assert world.ctx.rp.provider.token_endpoint == ISSUER + "/token"

    def test_the_knobs_reach_the_policy(self) -> None:
        knobs = {"state_timeout_secs": 5, "allowed_skew_secs": 6, "key_refresh_secs": 7}
        policy = World(**knobs).ctx.rp.policy

        assert (policy.login_lifetime, policy.leeway, policy.key_set_max_age) == (5, 6, 7)
        assert policy.quirks == frozenset()

    @pytest.mark.parametrize(
        ("knob", "value"),
        [
            ("state_timeout_secs", 0),
            ("key_refresh_secs", 0),
            ("allowed_skew_secs", -1),
            ("allowed_skew_secs", 121),
            ("cacrt", "ca.pem"),
        ],
    )
    def test_a_knob_that_cannot_be_is_refused(self, knob: str, value: object) -> None:
        with pytest.raises(UsageError) as refusal:
            World(**{knob: value})

        assert refusal.value.code == "config_invalid"

    @pytest.mark.parametrize("name", ["metadata_500", "wrong_issuer"])
    def test_a_provider_that_cannot_be_believed_is_refused(self, name: str) -> None:
        with pytest.raises(OidcError) as refusal:
            World(FakeProvider(clients=(CLIENT,), misbehave=name))

        assert refusal.value.code == MISBEHAVIOURS[name].code

    @pytest.mark.parametrize("published", [ISSUER, ISSUER + "/"])
    @pytest.mark.parametrize("given", [ISSUER, ISSUER + "/"])
    def test_the_issuer_may_lack_or_have_its_final_slash(self, given: str, published: str) -> None:
        world = World(FakeProvider(clients=(CLIENT,), issuer=published), issuer=given)

        assert world.ctx.rp.issuer == published
        assert flow_validate_id_token(world.ctx, world.tokens()["id_token"])

    def test_the_slash_is_exact_once_discovery_has_said_which(self) -> None:
        provider = FakeProvider(clients=(CLIENT,), misbehave="issuer_with_slash")
        world = World(provider)

        assert world.ctx.rp.issuer == ISSUER + "/"
        refused = flow_get_authorization_code(world.ctx, world.callback())
        assert refused == APIError("issuer_mismatch")  # iss without the slash

    @pytest.mark.parametrize(
        ("scopes", "sent"),
        [
            (["openid", "email"], "openid email"),
            (("email", "email"), "openid email"),
            ("profile openid", "profile openid"),
            ((), "openid"),
        ],
    )
    def test_openid_is_always_asked_for(self, scopes: object, sent: str) -> None:
        url = flow_request_authorization_code(World(scopes=scopes).ctx)

        assert parameters(url)["scope"] == sent

    def test_the_random_device_gives_the_secrets(self) -> None:
        world = World(random_device=FixedEntropy(7))
        sent = parameters(flow_request_authorization_code(world.ctx))
        expected = FixedEntropy(7).login_secrets()

        assert (sent["state"], sent["nonce"]) == (expected.state, expected.nonce)
        assert sent["code_challenge"] == challenge_s256(expected.code_verifier)

    def test_a_random_device_that_repeats_itself_is_refused(self) -> None:
        class Stuck(FixedEntropy):
            def login_secrets(self) -> Any:
                return FixedEntropy(3).login_secrets()

        world = World(random_device=Stuck(3))
        flow_request_authorization_code(world.ctx)
        with pytest.raises(UsageError) as refusal:
            flow_request_authorization_code(world.ctx)

        assert refusal.value.code == "entropy_failure"

    def test_http_on_loopback_has_to_be_named(self) -> None:
        with pytest.raises(UsageError) as refusal:
            World(issuer="http://127.0.0.1:1")

        assert refusal.value.code == "url_scheme"

    def test_it_shows_no_secret_and_is_not_pickled(self, world: World) -> None:
        assert repr(world.ctx) == f"OIDCCtx('{ISSUER}', client_id='client')"
        with pytest.raises(TypeError, match="secret"):
            pickle.dumps(world.ctx)

    def test_a_transport_of_ones_own_is_not_closed(self, world: World) -> None:
        closed: list[bool] = []
        world.transport.close = lambda: closed.append(True)  # type: ignore[attr-defined]
        world.ctx.close()

        assert closed == []


class TestTls:
    """``verify`` and ``cacrt`` govern the TLS check."""

    @pytest.fixture
    def server(self, authority: Authority) -> Iterator[FaultServer]:
        with FaultServer((), tls=authority.server()) as server:
            issuer = server.url("")
            metadata = {"issuer": issuer, "jwks_uri": issuer + "/jwks"}
            answer = ok(json.dumps(metadata).encode(), b"content-type: application/json")
            server._scripts = ((Read(), Send(answer)),)
            yield server

    def made(self, server: FaultServer, **tls: Any) -> OIDCCtx:
        ctx = OIDCCtx(server.url(""), REDIRECT_URI, "client", "secret", **tls)
        ctx.close()
        return ctx

    def test_an_unknown_authority_is_refused(self, server: FaultServer) -> None:
        with pytest.raises(TransportFailure) as refusal:
            self.made(server)

        assert refusal.value.code == "tls_failed"

    @pytest.mark.parametrize("form", ["path", "text", "folder path"])
    def test_cacrt_is_a_path_or_pem_text(
        self, form: str, server: FaultServer, authority: Authority
    ) -> None:
        forms: dict[str, str | Path] = {
            "path": str(authority.path), "text": authority.pem, "folder path": authority.path
        }  # fmt: skip
        ctx = self.made(server, cacrt=forms[form])

        assert (ctx.rp.issuer, ctx.rp.policy.quirks) == (server.url(""), frozenset())

    def test_verify_none_verifies(self, server: FaultServer) -> None:
        with pytest.raises(TransportFailure) as refusal:
            self.made(server, verify=None)

        assert refusal.value.code == "tls_failed"

    def test_verify_false_accepts_any_certificate_with_a_warning(self, server: FaultServer) -> None:
        with pytest.warns(UserWarning, match="certificate is not verified"):
            ctx = self.made(server, verify=False)

        assert ctx.rp.policy.quirks == {"insecure_skip_tls_verification"}

    def test_verify_false_shows_in_the_evidence(self) -> None:
        with pytest.warns(UserWarning, match="certificate is not verified"):
            world = World(verify=False)
        evidence = world.ctx.evidence(world.tokens(browser=None)["id_token"])

        assert [sorted(one.relaxations) for one in evidence] == 2 * [
            ["insecure_skip_tls_verification", "unbound_browser"]
        ]


class TestRequestAuthorizationCode:
    """``flow_request_authorization_code(ctx; …)``."""

    def test_every_parameter_of_the_original_is_sent(self, world: World) -> None:
        wishes: dict[str, Any] = {
            "nonce": "my-own-nonce",
            "display": "popup",
            "prompt": "consent",
            "max_age": "300",
            "ui_locales": "de en",
            "id_token_hint": "a.b.c",
            "login_hint": "alice",
            "acr_values": "loa2 loa1",
        }
        url = flow_request_authorization_code(world.ctx, **wishes)
        sent = parameters(url)

        assert url.startswith(ISSUER + "/authorize?")
        assert {name: sent.pop(name) for name in wishes} == wishes
        assert sorted(sent) == [
            "client_id", "code_challenge", "code_challenge_method", "redirect_uri",
            "response_type", "scope", "state",
        ]  # fmt: skip

    def test_nothing_is_sent_that_was_not_asked_for(self, world: World) -> None:
        sent = parameters(flow_request_authorization_code(world.ctx))

        assert sorted(sent) == [
            "client_id", "code_challenge", "code_challenge_method", "nonce", "redirect_uri",
            "response_type", "scope", "state",
        ]  # fmt: skip
        assert (sent["redirect_uri"], sent["scope"]) == (REDIRECT_URI, " ".join(SCOPES))

    def test_state_and_nonce_are_fresh_and_of_256_bits(self, world: World) -> None:
        first, second = [parameters(flow_request_authorization_code(world.ctx)) for _ in range(2)]

        assert len({first["state"], second["state"], first["nonce"], second["nonce"]}) == 4
        assert re.fullmatch(r"[\w-]{43}", first["state"])
        assert re.fullmatch(r"[\w-]{43}", first["nonce"])

    @pytest.mark.parametrize(
        ("wish", "value"),
        [
            ("display", "hologram"),
            ("prompt", "none login"),
            ("max_age", "soon"),
            ("max_age", -1),
            ("nonce", ""),
            ("nonce", "a\nb"),
            ("nonce", "ä"),
            ("nonce", 513 * "n"),
            ("browser", ""),
        ],
    )
    def test_a_wish_that_cannot_be_is_refused(self, wish: str, value: object, world: World) -> None:
        with pytest.raises(UsageError) as refusal:
            flow_request_authorization_code(world.ctx, **{wish: value})  # type: ignore[arg-type]

        assert (refusal.value.code, refusal.value.about) == ("parameter_invalid", wish)

    def test_a_given_nonce_has_to_come_back(self, world: World) -> None:
        tokens = world.tokens(nonce="my-own-nonce")
        nonce = claims_of(tokens["id_token"])["nonce"]

        assert nonce == "my-own-nonce"
        assert flow_validate_id_token(world.ctx, tokens["id_token"])

    def test_only_the_hinted_user_may_come_back(self, world: World) -> None:
        hint = world.tokens()["id_token"]
        url = flow_request_authorization_code(world.ctx, id_token_hint=hint)
        url = re.sub(r"&id_token_hint=[^&]*", "", url)  # a provider that ignores it
        other = world.provider.authorize(url, NOW, user="bob")
        code = text(flow_get_authorization_code(world.ctx, dict(other.parameters)))

        assert flow_get_token(world.ctx, code) == APIError("sub_changed")

    def test_the_states_that_wait_are_bounded(self, world: World) -> None:
        waiting = world.ctx.records.waiting
        world.ctx.records = evolve(world.ctx.records, waiting=Memory(lifetime=120, cap=1))
        flow_request_authorization_code(world.ctx)
        with pytest.raises(StoreFailure) as refusal:
            flow_request_authorization_code(world.ctx)

        assert refusal.value.code == "too_many_pending"
        assert len(waiting) == 0
        world.clock.advance(121)
        assert flow_request_authorization_code(world.ctx)


class TestPkce:
    """``pkce``: on, and a quirk where it has to be left out."""

    class Ignorant(InMemoryTransport):
        """Reaches a provider that knows nothing of PKCE: the verifier is made up for the fake."""

        def send(self, request: WireRequest, clock: TellsTime) -> Answer:
            body = request.body or b""
            if b"authorization_code" in body:
                assert b"code_verifier" not in body
                request = evolve(request, body=body + b"&code_verifier=" + 43 * b"v")
            return super().send(request, clock)

    def test_it_is_on_by_default(self, world: World) -> None:
        world.tokens()

        assert [len(form["code_verifier"][0]) for form in world.forms("authorization_code")] == [43]

    @pytest.mark.parametrize(("of_context", "of_login"), [(False, None), (True, False)])
    def test_without_it_the_evidence_says_so(self, of_context: bool, of_login: bool | None) -> None:
        provider = FakeProvider(clients=(CLIENT,))
        world = World(provider, transport=self.Ignorant(provider), pkce=of_context)
        url = flow_request_authorization_code(world.ctx, pkce=of_login, browser=BROWSER)
        challenge = challenge_s256(43 * "v")
        query = world.callback(f"{url}&code_challenge={challenge}&code_challenge_method=S256")
        code = text(flow_get_authorization_code(world.ctx, query, browser=BROWSER))
        tokens = plain(flow_get_token(world.ctx, code))

        assert "code_challenge" not in parameters(url)
        evidence = world.ctx.evidence(tokens["id_token"])
        assert [one.relaxations for one in evidence] == [("omit_pkce",), ("omit_pkce",)]

    def test_without_it_a_given_nonce_must_be_unguessable(self) -> None:
        world = World(pkce=False)
        with pytest.raises(UsageError) as refusal:
            flow_request_authorization_code(world.ctx, nonce=21 * "n")

        assert (refusal.value.code, refusal.value.about) == ("parameter_invalid", "nonce")
        assert flow_request_authorization_code(world.ctx, nonce=22 * "n")


class ManyValues(dict[str, str]):
    """A multi-dict as frameworks have it: subscripted it gives one value, listed all."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getlist(self, name: str) -> list[str]:
        return [value for known, value in self._pairs if known == name]


class TestGetAuthorizationCode:
    """``flow_get_authorization_code(ctx, query)``."""

    @pytest.mark.parametrize(
        "shape",
        [
            dict,
            lambda pairs: {name: [value] for name, value in pairs},
            lambda pairs: {name: (value,) for name, value in pairs} | {"empty": None},
            ManyValues,
        ],
        ids=["strings", "lists", "tuples", "multi-dict"],
    )
    def test_any_mapping_is_a_query(
        self, shape: Callable[..., Mapping[str, object]], world: World
    ) -> None:
        query = world.callback()

        code = flow_get_authorization_code(world.ctx, shape(tuple(query.items())))
        assert code == query["code"]

    @pytest.mark.parametrize("shape", ["lists", "multi-dict"])
    def test_a_parameter_given_twice_is_refused(self, shape: str, world: World) -> None:
        query = world.callback()
        pairs = (*query.items(), ("code", "another"))
        lists: Mapping[str, object] = {**query, "code": [query["code"], "another"]}
        twice = lists if shape == "lists" else ManyValues(pairs)

        refused = flow_get_authorization_code(world.ctx, twice)
        assert refused == APIError("parameter_duplicated")

    def test_the_state_is_consumed(self, world: World) -> None:
        query = world.callback()
        flow_get_authorization_code(world.ctx, query)

        assert flow_get_authorization_code(world.ctx, query) == APIError("state_unknown")

    def test_a_refusal_consumes_the_state_too(self, world: World) -> None:
        query = world.callback()
        spoilt = {**query, "iss": "https://other.example"}

        assert flow_get_authorization_code(world.ctx, spoilt) == APIError("issuer_mismatch")
        assert flow_get_authorization_code(world.ctx, query) == APIError("state_unknown")

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({}, "state_missing"),
            ({"code": "c"}, "state_missing"),
            ({"state": "never-seen", "code": "c"}, "state_unknown"),
            ({"state": 7, "code": "c"}, "state_unknown"),
            ({"state": 513 * "s"}, "parameter_too_long"),
        ],
    )
    def test_a_query_without_a_login_is_refused(
        self, query: dict[str, object], code: str, world: World
    ) -> None:
        assert flow_get_authorization_code(world.ctx, query) == APIError(code)

    @pytest.mark.parametrize(
        ("late", "outcome"), [(60, None), (61, "state_expired"), (121, "state_unknown")]
    )
    def test_a_stale_state_is_refused(self, late: int, outcome: str | None, world: World) -> None:
        query = world.callback()
        world.clock.advance(late)

        expected = query["code"] if outcome is None else APIError(outcome)
        assert flow_get_authorization_code(world.ctx, query) == expected
        assert world.forms("authorization_code") == []

    def test_neither_code_nor_error_is_refused(self, world: World) -> None:
        query = world.callback()
        del query["code"]

        assert flow_get_authorization_code(world.ctx, query) == APIError("code_missing")

    def test_the_providers_error_is_returned(self, world: World) -> None:
        url = flow_request_authorization_code(world.ctx)
        denied = world.provider.authorize(url, NOW, approve=False)
        query = {
            **dict(denied.parameters),
            "error_description": "no",
            "error_uri": "https://e.example",
        }

        outcome = flow_get_authorization_code(world.ctx, query)
        assert outcome == AuthServerError("access_denied", "no", "https://e.example")

    def test_a_code_that_another_login_brought_is_refused(self, world: World) -> None:
        query = world.callback()
        other = {**world.callback(), "code": query["code"]}

        assert flow_get_authorization_code(world.ctx, query) == query["code"]
        assert flow_get_authorization_code(world.ctx, other) == APIError("already_used")

    def test_the_codes_that_wait_are_bounded(self, world: World) -> None:
        world.ctx.records = evolve(world.ctx.records, answered=Memory(lifetime=120, cap=1))
        world.code()

        refused = flow_get_authorization_code(world.ctx, world.callback())
        assert refused == APIError("too_many_pending")


class TestBrowser:
    """``browser=`` binds the login; without it the evidence says so."""

    @pytest.mark.parametrize(
        ("asked", "brought", "code"),
        [
            (BROWSER, None, "binding_missing"),
            (BROWSER, "", "binding_missing"),
            (BROWSER, "another-browser", "binding_mismatch"),
            (None, BROWSER, "binding_mismatch"),
            (None, "", "binding_missing"),
        ],
    )
    def test_another_browser_is_refused(
        self, asked: str | None, brought: str | None, code: str, world: World
    ) -> None:
        query = world.callback(browser=asked)

        outcome = flow_get_authorization_code(world.ctx, query, browser=brought)
        assert outcome == APIError(code)

    def test_the_same_browser_is_bound(self, world: World) -> None:
        query = world.callback(browser=BROWSER)
        code = text(flow_get_authorization_code(world.ctx, query, browser=BROWSER))
        callback, _ = world.ctx.evidence(plain(flow_get_token(world.ctx, code))["id_token"])

        assert callback.relaxations == ()
        assert "binding" not in dict(callback.skipped)
        assert callback.notes == ("single_use: process",)

    def test_without_one_the_evidence_says_so(self, world: World) -> None:
        callback, token = world.ctx.evidence(world.tokens()["id_token"])

        assert callback.relaxations == token.relaxations == ("unbound_browser",)
        why = dict(callback.skipped)["binding"]
        assert why == "the application does not bind logins to browsers"


class TestGetToken:
    """``flow_get_token(ctx, code)``."""

    def test_the_answer_is_a_plain_dict(self, world: World) -> None:
        tokens = world.tokens()

        assert type(tokens) is dict
        assert sorted(tokens) == [
            "access_token", "expires_in", "id_token", "refresh_token", "scope", "token_type",
        ]  # fmt: skip
        assert json.loads(json.dumps(tokens)) == tokens

    def test_the_client_authenticates_in_the_form(self, world: World) -> None:
        code = world.code()
        flow_get_token(world.ctx, code)
        request = world.transport.exchanges[1][0]
        (form,) = world.forms("authorization_code")
        verifier = form.pop("code_verifier")

        assert form == {
            "grant_type": ["authorization_code"],
            "code": [code],
            "redirect_uri": [REDIRECT_URI],
            "client_id": [CLIENT.client_id],
            "client_secret": [CLIENT.client_secret],
        }
        assert verifier == [FixedEntropy(1).login_secrets().code_verifier]
        assert "authorization" not in dict(request.headers)

    def test_a_code_is_taken_once(self, world: World) -> None:
        code = world.code()

        assert isinstance(flow_get_token(world.ctx, code), dict)
        assert flow_get_token(world.ctx, code) == APIError("state_unknown")
        assert len(world.forms("authorization_code")) == 1

    def test_an_unknown_code_is_never_sent(self, world: World) -> None:
        assert flow_get_token(world.ctx, "from-elsewhere") == APIError("state_unknown")
        assert world.forms("authorization_code") == []

    @pytest.mark.parametrize(
        ("late", "outcome"), [(59, None), (61, "state_expired"), (121, "state_unknown")]
    )
    def test_a_login_is_remembered_as_long_as_it_may_take(
        self, late: int, outcome: str | None, world: World
    ) -> None:
        code = world.code()
        world.clock.advance(late)
        got = flow_get_token(world.ctx, code)

        assert isinstance(got, dict) if outcome is None else got == APIError(outcome)

    @pytest.mark.parametrize(
        "name",
        [
            name
            for name, row in MISBEHAVIOURS.items()
            if row.endpoint in {"token", "keys"} and row.during == "login" and not row.needs
        ],
    )
    def test_whatever_the_provider_gets_wrong_is_returned(self, name: str) -> None:
        provider = FakeProvider(clients=(CLIENT,), misbehave=name)
        world = World(provider)
        outcome = flow_get_token(world.ctx, world.code())
        code = MISBEHAVIOURS[name].code

        assert isinstance(outcome, AuthServerError if code == "op_error" else APIError)
        cause = outcome.cause
        assert cause is not None
        assert cause.code == code

    def test_max_age_is_checked(self) -> None:
        world = World(FakeProvider(clients=(CLIENT,), misbehave="old_auth_time"))

        outcome = flow_get_token(world.ctx, world.code(max_age=10))
        assert outcome == APIError("auth_too_old")

    def test_the_providers_error_is_returned(self, world: World) -> None:
        code = world.code()
        world.clock.advance(60)  # the provider's codes last a minute

        outcome = flow_get_token(world.ctx, code)
        assert outcome == AuthServerError("invalid_grant", "the code is over")

    def test_a_network_failure_is_returned(self, world: World) -> None:
        code = world.code()
        down(world.transport, "no", "http_connect", "/token")

        assert flow_get_token(world.ctx, code) == APIError("http_connect")

    def test_the_login_asks_for_nothing_else(self, world: World) -> None:
        world.tokens()
        paths = [urlsplit(request.url).path for request, _ in world.transport.exchanges]

        assert paths == ["/.well-known/openid-configuration", "/token", "/jwks"]


def down(transport: InMemoryTransport, sent: Any, code: str, path: str) -> Callable[[], None]:
    """Let an endpoint be out of reach until the function returned is called."""
    send = transport.send

    def failing(request: WireRequest, clock: TellsTime) -> Answer:
        if request.url.endswith(path):
            return NoAnswer(sent, code, clock.now())
        return send(request, clock)

    transport.send = failing  # type: ignore[method-assign]
    return lambda: setattr(transport, "send", send)


def claims_of(id_token: str) -> dict[str, Any]:
    from tests.adapters.testing.raw_client import unb64

    claims: dict[str, Any] = json.loads(unb64(id_token.split(".")[1]))
    return claims


class TestRefreshToken:
    """``flow_refresh_token(ctx, refresh_token)``."""

    def test_the_answer_is_a_plain_dict_with_new_tokens(self, world: World) -> None:
        old = world.tokens()
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))

        assert type(new) is dict
        assert sorted(new) == sorted(old)
        assert {name for name in new if new[name] == old[name]} == {
            "token_type", "expires_in", "scope",
        }  # fmt: skip

    def test_the_client_authenticates_in_the_form(self, world: World) -> None:
        old = world.tokens()
        flow_refresh_token(world.ctx, old["refresh_token"])

        assert world.forms("refresh_token") == [
            {
                "grant_type": ["refresh_token"],
                "refresh_token": [old["refresh_token"]],
                "client_id": [CLIENT.client_id],
                "client_secret": [CLIENT.client_secret],
            }
        ]

    def test_it_goes_on_refreshing(self, world: World) -> None:
        tokens = world.tokens()
        for _ in range(3):
            tokens = plain(flow_refresh_token(world.ctx, tokens["refresh_token"]))
            (evidence,) = world.ctx.evidence(tokens["id_token"])
            assert dict(evidence.skipped).get("same_sub") is None

    def test_an_answer_without_id_token_is_fine(self) -> None:
        world = World(FakeProvider(clients=(CLIENT,), refresh_id_token=False))
        new = plain(flow_refresh_token(world.ctx, world.tokens()["refresh_token"]))

        assert "id_token" not in new
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)

    def test_a_refresh_token_that_is_not_replaced_stays(self, world: World) -> None:
        old = world.tokens()
        send = world.transport.send

        def unrotated(request: WireRequest, clock: TellsTime) -> Answer:
            answer = send(request, clock)
            assert isinstance(answer, HttpResponse)
            members = json.loads(answer.body)
            members.pop("refresh_token", None)
            return evolve(answer, body=json.dumps(members).encode())

        world.transport.send = unrotated  # type: ignore[method-assign]
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))

        assert new["refresh_token"] == old["refresh_token"]

    @pytest.mark.parametrize(
        "name", [name for name, row in MISBEHAVIOURS.items() if row.during == "refresh"]
    )
    def test_whatever_the_provider_gets_wrong_is_returned(self, name: str) -> None:
        world = World(FakeProvider(clients=(CLIENT,), misbehave=name))
        outcome = flow_refresh_token(world.ctx, world.tokens()["refresh_token"])
        code = MISBEHAVIOURS[name].code

        assert isinstance(outcome, AuthServerError if code == "op_error" else APIError)
        cause = outcome.cause
        assert cause is not None
        assert cause.code == code

    def test_an_empty_refresh_token_is_refused(self, world: World) -> None:
        assert flow_refresh_token(world.ctx, "") == APIError("refresh_token_missing")
        assert world.forms("refresh_token") == []

    def test_keys_out_of_reach_lose_no_refresh_token(self, world: World) -> None:
        old = world.tokens()["refresh_token"]
        world.provider.rotate_keys(keep_previous=False)
        up = down(world.transport, "no", "http_connect", "/jwks")

        assert flow_refresh_token(world.ctx, old) == APIError("keys_unavailable")
        up()
        new = plain(flow_refresh_token(world.ctx, old))
        assert flow_validate_id_token(world.ctx, new["id_token"])
        assert len(world.forms("refresh_token")) == 1
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)

    def test_threads_that_refresh_at_once_share_one_request(self, world: World) -> None:
        old, boarded = world.tokens()["refresh_token"], threading.Event()

        class Watched(Flights[TokenDict | Failure]):
            def board(self, key: str) -> Future[TokenDict | Failure] | None:
                flight = super().board(key)
                if flight is not None:
                    boarded.set()
                return flight

        world.ctx.records = evolve(world.ctx.records, refreshing=Watched())
        send, results = world.transport.send, list[TokenDict | Failure]()
        second = threading.Thread(target=lambda: results.append(flow_refresh_token(world.ctx, old)))

        def gated(request: WireRequest, clock: TellsTime) -> Answer:
            second.start()
            assert boarded.wait(10)
            world.transport.send = send  # type: ignore[method-assign]
            return send(request, clock)

        world.transport.send = gated  # type: ignore[method-assign]
        first = plain(flow_refresh_token(world.ctx, old))
        second.join(10)

        assert results == [first]
        assert results[0] is not first
        assert len(world.forms("refresh_token")) == 1

    def test_an_interrupted_refresh_is_in_doubt_for_those_who_wait(self, world: World) -> None:
        waited: list[Future[TokenDict | Failure] | None] = []
        old = world.tokens()["refresh_token"]

        def interrupted(request: WireRequest, clock: TellsTime) -> Answer:
            waited.append(world.ctx.records.refreshing.board(key_of(old)))
            raise KeyboardInterrupt

        world.transport.send = interrupted  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            flow_refresh_token(world.ctx, old)

        (flight,) = waited
        assert flight is not None
        assert flight.result(1) == APIError("refresh_in_doubt")


class TestRefreshAfterRestart:
    """Refreshing the tokens of a login that this context does not know."""

    @staticmethod
    def restarted(misbehave: str | None = None) -> tuple[World, TokenDict]:
        provider = FakeProvider(clients=(CLIENT,), misbehave=misbehave)
        tokens = World(provider).tokens()
        return World(provider, random_device=FixedEntropy(2)), tokens

    def test_the_evidence_says_what_could_not_be_compared(self) -> None:
        world, old = self.restarted()
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        (evidence,) = world.ctx.evidence(new["id_token"])
        skipped = dict(evidence.skipped)

        why = "this context does not know the login"
        assert {name for name in skipped if skipped[name] == why} == {
            "same_iss", "same_sub", "same_aud", "same_azp", "same_nonce", "same_auth_time",
        }  # fmt: skip
        assert {"iss", "aud", "exp", "iat", "sub", "signature", "alg", "at_hash"}.isdisjoint(
            skipped
        )

    def test_later_refreshes_are_compared_with_the_first(self) -> None:
        world, old = self.restarted()
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        world.provider.misbehave = "refresh_other_sub"

        outcome = flow_refresh_token(world.ctx, new["refresh_token"])
        assert outcome == APIError("refresh_id_token_sub")

    def test_with_the_stored_id_token_all_is_compared(self) -> None:
        world, old = self.restarted("refresh_other_sub")

        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token=old["id_token"])
        assert outcome == APIError("refresh_id_token_sub")

    @pytest.mark.parametrize(
        ("name", "code"),
        [
            ("refresh_other_iss", "iss_invalid"),
            ("refresh_other_aud", "aud_invalid"),
            ("refresh_other_azp", "azp_invalid"),
            ("refresh_expired_id_token", "expired"),
            ("refresh_bad_signature", "signature_invalid"),
            ("refresh_alg_none", "alg_not_allowed"),
        ],
    )
    def test_every_other_rule_holds(self, name: str, code: str) -> None:
        world, old = self.restarted(name)

        assert flow_refresh_token(world.ctx, old["refresh_token"]) == APIError(code)

    def test_a_damaged_id_token_is_refused_before_anything_is_sent(self) -> None:
        world, old = self.restarted()

        outcome = flow_refresh_token(world.ctx, old["refresh_token"], id_token="damaged")
        assert outcome == APIError("parameter_invalid")
        assert world.forms("refresh_token") == []

    def test_an_answer_without_id_token_is_fine(self) -> None:
        world, old = self.restarted()
        world.provider.refresh_id_token = False

        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))
        assert isinstance(flow_refresh_token(world.ctx, new["refresh_token"]), dict)


class TestValidateIdToken:
    """``flow_validate_id_token(ctx, id_token)``: a bool."""

    def refused(self, world: World, id_token: str) -> str:
        """The code an ID token is refused with; the flow says no as well."""
        assert flow_validate_id_token(world.ctx, id_token) is False
        with pytest.raises(OidcError) as refusal:
            check_id_token(world.ctx, id_token)
        return refusal.value.code

    def test_the_token_of_a_login_holds(self, world: World) -> None:
        id_token = world.tokens()["id_token"]

        assert flow_validate_id_token(world.ctx, id_token) is True
        evidence = check_id_token(world.ctx, id_token)
        assert dict(evidence.skipped)["at_hash"] == "no access token came along"
        assert "nonce" not in dict(evidence.skipped)

    def test_the_token_of_a_refresh_holds(self, world: World) -> None:
        new = plain(flow_refresh_token(world.ctx, world.tokens()["refresh_token"]))

        assert flow_validate_id_token(world.ctx, new["id_token"]) is True
        assert "same_sub" not in dict(check_id_token(world.ctx, new["id_token"]).skipped)

    def test_the_token_of_a_refresh_of_an_unknown_login_holds(self) -> None:
        world, old = TestRefreshAfterRestart.restarted()
        new = plain(flow_refresh_token(world.ctx, old["refresh_token"]))

        assert flow_validate_id_token(world.ctx, new["id_token"]) is True

    def test_the_nonce_must_be_one_that_this_context_issued(self) -> None:
        provider = FakeProvider(clients=(CLIENT,))
        elsewhere = World(provider).tokens()["id_token"]

        other = World(provider, random_device=FixedEntropy(2))
        assert self.refused(other, elsewhere) == "nonce_mismatch"

    def test_a_token_of_a_login_under_way_holds(self, world: World) -> None:
        """Whoever exchanges the code by other means still has a nonce of this context."""
        code = world.code()
        answered = world.ctx.records.answered.take(key_of(code), NOW)
        assert answered is not None
        logged_in: LoggedIn = world.ctx.shell.run(answered.rp, answered.step)

        assert flow_validate_id_token(world.ctx, logged_in.tokens.id_token)
        world.clock.advance(121)
        assert self.refused(world, logged_in.tokens.id_token) == "nonce_mismatch"

    def test_a_token_without_nonce_is_refused(self) -> None:
        world, old = TestRefreshAfterRestart.restarted()
        refreshed = plain(flow_refresh_token(world.ctx, old["refresh_token"]))["id_token"]
        stranger = World(world.provider, random_device=FixedEntropy(3))

        assert self.refused(stranger, refreshed) == "nonce_mismatch"

    def test_max_age_still_binds_it(self, world: World) -> None:
        id_token = world.tokens(max_age=10)["id_token"]
        assert flow_validate_id_token(world.ctx, id_token)
        pending = world.ctx.records.finished.find(key_of(claims_of(id_token)["nonce"]), NOW)
        assert pending is not None
        later = evolve(pending, created_at=NOW + 131)
        world.ctx.records.finished.put(key_of(pending.nonce), later, NOW)

        assert self.refused(world, id_token) == "auth_too_old"

    @pytest.mark.parametrize(
        ("spoil", "code"),
        [
            (lambda token: "", "jws_format"),
            (lambda token: token + ".", "jws_format"),
            (lambda token: token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB"), None),
            (lambda token: "eyJhbGciOiJub25lIn0." + token.split(".")[1] + ".", "alg_not_allowed"),
        ],
        ids=["nothing", "four parts", "another signature", "alg none"],
    )
    def test_structure_and_signature_are_checked(
        self, spoil: Callable[[str], str], code: str | None, world: World
    ) -> None:
        id_token = spoil(world.tokens()["id_token"])

        assert self.refused(world, id_token) in {code or "signature_invalid", code or "jws_base64"}

    def test_an_expired_token_is_refused(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        world.clock.advance(300 + 119)
        assert flow_validate_id_token(world.ctx, id_token)
        world.clock.advance(1)

        assert self.refused(world, id_token) == "expired"

    def test_keys_out_of_reach_are_no_verdict(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        fresh = World(world.provider, random_device=FixedEntropy(1))
        down(fresh.transport, "no", "http_connect", "/jwks")

        assert self.refused(fresh, id_token) == "keys_unavailable"

    def test_keys_are_refreshed_when_due_and_not_at_every_call(self) -> None:
        provider = FakeProvider(clients=(CLIENT,), token_lifetime=86_400)
        world = World(provider, key_refresh_secs=100)
        id_token = world.tokens()["id_token"]
        fetched = []
        for _ in range(6):
            assert flow_validate_id_token(world.ctx, id_token)
            fetched.append(world.fetched("/jwks"))
            world.clock.advance(50)

        assert fetched == [1, 1, 2, 2, 3, 3]

    def test_rotated_keys_are_found(self, world: World) -> None:
        world.tokens()
        world.provider.rotate_keys()

        assert flow_validate_id_token(world.ctx, world.tokens()["id_token"])


class TestEvidence:
    """``ctx.evidence(id_token)``."""

    def test_it_tells_of_callback_and_id_token(self, world: World) -> None:
        callback, token = world.ctx.evidence(world.tokens()["id_token"])

        assert (callback.subject, token.subject) == ("authorization_response", "id_token")
        assert "at_hash" not in dict(token.skipped)

    def test_it_forgets_after_a_day(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        world.clock.advance(86_400 + 121)

        assert world.ctx.evidence(id_token) == ()

    def test_it_knows_nothing_of_other_tokens(self, world: World) -> None:
        assert world.ctx.evidence("a.b.c") == ()


class TestErrors:
    """``APIError`` and ``AuthServerError``: values, returned and not raised."""

    def test_they_have_the_fields_of_the_original(self) -> None:
        error = AuthServerError("access_denied", "no", "https://e.example")

        assert APIError("state_expired").error == "state_expired"
        assert (error.error, error.error_description) == ("access_denied", "no")
        assert error.error_uri == "https://e.example"
        assert AuthServerError("server_error").error_description is None

    def test_they_carry_their_cause_without_its_frames(self, world: World) -> None:
        error = flow_get_token(world.ctx, "from-elsewhere")
        assert isinstance(error, APIError)
        cause = error.cause

        assert cause is not None
        assert (cause.code, cause.retryable, cause.__traceback__) == (
            "state_unknown", "restart", None,
        )  # fmt: skip
        assert "cause" not in repr(error)
        assert copy.deepcopy(error) == error


class TestMemory:
    """What a context remembers is bounded."""

    def test_the_oldest_go_at_the_cap(self) -> None:
        memory = Memory[str](lifetime=10, cap=2)
        for key in ("a", "b", "a", "c"):
            memory.put(key, key.upper(), 0)

        assert [memory.find(key, 0) for key in "abc"] == ["A", None, "C"]
        assert len(memory) == 2

    def test_what_is_over_goes(self) -> None:
        memory = Memory[str](lifetime=10, cap=2)
        memory.put("a", "A", 0)
        memory.put("b", "B", 1)

        assert [memory.find("a", 10), memory.find("a", 11), memory.take("b", 11)] == [
            "A",
            None,
            "B",
        ]
        assert memory.take("b", 11) is None

    def test_an_admission_drops_nothing(self) -> None:
        memory = Memory[str](lifetime=10, cap=1)

        assert memory.admit("a", "A", 0)
        assert not memory.admit("a", "B", 0)
        with pytest.raises(StoreFailure) as refusal:
            memory.admit("b", "B", 0)
        assert refusal.value.code == "too_many_pending"
        assert memory.find("a", 0) == "A"

    def test_the_nonces_of_finished_logins_are_beyond_the_reach_of_strangers(
        self, world: World
    ) -> None:
        """Logins that strangers start and never finish push out no nonce of a user."""
        id_token = world.tokens()["id_token"]
        world.ctx.records = evolve(world.ctx.records, issued=Memory(lifetime=120, cap=1))
        for _ in range(3):
            flow_request_authorization_code(world.ctx)

        assert flow_validate_id_token(world.ctx, id_token)

    def test_threads_take_a_code_once(self, world: World) -> None:
        code, outcomes, start = world.code(), list[object](), threading.Barrier(4)

        def exchange() -> None:
            start.wait(10)
            outcomes.append(flow_get_token(world.ctx, code))

        threads = [threading.Thread(target=exchange) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        assert outcomes.count(APIError("state_unknown")) == 3
        assert len(world.forms("authorization_code")) == 1


def browsed(url: str) -> str:
    """What a browser does: ask, and say where it was sent."""
    parts = urlsplit(url)
    connection = HTTPConnection(cast("str", parts.hostname), parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        location = answer.getheader("location")
    finally:
        connection.close()
    assert location is not None
    return location


def test_a_whole_login_over_real_http() -> None:
    clock = FrozenClock(NOW)
    with serve(FakeProvider(clients=(CLIENT,)), clock) as served:
        ctx = OIDCCtx(
            served.issuer,
            REDIRECT_URI,
            CLIENT.client_id,
            CLIENT.client_secret,
            SCOPES,
            insecure_allow_http_loopback=True,
            clock=clock,
        )
        try:
            url = flow_request_authorization_code(ctx, browser=BROWSER)
            query = parse_qs(urlsplit(browsed(url)).query)
            code = text(flow_get_authorization_code(ctx, query, browser=BROWSER))
            tokens = plain(flow_get_token(ctx, code))
            renewed = plain(flow_refresh_token(ctx, tokens["refresh_token"]))

            assert claims_of(tokens["id_token"])["sub"] == "alice"
            assert flow_validate_id_token(ctx, tokens["id_token"])
            assert flow_validate_id_token(ctx, renewed["id_token"])
            assert ctx.evidence(tokens["id_token"])[0].relaxations == (
                "insecure_allow_http_loopback",
            )
        finally:
            ctx.close()


def test_a_failed_discovery_leaves_no_connection_open() -> None:
    provider = FakeProvider(clients=(CLIENT,), misbehave="metadata_html")
    with serve(provider, FrozenClock(NOW)) as served, pytest.raises(ProtocolViolation) as refusal:
        OIDCCtx(served.issuer, REDIRECT_URI, "client", "secret", insecure_allow_http_loopback=True)

    assert refusal.value.code == "content_type"
