"""Logins at an imitation of a provider, with the settings of its page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qsl, urlsplit

from attrs import AttrsInstance, evolve, field, fields_dict, frozen
from flask import Flask

from oidc_adapters import (
    FrozenClock,
    MemoryRecords,
    OidcError,
    ProviderError,
    SignedSecret,
)
from oidc_adapters.testing import (
    FakeBrowser,
    FakeClient,
    FakeProvider,
    FakeUser,
    InMemoryTransport,
    RequestRefused,
)
from oidc_adapters.web.flask import Oidc
from provider_pages import settings_source

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from provider_facts import Provider

NOW: Final = 1_800_000_000
HERE: Final = {
    "Origin": "https://app.example",
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/x-www-form-urlencoded",
}
ALICE: Final = {
    "name": "Alice Adams",
    "email": "alice@op.example",
    "email_verified": True,
    "tid": "contoso",
}
FOR_MISTAKES: Final = "from oidc_adapters import ClientKey, IssuerRule, Policy, SignedSecret\n"
CLAIMS: Final = ("name", "email", "email_verified", "acr", "groups")


def settings_of(provider: Provider, change: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Run the block of settings of a page, with a mistake in it if one is named."""
    names: dict[str, Any] = {}
    assigned = [
        f"settings[{name!r}] = {source}\n" if source else f"del settings[{name!r}]\n"
        for name, source in (change or {}).items()
    ]
    source = "".join([settings_source(provider), FOR_MISTAKES if change else "", *assigned])
    exec(compile(source, provider.slug, "exec", dont_inherit=True), names)
    settings: dict[str, Any] = names["settings"]
    secret = settings.get("OIDC_CLIENT_SECRET")
    if isinstance(secret, SignedSecret):
        settings["OIDC_CLIENT_SECRET"] = evolve(secret, clock=FrozenClock(NOW))
    return settings


def without(settings: Mapping[str, Any], of: str) -> dict[str, Any]:
    """Return settings without one of them, without a member of one, or without a word of one."""
    name = re.split("[.:]", of, maxsplit=1)[0]
    mark, part = of[len(name) : len(name) + 1], of[len(name) + 1 :]
    others = {each: value for each, value in settings.items() if each != name}
    if not mark:
        return others
    value = settings[name]
    if mark == ".":
        default = fields_dict(cast("type[AttrsInstance]", type(value)))[part].default
        return {**others, name: evolve(value, **{part: default})}
    if isinstance(value, str):
        return {**others, name: " ".join([word for word in value.split() if word != part])}
    assert part in value.quirks
    return {**others, name: evolve(value, quirks=value.quirks - {part})}


@frozen
class Imitation:
    """A fake provider, and the application that logs in there."""

    provider: FakeProvider
    clock: FrozenClock
    transport: InMemoryTransport
    failures: list[OidcError] = field(factory=list[OidcError])

    @classmethod
    def of(
        cls,
        provider: Provider,
        settings: Mapping[str, Any],
        at_provider: Mapping[str, Any] | None = None,
    ) -> Imitation:
        """Return the imitation that the facts describe, at which the client is registered."""
        told: dict[str, Any] = {
            "id_token_alg": "ES256",
            **provider.imitation,
            **(at_provider or {}),
        }
        client: dict[str, Any] = {
            "client_id": settings["OIDC_CLIENT_ID"],
            "redirect_uris": [settings["OIDC_REDIRECT_URI"]],
            "post_logout_redirect_uris": ["https://app.example/logged-out"],
            **_credentials(settings),
            **told.pop("client", {}),
        }
        user: dict[str, Any] = {**ALICE, **told.pop("user", {})}
        subject = user.pop("sub", "alice")
        made = FakeProvider(
            clients=(FakeClient(**client),),
            users=(FakeUser(sub=subject, claims=user),),
            **told,
        )
        return cls(made, FrozenClock(NOW), InMemoryTransport(made))

    def outcome(self, settings: Mapping[str, Any]) -> str:
        """Log in and out, and tell what that gave, or the code of the refusal."""
        try:
            browser = self._application(settings).test_client()
            FakeBrowser(provider=self.provider, clock=self.clock).log_in(browser)
        except RequestRefused as refused:
            return f"its page: `{refused.error}`"
        except OidcError as error:
            return told(error)
        if self.failures:
            return told(self.failures[0])
        claims: dict[str, Any] = json.loads(browser.get("/me").data)
        gains = [
            ("name", bool(claims.get("name"))),
            ("e-mail", bool(claims.get("email"))),
            ("verified e-mail", claims.get("email_verified") is True),
            ("groups", bool(claims.get("groups"))),
            ("refresh token", self._refresh_token()),
            ("way back from a logout", self._comes_back(browser)),
        ]
        return ", ".join([name for name, there in gains if there]) or "a user without claims"

    def _application(self, settings: Mapping[str, Any]) -> Flask:
        """Return an application that shows the claims of the user."""
        app = Flask("page")
        config = cast("dict[str, Any]", app.config)
        config |= {
            **settings,
            "OIDC_RECORDS": MemoryRecords(clock=self.clock, elapsed=lambda: float(NOW)),
            "OIDC_TRANSPORT": self.transport,
            "OIDC_CLOCK": self.clock,
            "OIDC_CLAIMS": CLAIMS,
            "OIDC_ON_FAILURE": self.failures.append,
        }
        oidc = Oidc(app)

        def me() -> str:
            return json.dumps(oidc.session.claims.plain())

        app.add_url_rule("/me", view_func=oidc.required(me))
        return app

    def _refresh_token(self) -> bool:
        return bool(self.provider.ledger.refresh_tokens)

    def _comes_back(self, browser: FlaskClient) -> bool:
        """Log out, at the provider too; return whether the browser comes back from there."""
        left = browser.post("/logout", headers=HERE)
        url = left.headers.get("Location", "")
        if not url.startswith(self.provider.base.rstrip("/") + "/"):
            return False
        try:
            back = self.provider.end_session(url, NOW)
        except RequestRefused:
            return False
        if back is None:
            return False
        parts = urlsplit(back)
        assert dict(parse_qsl(parts.query)).keys() == {"state"}
        returned = browser.get(f"{parts.path}?{parts.query}")
        return bool(returned.status_code == 303 and returned.headers["Location"] == "/")


def _credentials(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the provider knows of the client's secret, or of its keys."""
    secret, keys = settings.get("OIDC_CLIENT_SECRET"), settings.get("OIDC_CLIENT_KEYS")
    if isinstance(secret, SignedSecret):
        method = "client_secret_post"
        jwks = [dict(secret.key.public_jwk().members)]
        return {"signed_secret": True, "jwks": jwks, "token_endpoint_auth_method": method}
    if keys is not None:
        jwks = [dict(each.members) for each in keys.public_keys]
        return {"jwks": jwks, "token_endpoint_auth_method": "private_key_jwt"}
    return {"client_secret": secret}


def told(error: OidcError) -> str:
    """Name a refusal as the pages do."""
    said = f": `{error.error}`" if isinstance(error, ProviderError) else ""
    return f"`{error.code}`{said}"
