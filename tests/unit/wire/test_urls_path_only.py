"""Paths that a stranger may have written: what is kept leads nowhere else."""

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oidc_core.wire.urls import path_only

PATHS = [
    "/",
    "/orders/2024?page=3",
    "/a#b",
    "/é/注文/🛒",
    "/?next=https://evil.example//x",
    "/?//evil.example",
    "/#//evil.example",
    "/#?//evil.example",
    "/a/../b/./c",
    "/%2F%2Fevil.example",
    "/%0d%0aLocation:%20x",
    "/@evil.example",
    "/a:b@c",
    "/:80",
    "/'\"<>",
    "/" + 1_023 * "a",
    "/" + 1_023 * "é",
]


@pytest.mark.parametrize("text", PATHS, ids=lambda text: ascii(text[:40]))
def test_a_path_of_the_application_is_kept_as_it_is(text: str) -> None:
    assert path_only(text) == text
    assert path_only(text, "/home") == text


HOSTILE: list[object] = [
    "",
    "a",
    "?a",
    "#a",
    ".",
    "./a",
    "../a",
    "https://evil.example/",
    "https:/evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/a\\b",
    "/?a\\b",
    "/\t/evil.example",
    "\t//evil.example",
    "/\t\\evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "/a\r\nSet-Cookie: a=b",
    "/a\n",
    "\n/a",
    "/\x00/evil.example",
    "/a\x00",
    "/\x0b/evil.example",
    "/\x1f/evil.example",
    "/\x7f/evil.example",
    "/\x80/evil.example",
    "/\x85/evil.example",
    "/\x9f/evil.example",
    " /a",
    "/ /evil.example",
    "/a ",
    "/?a b",
    "/\xa0/evil.example",
    "/\u1680/evil.example",
    "/\u2003/evil.example",
    "/\u2028/evil.example",
    "/\u2029/evil.example",
    "/\u202f/evil.example",
    "/\u3000/evil.example",
    "/\ufeff/evil.example",
    "/\u200b/evil.example",
    "/\u00ad/evil.example",
    "/\u202egpj.exe",
    "/\ud800",
    "/\udfff/",
    "/\ud83d",
    "/\ue000",
    "/\uffff",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/%2E%2E//evil.example",
    "/a//",
    "/" + 1_024 * "a",
    "/" + 3_000 * "a",
    None,
    b"/a",
    bytearray(b"/a"),
    5,
    True,
    ["/a"],
    ("/a",),
    {"/a": "/a"},
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_what_may_lead_elsewhere_is_the_default(text: object) -> None:
    only: Any = path_only

    assert only(text) == "/"
    assert only(text, "/home") == "/home"


RP = "https://rp.example"
NEAR = st.lists(
    st.sampled_from([*"/\\.?#@:%ab ", "//", "/.", "/..", "\t", "\n", "\r", "\0", "\x85", "\u2003",
                     "\ud800", "evil.example", "https:", "%2f", "%2e"])
).map("".join)  # fmt: skip


@given(NEAR | NEAR.map("/".__add__) | st.text(st.characters()).map("/".__add__))
def test_what_is_kept_stays_here_whatever_a_browser_does_to_it(text: str) -> None:
    kept = path_only(text, "/default")
    dropped = text.translate(dict.fromkeys(map(ord, "\t\r\n"))).strip()

    assert kept in {"/default", text}
    assert kept[0] == "/" != kept[1:2]
    for seen in (kept, kept.replace("\\", "/"), dropped if kept == text else kept):
        url = urlsplit(urljoin(RP, seen))
        assert (url.scheme, url.netloc) == ("https", "rp.example")
        assert urlsplit(urljoin(f"{RP}/a/b?c#d", seen)).netloc == "rp.example"
        # Dot segments are taken out, and what comes first then is still one slash.
        assert not urlsplit(urljoin(RP, seen)).path.startswith("//")
