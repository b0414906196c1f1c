"""Ten mistakes in a configuration, and the one line that says what to change.

The client speaks real HTTP to a provider on a loopback port.  The page of the documentation has the
same lines.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any, Final

import pytest
import urllib3
from attrs import define, evolve, field

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import FakeProvider, ServedProvider, serve
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject, parse_object, render
from tests.flows.rig import NOW, Browser, setup_for

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/how-to/configuration-mistakes.md"
LOCAL: Final = Policy(quirks={"insecure_allow_http_loopback"})
ISSUER: Final = "http://127.0.0.1:8000"
"""Stands for the provider's own, whose port is another each time."""

_ROW: Final = re.compile(r"^\| ([^|]+) \| `([^|]+)` \|$", re.MULTILINE)
_SAID: Final = re.compile(r"<p>([^<]*)</p>")


@define(kw_only=True)
class Publishing(FakeProvider):
    """A provider whose metadata says something else."""

    published: dict[str, Any] = field(factory=dict[str, Any])

    def answer(self, request: WireRequest, now: int) -> Answer:
        answer = super().answer(request, now)
        if not isinstance(answer, HttpResponse) or not self.published or answer.status != 200:
            return answer
        if "/.well-known/" not in request.url:
            return answer
        members = {**parse_object(answer.body).members, **self.published}
        body = render(JsonObject(members)).replace(ISSUER, self.issuer)
        return evolve(answer, body=body.encode())


@define(kw_only=True)
class Mistake:
    """A configuration with one mistake, and the line that it leads to.

    Attributes:
        line: what the developer sees: our message, or the page of the provider.
        setting: the wrong setting.
        published: the wrong member of the metadata.
        late: how many seconds the client's clock is ahead.
        route: where the application believes that its callback arrived.
    """

    line: str
    setting: dict[str, Any] = field(factory=dict[str, Any])
    published: dict[str, Any] = field(factory=dict[str, Any])
    late: int = 0
    route: str | None = None


MISTAKES: dict[str, Mistake] = {
    "wrong issuer": Mistake(
        line=(
            "http_status_unexpected at the metadata at "
            "http://127.0.0.1:8000/realms/other/.well-known/openid-configuration: found "
            "404, expected 200 (OIDC Discovery §4.2); check the issuer; give discovery_url "
            "if the metadata is somewhere else"
        ),
        setting={"issuer": "http://127.0.0.1:8000/realms/other"},
    ),
    "a slash too many": Mistake(
        line=(
            "metadata_issuer_mismatch (they differ in the final slash; if that provider is "
            "meant, configure 'http://127.0.0.1:8000') at the metadata at "
            "http://127.0.0.1:8000/.well-known/openid-configuration: found "
            "'http://127.0.0.1:8000', expected 'http://127.0.0.1:8000/' (OIDC Discovery "
            "§4.3); configure the issuer as published"
        ),
        setting={"issuer": "http://127.0.0.1:8000/"},
    ),
    "another name of the host": Mistake(
        line=(
            "metadata_issuer_mismatch (they differ in the host: 'localhost' and "
            "'127.0.0.1'; if that provider is meant, configure 'http://127.0.0.1:8000') at "
            "the metadata at http://localhost:8000/.well-known/openid-configuration: found "
            "'http://127.0.0.1:8000', expected 'http://localhost:8000' (OIDC Discovery "
            "§4.3); configure the issuer as published"
        ),
        setting={"issuer": "http://localhost:8000"},
    ),
    "a provider with tenants": Mistake(
        line=(
            "metadata_issuer_mismatch (it has an issuer for each tenant; if that provider "
            "is meant, configure IssuerRule.template) at the metadata at "
            "http://127.0.0.1:8000/.well-known/openid-configuration: found "
            "'http://127.0.0.1:8000/{tenantid}/v2.0', expected 'http://127.0.0.1:8000' "
            "(OIDC Discovery §4.3); configure the issuer as published"
        ),
        published={"issuer": "http://127.0.0.1:8000/{tenantid}/v2.0"},
    ),
    "wrong secret": Mistake(
        line=(
            "provider_error at the token endpoint http://127.0.0.1:8000/token: found "
            "'invalid_client', status 401, the provider says 'the secret is wrong' (RFC "
            "6749 §4.1.2.1, §5.2); compare client_id, secret or key, and "
            "token_endpoint_auth_method with the registration; if "
            "client_id or secret has characters other than letters, digits and -._~, the "
            "quirk basic_raw_credentials or client_secret_post may help"
        ),
        setting={"client_secret": "another-secret-of-enough-entropy-000"},
    ),
    "wrong client id": Mistake(
        line="unauthorized_client: the client is unknown",
        setting={"client_id": "another"},
    ),
    "a method the metadata does not list": Mistake(
        line=(
            "unsupported_by_provider (token_endpoint_auth_methods_supported): found "
            "'client_secret_basic', expected ('client_secret_post',) (OIDC Discovery §3); "
            "change token_endpoint_auth_method; if only its metadata is wrong, "
            "correct it with metadata_overrides"
        ),
        setting={"token_endpoint_auth_method": "client_secret_basic"},
        published={"token_endpoint_auth_methods_supported": ["client_secret_post"]},
    ),
    "a method that was not registered": Mistake(
        line=(
            "provider_error at the token endpoint http://127.0.0.1:8000/token: found "
            "'invalid_client', status 401, the provider says 'the client is registered with "
            "client_secret_basic, not client_secret_post' (RFC 6749 §4.1.2.1, §5.2); compare "
            "client_id, secret or key, and token_endpoint_auth_method with the registration"
        ),
        setting={"token_endpoint_auth_method": "client_secret_post"},
    ),
    "a redirect URI that was not registered": Mistake(
        line="invalid_request: redirect_uri is not registered exactly so",
        setting={"redirect_uri": "https://rp.example/elsewhere"},
    ),
    "a route that was built from `Host`": Mistake(
        line=(
            "redirect_uri_mismatch: found 'http://rp.example/callback', expected "
            "('https://rp.example/callback',) (RFC 9700 §4.4.2); pass the configured URL of "
            "the route, never one built from Host"
        ),
        route="http://rp.example/callback",
    ),
    "http in place of https": Mistake(
        line=(
            "url_scheme_not_allowed (issuer): found 'http://127.0.0.1:8000', expected 'https' "
            "(OIDC Core §16.17); give an https URL; locally, see quirk "
            "insecure_allow_http_loopback"
        ),
        setting={"policy": Policy()},
    ),
    "https in place of http": Mistake(
        line=(
            "tls_failed at the metadata at "
            "https://127.0.0.1:8000/.well-known/openid-configuration: because of plain_http "
            "(OIDC Discovery §4.2); the server does not speak TLS at that port: give the "
            "port for https"
        ),
        setting={"issuer": "https://127.0.0.1:8000"},
    ),
    "a clock that is slow": Mistake(
        line=(
            "iat_in_future (iat of id_token): found 1700000000, expected 'up to 1699999400, "
            "600 seconds earlier' (OIDC Core §3.1.3.7, 10); this clock is behind the provider's; "
            "check both"
        ),
        late=-600,
    ),
    "a clock that is fast": Mistake(
        line=(
            "exp_expired (exp of id_token): found 1700000300, expected 'after 1700003600' "
            "(OIDC Core §3.1.3.7, 9); the token has expired; check both clocks"
        ),
        late=3600,
    ),
    "no `jwks_uri`": Mistake(
        line=(
            "unsupported_by_provider (jwks_uri) (OIDC Discovery §3); the metadata does not name "
            "it; if that is wrong: metadata_overrides"
        ),
        published={"jwks_uri": None},
    ),
    "a provider that is down": Mistake(
        line=(
            "http_connect_failed at the metadata at "
            "http://127.0.0.1:1/.well-known/openid-configuration: because of refused (OIDC "
            "Discovery §4.2); nothing listens there: check that the provider is up and the "
            "port is right; try again in 2 seconds"
        ),
        setting={"issuer": "http://127.0.0.1:1"},
    ),
}


