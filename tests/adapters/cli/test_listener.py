"""The loopback listener, reached by real HTTP."""

from urllib.parse import urlsplit

import pytest
import urllib3

from oidc_adapters.cli.listener import (
    HOST,
    CallbackListener,
    ReceivedRequest,
    _Conversation,
    _Server,
    listening,
)
from oidc_core.endpoints.authorization import Callback
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.http import LIMITS


@pytest.fixture(name="pool")
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False, timeout=10)


def test_it_listens_on_loopback_only() -> None:
    with listening() as listener:
        assert urlsplit(listener.url).hostname == "127.0.0.1"
        assert urlsplit(listener.url).path == "/callback"


def test_a_get_brings_a_query(pool: urllib3.PoolManager) -> None:
    with listening(path="/auth/login") as listener, pool:
        answer = pool.request("GET", f"{listener.url}?code=abc&state=s")
        received = listener.wait(10)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert b"abc" not in answer.data
    pairs = (("code", "abc"), ("state", "s"))
    assert received.callback == Callback(
        parameters=pairs, mode="query", url=listener.url, query=pairs
    )


def test_a_post_brings_a_form(pool: urllib3.PoolManager) -> None:
    with listening() as listener, pool:
        answer = pool.request("POST", listener.url, body=b"code=a%20b")
        received = listener.wait(10)

    assert answer.status == 200
    assert received.callback == Callback(
        parameters=(("code", "a b"),), mode="form_post", url=listener.url
    )


def test_only_the_first_callback_counts(pool: urllib3.PoolManager) -> None:
    with listening() as listener, pool:
        pool.request("GET", f"{listener.url}?code=first")
        second = pool.request("GET", f"{listener.url}?code=second")
        received = listener.wait(10)
        third = pool.request("GET", f"{listener.url}?code=third")

    assert received.query == "code=first"
    assert (second.status, third.status) == (410, 410)


@pytest.mark.parametrize("path", ["/favicon.ico", "/callback/", "/", "/callback/../callback"])
def test_other_paths_are_no_callback(pool: urllib3.PoolManager, path: str) -> None:
    with listening() as listener, pool:
        port = urlsplit(listener.url).port
        target = urllib3.HTTPConnectionPool("127.0.0.1", port, retries=False)
        assert target.urlopen("GET", path).status == 404
        target.close()
        with pytest.raises(CallbackError) as nobody:
            listener.wait(0)

    assert nobody.value.code == "state_expired"


def test_another_host_is_another_site(pool: urllib3.PoolManager) -> None:
    with listening() as listener, pool:
        answer = pool.request("GET", f"{listener.url}?code=a", headers={"Host": "evil.example"})

    assert answer.status == 404


def test_a_form_beyond_the_limit_is_not_read(pool: urllib3.PoolManager) -> None:
    length = {"Content-Length": str(LIMITS.callback + 1)}
    with listening() as listener, pool:
        answer = pool.request("POST", listener.url, headers=length, body=b"")

    assert answer.status == 413


@pytest.mark.parametrize("length", ["x", "-1", "+5", "5_0", "9" * 5_000])
def test_a_form_of_doubtful_length_does_not_count(
    pool: urllib3.PoolManager, length: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening() as listener, pool:
        refused = pool.request("POST", listener.url, headers={"Content-Length": length}, body=b"")
        taken = pool.request("POST", listener.url, body=b"code=a")
        received = listener.wait(10)

    assert (refused.status, taken.status) == (400, 200)
    assert received.body == b"code=a"
    assert capsys.readouterr().err == ""


def test_a_query_beyond_the_limit_is_refused_by_the_core(pool: urllib3.PoolManager) -> None:
    with listening() as listener, pool:
        pool.request("GET", f"{listener.url}?code={'a' * LIMITS.callback}")
        received = listener.wait(10)

    with pytest.raises(CallbackError) as refused:
        _ = received.callback
    assert refused.value.code == "parameter_too_long"


def test_nobody_comes() -> None:
    with pytest.raises(CallbackError) as nobody:
        CallbackListener("http://127.0.0.1:1/callback").wait(0)

    assert nobody.value.code == "state_expired"
    assert nobody.value.expected == "a callback within 0 seconds"


def test_a_port_in_use_is_the_callers_fault() -> None:
    with listening() as listener:
        port = urlsplit(listener.url).port or 0
        with pytest.raises(UsageError) as taken, listening(port):
            pass

    assert (taken.value.code, taken.value.found) == ("config_invalid", port)


def _raise(error: type[Exception]) -> None:
    raise error


@pytest.mark.parametrize(("error", "told"), [(ConnectionResetError, False), (KeyError, True)])
def test_a_browser_may_go_away(
    error: type[Exception], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    server = _Server((HOST, 0), _Conversation)
    try:
        _raise(error)
    except error:
        server.handle_error(server.socket, (HOST, 1))
    finally:
        server.server_close()

    assert ("Traceback" in capsys.readouterr().err) is told


def test_an_arrival_shows_no_code() -> None:
    received = ReceivedRequest(
        method="GET", url="http://127.0.0.1:1/", query="code=abc", body=b"code=abc"
    )

    assert "abc" not in repr(received)
