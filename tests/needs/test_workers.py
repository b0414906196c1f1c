"""Processes of one application share a secret, or a store, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

import pytest
from attrs import evolve

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock, SystemClock
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.metadata_in_records import RecordMetadata
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.stores.records import MemoryRecords
from oidc_adapters.testing import InMemoryTransport, serve
from oidc_core.codec import dump_tokens, load_tokens
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import parse_object
from tests.flows.rig import FAKE_CLIENT, NOW, SEALING_SECRET, Rig, honest_provider, setup_for
from tests.parties import refused

WORKER: Final = """
import json, sys
from oidc_adapters import ClientSetup, CookiePendingLogins, Incoming, OidcClient, Policy

setup, secret, incoming = json.loads(sys.argv[1])
policy = Policy(quirks=frozenset({"insecure_allow_http_loopback"}))
with OidcClient(ClientSetup(policy=policy, **setup), CookiePendingLogins(secret)) as client:
    if incoming:
        logged_in = client.finish_login(Incoming(**incoming)).logged_in
        print(json.dumps([logged_in.identity.subject, logged_in.return_to]))
    else:
        page = client.start_login(return_to="/orders")
        cookies = [f"{cookie.name}={cookie.value}" for cookie in page.cookies]
        print(json.dumps([page.url, "; ".join(cookies)]))
"""
"""A process of the application: it has settings and a secret."""


def process(setup: dict[str, str], incoming: dict[str, Any] | None) -> list[str]:
    """Let a process start a login or finish one."""
    told = json.dumps([setup, SEALING_SECRET.decode(), incoming])
    done = subprocess.run(
        [sys.executable, "-c", WORKER, told], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said: list[str] = json.loads(done.stdout)
    return said


@pytest.mark.slow
def test_one_process_starts_a_login_and_another_finishes_it() -> None:
    with serve(honest_provider(), SystemClock()) as server:
        setup = {
            "issuer": server.issuer,
            "client_id": FAKE_CLIENT.client_id,
            "client_secret": FAKE_CLIENT.client_secret,
            "redirect_uri": FAKE_CLIENT.redirect_uris[0],
        }
        url, cookie = process(setup, None)
        came = server.provider.authorize(url, SystemClock().now()).incoming(cookie)
        incoming = {"method": "GET", "url": came.url, "query": came.query, "cookie": cookie}

        assert process(setup, incoming) == ["alice", "/orders"]


def member(provider: Any, records: MemoryRecords, clock: FrozenClock) -> Rig:
    """A further process of an application that keeps metadata and grants in a store."""
    transport = InMemoryTransport(provider)
    client = OidcClient(
        setup_for(provider),
        MemoryPendingLogins(),
        transport=transport,
        clock=clock,
        grants=Grants(records, SEALING_SECRET),
        metadata=RecordMetadata(records, SEALING_SECRET),
    )
    return Rig(provider=provider, transport=transport, clock=clock, client=client)


def test_tokens_that_were_written_down_are_refreshed_without_discovery() -> None:
    provider, clock = honest_provider(), FrozenClock(NOW)
    records = MemoryRecords(clock=clock, elapsed=lambda: float(clock.now()))
    tokens = member(provider, records, clock).log_in().logged_in.tokens
    text = dump_tokens(tokens)
    clock.advance(7_200)

    later = member(provider, records, clock)
    grant = later.client.keep(load_tokens(text))
    fresh = later.client.tokens(grant).fresh()

    written = parse_object(text.encode()).members
    assert (written["issuer"], written["client_id"]) == (tokens.issuer, tokens.client_id)
    assert (written["expires_at"], written["scope"]) == (tokens.expires_at, tokens.scope)
    assert fresh.access_token != tokens.access_token
    assert fresh.expires_at is not None
    assert fresh.expires_at > clock.now()
    asked = [request.url.removeprefix(provider.issuer) for request, _ in later.transport.exchanges]
    assert asked[0] == "/token"
    assert "/.well-known/openid-configuration" not in asked


@pytest.mark.parametrize(
    "of", [{"issuer": "https://other.example"}, {"client_id": "other"}], ids=["issuer", "client"]
)
def test_tokens_of_another_issuer_or_client_are_not_kept(of: dict[str, Any]) -> None:
    provider, clock = honest_provider(), FrozenClock(NOW)
    rig = member(provider, MemoryRecords(), clock)
    tokens = rig.log_in().logged_in.tokens

    foreign = evolve(tokens, **of)

    refused(UsageError, "client_issuer_mismatch", lambda: rig.client.keep(foreign))
