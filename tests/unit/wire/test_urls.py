"""URLs by one grammar, issuers compared exactly, queries and forms."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from urllib3.util import parse_url as other_parser

from oidc_core.wire.errors import UsageError, fingerprint
from oidc_core.wire.urls import (
    Url,
    encode_form,
    explain_difference,
    parse_form,
    parse_issuer,
    parse_url,
    query_names,
    with_query,
)


def refusal(text: str, *, http: bool = False) -> str:
    with pytest.raises(UsageError) as caught:
        parse_url(text, about="issuer", http=http)
    assert caught.value.about == "issuer"
    return caught.value.code


# --- what is taken -------------------------------------------------------------------------------

GOOD = [
    "https://op.example",
    "https://op.example/",
    "https://OP.Example/A/../b//c",
    "https://op.example:8443/a?b=c&d",
    "https://op.example?x",
    "https://op.example/%7Ea%2F;v=1,2/(x)!$&'*+=:@",
    "https://xn--exmple-cua.com/",
    "https://a_b.op.example",
    "https://192.0.2.1",
    "https://127.0.0.1:9/",
    "https://[2001:db8::1]:8443/a",
    "https://[::1]",
    "https://" + "a" * 63 + ".example",
    "https://op.example/" + "a" * 8_000,
]


@pytest.mark.parametrize("text", GOOD, ids=lambda text: text[:40])
def test_a_good_url_is_kept_as_it_is_and_other_parsers_agree(text: str) -> None:
    url = parse_url(text)
    assert url.text == text
    split, other = urlsplit(text), other_parser(text)
    assert url.host.lower() == other.host == (split.netloc.rpartition("@")[2] and other.host)
    assert url.host.lower().strip("[]") == split.hostname
    assert url.port == (split.port or 443) == (other.port or 443)
    assert (url.path, url.query or "") == (split.path, split.query)


def test_a_url_has_parts() -> None:
    assert parse_url("https://OP.example:8443/a?b") == Url(
        "https://OP.example:8443/a?b", "https", "OP.example", 8443, "/a", "b"
    )
    assert parse_url("https://op.example").query is None
    assert parse_url("https://op.example/?").query == ""


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://OP.example", "https://op.example:443"),
        ("https://op.example:443/a", "https://op.example:443"),
        ("https://op.example:444/a", "https://op.example:444"),
        ("http://localhost", "http://localhost:80"),
        ("https://[::1]:1/", "https://[::1]:1"),
    ],
)
def test_an_origin_is_scheme_host_and_port(text: str, origin: str) -> None:
    assert parse_url(text, http=True).origin == origin


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "op.example",
        "/a",
        "//op.example",
        "https:op.example",
        "https:/op.example",
        "mailto:a@op.example",
        "javascript:alert(1)",
        "--x",
        "$(reboot)",
        " https://op.example",
        "https://op.example ",
        "https://op.example\n",
        "https://op.example/a\tb",
        "https://op.example/a\x00",
        "https://op.example\r\nHost: evil.example/",
        "https://good.example\\@evil.example/",
        "https://good.example\\.evil.example/",
        "https://good%2eevil.example/",
        "https://good%00.evil.example/",
        "https://[fe80::1%25eth0]/",
        "https://op.example/é",
        "https://op.example/?q=é",
        "https://op.example/#a",
        "https://op.example#@evil.example",
        "https://op.example/%",
        "https://op.example/%4",
        "https://op.example/%zz",
        'https://op.example/"',
        "https://op.example/<a>",
        "https://op.example/{tenant}",
        "https://op.example/a|b^c`",
        "https://op.example/" + "a" * 8_192,
        "https://op.example/\u2028",
        "https://op.example/\ud800",
    ],
    ids=lambda text: ascii(text)[:50],
)
def test_what_two_parsers_may_read_differently_is_refused(text: str) -> None:
    assert refusal(text) == "url_invalid"


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "127.0.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "2130706433",
        "017700000001",
        "127.0.0.01",
        "127.0.0.1.",
        "①②⑦.0.0.1",
        "256.0.0.1",
        "1.2.3.4.5",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[2001:0db8::1]",
        "[::1",
        "::1",
        "[:::1]",
        "[1:2]",
        "[]",
        "[op.example]",
        "exаmple.com",  # a Cyrillic letter
        "例え.jp",
        "op.example.",
        "op..example",
        ".op.example",
        "-op.example",
        "op-.example-",
        "op.ex_ample",
        "op.4",
        "*.example",
        "a" * 64 + ".example",
        "a." * 127 + "example",
        "",
        "op.example:1:2",
        "op,example",
        "op;example",
    ],
)
def test_a_host_is_a_name_or_an_address_in_its_one_spelling(host: str) -> None:
    assert refusal(f"https://{host}") == "url_host_invalid"
    assert refusal(f"https://{host}:8443/a?b") == "url_host_invalid"


@pytest.mark.parametrize(
    "port", ["", "0", "00443", "0443", "65536", "99999", "443443", "-1", "+1", "x", "4_3"]
)
def test_a_port_is_1_to_65535(port: str) -> None:
    assert refusal(f"https://op.example:{port}") == "url_port_invalid"
    assert refusal(f"https://[::1]:{port}/") == "url_port_invalid"


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@op.example/",
        "https://user@op.example/",
        "https://@op.example/",
        "https://localhost:80@evil.example/",
        "http://localhost:80@evil.example/",
        "https://op.example:443@evil.example:443",
    ],
)
def test_credentials_are_refused(text: str) -> None:
    assert refusal(text, http=True) == "url_userinfo_not_allowed"


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@op.example/ ",
        "https://user:hunter2@op.example/?q",
        "https://user:hunter2@op.example/#f",
        "https://user:hunter2@op.example:x",
        "http://user:hunter2@op.example",
        "ftp://user:hunter2@op.example",
    ],
)
def test_no_message_shows_a_password(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_issuer(text)
    assert "hunter2" not in str(caught.value)
    assert caught.value.found in {None, "ftp", fingerprint(text)}


@pytest.mark.parametrize(
    "text", ["http://op.example", "ftp://op.example", "file:///etc/passwd", "HTTPS://op.example",
             "httpss://op.example", "ws://op.example"],
)  # fmt: skip
def test_the_scheme_is_https(text: str) -> None:
    assert refusal(text) == "url_scheme_not_allowed"
    assert refusal(text, http=True) == "url_scheme_not_allowed"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.1.9", "[::1]"])
def test_http_may_be_allowed_on_loopback_only(host: str) -> None:
    text = f"http://{host}:8080/a"
    assert parse_url(text, http=True).is_loopback
    assert refusal(text) == "url_scheme_not_allowed"


@pytest.mark.parametrize(
    "host",
    ["localhost.evil.example", "127.0.0.1.evil.example", "128.0.0.1", "169.254.169.254",
     "[::2]", "LOCALHOST", "xlocalhost"],
)  # fmt: skip
def test_what_merely_looks_like_loopback_is_not(host: str) -> None:
    assert refusal(f"http://{host}/", http=True) == "url_scheme_not_allowed"


# --- issuers -------------------------------------------------------------------------------------


@pytest.mark.req("OIDCD-2-04")
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://op.example?q", "issuer_invalid"),
        ("https://op.example/?", "issuer_invalid"),
        ("https://op.example/#f", "issuer_invalid"),
        ("https://op.example#", "issuer_invalid"),
        ("https://user@op.example", "url_userinfo_not_allowed"),
        ("http://op.example", "url_scheme_not_allowed"),
        ("https://", "url_host_invalid"),
        ("op.example", "url_invalid"),
    ],
)
def test_an_issuer_is_a_plain_https_url(text: str, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_issuer(text)
    assert caught.value.code == code
    assert caught.value.about == "issuer"


def test_an_issuer_is_kept_to_the_letter() -> None:
    for text in ("https://op.example", "https://op.example/", "https://OP.example:443/%7Ea/../b"):
        assert parse_issuer(text) == text
    assert parse_issuer("http://localhost:1/a", http=True) == "http://localhost:1/a"


@pytest.mark.parametrize(
    ("configured", "published", "difference"),
    [
        ("https://op.example", "https://op.example/", "they differ in the final slash"),
        ("https://op.example/A", "https://op.example/a", "they differ in upper and lower case"),
        (
            "https://op.example/.well-known/openid-configuration",
            "https://op.example",
            "the address of the metadata is configured",
        ),
        (
            "https://a.example/.well-known/oauth-authorization-server/x",
            "https://b.example",
            "the address of the metadata is configured",
        ),
        ("https://a.example", "http://localhost", "the scheme: 'https' and 'http'"),
        ("https://a.example", "https://b.example", "the host: 'a.example' and 'b.example'"),
        ("https://a.example", "https://a.example:444", "the port: 443 and 444"),
        ("https://a.example/x", "https://a.example/y", "the path: '/x' and '/y'"),
        ("https://a.example", "https://a.example:443", "they differ;"),
        ("http://op.example", "https://op.example", "the scheme: 'http' and 'https'"),
        ("https://a.example", "b\n", "one of them is not a URL"),
    ],
)
def test_a_difference_is_put_into_words(configured: str, published: str, difference: str) -> None:
    said = explain_difference(configured, published)
    assert difference in said
    assert said.endswith(f"configure {published!a}")
    assert said.isprintable()


def test_an_issuer_for_each_tenant_is_explained() -> None:
    said = explain_difference("https://a.example/t1/v2.0", "https://a.example/{tenantid}/v2.0")
    assert said.startswith("it has an issuer for each tenant")
    assert "IssuerRule.template" in said


def test_a_difference_is_told_in_bounded_words() -> None:
    assert len(explain_difference("https://a.example/", "https://a.example/" + "x" * 8_000)) < 700
    assert len(explain_difference("https://a.example", "\n" * 16_000)) < 400


# --- queries and forms ---------------------------------------------------------------------------


@pytest.mark.req("OIDCC-13.1-01")
@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://op.example/a", "https://op.example/a?b=c"),
        ("https://op.example/a?x=1", "https://op.example/a?x=1&b=c"),
        ("https://op.example/a?", "https://op.example/a?&b=c"),
    ],
)
def test_an_endpoint_keeps_its_query(endpoint: str, url: str) -> None:
    assert with_query(endpoint, "b=c") == url


def test_names_of_a_query_are_read_as_a_server_reads_them() -> None:
    assert query_names("https://op.example/a?x=1&&st%61te&a+b=c=d") == {"x", "state", "a b"}
    assert query_names("https://op.example/a") == frozenset()


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ((), ""),
        ((("a", ""), ("", "b")), "a=&=b"),
        ((("a", "b c+d&e=f"), ("a", "é")), "a=b%20c%2Bd%26e%3Df&a=%C3%A9"),
        ((("a\n", "\x00"),), "a%0A=%00"),
    ],
)
def test_a_form_is_encoded_so_that_everybody_reads_the_same(
    pairs: tuple[tuple[str, str], ...], text: str
) -> None:
    assert encode_form(pairs) == text
    assert parse_form(text) == pairs
    assert tuple(parse_qsl(text, keep_blank_values=True)) == pairs


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("", ()),
        ("&&", ()),
        ("a", (("a", ""),)),
        ("a=b=c", (("a", "b=c"),)),
        ("a=1&a=2", (("a", "1"), ("a", "2"))),
        ("a+b=c+d%20e", (("a b", "c d e"),)),
        ("%61=%2B", (("a", "+"),)),
        ("a=%&b=%zz", (("a", "%"), ("b", "%zz"))),
        ("a;b=c", (("a;b", "c"),)),
        ("a=é", (("a", "é"),)),
        ("a=é%20", (("a", "é "),)),
    ],
)
def test_a_form_is_read_as_a_browser_brings_it(
    text: str, pairs: tuple[tuple[str, str], ...]
) -> None:
    assert parse_form(text) == pairs


@pytest.mark.parametrize(
    "text",
    ["a=%ff", "a=%c0%af", "a=%ed%a0%80", "a=%20\ud800", "a=\ud800", "a=x%ff+y%z", "a=%E2%82"],
)
def test_octets_of_a_form_that_are_not_utf_8_are_replaced(text: str) -> None:
    ((name, value),) = parse_form(text)
    assert name == "a"
    assert "\ufffd" in value
    assert value.encode("utf-8").decode("utf-8") == value
    assert parse_form(f"b=1&{text}&%ff=2&c=%C3%A9")[0] == ("b", "1")
    assert parse_form(f"b=1&{text}&%ff=2&c=%C3%A9")[2:] == (("\ufffd", "2"), ("c", "é"))
