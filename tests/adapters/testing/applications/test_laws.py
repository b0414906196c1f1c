"""Each law sees what breaks it, and nothing else."""

from __future__ import annotations

import pytest

from oidc_adapters.testing.applications.laws import (
    OF_VISITS,
    LawBrokenError,
    no_open_redirect,
    no_server_fault,
    secrets_stay,
    sent_secrets_stay,
    way_on,
)
from oidc_adapters.testing.applications.visits import Visit
from oidc_core.wire.http import NoAnswer, WireRequest
from tests.adapters.testing.applications.site import House, visit_of

OP = "https://op.example"
SECRET = "a-secret-of-22-characters"


@pytest.mark.parametrize(
    ("status", "troubled", "found"),
    [
        (200, False, ""),
        (404, False, ""),
        (500, False, "500 LookupError"),
        (500, True, "500 LookupError"),
        (501, True, "501 LookupError"),
        (502, False, "502 LookupError"),
        (502, True, ""),
        (503, True, ""),
        (504, True, ""),
        (505, True, "505 LookupError"),
    ],
)
def test_faults_of_the_server(status: int, troubled: bool, found: str) -> None:
    house = House({})
    visit = visit_of(status, told="a trace\nLookupError\n", troubled=troubled)

    assert no_server_fault(visit, house.world, house.book) == found


def test_a_fault_without_a_trace_is_told_by_the_log() -> None:
    house = House({})
    assert no_server_fault(visit_of(500), house.world, house.book) == "500"
    house.book.logged.append("a line\nValueError: odd")
    assert no_server_fault(visit_of(500), house.world, house.book) == "500 ValueError: odd"


@pytest.mark.parametrize(
    ("status", "name", "link", "found"),
    [
        (303, "location", "/there", ""),
        (303, "location", "https://app.example/there", ""),
        (303, "location", f"{OP}/authorize", ""),
        (200, "location", "https://evil.example/", ""),
        (303, "location", "https://evil.example/?a=1", "https://evil.example/"),
        (303, "location", "//evil.example", "https://evil.example"),
        (303, "location", "http://app.example/", "http://app.example/"),
        (303, "location", "javascript:alert(1)", "javascript:alert(1)"),
        (303, "location", "https://op.example.evil.example/", "https://op.example.evil.example/"),
        (401, "hx-redirect", "//evil.example", "https://evil.example"),
        (401, "hx-redirect", "/login", ""),
    ],
)
def test_redirects(status: int, name: str, link: str, found: str) -> None:
    house = House({})
    told = no_open_redirect(visit_of(status, ((name, link),)), house.world, house.book)

    assert told == (f"a redirect leads to {found}" if found else "")


def form(action: str, value: str, more: str = "") -> str:
    return f'<form action="{action}"><input name="hint" value="{value}"></form>{more}'


@pytest.mark.parametrize(
    ("kind", "visit", "found"),
    [
        ("code", visit_of(), ""),
        ("code", visit_of(text=SECRET), "is in the page"),
        ("code", visit_of(headers=(("x-own", SECRET),)), "is in the header x-own"),
        ("code", visit_of(303, (("location", f"/a?code={SECRET}"),)), "is in the header location"),
        ("code", visit_of(303, (("location", f"{OP}/a?c={SECRET}"),)), "is in the header location"),
        ("code", visit_of(told=f"trace {SECRET}"), "is in the error log"),
        ("cookie", visit_of(headers=(("set-cookie", f"a={SECRET}"),)), ""),
        ("cookie", visit_of(headers=(("x-own", SECRET),)), "is in the header x-own"),
        ("state", visit_of(303, (("location", f"{OP}/authorize?state={SECRET}"),)), ""),
        ("state", visit_of(200, (("hx-redirect", f"{OP}/authorize?state={SECRET}"),)), ""),
        ("state", visit_of(303, (("location", f"/?state={SECRET}"),)), "is in the header location"),
        ("state", visit_of(headers=(("set-cookie", SECRET),)), "is in the header set-cookie"),
        ("id token", visit_of(303, (("location", f"{OP}/end-session?h={SECRET}"),)), ""),
        ("id token", visit_of(text=form(f"{OP}/end-session", SECRET)), ""),
        ("id token", visit_of(text=form(f"{OP}/end-session", SECRET, SECRET)), "is in the page"),
        ("id token", visit_of(text=form("/logout", SECRET)), "is in the page"),
        ("access token", visit_of(text=form(f"{OP}/end-session", SECRET)), "is in the page"),
    ],
)  # fmt: skip
def test_secrets_in_answers(kind: str, visit: Visit, found: str) -> None:
    house = House({})
    house.book.keep(kind, SECRET, OP)

    told = secrets_stay(visit, house.world, house.book)
    assert told == (f"a {kind} {found}" if found else "")


def test_a_state_goes_to_its_own_provider_alone() -> None:
    house = House({}, connections=2)
    house.book.keep("state", SECRET, "https://second.example")
    visit = visit_of(303, (("location", f"{OP}/authorize?state={SECRET}"),))

    assert secrets_stay(visit, house.world, house.book) == "a state is in the header location"


@pytest.mark.parametrize(
    ("kind", "issuer", "found"),
    [
        ("code", OP, ""),
        ("verifier", OP, ""),
        ("client secret", OP, ""),
        ("code", "https://second.example", "a code of https://second.example is sent to "),
        ("client secret", "https://second.example", "a client secret of https://second.example is"),
        ("sealing key", "", "a sealing key of the application is sent to "),
        ("cookie", "", "a cookie of the application is sent to "),
        ("state", OP, "a state of https://op.example is sent to "),
    ],
)
def test_secrets_in_requests_to_providers(kind: str, issuer: str, found: str) -> None:
    house = House({}, connections=2)
    house.book.keep(kind, SECRET, issuer)
    request = WireRequest(
        method="POST", url=f"{OP}/token", headers=(), body=f"code={SECRET}".encode(),
        resend="never", max_body=1, deadline=1,
    )  # fmt: skip

    told = sent_secrets_stay((request, NoAnswer("no", "http_timeout", 1)), house.world, house.book)
    assert told.startswith(found)
    assert bool(told) is bool(found)


@pytest.mark.parametrize(
    ("visit", "found"),
    [
        (visit_of(200), ""),
        (visit_of(303, (("location", "/"),)), ""),
        (visit_of(303), "a 303 leads nowhere"),
        (visit_of(400), "a page with status 400 has no way on"),
        (visit_of(400, text='<a href="/">on</a>'), ""),
        (visit_of(403, text="<form><button>on</button></form>"), ""),
        (visit_of(503, text="<p>later", troubled=True), "a page with status 503 has no way on"),
        (visit_of(503, text="<p>later"), ""),
        (visit_of(500), ""),
        (visit_of(404), ""),
        (visit_of(401, navigates=False), ""),
    ],
)
def test_ways_on(visit: Visit, found: str) -> None:
    house = House({})

    assert way_on(visit, house.world, house.book) == found


def test_a_broken_law_is_told_with_its_trace() -> None:
    broken = LawBrokenError("a_law", "what broke it", ["one", "two"])

    assert isinstance(broken, AssertionError)
    assert broken.law == "a_law"
    assert str(broken) == "a_law: what broke it\none\ntwo"
    assert len(OF_VISITS) == 4
