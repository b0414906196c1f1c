"""The cost that our transport adds to the connection pool under it."""

from typing import Final

from urllib3 import HTTPConnectionPool

from benchmarks.loopback import served
from benchmarks.rounds import Call, Effort, interleaved
from benchmarks.rows import Row, ratio_row
from oidc_adapters.runtime.clock import SystemClock
from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from oidc_core.wire.http import DEADLINE, HttpResponse, WireRequest
from oidc_core.wire.limits import LIMITS

_BODY: Final = b"grant_type=authorization_code&code=" + b"c" * 250
_HEADERS: Final = (
    ("accept", "application/json"),
    ("authorization", "Basic " + 60 * "x"),
    ("content-type", "application/x-www-form-urlencoded"),
)


def transport_row(effort: Effort) -> Row:
    """A POST on a connection that is kept, over bare ``urlopen``: this thread's CPU time."""
    with (
        served() as port,
        Urllib3Transport() as transport,
        HTTPConnectionPool("127.0.0.1", port) as pool,
    ):
        calls = {"ours": _sent(transport, port), "urlopen": _opened(pool)}
        samples = interleaved(calls, effort)
    ratio = samples.ratio("ours", "urlopen")
    return ratio_row("transport_over_urlopen", samples.cost("ours"), ratio)


def _sent(transport: Urllib3Transport, port: int) -> Call:
    clock = SystemClock()
    request = WireRequest(
        reach="any",
        method="POST",
        url=f"http://127.0.0.1:{port}/token",
        headers=_HEADERS,
        body=_BODY,
        resend="never",
        max_body=LIMITS.token_response,
        deadline=DEADLINE,
    )
    answer = transport.send(request, clock)
    if not isinstance(answer, HttpResponse):
        raise ConnectionError(answer.code)
    return lambda: transport.send(request, clock)


def _opened(pool: HTTPConnectionPool) -> Call:
    headers = dict(_HEADERS)
    return lambda: pool.urlopen(
        "POST", "/token", body=_BODY, headers=headers, retries=False, redirect=False
    )
