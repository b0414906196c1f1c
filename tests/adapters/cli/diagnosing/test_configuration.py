"""The settings of a client."""

import os
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from oidc_adapters import ClientSetup
from oidc_adapters.cli.diagnosing.configuration import configuration_for
from oidc_adapters.cli.diagnosing.finding import Found
from oidc_core.model.provider import metadata_of
from oidc_core.wire.jsontypes import JsonValue

from .shells import ISSUER, METADATA, json_answer

SetupOf: TypeAlias = Callable[[str], ClientSetup]


def found(issuer: str = ISSUER, url: str | None = None, **members: JsonValue) -> Found:
    metadata = metadata_of({**METADATA, **members})
    return Found(
        issuer=issuer, metadata=metadata, response=json_answer(METADATA), discovery_url=url
    )


@pytest.fixture
def setup_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SetupOf:
    """Return a function that runs the lines of a configuration."""
    monkeypatch.setenv("CLIENT_SECRET", "of the test, and long enough for the key of a MAC")

    def run(source: str) -> ClientSetup:
        file = tmp_path / "setup.py"
        file.write_text(source)
        setup: ClientSetup = runpy.run_path(str(file), {"ClientSetup": ClientSetup, "os": os})[
            "setup"
        ]
        return setup

    return run


@pytest.mark.parametrize(
    ("methods", "method"),
    [
        ((), None),
        (("client_secret_post",), None),
        (("client_secret_jwt",), "client_secret_jwt"),
        (("none",), "none"),
    ],
)
def test_the_lines_make_a_setup(
    methods: tuple[str, ...], method: str | None, setup_of: SetupOf
) -> None:
    told = configuration_for(found(token_endpoint_auth_methods_supported=methods))

    setup = setup_of(told.source)

    assert (setup.issuer, setup.token_endpoint_auth_method) == (ISSUER, method)
    assert (setup.client_secret is None) == (method == "none")
    assert setup.redirect_uri == "https://app.example/callback"
    assert told.development is False


def test_keys_are_asked_for_where_only_they_serve() -> None:
    told = configuration_for(found(token_endpoint_auth_methods_supported=("private_key_jwt",)))

    assert dict(told.arguments)["client_keys"] == "ClientKeys(key)"


def test_scopes_are_those_that_the_provider_names() -> None:
    told = configuration_for(found(scopes_supported=("email", "offline_access")))

    assert dict(told.arguments)["scope"] == '"openid email"'
    assert "to refresh tokens, add offline_access to scope" in told.remarks


def test_metadata_elsewhere_and_development_are_settings(setup_of: SetupOf) -> None:
    url = "http://127.0.0.1:1/elsewhere"
    told = configuration_for(found("http://127.0.0.1:1", url), client_id="c'\"", redirect_uri="")

    setup = setup_of(told.source)

    assert (setup.discovery_url, setup.client_id) == (url, "c'\"")
    assert "insecure_allow_http_loopback" in setup.policy.quirks


def test_remarks_name_what_is_there() -> None:
    announced = found(
        end_session_endpoint=f"{ISSUER}/end", authorization_response_iss_parameter_supported=True
    )

    assert [each[:22] for each in configuration_for(announced).remarks] == [
        "to end the provider's "
    ]
