"""The loopback listener, reached by real HTTP."""

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlencode, urlsplit

import pytest
import urllib3

from oidc_adapters.native.listener import (
    HOST,
    CallbackListener,
    ReceivedRequest,
    _Conversation,
    _Server,
    listening,
)
from oidc_core.endpoints.authorization import Callback
from oidc_core.endpoints.authorization.callback import MAX_STATE
from oidc_core.model.pending import pending_id_of
from oidc_core.wire.errors import CallbackError, UsageError
from oidc_core.wire.limits import UPPER_BOUNDS

STATE = "the state of the login that is waited for"
OTHER = "the state of another login, or of none"


@contextmanager
def waiting(path: str = "/callback") -> Generator[CallbackListener]:
    """Listen for the callback of a login."""
    with listening(path=path) as listener:
        listener.expect(pending_id_of(STATE))
        yield listener


def query(**parameters: str) -> str:
    return urlencode({"state": STATE, **parameters})


@pytest.fixture(name="pool")
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(retries=False, timeout=10)


def test_it_listens_on_loopback_only() -> None:
    with listening() as listener:
        assert urlsplit(listener.url).hostname == "127.0.0.1"
        assert urlsplit(listener.url).path == "/callback"


def test_a_get_brings_a_query(pool: urllib3.PoolManager) -> None:
    with waiting("/auth/login") as listener, pool:
        answer = pool.request("GET", f"{listener.url}?{query(code='abc')}")
        received = listener.wait(10)

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert b"abc" not in answer.data
    pairs = (("state", STATE), ("code", "abc"))
    assert received.callback == Callback(
        parameters=pairs, mode="query", url=listener.url, query=pairs
    )


def test_a_post_brings_a_form(pool: urllib3.PoolManager) -> None:
    with waiting() as listener, pool:
        answer = pool.request("POST", listener.url, body=query(code="a b").encode())
        received = listener.wait(10)

    assert answer.status == 200
    assert received.callback == Callback(
        parameters=(("state", STATE), ("code", "a b")), mode="form_post", url=listener.url
    )


def test_only_the_first_callback_counts(pool: urllib3.PoolManager) -> None:
    first, second_one = query(code="first"), query(code="second")
    with waiting() as listener, pool:
        pool.request("GET", f"{listener.url}?{first}")
        second = pool.request("GET", f"{listener.url}?{second_one}")
        received = listener.wait(10)
        third = pool.request("GET", f"{listener.url}?{second_one}")

    assert received.query == first
    assert (second.status, third.status) == (410, 410)


FOREIGN = [
    ("state_missing", "error=access_denied"),
    ("state_missing", ""),
    ("state_unknown", urlencode({"code": "a", "state": OTHER})),
    ("parameter_malformed", "state=%ff"),
    ("parameter_too_long", f"state={'x' * (MAX_STATE + 1)}"),
    ("parameter_duplicated", "code=a&code=b"),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("code", "foreign"),
    FOREIGN,
    ids=[f"{number}-{code}" for number, (code, _) in enumerate(FOREIGN)],
)
def test_what_any_page_can_send_does_not_end_the_login(
    pool: urllib3.PoolManager, method: str, code: str, foreign: str
) -> None:
    with waiting() as listener, pool:
        if method == "GET":
            answer = pool.request("GET", f"{listener.url}?{foreign}")
        else:
            answer = pool.request("POST", listener.url, body=foreign.encode())
        with pytest.raises(CallbackError) as so_far:
            listener.wait(0)
        own = pool.request("GET", f"{listener.url}?{query(code='real')}")
        received = listener.wait(10)

    assert (answer.status, so_far.value.code) == (404, code)
    assert (own.status, received.query) == (200, query(code="real"))


@pytest.mark.parametrize(
    "faulty",
    [
        f"state={OTHER.replace(' ', '+')}&{query(code='a')}",
        query(code="a\tb"),
        query(code="a") + "&code=b",
        query(code="a", error="access_denied"),
    ],
    ids=["two-states", "code-malformed", "two-codes", "code-and-error"],
)
def test_a_fault_of_its_own_callback_is_for_the_core_to_judge(
    pool: urllib3.PoolManager, faulty: str
) -> None:
    with waiting() as listener, pool:
        answer = pool.request("GET", f"{listener.url}?{faulty}")
        assert (answer.status, listener.wait(10).query) == (200, faulty)


def test_before_a_login_is_named_no_callback_is_waited_for(pool: urllib3.PoolManager) -> None:
    with listening() as listener, pool:
        for given in ("code=a&state=", query(code="a")):
            assert pool.request("GET", f"{listener.url}?{given}").status == 404


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
    with waiting() as listener, pool:
        answer = pool.request("GET", f"{listener.url}?{query()}", headers={"Host": "evil.example"})

    assert answer.status == 404


def test_a_form_beyond_the_limit_is_not_read(pool: urllib3.PoolManager) -> None:
    length = {"Content-Length": str(UPPER_BOUNDS.callback + 1)}
    with listening() as listener, pool:
        answer = pool.request("POST", listener.url, headers=length, body=b"")

    assert answer.status == 413


@pytest.mark.parametrize("length", ["x", "-1", "+5", "5_0", "9" * 5_000])
def test_a_form_of_doubtful_length_does_not_count(
    pool: urllib3.PoolManager, length: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with waiting() as listener, pool:
        refused = pool.request("POST", listener.url, headers={"Content-Length": length}, body=b"")
        taken = pool.request("POST", listener.url, body=query().encode())
        received = listener.wait(10)

    assert (refused.status, taken.status) == (400, 200)
    assert received.body == query().encode()
    assert capsys.readouterr().err == ""


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


def test_a_page_that_opens_many_connections_keeps_no_other_out() -> None:
    with _Server((HOST, 0), _Conversation) as server, ExitStack() as open_ones:
        for _ in range(64):  # nobody accepts them
            sock = socket.create_connection((HOST, server.server_port), timeout=0.5)
            open_ones.enter_context(sock)


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
