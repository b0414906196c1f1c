"""Running providers made by others, and an application with a client at each.

oidc-provider runs under Node. The others are Python packages in separate environments.
"""

import json
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import urllib3
from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.credentials.client_keys import ClientKeys, Signer
from oidc_adapters.transport import Transport
from oidc_core.model.client import ClientRegistration
from oidc_core.model.policy import UserInfoRule
from oidc_core.wire.jsontypes import JsonObject, render
from tests.interop.application import POLICY, SCOPE, Application, Kind, keys_of
from tests.interop.browser import OIDC_PROVIDER, Browser, Screen
from tests.interop.clients import (
    AWKWARD_SECRET,
    POST_LOGOUT_REDIRECT_URI,
    REDIRECT_URI,
    client_metadata,
)
from tests.interop.install import python_with
from tests.interop.matrix import Tried
from tests.interop.oidc_provider import Provider, running_provider
from tests.interop.process import ProviderFailed, started
from tests.interop.providers.loopback import Given
from tests.interop.raw_client import fetched

ROOT: Final = Path(__file__).parents[2]
PROVIDERS: Final = Path(__file__).parent / "providers"

GIVEN: Final = Given(
    login="alice",
    password="correct-horse-9",
    email="alice@example.com",
    client_id="rp",
    client_secret=AWKWARD_SECRET,
    redirect_uri=REDIRECT_URI,
    post_logout_redirect_uri=POST_LOGOUT_REDIRECT_URI,
)
PASSWORD: Final = {"password": GIVEN.password}
NAME_AND_PASSWORD: Final = {"username": "{login}", **PASSWORD}

SCREENS: Final[Mapping[str, tuple[Screen, ...]]] = {
    "oidc_provider": OIDC_PROVIDER,
    "canaille": (
        Screen("login", {"login": None}, {"login": "{login}"}),
        Screen("password", {"password": None}, PASSWORD),
        Screen("consent", press=("answer", "accept"), deny={"answer": "deny"}),
        Screen("logout", press=("answer", "logout")),
    ),
    "django_oauth_toolkit": (
        Screen("login", dict.fromkeys(NAME_AND_PASSWORD), NAME_AND_PASSWORD),
        Screen("consent", {"allow": None, "redirect_uri": None}, deny={"allow": None}),
        Screen("logout", {"allow": None}),
    ),
    "nanoidp": (Screen("login", dict.fromkeys(NAME_AND_PASSWORD), NAME_AND_PASSWORD),),
    "oidc_provider_mock": (
        Screen("login", {"sub": None}, {"sub": "{login}"}, deny={"sub": None, "action": "deny"}),
        Screen("logout", {"redirect_uri": None}),
    ),
}

BY_SECRET: Final = Kind()
CHOSEN_BY_PROVIDER: Final = {"client_id", "client_secret"}
Register = Callable[[Mapping[str, Any]], tuple[str, str]]


def one_key_of(kind: Kind) -> ClientKeys[Signer] | None:
    """The private key of a client that signs with one. Not every provider takes two."""
    keys = keys_of(kind)
    return None if keys is None else ClientKeys(keys.newest)


@dataclass(frozen=True, slots=True)
class Party:
    """A running provider.

    `register` takes what `client_metadata` takes, and returns the client's id and its secret. A
    provider that knows its one client from the start returns this one.
    """

    tried: Tried
    origin: str
    issuer: str
    register: Register
    log: Callable[[], str]

    @property
    def refuses_at(self) -> Literal["login", "consent"]:
        """The page on which a person can refuse."""
        on_login = any(s.name == "login" and s.deny for s in SCREENS[self.tried.key])
        return "login" if on_login else "consent"

    def metadata(self) -> dict[str, Any]:
        """Fetch the provider's metadata."""
        document: dict[str, Any] = fetched(f"{self.issuer}/.well-known/openid-configuration").json()
        return document

    def application(
        self,
        transport: Transport,
        *,
        kind: Kind = BY_SECRET,
        userinfo: UserInfoRule = "optional",
        overrides: Mapping[str, str] | None = None,
        **members: Any,
    ) -> Application:
        """An application with a client that the provider has just registered, and a new browser.

        `overrides` are members of the provider's metadata that the application knows better.
        """
        members["id_token_signed_response_alg"] = self.tried.id_token_alg
        keys = one_key_of(kind)
        jwks = None if keys is None else json.loads(render(JsonObject({"keys": keys.public_keys})))
        as_registered = {"auth_method": kind.auth_method, "jwks": jwks, **members}
        client_id, client_secret = self.register(as_registered)
        setup = ClientSetup(
            issuer=self.issuer,
            client_secret=client_secret if keys is None else None,
            client_keys=keys,
            metadata_overrides=JsonObject(overrides or {}),
            registration=ClientRegistration(
                client_id=client_id,
                redirect_uris=(REDIRECT_URI,),
                post_logout_redirect_uris=(POST_LOGOUT_REDIRECT_URI,),
                token_endpoint_auth_method=kind.auth_method,
                token_endpoint_auth_signing_alg=kind.assertion_alg,
                scope=SCOPE,
                **members,
            ),
            policy=evolve(POLICY, userinfo=userinfo, quirks=POLICY.quirks.union(self.tried.quirks)),
        )
        return Application(setup, transport, browser=Browser(self.origin, SCREENS[self.tried.key]))


@contextmanager
def running(tried: Tried, given: Given = GIVEN) -> Generator[Party]:
    """The provider, with that user and client, stopped at the end of the block.

    Raises `Unavailable` if the provider is not available, `ProviderFailed` if it does not start.
    """
    if tried.registry == "npm":
        with running_provider() as op:
            yield Party(tried, op.issuer, op.issuer, _registered_by_test(op), op.log)
        return
    python = str(python_with(PROVIDERS / f"{tried.key}.txt"))
    command = (python, "-m", f"tests.interop.providers.{tried.key}", json.dumps(asdict(given)))
    with started(command, env=os.environ | {"PYTHONPATH": str(ROOT)}) as provider:
        issuer = provider.origin + tried.issuer_path
        known = (given.client_id, given.client_secret)
        register: Register = _registered_at(issuer) if tried.registers else lambda _: known
        yield Party(tried, provider.origin, issuer, register, provider.log)


def _registered_by_test(provider: Provider) -> Register:
    def register(members: Mapping[str, Any]) -> tuple[str, str]:
        metadata = client_metadata(**members)
        provider.register(metadata)
        return str(metadata["client_id"]), str(metadata.get("client_secret"))

    return register


def _registered_at(issuer: str) -> Register:
    """Register as anybody may (OIDC Registration §3); the provider chooses id and secret."""

    def register(members: Mapping[str, Any]) -> tuple[str, str]:
        found = fetched(f"{issuer}/.well-known/openid-configuration").json()
        metadata = client_metadata(**members) | {"client_name": "rp", "scope": SCOPE}
        metadata = {name: metadata[name] for name in metadata.keys() - CHOSEN_BY_PROVIDER}
        answer = urllib3.request(
            "POST", found["registration_endpoint"], json=metadata, retries=False, timeout=10
        )
        if answer.status != 201:
            raise ProviderFailed(f"registration: {answer.status} {answer.data.decode()}")
        registered = answer.json()
        return registered["client_id"], registered.get("client_secret", "")

    return register
