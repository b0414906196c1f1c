"""The three calls of a login: the request, the callback, the tokens."""

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from oidc_adapters.context import (
    DEFAULT_SCOPES,
    APIError,
    AuthServerError,
    flow_get_authorization_code,
    flow_get_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.context.memory import Memory, key_of
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    FakeProvider,
)
from oidc_adapters.testing.transports import TellsTime
from oidc_core.jose.pkce import challenge_s256
from oidc_core.model.demands import Demands
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.errors import (
    StoreFailure,
    UsageError,
)
from oidc_core.wire.http import Answer, HttpResponse, NoAnswer, WireRequest
from tests.adapters.context.world import (
    BROWSER,
    CLIENT,
    ISSUER,
    NOW,
    REDIRECT_URI,
    SCOPES,
    Line,
    World,
    claims_of,
    parameters,
    plain,
    text,
)


class TestRequestAuthorizationCode:
    """``flow_request_authorization_code(ctx; …)``."""

    def test_every_parameter_of_the_original_is_sent(self, world: World) -> None:
        wishes: dict[str, Any] = {
            "nonce": "my-own-nonce",
            "display": "popup",
            "prompt": "consent",
            "max_age": "300",
            "ui_locales": "de en",
            "id_token_hint": world.tokens()["id_token"],
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

    @pytest.mark.parametrize("prompt", ["login", "select_account login", "login consent"])
    @pytest.mark.parametrize(
        ("asked", "sent"), [(None, "0"), ("0", "0"), ("12345", "12345"), (12_345, "12345")]
    )
    def test_an_explicit_max_age_is_sent_also_with_prompt_login(
        self, prompt: str, asked: int | str | None, sent: str, world: World
    ) -> None:
        found = parameters(flow_request_authorization_code(world.ctx, prompt=prompt, max_age=asked))

        assert (found["prompt"], found["max_age"]) == (prompt, sent)

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
        assert re.fullmatch(r"[\w-]{43,}", first["state"])
        assert re.fullmatch(r"[\w-]{43,}", first["nonce"])

    @pytest.mark.parametrize(
        ("wish", "value"),
        [
            ("display", "hologram"),
            ("prompt", "none login"),
            ("max_age", "soon"),
            ("max_age", "-1"),
            ("max_age", ""),
            ("max_age", " 5 "),
            ("max_age", "1_000"),
            ("max_age", "\u0661\u0662"),
            ("max_age", 5_000 * "9"),
            ("max_age", -1),
            ("max_age", True),
            ("max_age", False),
            ("max_age", 10**30),
            ("max_age", 1.0),
            ("max_age", 1.9),
            ("max_age", float("inf")),
            ("max_age", b"5"),
            ("max_age", [5]),
            ("id_token_hint", "a.b.c"),
            ("nonce", ""),
            ("nonce", "a\nb"),
            ("nonce", "ä"),
            ("nonce", 513 * "n"),
            ("browser", ""),
        ],
    )
    def test_a_wish_that_cannot_be_is_refused(self, wish: str, value: object, world: World) -> None:
        wishes: dict[str, Any] = {wish: value}
        with pytest.raises(UsageError) as refusal:
            flow_request_authorization_code(world.ctx, **wishes)

        assert (refusal.value.code, refusal.value.about) == ("parameter_invalid", wish)

    @pytest.mark.parametrize("nonce", ["my-own-nonce", "a+b/c=", "1&prompt=none#%41 "])
    def test_a_given_nonce_has_to_come_back(self, nonce: str, world: World) -> None:
        tokens = world.tokens(nonce=nonce)

        assert claims_of(tokens["id_token"])["nonce"] == nonce
        assert flow_validate_id_token(world.ctx, tokens["id_token"])

    def test_only_the_hinted_user_may_come_back(self, world: World) -> None:
        hint = world.tokens()["id_token"]
        url = flow_request_authorization_code(world.ctx, id_token_hint=hint)
        url = re.sub(r"&id_token_hint=[^&]*", "", url)  # a provider that ignores it
        other = world.provider.authorize(url, NOW, user="bob")
        code = text(flow_get_authorization_code(world.ctx, dict(other.parameters)))

        assert flow_get_token(world.ctx, code) == APIError("sub_mismatch")

    @pytest.mark.parametrize(
        ("change", "code", "about"),
        [
            ({"authorization_endpoint": None}, "unsupported_by_provider", "authorization_endpoint"),
            ({"scope": "email"}, "parameter_invalid", "scope"),
            ({"redirect_uris": ()}, "parameter_invalid", "redirect_uri"),
        ],
    )
    def test_it_starts_as_every_login_does(
        self, change: dict[str, Any], code: str, about: str, world: World
    ) -> None:
        """A start that the core refuses is refused here, and no login waits then."""
        rp = world.ctx.rp
        changed = (
            {"provider": evolve(rp.provider, **change)}
            if "authorization_endpoint" in change
            else {"client": evolve(rp.client, **change)}
        )
        world.ctx.rp = evolve(rp, **changed)
        with pytest.raises(UsageError) as refusal:
            flow_request_authorization_code(world.ctx)

        assert (refusal.value.code, refusal.value.about) == (code, about)
        assert len(world.ctx.records.waiting) == len(world.ctx.records.issued) == 0

    def test_what_waits_is_what_the_core_wrote_down(self, world: World) -> None:
        url = flow_request_authorization_code(world.ctx, nonce="my-own-nonce", max_age="300")
        sent, secrets = parameters(url), FixedEntropy(1).login_secrets()

        waiting = world.ctx.records.waiting.take(pending_id_of(sent["state"]), NOW)
        assert waiting is not None
        assert waiting.pending.demands == Demands(
            nonce="my-own-nonce", started_at=NOW, max_age=300, scope=" ".join(SCOPES)
        )
        assert waiting.pending.connection == waiting.rp.connection
        assert (waiting.pending.state, sent["nonce"]) == (secrets.state, "my-own-nonce")
        issued = world.ctx.records.issued.find(key_of("my-own-nonce"), NOW)
        assert issued == waiting.pending

    def test_the_states_that_wait_are_bounded(self, world: World) -> None:
        waiting = world.ctx.records.waiting
        world.ctx.records = evolve(world.ctx.records, waiting=Memory(lifetime=120, cap=1))
        flow_request_authorization_code(world.ctx)
        with pytest.raises(StoreFailure) as refusal:
            flow_request_authorization_code(world.ctx)

        assert refusal.value.code == "pending_too_many"
        assert len(waiting) == 0
        world.clock.advance(121)
        assert flow_request_authorization_code(world.ctx)


class TestPkce:
    """``pkce``: on, and a quirk where it must be left out."""

    class Ignorant(Line):
        """Reaches a provider that does not know PKCE: the verifier is made up for the fake."""

        def send(self, request: WireRequest, clock: TellsTime) -> Answer:
            body = request.body or b""
            if b"authorization_code" in body:
                assert b"code_verifier" not in body
                request = evolve(request, body=body + b"&code_verifier=" + 43 * b"v")
            return super().send(request, clock)

    def test_it_is_on_by_default(self, world: World) -> None:
        world.tokens()

        (form,) = world.forms("authorization_code")
        assert form["code_verifier"] == [FixedEntropy(1).login_secrets().code_verifier]

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
        assert evidence is not None
        assert [one.relaxations for one in evidence.each] == [("omit_pkce",), ("omit_pkce",)]

    def test_without_it_a_given_nonce_must_be_unguessable(self) -> None:
        world = World(pkce=False)
        with pytest.raises(UsageError) as refusal:
            flow_request_authorization_code(world.ctx, nonce=21 * "n")

        assert (refusal.value.code, refusal.value.about) == ("parameter_invalid", "nonce")
        assert (refusal.value.found, refusal.value.expected) == (
            21,
            "from 22 characters without PKCE",
        )
        assert flow_request_authorization_code(world.ctx, nonce=22 * "n")


Pairs: TypeAlias = tuple[tuple[str, str], ...]


class ManyValues(dict[str, str]):
    """A multi-dict as in web frameworks: subscripted it gives one value, listed all."""

    def __init__(self, pairs: tuple[tuple[str, str], ...]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getlist(self, name: str) -> list[str]:
        return [value for known, value in self._pairs if known == name]


def as_strings(pairs: Pairs) -> Mapping[str, object]:
    return dict(pairs)


def as_lists(pairs: Pairs) -> Mapping[str, object]:
    return {name: [value] for name, value in pairs}


def as_tuples(pairs: Pairs) -> Mapping[str, object]:
    return {"empty": None, **{name: (value,) for name, value in pairs}}


class TestGetAuthorizationCode:
    """``flow_get_authorization_code(ctx, query)``."""

    @pytest.mark.parametrize("shape", [as_strings, as_lists, as_tuples, ManyValues])
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

        assert flow_get_authorization_code(world.ctx, spoilt) == APIError("response_iss_mismatch")
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

    @pytest.mark.parametrize(
        "error",
        [
            "<b>not you",
            "a" * 512,
            "access_denied, call 555-0100 now",
            'a"b',
            "a\\b",
            "a\nb",
            "a\x1b[31mb",
            "\u202e",
            "ä",
            "a" * 513,
        ],
    )
    def test_the_code_of_an_error_is_bound_by_the_grammar_and_by_nothing_else(
        self, error: str, world: World
    ) -> None:
        """A stranger's link can say anything within it, so it is as untrusted as its text."""
        query = world.callback()
        del query["code"]
        outcome = flow_get_authorization_code(world.ctx, {**query, "error": error})

        if re.fullmatch(r"[\x20\x21\x23-\x5b\x5d-\x7e]{0,512}", error):
            assert outcome == AuthServerError(error[:256])
        else:
            assert isinstance(outcome, APIError)
            assert outcome.error in {"parameter_malformed", "parameter_too_long"}

    def test_a_code_that_another_login_brought_is_refused(self, world: World) -> None:
        query = world.callback()
        other = {**world.callback(), "code": query["code"]}

        assert flow_get_authorization_code(world.ctx, query) == query["code"]
        assert flow_get_authorization_code(world.ctx, other) == APIError("state_used")

    def test_the_codes_that_wait_are_bounded(self, world: World) -> None:
        world.ctx.records = evolve(world.ctx.records, answered=Memory(lifetime=120, cap=1))
        world.code()

        refused = flow_get_authorization_code(world.ctx, world.callback())
        assert refused == APIError("pending_too_many")


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
        evidence = world.ctx.evidence(plain(flow_get_token(world.ctx, code))["id_token"])
        assert evidence is not None
        callback = evidence.authorization_response

        assert callback is not None
        assert callback.relaxations == ()
        assert "binding" not in dict(callback.skipped)
        assert callback.notes == ("single_use: process",)

    def test_without_one_the_evidence_says_so(self, world: World) -> None:
        evidence = world.ctx.evidence(world.tokens()["id_token"])
        assert evidence is not None
        callback = evidence.authorization_response

        assert callback is not None
        assert callback.relaxations == evidence.id_token.relaxations == ("unbound_browser",)
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

    @pytest.mark.parametrize(
        ("listed", "basic"),
        [
            (["client_secret_basic"], True),
            (["client_secret_basic", "private_key_jwt"], True),
            (["client_secret_basic", "client_secret_post"], False),
            (["client_secret_post"], False),
            (None, False),
        ],
    )
    def test_basic_is_used_where_the_metadata_lists_it_and_not_the_form(
        self, listed: list[str] | None, basic: bool
    ) -> None:
        provider = FakeProvider(
            clients=(evolve(CLIENT, token_endpoint_auth_method="client_secret_basic"),)
            if basic
            else (CLIENT,)
        )
        line = Line(provider)

        def listing(request: WireRequest, clock: TellsTime) -> Answer:
            answer = line.through(request, clock)
            if not request.url.endswith("openid-configuration"):
                return answer
            assert isinstance(answer, HttpResponse)
            members = json.loads(answer.body)
            members["token_endpoint_auth_methods_supported"] = listed
            return evolve(answer, body=json.dumps(members).encode())

        line.tamper = listing
        world = World(provider, transport=line)
        world.tokens()
        (request,) = [
            request
            for request, _ in line.exchanges
            if b"authorization_code" in (request.body or b"")
        ]
        (form,) = world.forms("authorization_code")
        assert ("authorization" in dict(request.headers)) is basic
        assert ("client_secret" in form) is not basic

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

        assert isinstance(outcome, AuthServerError if code == "provider_error" else APIError)
        cause = outcome.cause
        assert cause is not None
        assert cause.code == code

    def test_a_login_without_refresh_token_is_a_login(self) -> None:
        tokens = World(scopes=DEFAULT_SCOPES).tokens()

        assert "refresh_token" not in tokens

    def test_max_age_is_checked(self) -> None:
        world = World(FakeProvider(clients=(CLIENT,), misbehave="old_auth_time"))

        outcome = flow_get_token(world.ctx, world.code(max_age=10))
        assert outcome == APIError("auth_time_too_old")

    def test_the_providers_error_is_returned(self, world: World) -> None:
        code = world.code()
        world.clock.advance(60)  # the provider's codes last a minute

        outcome = flow_get_token(world.ctx, code)
        assert outcome == AuthServerError("invalid_grant", "the code has expired")

    def test_a_network_failure_is_returned(self, world: World) -> None:
        code = world.code()
        world.transport.cut("/token")

        assert flow_get_token(world.ctx, code) == APIError("http_connect_failed")

    def test_a_login_that_failed_is_gone_though_nothing_was_sent(self, world: World) -> None:
        """Put back, it could be taken by somebody who brought the same code meanwhile."""
        code = world.code()
        world.transport.cut("/token")
        assert flow_get_token(world.ctx, code) == APIError("http_connect_failed")
        world.transport.tamper = None

        assert flow_get_token(world.ctx, code) == APIError("state_unknown")

    def test_a_code_that_may_have_been_sent_is_not_sent_again(self, world: World) -> None:
        code = world.code()

        def broken_off(request: WireRequest, clock: TellsTime) -> Answer:
            world.transport.through(request, clock)
            return NoAnswer("maybe", "http_timeout", clock.now())

        world.transport.tamper = broken_off
        assert flow_get_token(world.ctx, code) == APIError("code_in_doubt")
        assert flow_get_token(world.ctx, code) == APIError("state_unknown")
        assert len(world.forms("authorization_code")) == 1

    def test_the_login_asks_for_nothing_else(self, world: World) -> None:
        world.tokens()
        paths = [urlsplit(request.url).path for request, _ in world.transport.exchanges]

        assert paths == ["/.well-known/openid-configuration", "/token", "/jwks"]

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
