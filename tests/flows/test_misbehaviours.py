"""Every misbehaviour there is meets its refusal: that code, in that operation, and no other."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from oidc_adapters.testing import (
    MISBEHAVIOURS,
    AsyncInMemoryTransport,
    FakeProvider,
    InMemoryTransport,
    Misbehaviour,
)
from oidc_core.wire.errors import OidcError
from tests.flows.rig import Misbehaving, run_asyncio, run_trio
from tests.rows import parameters

OF = {
    "login": "id_token",
    "userinfo": "userinfo",
    "refresh": "id_token",
    "logout": "logout_token",
}
"""The kind of token that a refused claim belongs to."""

NOT_OF_CLAIMS = frozenset({"no_id_token", "id_token_empty", "id_token_null"})
"""There are no claims."""

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
ROWS = pytest.mark.parametrize("row", MISBEHAVIOURS.values(), ids=MISBEHAVIOURS.keys())
SIGNED = [row for row in MISBEHAVIOURS.values() if row.endpoint in {"token", "keys"}]


def reached(transport: InMemoryTransport | AsyncInMemoryTransport, provider: FakeProvider) -> str:
    """Which operation the client had come to when it refused."""
    paths = [request.url.removeprefix(provider.issuer) for request, _ in transport.exchanges]
    refreshed = [request for request, _ in transport.exchanges if _is_refresh(request.body)]
    if provider.ledger.drawn.get("logout_jti"):
        return "logout"
    if refreshed:
        return "refresh"
    if "/userinfo" in paths:
        return "userinfo"
    return "login" if provider.ledger.drawn.get("code") else "discovery"


def _is_refresh(body: bytes | None) -> bool:
    return body is not None and b"grant_type=refresh_token" in body


def check_refused(row: Misbehaviour, alg: str) -> None:
    case = Misbehaving(row=row, alg=alg)
    transport = InMemoryTransport(case.provider)

    with pytest.raises(OidcError) as caught:
        case.run(transport)

    assert (row.code, row.during) == (caught.value.code, reached(transport, transport.provider))
    if caught.value.row.stage == "id_token":
        assert caught.value.of == ("" if row.name in NOT_OF_CLAIMS else OF[row.during])


@ROWS
def test_it_is_refused_by_code(row: Misbehaviour) -> None:
    check_refused(row, "EdDSA")


@pytest.mark.parametrize("row", parameters(SIGNED))
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_it_is_refused_by_code_whatever_signs(row: Misbehaviour, alg: str) -> None:
    check_refused(row, alg)


@pytest.mark.parametrize("row", parameters(MISBEHAVIOURS.values()))
@pytest.mark.parametrize("run", [run_asyncio, run_trio])
def test_it_is_refused_alike_where_one_awaits(row: Misbehaviour, run: Run) -> None:
    case = Misbehaving(row=row)
    transport = AsyncInMemoryTransport(case.provider)

    with pytest.raises(OidcError) as caught:
        run(lambda: case.run_async(transport))

    assert (row.code, row.during) == (caught.value.code, reached(transport, transport.provider))


@pytest.mark.parametrize("alg", ["EdDSA", "ES256", "RS256", "PS256"])
def test_an_honest_provider_is_not_refused(alg: str) -> None:
    for needs in ("", "max_age", "acr", "signed_userinfo"):
        for during in ("login", "userinfo"):
            row = Misbehaviour(
                name="wrong_state",
                endpoint="authorization",
                during=during,
                code="",
                summary="",
                needs=needs,
                changes=MISBEHAVIOURS["wrong_state"].changes,
            )
            case = Misbehaving(row=row, alg=alg)
            transport = InMemoryTransport(case.provider)
            transport.provider.misbehave = None

            case.run(transport)

            assert reached(transport, transport.provider) == "logout"
