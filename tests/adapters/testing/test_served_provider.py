"""A provider that is served, without the sockets."""

from __future__ import annotations

from typing import Any

import pytest

from oidc_adapters.testing import Dialect, FakeProvider, ServedProvider
from oidc_adapters.testing.served_provider import session_of
from oidc_core.wire.errors import UsageError
from oidc_core.wire.http import HttpResponse
from tests.parties import refused

from .raw_client import authorization_url
from .test_transports import Stopped

ELSEWHERE = Dialect(endpoints_below="https://login.example/b")


def served_at(origin: str = "", **settings: Any) -> ServedProvider:
    return ServedProvider(FakeProvider(id_token_alg="EdDSA", **settings), Stopped(), origin=origin)


def test_it_is_reached_where_its_urls_say_or_where_it_listens() -> None:
    named = served_at("http://127.0.0.1:1", dialect=ELSEWHERE)

    assert (served_at().origin, served_at().back_channel) == ("https://op.example", {})
    assert named.back_channel == {
        "https://op.example": "http://127.0.0.1:1",
        "https://login.example": "http://127.0.0.1:1",
    }
    assert named.reached("https://login.example/b/authorize") == "http://127.0.0.1:1/b/authorize"
    assert named.reached("https://rp.example/") == "https://rp.example/"


def test_a_request_has_the_url_that_was_published() -> None:
    served = served_at("http://127.0.0.1:1", dialect=ELSEWHERE)
    known = "/.well-known/openid-configuration"

    urls = [served.request("GET", each, (), None).url for each in (known, "/b/token?x=1")]

    assert urls == [f"https://op.example{known}", "https://login.example/b/token?x=1"]


def test_a_session_is_one_of_a_browser() -> None:
    served = served_at()
    url = authorization_url(served.provider)

    def visit(cookie: str) -> HttpResponse:
        target = url.removeprefix("https://op.example")
        answer = served.answer(served.request("GET", target, (("cookie", cookie),), None))
        assert isinstance(answer, HttpResponse)
        return answer

    cookie = (visit("").header("set-cookie") or "").partition(";")[0]
    visit(cookie)
    visit("")

    sids = [code.family.grant.sid for code in served.provider.ledger.codes.values()]
    assert session_of(cookie) == sids[0] == sids[1] != sids[2]


@pytest.mark.parametrize("setting", [{"origin": 1}, {"ca": b""}, {"interactive": "no"}])
def test_settings_are_judged(setting: dict[str, Any]) -> None:
    provider = FakeProvider()

    refused(UsageError, "config_invalid", lambda: ServedProvider(provider, Stopped(), **setting))
