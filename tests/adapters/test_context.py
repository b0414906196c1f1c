"""The context of the original system, once through over real HTTP."""

import re
from http.client import HTTPConnection
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

from oidc_adapters.context import (
    OIDCCtx,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import (
    FakeProvider,
    serve,
)
from tests.adapters.context.world import (
    BROWSER,
    CLIENT,
    NOW,
    REDIRECT_URI,
    SCOPES,
    claims_of,
    plain,
    text,
)


def browsed(url: str) -> str:
    """The part of a browser: ask, and say where it was sent."""
    parts = urlsplit(url)
    connection = HTTPConnection(cast("str", parts.hostname), parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        location = answer.getheader("location")
    finally:
        connection.close()
    assert location is not None
    return location


def test_a_whole_login_over_real_http() -> None:
    clock = FrozenClock(NOW)
    with serve(FakeProvider(clients=(CLIENT,)), clock) as served:
        ctx = OIDCCtx(
            served.issuer,
            REDIRECT_URI,
            CLIENT.client_id,
            CLIENT.client_secret,
            SCOPES,
            insecure_allow_http_loopback=True,
            clock=clock,
        )
        try:
            url = flow_request_authorization_code(ctx, browser=BROWSER)
            query = parse_qs(urlsplit(browsed(url)).query)
            code = text(flow_get_authorization_code(ctx, query, browser=BROWSER))
            tokens = plain(flow_get_token(ctx, code))
            renewed = plain(flow_refresh_token(ctx, tokens["refresh_token"]))

            assert claims_of(tokens["id_token"])["sub"] == "alice"
            assert flow_validate_id_token(ctx, tokens["id_token"])
            assert flow_validate_id_token(ctx, renewed["id_token"])
            evidence = ctx.evidence(tokens["id_token"])
            assert evidence is not None
            assert {one.relaxations for one in evidence.each} == {("insecure_allow_http_loopback",)}
            assert evidence.channel == "unverified"
        finally:
            ctx.close()


def test_every_test_that_the_page_on_differences_names_is_there() -> None:
    root = Path(__file__).parents[2]
    page = (root / "docs/explanation/original.md").read_text(encoding="utf-8")
    folder = Path(__file__).parent / "context"
    tests = "".join(path.read_text(encoding="utf-8") for path in folder.glob("test_*.py"))
    methods = {f"def {name}(" for name in re.findall(r"test_\w+(?!\w*\.py)\b", page)}
    named = {*methods, *(f"class {name}:" for name in re.findall(r"`(Test\w+)", page))}

    assert len(named) > 40
    assert {name for name in named if name not in tests} == set()
