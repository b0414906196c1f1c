"""Cookies are kept and sent as browsers do."""

from __future__ import annotations

import pytest

from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing.applications.cookie_jar import CookieJar

HERE = "https://app.example/folder/page"
NOW = 1_700_000_000


def jar_with(*headers: str, url: str = HERE) -> CookieJar:
    jar = CookieJar(FrozenClock(NOW))
    for header in headers:
        jar.keep(url, header)
    return jar


def sent(jar: CookieJar, url: str = HERE, *, same_site: bool = True, link: bool = True) -> str:
    return jar.header(url, same_site=same_site, follows_link=link)


@pytest.mark.parametrize(
    ("header", "url", "expected"),
    [
        ("a=1; Path=/", "https://app.example/", "a=1"),
        ("a=1", "https://app.example/folder/other", "a=1"),
        ("a=1", "https://app.example/folders", ""),
        ("a=1", "https://app.example/", ""),
        ("a=1; Path=/folder/", "https://app.example/folder/x", "a=1"),
        ("a=1; Path=/folder", "https://app.example/folderless", ""),
        ("a=1; Path=odd", "https://app.example/folder/x", "a=1"),
        ("a=1; Path=/", "https://sub.app.example/", ""),
        ("a=1; Path=/; Domain=app.example", "https://sub.app.example/", "a=1"),
        ("a=1; Path=/; Domain=.APP.example", "https://app.example/", "a=1"),
        ("a=1; Path=/; Domain=evil.example", "https://app.example/", ""),
        ("a=1; Path=/; Secure", "http://app.example/", ""),
        ("a=1; Path=/", "http://app.example/", "a=1"),
        ("a=1; Path=/; Max-Age=0", "https://app.example/", ""),
        ("a=1; Path=/; Max-Age=-1", "https://app.example/", ""),
        ("a=1; Path=/; Max-Age=odd", "https://app.example/", "a=1"),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "https://app.example/", ""),
        ("a=1; Path=/; Expires=odd", "https://app.example/", "a=1"),
        ("a=1; Path=/; SameSite=None", "https://app.example/", ""),
        ("__Host-a=1; Path=/; Secure", "https://app.example/", "__Host-a=1"),
        ("__Host-a=1; Path=/", "https://app.example/", ""),
        ("__Host-a=1; Path=/folder; Secure", "https://app.example/folder", ""),
        ("__Host-a=1; Path=/; Secure; Domain=app.example", "https://app.example/", ""),
        ("__Secure-a=1; Path=/", "https://app.example/", ""),
        ("__Secure-a=1; Path=/; Secure", "https://app.example/", "__Secure-a=1"),
        ("odd", "https://app.example/folder/", ""),
        ("=1", "https://app.example/folder/", ""),
        (f"a={'1' * 4_096}; Path=/", "https://app.example/", ""),
    ],
)
def test_a_cookie_goes_where_it_belongs(header: str, url: str, expected: str) -> None:
    assert sent(jar_with(header), url) == expected


def test_a_site_without_tls_sets_no_secure_cookie() -> None:
    assert jar_with("a=1; Path=/; Secure", url="http://app.example/").cookies == ()


@pytest.mark.parametrize(
    ("rule", "same_site", "link", "goes"),
    [
        ("Strict", True, True, True),
        ("Strict", False, True, False),
        ("Lax", False, True, True),
        ("Lax", False, False, False),
        ("Lax", True, False, True),
        ("odd", False, False, False),
        ("None; Secure", False, False, True),
    ],
)
def test_a_cookie_crosses_sites_by_its_rule(
    rule: str, same_site: bool, link: bool, goes: bool
) -> None:
    jar = jar_with(f"a=1; Path=/; SameSite={rule}")

    assert sent(jar, same_site=same_site, link=link) == ("a=1" if goes else "")


def test_the_longest_path_goes_first_and_a_new_value_takes_the_old_place() -> None:
    jar = jar_with("a=1; Path=/", "b=2; Path=/folder", "c=3; Path=/", "a=4; Path=/")

    assert sent(jar) == "b=2; a=4; c=3"


def test_cookies_expire() -> None:
    clock = FrozenClock(NOW)
    jar = CookieJar(clock)
    jar.keep(HERE, "a=1; Path=/; Max-Age=60")
    clock.advance(59)
    assert sent(jar) == "a=1"
    clock.advance(1)
    assert sent(jar) == ""
    jar.keep(HERE, f"b=1; Path=/; Max-Age={10**9}")
    clock.advance(400 * 86_400)
    assert sent(jar) == ""


def test_a_site_has_180_cookies_at_most() -> None:
    jar = jar_with(*[f"c{number}=1; Path=/" for number in range(181)])

    names = [cookie.name for cookie in jar.cookies]
    assert (len(names), names[0]) == (180, "c1")


def test_a_browser_loses_cookies() -> None:
    jar = jar_with("a=1; Path=/", "b=1; Path=/; Max-Age=60")

    jar.forget_session_cookies()
    assert sent(jar) == "b=1"
    jar.forget()
    assert sent(jar) == ""


def test_a_cookie_tells_no_value() -> None:
    assert "value" not in repr(jar_with("name=value").cookies[0]).replace("value=", "")