def log_in(mistake: Mistake, server: ServedProvider, transport: Urllib3Transport) -> str:
    """Log in, and return what the user sees if that does not work."""
    settings: dict[str, Any] = {"issuer": ISSUER, "policy": LOCAL, **mistake.setting}
    port = server.issuer.rpartition(":")[2]
    settings["issuer"] = settings["issuer"].replace("8000", port)
    clock, browser = FrozenClock(NOW + mistake.late), Browser()
    client = OidcClient(
        setup_for(server.provider, **settings),
        MemoryPendingLogins(),
        transport=transport,
        clock=clock,
        entropy=FixedEntropy(1),
    )
    page = client.start_login()
    browser.receive(page.cookies)
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request("GET", page.url, redirect=False)
    if answer.status != 303:
        (said,) = _SAID.findall(answer.data.decode())
        return html.unescape(said)
    where, _, query = answer.headers["location"].partition("?")
    url = mistake.route or where
    result = client.finish_login(
        Incoming(method="GET", url=url, query=query, cookie=browser.header)
    )
    return result.logged_in.identity.subject


def outcome(mistake: Mistake) -> str:
    provider = Publishing(id_token_alg="EdDSA", published=mistake.published)
    with serve(provider, FrozenClock(NOW)) as server, Urllib3Transport() as transport:
        try:
            said = log_in(mistake, server, transport)
        except OidcError as error:
            said = str(error)
        return said.replace(server.issuer.rpartition(":")[2], "8000")


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_in_one_line_that_says_what_to_change(name: str) -> None:
    mistake = MISTAKES[name]
    assert outcome(mistake) == mistake.line
    assert "\n" not in mistake.line


def test_without_a_mistake_the_user_is_logged_in() -> None:
    assert outcome(Mistake(line="")) == "alice"


def test_the_page_has_the_same_lines() -> None:
    told = dict(_ROW.findall(PAGE.read_text("utf-8")))
    assert told == {name: mistake.line for name, mistake in MISTAKES.items()}
