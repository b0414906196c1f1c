"""The page that asks the provider's frame: what is in it, and what the browser lets it do."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from typing import Any, Final

import pytest

from oidc_core.model.network import HTTPS_ONLY
from oidc_core.model.provider import metadata_of
from oidc_core.operations.session_management import CHANGED, frame
from oidc_core.wire.errors import UsageError
from tests.parties import CLIENT_ID, ISSUER, refused, relying_party

URL: Final = "https://op.example/check?a=b&c=d"
RP: Final = relying_party(provider={"check_session_iframe": URL})
TAGS: Final = re.compile(r'<body data-told="([^"]*)"><iframe id="(\w+)" src="([^"]*)" hidden>')
SCRIPT: Final = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def page_of(session_state: str = "hash.salt", rp: Any = RP, **more: Any) -> str:
    reply = frame(rp, session_state, **more)
    assert reply.status == 200
    return reply.body.decode("ascii")


def told_in(page: str) -> dict[str, Any]:
    found = TAGS.search(page)
    assert found
    told: dict[str, Any] = json.loads(unescape(found[1]))
    return told


@pytest.mark.req("OIDCSM-3.1-01", "OIDCSM-3.2-01")
def test_the_page_has_the_frame_by_its_id_and_the_message_for_it() -> None:
    page = page_of()
    told, found = told_in(page), TAGS.search(page)
    assert found
    assert (told["frame"], unescape(found[3])) == (found[2], URL)
    assert told["message"] == f"{CLIENT_ID} hash.salt"
    assert (told["changed"], told["interval"]) == (CHANGED, 10_000)
    assert "'*'" not in page
    assert '"*"' not in page
    assert told_in(page_of(interval=1))["interval"] == 1000


def test_the_browser_runs_that_script_only_and_loads_that_frame_only() -> None:
    reply = frame(RP, "hash.salt")
    (script,) = SCRIPT.findall(reply.body.decode("ascii"))
    known = b64encode(sha256(script.encode()).digest()).decode()
    assert reply.header("content-security-policy") == (
        f"default-src 'none'; script-src 'sha256-{known}'; frame-src https://op.example:443; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    )
    assert reply.header("cache-control") == "no-store"
    assert reply.header("x-frame-options") is None


@pytest.mark.parametrize(
    "odd", ['"><script>alert(1)</script>', "</body>", "'\"&<>", "é", "\ud800", "${1}`"]
)
def test_no_value_gets_out_of_its_attribute(odd: str) -> None:
    page = page_of(odd)
    assert told_in(page)["message"] == f"{CLIENT_ID} {odd}"
    assert SCRIPT.findall(page) == SCRIPT.findall(page_of())
    assert page.count("<") == page_of().count("<")


@pytest.mark.req("OIDCSM-2-01")
@pytest.mark.parametrize(
    ("about", "named"),
    [
        ("session_state", {"session_state": "a b"}),
        ("session_state", {"session_state": ""}),
        ("session_state", {"session_state": None}),
        ("interval", {"interval": 0}),
        ("interval", {"interval": 3601}),
        ("interval", {"interval": 1.5}),
        ("rp", {"rp": None}),
    ],
)
def test_a_wrong_argument_is_refused(about: str, named: dict[str, Any]) -> None:
    error = refused(UsageError, "parameter_invalid", lambda: page_of(**named))
    assert error.about == about


@pytest.mark.req("OIDCSM-3.3-01")
@pytest.mark.parametrize("url", [None, "http://op.example/check"])
def test_without_an_https_frame_the_provider_has_no_session_management(url: str | None) -> None:
    metadata = metadata_of(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            **({} if url is None else {"check_session_iframe": url}),
        },
        network=HTTPS_ONLY,
    )
    assert metadata.check_session_iframe is None
    rp = relying_party(provider={"check_session_iframe": metadata.check_session_iframe})
    error = refused(UsageError, "unsupported_by_provider", lambda: page_of(rp=rp))
    assert error.about == "check_session_iframe"
