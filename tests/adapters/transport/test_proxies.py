"""A proxy that an application names."""

import pytest

from oidc_adapters.transport.proxies import is_unseen, proxy_of
from oidc_core.wire.errors import UsageError
from oidc_core.wire.urls import parse_url

NEAR = parse_url("http://127.0.0.1/", http=True)


@pytest.mark.parametrize(
    ("text", "url", "credentials"),
    [
        ("http://proxy.example", "http://proxy.example:80", ""),
        ("http://[::1]:9/", "http://[::1]:9", ""),
        ("http://us%40er:p%3Aw@h:3128", "http://h:3128", "Basic dXNAZXI6cDp3"),
        ("http://user@h:3128", "http://h:3128", "Basic dXNlcjo="),
    ],
)
def test_its_url_is_taken_apart(text: str, url: str, credentials: str) -> None:
    proxy = proxy_of(text)

    assert proxy is not None
    assert (proxy.url, proxy.credentials) == (url, credentials)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "proxy:80",
        "https://h",
        "socks5://h",
        "http://",
        "http://h:0",
        "http://h:x",
        "http://h/a",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        proxy_of(text)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "proxy")


def test_octets_without_tls_stay_on_this_machine() -> None:
    near, far = proxy_of("http://127.0.0.1:9"), proxy_of("http://proxy.example:9")

    assert not is_unseen(near, NEAR)
    assert is_unseen(near, parse_url("http://10.0.0.1", http_origins={"http://10.0.0.1:80"}))
    assert not is_unseen(far, parse_url("https://op.example"))
    assert not is_unseen(None, NEAR)
    with pytest.raises(UsageError) as refused:
        is_unseen(far, NEAR)
    assert refused.value.code == "url_scheme_not_allowed"


def test_there_may_be_none() -> None:
    assert proxy_of(None) is None
