"""The modules beside this one use every public name, and they are right."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import evolve
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine

import legs
import oidc_adapters.web
import oidc_core
from oidc_adapters import Identity, MemoryPendingLogins, MemoryRecords, OidcClient, SessionIndex
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_adapters.web import WebRequest
from oidc_core import (
    CallbackError,
    Connection,
    HttpRequest,
    Incoming,
    KeySet,
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
    fingerprint,
)
from oidc_core.machine.steps import Exchange
from oidc_core.operations import discovery
from oidc_core.wire.http import Answer
from tests.typing import api, life, parts, records, web

DATABASE: Final = "postgresql+psycopg://nobody@127.0.0.1/nothing"
SOURCES: Final = [
    Path(__file__).with_name(name)
    for name in ("api.py", "life.py", "parts.py", "records.py", "web.py")
]


def used() -> set[str]:
    """The names that the code of these modules uses, not counting its imports."""
    trees = [ast.parse(source.read_text("utf-8")) for source in SOURCES]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}


@pytest.mark.parametrize(
    "root", [oidc_core, oidc_adapters, oidc_adapters.web], ids=lambda root: root.__name__
)
def test_every_public_name_is_used(root: Any) -> None:
    assert {*root.__all__} - used() == set()


def test_the_type_checkers_look_at_it() -> None:
    tools = legs._static(Path("python"))

    assert "tests" in tools["mypy"]
    assert "tests" in tools["pyright"]


def test_a_login_by_steps() -> None:
    provider = api.a_provider()
    rp = api.a_setup(provider).relying_party()

    logged_in = api.by_steps(rp, api.a_shell(provider), provider)

    assert api.read(logged_in) == "alice alice@op.example"


def test_the_paved_road() -> None:
    provider = api.a_provider()

    logged_in, logged_out = api.paved(provider, api.a_setup(provider))

    assert logged_in.logged_in.return_to == "/inbox"
    assert logged_out.logged_out.post_logout_redirect_uri == "https://rp.example/"


def test_the_paved_road_awaited() -> None:
    provider = api.a_provider()

    result = asyncio.run(api.paved_async(provider, api.a_setup(provider)))

    assert result.logged_in.identity.subject == "alice"


def test_a_request_is_prepared() -> None:
    provider = api.a_provider()
    step = discovery.discover(api.a_setup(provider).relying_party())
    assert isinstance(step, Exchange)

    wire = api.prepared(api.a_shell(provider), step.request)

    assert wire.url == "https://op.example/.well-known/openid-configuration"


def test_what_ships_fits_the_ports() -> None:
    provider = FakeProvider()

    transport, awaited = api.ports(provider, KeySet())

    assert isinstance(transport, InMemoryTransport)
    assert isinstance(awaited, AsyncInMemoryTransport)


def test_databases_fit_the_ports_of_records() -> None:
    waited, awaited = parts.records_of(
        create_engine(DATABASE),
        create_async_engine(DATABASE),  # they connect to nothing
    )

    assert (waited.single_use, awaited.single_use) == ("shared", "shared")


def test_settings_by_hand() -> None:
    policy, rule, registration, metadata = api.settings()

    assert policy.quirks == {"basic_raw_credentials"}
    assert rule.in_response("https://login.example/contoso/v2.0")
    assert registration.redirect_uri == "https://rp.example/callback"
    assert metadata.jwks_uri == "https://op.example/jwks"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ProtocolViolation("exp_expired"), "exp_expired"),
        (CallbackError("state_missing"), "state_missing"),
        (ProviderError("access_denied", error_description="no"), "no"),
        (TransportFailure("http_timeout", sent="no"), "no"),
    ],
)
def test_errors_say_whose_fault_it_was(error: OidcError, expected: str) -> None:
    assert api.told(error) == expected


def test_a_login_by_parts() -> None:
    provider = api.a_provider()
    shell = api.a_shell(provider)
    rp = api.a_setup(provider).relying_party()
    rp = shell.run(rp, discovery.discover(rp))
    shell.credentials = api.a_setup(provider).credentials(rp)

    def send(request: HttpRequest) -> Answer:
        return shell.send(request).answer

    login = parts.started(rp, shell.entropy.login_secrets())
    came_back = provider.authorize(login.url, parts.NOW).url
    response = parts.returned(rp, login.pending, came_back)
    tokens = parts.tokens_for(rp, login.pending, response.code, send)
    userinfo, evidence = parts.userinfo_of(rp, tokens, send)

    assert (tokens.subject, userinfo.sub, evidence.of) == ("alice", "alice", "userinfo")
    waiting, taken = parts.waited(rp, shell.entropy)
    assert taken.pending == waiting.pending
    assert parts.bound_logout(rp, shell.entropy).pending.issuer == rp.issuer
    stored, metadata, leaving = parts.kept(rp, tokens)
    assert (stored, metadata) == (tokens, rp.provider)
    assert leaving.post_logout_redirect_uri == "https://rp.example/"
    renewal, own = parts.requests_of(rp, evolve(tokens, refresh_token="r"))
    assert (renewal.purpose, own.purpose) == ("refresh", "token")
    assert own.form == (("grant_type", "client_credentials"), ("client_id", "client"))
    posted = provider.backchannel_logout(parts.NOW, sid=tokens.sid).incoming()
    framed = Incoming(method="GET", url=None, query=f"iss=https://op.example&sid={tokens.sid}")
    sids, answers = parts.ended(rp, posted, framed, send)
    assert sids == (tokens.sid, tokens.sid)
    assert [answer.status for answer in answers] == [200] * 3
    assert [each.kind for each in parts.revoked(rp, tokens, send)] == [
        "refresh_token",
        "access_token",
    ]


def test_web_routes_in_a_framework_of_a_stranger() -> None:
    provider = api.a_provider()
    waiting = web.waiting(provider, api.a_setup(provider))
    awaiting = web.awaiting(provider, api.a_setup(provider))
    asked = WebRequest.of("GET", "/orders", headers={"accept": "text/html"}.items())
    lost = WebRequest.of("GET", "/callback", query="state=unknown&code=1")

    assert web.page_of(waiting, asked).header("location") == "/login?return_to=%2Forders"
    assert asyncio.run(web.async_page_of(awaiting, asked)) == "303"
    assert waiting.callback(lost).body.startswith(b"Please log in again: (400, &#x27;state_")


def test_the_parts_of_the_adapters() -> None:
    provider = api.a_provider()
    shell = api.a_shell(provider)
    rp = api.a_setup(provider).relying_party()
    rp = shell.run(rp, discovery.discover(rp))

    assert len(parts.ports_of(rp)) == 2
    own, remote, credentials = parts.keys_of_a_client(rp)
    assert (own.issuer, remote.client_id) == (rp.issuer, "client")
    assert credentials.nonces is not None
    assert len(parts.world()) == 5


def test_the_facts() -> None:
    assert parts.facts() == (
        "state",
        "state_mismatch",
        fingerprint("a secret"),
        "authorization_response",
        "id_token",
        "refreshed_id_token",
        "userinfo",
        "logout_token",
    )


def test_a_client_has_a_life() -> None:
    provider = api.a_provider()
    setup, transport = api.a_setup(provider), InMemoryTransport(provider)
    heard: list[oidc_adapters.Event] = []
    with OidcClient(
        setup, MemoryPendingLogins(), transport=transport, on_event=heard.append
    ) as client:
        page = client.start_login()
        incoming = provider.authorize(page.url, client.shell.clock.now())
        result = client.finish_login(incoming.incoming(api.header_of(page)))
        assert life.asks(client, result.logged_in.tokens).userinfo.sub == "alice"

    told = [life.counted(event) for event in heard]
    assert [line for line in told if line.startswith(("token", "1 keys"))] == [
        "token 200",
        "1 keys of https://op.example/jwks",
    ]
    assert {type(event) for event in heard} >= {
        oidc_adapters.LoginBegan,
        oidc_adapters.LoginFinished,
    }
    assert {*life.GOES_WELL}.isdisjoint(life.GOES_WRONG)
    with pytest.raises(oidc_core.UsageError):
        life.lives(setup, transport).start_login()


def test_stores_of_records_fit_their_port(tmp_path: Path) -> None:
    path = tmp_path / "records.db"

    stores = (*records.shipped(path), *records.of_command_lines(tmp_path / "own"))
    found = [records.kept(store) for store in stores]
    found.append(asyncio.run(records.kept_awaited(records.Awaited())))
    index = SessionIndex(MemoryRecords(), "s" * 32)
    whose, who = Connection("https://op.example", "client", "", "", ""), Identity("i", "alice")
    (named,) = records.indexed(index, whose, who)
    assert asyncio.run(records.indexed_awaited(index, whose, named)) == (named,)

    together = [each.times.utc + 1 >= each.times.now for each in found]  # each is rounded down
    assert ([each.value for each in found], together) == (["v"] * 5, [True] * 5)
