"""``OIDCCtx(issuer, redirect_uri, client_id, client_secret, scopes; …)``."""

import inspect
import json
import pickle
import warnings
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from oidc_adapters.context import (
    APIError,
    OIDCCtx,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.credentials.client_credentials import Credentials
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing import (
    MISBEHAVIOURS,
    FakeProvider,
)
from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_adapters.testing.transports import TellsTime
from oidc_core.jose.pkce import challenge_s256
from oidc_core.wire.errors import (
    OidcError,
    ProtocolViolation,
    TransportFailure,
    UsageError,
)
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from oidc_core.wire.way import Channel, ChannelState
from tests.adapters.context.world import (
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
        knobs: dict[str, Any] = {
            "state_timeout_secs": 5,
            "allowed_skew_secs": 6,
            "key_refresh_secs": 7,
        }
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
        knobs: dict[str, Any] = {knob: value}
        with pytest.raises(UsageError) as refusal:
            World(**knobs)

        assert refusal.value.code == "config_invalid"

    @pytest.mark.parametrize("way", ["a call", "decrypt"])
    def test_the_secret_may_be_opened_for_each_use(self, way: str) -> None:
        opened: list[str] = []

        def opens(sealed: str = "sealed") -> str:
            opened.append(sealed)
            return CLIENT.client_secret

        provider = FakeProvider(clients=(CLIENT,))
        secret, more = (opens, {}) if way == "a call" else ("sealed", {"decrypt": opens})
        settings: dict[str, Any] = {"transport": Line(provider), "clock": FrozenClock(NOW), **more}
        ctx = OIDCCtx(ISSUER, REDIRECT_URI, CLIENT.client_id, secret, SCOPES, **settings)
        before = len(opened)
        query = dict(provider.authorize(flow_request_authorization_code(ctx), NOW).parameters)
        tokens = flow_get_token(ctx, text(flow_get_authorization_code(ctx, query)))

        assert isinstance(tokens, dict)
        assert opened[before:] == ["sealed"]
        assert isinstance(flow_refresh_token(ctx, tokens["refresh_token"]), dict)
        assert opened[before:] == ["sealed", "sealed"]

    @pytest.mark.parametrize(
        ("fault", "code"), [(ConnectionError("kms"), "store_unavailable"), (None, "config_invalid")]
    )
    def test_a_secret_that_cannot_be_opened_is_returned_as_an_error(
        self, fault: Exception | None, code: str, world: World
    ) -> None:
        def fails() -> Any:
            if fault is not None:
                raise fault

        tokens = world.tokens()
        held = world.ctx.shell.credentials
        (client,) = held._clients.values()
        world.ctx.shell.credentials = Credentials(evolve(client, secret=fails))

        assert flow_refresh_token(world.ctx, tokens["refresh_token"]) == APIError(code)

    def test_what_is_decrypted_is_text(self) -> None:
        settings: dict[str, Any] = {"decrypt": str.upper}
        with pytest.raises(UsageError) as refusal:
            OIDCCtx(ISSUER, REDIRECT_URI, "client", lambda: "secret", **settings)

        assert (refusal.value.code, refusal.value.about) == ("config_invalid", "decrypt")

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
        assert refused == APIError("response_iss_mismatch")  # iss without the slash

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

        assert refusal.value.code == "url_scheme_not_allowed"

    def test_it_shows_no_secret_and_is_not_pickled(self, world: World) -> None:
        assert repr(world.ctx) == f"OIDCCtx('{ISSUER}', client_id='client')"
        with pytest.raises(TypeError, match="secret"):
            pickle.dumps(world.ctx)

    def test_a_transport_of_ones_own_is_not_closed(self, world: World) -> None:
        world.ctx.close()

        assert not world.transport.closed


class TestTls:
    """``verify`` and ``cacrt`` govern the TLS check."""

    @pytest.fixture
    def server(self, authority: Authority) -> Iterator[FaultServer]:
        with FaultServer((), tls=authority.server()) as server:
            issuer = server.url("")
            metadata = {"issuer": issuer, "jwks_uri": issuer + "/jwks"}
            for name in ("authorization", "token"):
                metadata[f"{name}_endpoint"] = f"{issuer}/{name}"
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

    @pytest.mark.parametrize("own", [False, True])
    def test_each_line_that_does_not_verify_warns_once_by_pythons_own_rules(
        self, own: bool
    ) -> None:
        settings: dict[str, Any] = {"verify": False}
        if own:
            settings["transport"] = Line(FakeProvider(clients=(CLIENT,)))
        issuer = ISSUER if own else "https://127.0.0.1:9"
        made = partial(OIDCCtx, issuer, REDIRECT_URI, "client", "secret", **settings)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for _ in range(3):
                with suppress(OidcError):
                    made()
            with suppress(OidcError):
                made()
            with suppress(OidcError):
                made()

        assert {one.filename for one in caught} == {__file__}
        assert [one.lineno - caught[0].lineno for one in caught] == [0, 2, 4]

    def test_verify_false_shows_in_the_evidence(self) -> None:
        with pytest.warns(UserWarning, match="certificate is not verified"):
            world = World(verify=False)
        evidence = world.ctx.evidence(world.tokens(browser=None)["id_token"])

        assert evidence is not None
        assert [sorted(one.relaxations) for one in evidence.each] == 2 * [
            ["insecure_skip_tls_verification", "unbound_browser"]
        ]


class TestClaims:
    """``ctx.claims(id_token)``."""

    def test_they_are_those_of_the_id_token_as_plain_json(self, world: World) -> None:
        tokens = world.tokens()
        claims = world.ctx.claims(tokens["id_token"])

        assert claims == claims_of(tokens["id_token"])
        assert type(claims) is dict
        assert json.loads(json.dumps(claims)) == claims
        assert (claims["iss"], claims["sub"]) == (ISSUER, "alice")

    def test_those_of_a_refreshed_one_too(self, world: World) -> None:
        renewed = flow_refresh_token(world.ctx, world.tokens()["refresh_token"])
        assert isinstance(renewed, dict)

        assert world.ctx.claims(renewed["id_token"])["sub"] == "alice"

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ("", "jws_malformed"),
            ("{header}.{payload}.{signature}A", "signature_length_mismatch"),
            ("{header}.{payload}.", "jws_malformed"),
            ("eyJhbGciOiJub25lIn0.{payload}.", "alg_not_allowed"),
        ],
    )
    def test_what_is_not_verified_has_none(self, form: str, code: str, world: World) -> None:
        header, payload, signature = world.tokens()["id_token"].split(".")
        spoilt = form.format(header=header, payload=payload, signature=signature)
        with pytest.raises(ProtocolViolation) as refusal:
            world.ctx.claims(spoilt)

        assert refusal.value.code == code

    def test_one_that_has_expired_has_none(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        world.clock.advance(300 + 120)
        with pytest.raises(ProtocolViolation) as refusal:
            world.ctx.claims(id_token)

        assert refusal.value.code == "exp_expired"

    def test_one_of_another_context_has_none(self) -> None:
        elsewhere = World(random_device=FixedEntropy(9)).tokens()["id_token"]
        with pytest.raises(ProtocolViolation) as refusal:
            World().ctx.claims(elsewhere)

        assert refusal.value.code == "nonce_mismatch"


class TestEvidence:
    """``ctx.evidence(id_token)``."""

    def test_it_tells_of_callback_and_id_token(self, world: World) -> None:
        evidence = world.ctx.evidence(world.tokens()["id_token"])

        assert evidence is not None
        assert [one.of for one in evidence.each] == ["authorization_response", "id_token"]
        assert evidence.userinfo is None
        assert "at_hash" not in dict(evidence.id_token.skipped)

    @pytest.mark.parametrize("channel", ["verified", "not_told"])
    def test_it_tells_how_the_tokens_came(self, channel: ChannelState, world: World) -> None:
        def told(request: WireRequest, clock: TellsTime) -> Answer:
            answer = world.transport.through(request, clock)
            if not isinstance(answer, HttpResponse):
                return answer
            return evolve(answer, channel=Channel(channel))

        world.transport.tamper = told
        evidence = world.ctx.evidence(world.tokens()["id_token"])

        assert evidence is not None
        assert evidence.channel == channel

    def test_no_answer_counts_where_tls_did_not_verify_the_server(self, world: World) -> None:
        def told(request: WireRequest, clock: TellsTime) -> Answer:
            answer = world.transport.through(request, clock)
            if not isinstance(answer, HttpResponse):
                return answer
            return evolve(answer, channel=Channel("unverified"))

        code = world.code()
        world.transport.tamper = told
        assert flow_get_token(world.ctx, code) == APIError("channel_unverified")

    def test_it_forgets_after_a_day(self, world: World) -> None:
        id_token = world.tokens()["id_token"]
        world.clock.advance(86_400 + 121)

        assert world.ctx.evidence(id_token) is None

    def test_it_knows_nothing_of_other_tokens(self, world: World) -> None:
        assert world.ctx.evidence("a.b.c") is None


def test_a_failed_discovery_leaves_no_connection_open() -> None:
    script = (Read(), Send(ok(b"<html>", b"content-type: text/html")), Wait())
    with FaultServer(script) as server:
        with pytest.raises(ProtocolViolation) as refusal:
            OIDCCtx(
                server.url(""), REDIRECT_URI, "client", "secret", insecure_allow_http_loopback=True
            )

        assert refusal.value.code == "content_type_unexpected"
        assert server.closed_by_client.wait(10)


class TestUnreadableMembers:
    """The core reads past a value that nobody can read, and the plain answer does too."""

    ODD = (5_000 * "9", "1e999", '"\\ud800"', '{"a":[-1e999]}')

    @staticmethod
    def adding(world: World, odd: str, path: str, *names: str) -> None:
        """Let the answers of an endpoint have further members with an odd value."""

        def added(request: WireRequest, clock: TellsTime) -> Answer:
            answer = world.transport.through(request, clock)
            if not isinstance(answer, HttpResponse) or not request.url.endswith(path):
                return answer
            more = "".join([f'"{name}":{odd},' for name in names])
            return evolve(answer, body=b"{" + more.encode() + answer.body[1:])

        world.transport.tamper = added

    @pytest.mark.parametrize("odd", ODD)
    def test_discovery_goes_on(self, odd: str) -> None:
        provider = FakeProvider(clients=(CLIENT,))
        world, line = World(provider), Line(provider)
        self.adding(world, odd, "/openid-configuration", "x")
        line.tamper = world.transport.tamper
        assert World(provider, transport=line).ctx.rp.provider.issuer == ISSUER

    @pytest.mark.parametrize("odd", ODD)
    def test_the_answer_has_no_such_member(self, world: World, odd: str) -> None:
        expected = sorted(world.tokens())
        self.adding(world, odd, "/token", "x", "y")
        tokens = world.tokens()
        assert sorted(tokens) == expected
        assert sorted(plain(flow_refresh_token(world.ctx, tokens["refresh_token"]))) == expected
        json.dumps(tokens, allow_nan=False, ensure_ascii=False).encode()
