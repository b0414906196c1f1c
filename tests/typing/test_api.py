"""`tests/typing/api.py` uses every public name, and what it says holds when it runs."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Final

import pytest

import legs
import oidc_core
from oidc_adapters.testing import AsyncInMemoryTransport, FakeProvider, InMemoryTransport
from oidc_core import (
    CallbackError,
    KeySet,
    OidcError,
    ProtocolViolation,
    ProviderError,
    TransportFailure,
)
from oidc_core.machine.steps import Exchange
from oidc_core.operations import discovery
from tests.typing import api

SOURCE: Final = Path(__file__).with_name("api.py")


def used() -> set[str]:
    """The names that the code of api.py uses, not counting its imports."""
    tree = ast.parse(SOURCE.read_text("utf-8"))
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def test_every_public_name_is_used() -> None:
    assert {*oidc_core.__all__} - used() == set()


def test_the_type_checkers_look_at_it() -> None:
    checked: list[tuple[str, ...]] = []

    class Noting(legs.Legs):
        def command(self, name: str, *arguments: str) -> None:
            checked.append((name, *arguments))

    legs._static(Noting(python=Path("python")))
    tools = {name: arguments for name, *arguments in checked}

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
