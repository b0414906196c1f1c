"""Links as browsers read them, and what a page offers."""

from __future__ import annotations

import pytest

from oidc_adapters.testing.applications.links import browser_url, content_of, origin_of

PAGE = "https://app.example/folder/page?a=1"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("/there", "https://app.example/there"),
        ("there?b=//c", "https://app.example/folder/there?b=//c"),
        ("", PAGE),
        ("?b=2", "https://app.example/folder/page?b=2"),
        ("//evil.example/x", "https://evil.example/x"),
        ("///evil.example/x", "https://evil.example/x"),
        ("/\\evil.example/x", "https://evil.example/x"),
        ("\\\\evil.example/x", "https://evil.example/x"),
        ("/\t/evil.example/x", "https://evil.example/x"),
        (" \n//evil.example/x", "https://evil.example/x"),
        ("http:evil.example/x", "http://evil.example/x"),
        ("https:there", "https://app.example/folder/there"),
        ("https:/there", "https://app.example/there"),
        ("HTTPS:\\\\evil.example/x", "https://evil.example/x"),
        ("https:////evil.example/x", "https://evil.example/x"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("/%5cevil.example/", "https://app.example/%5cevil.example/"),
    ],
)
def test_a_link_leads_where_browsers_go(link: str, url: str) -> None:
    assert browser_url(PAGE, link) == url


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://app.example/a?b", "https://app.example"),
        ("https://App.Example:443/", "https://app.example"),
        ("http://app.example:80", "http://app.example"),
        ("https://app.example:8443/", "https://app.example:8443"),
        ("https://app.example@evil.example/", "https://evil.example"),
        ("javascript:alert(1)", ""),
        ("/path", ""),
        ("https://app.example:odd/", ""),
        ("https://[odd/", ""),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


HTML = """
<html><title> Log
in </title><a href="/start">Start</a><a name="here">Here</a>
<form action="/login?a=1" method="POST">
<input type="hidden" name="return_to" value="/a&amp;b"><input name="note">
<input type="checkbox" name="off"><input type="checkbox" name="on" checked value="1">
<button name="decision" value="yes">Yes</button><button name="decision" value="no">No</button>
<input value="without a name"></form>
<input name="outside" value="1">
<form><button>Search</button></form></html>
"""


def test_a_page_has_a_title_links_and_forms() -> None:
    content = content_of(PAGE, HTML)

    assert (content.title, content.links) == ("Log in", ("https://app.example/start",))
    login, search = content.forms
    assert (login.action, login.method) == ("https://app.example/login?a=1", "post")
    assert login.fields == (
        ("return_to", "/a&b"), ("note", ""), ("on", "1"), ("decision", "yes"),
    )  # fmt: skip
    assert (search.action, search.method, search.fields) == (PAGE, "get", ())


@pytest.mark.parametrize("text", ["", "{}", "<", "<form", "<title>", "\x00" * 9])
def test_text_that_is_no_page_has_nothing(text: str) -> None:
    content = content_of(PAGE, text)

    assert (content.links, content.forms) == ((), ())
