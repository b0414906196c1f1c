"""Mix-up (RFC 9700 §4.4): the honest provider's code never reaches another one.

Every configuration of two providers is run against every attack.  It is refused when configured, or
the attack is; and the hostile provider gets no request at all.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.connections import Connections
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.testing.oauth_messages import RequestRefused
from oidc_core.model.provider import metadata_of
from oidc_core.wire.errors import UsageError
from oidc_core.wire.jsontypes import JsonObject
from tests.flows.mixing import (
    DECLARED,
    HONEST,
    HOSTILE,
    LAYOUTS,
    SPEAKS,
    STORES,
    Cell,
    Scene,
    provider_of,
    setup_of,
    side,
    stores,
    with_iss,
    without_iss,
)
from tests.flows.rig import NOW
from tests.parties import json_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from oidc_adapters.testing import AuthorizationResponse, FakeProvider
    from oidc_adapters.testing.transports import TellsTime
    from oidc_core.wire.http import Answer, WireRequest

CELLS: Final = tuple(
    [
        Cell(
            layout=layout,
            declared=declared,
            honest=honest,
            hostile=hostile,
            store=store,
            awaits=awaits,
        )
        for layout, declared, honest, hostile in product(LAYOUTS, DECLARED, SPEAKS, SPEAKS)
        for store, awaits in (*[(store, False) for store in STORES], ("cookie", True))
    ]
)


def to_hostile(scene: Scene, response: AuthorizationResponse) -> AuthorizationResponse:
    return evolve(response, redirect_uri=scene.hostile.uri)


ATTACKS: Final[dict[str, Callable[[Scene], AuthorizationResponse]]] = {
    "sent on": lambda scene: scene.mixed_up(),
    "carried over": lambda scene: to_hostile(scene, scene.honest_response()),
    "carried over, iss stripped": lambda scene: to_hostile(
        scene, without_iss(scene.honest_response())
    ),
    "carried over, iss replaced": lambda scene: to_hostile(
        scene, with_iss(scene.honest_response(), HOSTILE)
    ),
    "iss stripped": lambda scene: without_iss(scene.honest_response()),
    "iss replaced": lambda scene: with_iss(scene.honest_response(), HOSTILE),
}
"""The browser is sent on to the honest provider; or the honest response is changed."""

FINISHED: Final = "logged in at honest"


def expected(cell: Cell, attack: str) -> str:
    """The expected outcome of an attack, derived from the configuration alone."""
    if attack == "iss replaced":
        return "response_iss_mismatch"
    if attack == "iss stripped":
        demanded = cell.honest == "announces" or DECLARED[cell.declared][0]
        return "response_iss_missing" if demanded else FINISHED
    if cell.layout == "own path":
        return "state_unknown" if cell.store == "their own" else "connection_mismatch"
    if cell.layout == "query differs":
        return "redirect_uri_mismatch"
    if attack == "carried over, iss replaced":
        return "response_iss_mismatch"
    if cell.honest == "silent" or attack == "carried over, iss stripped":
        return "response_iss_missing"
    return "response_iss_mismatch" if attack == "sent on" else FINISHED


def is_refused(cell: Cell) -> bool:
    return cell.layout != "own path" and cell.declared != "both"


def run(scene: Scene, attack: str) -> str:
    """Run an attack; return its outcome, once it is certain that nothing leaked."""
    response = ATTACKS[attack](scene)
    honest, hostile = len(scene.honest.requests), len(scene.hostile.requests)
    outcome = scene.bring(response)
    assert len(scene.hostile.requests) == hostile, "the hostile provider got a request"
    if outcome == FINISHED:
        assert len(scene.honest.requests) > honest
    else:
        assert len(scene.honest.requests) == honest, "a refused login sent a request"
    return outcome


@cache
def outcomes(cell: Cell) -> tuple[str, ...]:
    """The outcome of each attack on a configuration, or why there is no attack."""
    try:
        scene = Scene.of(cell)
    except UsageError as error:
        return (error.code,)
    return tuple([run(scene, attack) for attack in ATTACKS])


@pytest.mark.req("RFC9207-2.4-01", "RFC9700-4.4.2-01")
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_configuration_is_refused_or_every_attack_is(cell: Cell) -> None:
    if is_refused(cell):
        assert outcomes(cell) == ("redirect_uri_shared",)
    else:
        assert dict(zip(ATTACKS, outcomes(cell), strict=True)) == {
            attack: expected(cell, attack) for attack in ATTACKS
        }


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell for cell in CELLS if not is_refused(cell)], ids=str)
def test_honest_logins_of_every_allowed_configuration_finish(cell: Cell) -> None:
    """A provider that was declared to send ``iss`` and does not: no response has one."""
    scene, declared = Scene.of(cell), DECLARED[cell.declared]
    for at, name, speaks, required in (
        (scene.honest, "honest", cell.honest, declared[0]),
        (scene.hostile, "hostile", cell.hostile, declared[1]),
    ):
        other = scene.hostile if at is scene.honest else scene.honest
        before = len(other.requests)
        outcome = scene.bring(at.provider.authorize(scene.start(at), NOW))
        misdeclared = required and speaks == "silent"
        assert outcome == ("response_iss_missing" if misdeclared else f"logged in at {name}")
        assert len(other.requests) == before
        assert scene.browser.cookies == {}


@pytest.mark.slow
@pytest.mark.parametrize("cell", [cell for cell in CELLS if not is_refused(cell)], ids=str)
@pytest.mark.parametrize("omitted", [True, False])
def test_a_cancel_is_the_users_wherever_iss_is_omitted_from_it(cell: Cell, omitted: bool) -> None:
    scene = Scene.of(cell)
    url = scene.start(scene.honest)
    response = scene.honest.provider.authorize(url, NOW, approve=False)

    assert scene.bring(without_iss(response) if omitted else response) == "access_denied"
    assert scene.browser.cookies == {}


def test_the_honest_provider_itself_refuses_another_redirect_uri() -> None:
    """So the hostile one cannot have the response sent to its own path."""
    for layout in ("own path", "query differs"):
        cell = Cell(layout=layout, declared="both", honest="sends", hostile="sends", store="memory")
        scene = Scene.of(cell)
        url = scene.start(scene.hostile).replace(HOSTILE, scene.honest.provider.issuer)
        name = scene.honest.provider.clients[0].client_id.replace(" ", "%20")
        mine = scene.hostile.provider.clients[0].client_id.replace(" ", "%20")
        with pytest.raises(RequestRefused):
            scene.honest.provider.authorize(url.replace(mine, name), NOW)


# --- one issuer, two sets of endpoints -----------------------------------------------------------

TENANT: Final = "https://tenant.example"
DOCUMENT: Final = {
    "issuer": HONEST,
    "authorization_endpoint": f"{HONEST}/authorize",
    "token_endpoint": f"{TENANT}/token",
    "jwks_uri": f"{HONEST}/jwks",
}
WAYS: Final[dict[str, dict[str, Any]]] = {
    "discovery_url": {"discovery_url": f"{TENANT}/metadata"},
    "overrides": {"metadata_overrides": {"token_endpoint": f"{TENANT}/token"}},
    "by hand": {"metadata": metadata_of(JsonObject({**DOCUMENT}))},
}


class Tenant:
    """A back channel on which everything but the honest provider is run by a tenant."""

    def __init__(self, honest: FakeProvider) -> None:
        self.honest = honest
        self.got: list[str] = []

    def send(self, request: WireRequest, clock: TellsTime) -> Answer:
        if request.url == f"{TENANT}/metadata":
            return json_response(DOCUMENT)
        if request.url.startswith(TENANT):
            self.got.append(request.url)
            return json_response({}, status=500)
        return self.honest.answer(request, clock.now())


def with_tenant(way: str, layout: str, store: str, *, required: bool) -> tuple[Scene, Tenant]:
    """The honest client, and one that a tenant of the application configured.

    It names the honest issuer, and its own token endpoint.
    """
    uris, kept = LAYOUTS[layout], stores(store)
    provider = provider_of(HONEST, "announces", uris[0])
    honest = side(
        setup_of(provider, "announces", required=required), provider, kept[0], seed=1, awaits=False
    )
    back_channel = Tenant(provider)
    setup = ClientSetup(
        issuer=HONEST,
        client_id="the tenant's",
        redirect_uri=uris[1],
        token_endpoint_auth_method="none",
        response_iss="required" if required else "as_announced",
        **WAYS[way],
    )
    client = OidcClient.discover(
        setup, kept[1], transport=back_channel, clock=FrozenClock(NOW), entropy=FixedEntropy(2)
    )
    assert isinstance(honest.client, OidcClient)
    connections = Connections(honest.client, client)
    tenant = evolve(honest, client=client)
    return Scene(honest=honest, hostile=tenant, connections=connections), back_channel


CONFIGURED: Final = tuple(product(WAYS, LAYOUTS, STORES, (True, False)))


@pytest.mark.req("RFC9207-2.4-01")
@pytest.mark.parametrize(("way", "layout", "store", "required"), CONFIGURED)
def test_a_tenant_who_names_the_honest_issuer_gets_no_code_of_its(
    way: str, layout: str, store: str, required: bool
) -> None:
    if layout != "own path":
        with pytest.raises(UsageError) as caught:
            with_tenant(way, layout, store, required=required)
        assert caught.value.code == "redirect_uri_shared"
        return
    scene, tenant = with_tenant(way, layout, store, required=required)
    response = scene.mixed_up()  # of the honest client, in a login of the tenant's
    sent = len(scene.honest.requests)

    refused = "state_unknown" if store == "their own" else "connection_mismatch"
    assert scene.bring(response) == refused
    incoming = evolve(response.incoming(scene.browser.header), url=None)
    with pytest.raises(UsageError) as caught:
        scene.connections.finish_login(incoming)
    assert caught.value.code == "redirect_uri_unknown"
    assert scene.bring(evolve(scene.honest_response(), redirect_uri=LAYOUTS[layout][1])) == refused
    assert tenant.got == []
    assert len(scene.honest.requests) == sent

    assert scene.bring(scene.honest_response()) == FINISHED
    assert tenant.got == []


# --- the table -----------------------------------------------------------------------------------

LETTERS: Final = {
    "redirect_uri_shared": "R",
    "connection_mismatch": "C",
    "state_unknown": "C",
    "redirect_uri_mismatch": "U",
    "response_iss_mismatch": "X",
    "response_iss_missing": "M",
    FINISHED: "H",
}
"""A store that both clients share tells ``C``; a separate store does not know the login."""

TABLE: Final = """
own path      | both    | announces | C C C C M X
own path      | both    | sends     | C C C C M X
own path      | both    | silent    | C C C C M X
own path      | honest  | announces | C C C C M X
own path      | honest  | sends     | C C C C M X
own path      | honest  | silent    | C C C C M X
own path      | hostile | announces | C C C C M X
own path      | hostile | sends     | C C C C H X
own path      | hostile | silent    | C C C C H X
own path      | neither | announces | C C C C M X
own path      | neither | sends     | C C C C H X
own path      | neither | silent    | C C C C H X
shared path   | both    | announces | X H M X M X
shared path   | both    | sends     | X H M X M X
shared path   | both    | silent    | M M M X M X
shared path   | honest  | announces | R
shared path   | honest  | sends     | R
shared path   | honest  | silent    | R
shared path   | hostile | announces | R
shared path   | hostile | sends     | R
shared path   | hostile | silent    | R
shared path   | neither | announces | R
shared path   | neither | sends     | R
shared path   | neither | silent    | R
query differs | both    | announces | U U U U M X
query differs | both    | sends     | U U U U M X
query differs | both    | silent    | U U U U M X
query differs | honest  | announces | R
query differs | honest  | sends     | R
query differs | honest  | silent    | R
query differs | hostile | announces | R
query differs | hostile | sends     | R
query differs | hostile | silent    | R
query differs | neither | announces | R
query differs | neither | sends     | R
query differs | neither | silent    | R
"""


def table() -> list[str]:
    """The outcome of each attack, by layout, declaration, and practice of the honest provider.

    Nothing else decides: neither the stores, nor the hostile provider's statements about itself,
    nor whether the application awaits.
    """
    lines: dict[tuple[str, str, str], set[str]] = {}
    for cell in CELLS:
        found = " ".join([LETTERS[outcome] for outcome in outcomes(cell)])
        lines.setdefault((cell.layout, cell.declared, cell.honest), set()).add(found)
    return [
        f"{layout:13} | {declared:7} | {honest:9} | {' or '.join(sorted(found))}"
        for (layout, declared, honest), found in lines.items()
    ]


def test_the_table_of_all_configurations() -> None:
    lines = table()
    print("\n" + "\n".join(lines))
    for attack in ATTACKS:
        print(f"    {attack}")
    assert lines == TABLE.strip().splitlines()
