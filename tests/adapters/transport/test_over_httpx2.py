"""The transports over the engine of httpx2; test_tried.py tries their duties."""

import subprocess
import sys
from typing import Any

import pytest

from oidc_adapters.testing.fault_server import FaultServer, Read, Send, Wait, ok
from oidc_core.wire.errors import UsageError
from tests.adapters.transport.exchanges import CLOCK, answered, request
from tests.flows.rig import run_asyncio, run_trio

pytest.importorskip("httpx2")

from oidc_adapters.transport.over_httpx2 import AsyncHttpx2Transport, Httpx2Transport

BOTH = pytest.mark.parametrize("run", [run_asyncio, run_trio])
IMPORT = """
import sys
import oidc_adapters, oidc_adapters.transport, oidc_adapters.testing
print(sorted({"httpx2", "anyio"} & {*sys.modules}))
"""


def test_it_is_imported_only_by_its_own_module() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, check=True, text=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("kind", [Httpx2Transport, AsyncHttpx2Transport])
@pytest.mark.parametrize(
    "setting", ["ca", "client_certificate", "ssl_context", "proxy", "pool_size"]
)
def test_a_setting_of_another_type_is_refused(kind: Any, setting: str) -> None:
    with pytest.raises(UsageError) as refused:
        kind(**{setting: 0.5})
    assert (refused.value.code, refused.value.about) == ("config_invalid", setting)


def test_a_connection_is_used_again_if_its_answer_had_a_length() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    for answer, connections in ((ok(), 1), (chunked, 3)):
        script = (Read(), Send(answer)) * 3
        with FaultServer((*script, Wait())) as server, Httpx2Transport() as transport:
            for _ in range(3):
                assert answered(transport.send(request(server.url()), CLOCK)).body == b"{}"
            assert server.connections == connections


@BOTH
def test_the_same_for_code_that_awaits(run: Any) -> None:
    async def exchange() -> None:
        with FaultServer((*((Read(), Send(ok())) * 3), Wait())) as server:
            async with AsyncHttpx2Transport() as transport:
                for _ in range(3):
                    answered(await transport.send(request(server.url()), CLOCK))
            assert server.connections == 1

    run(exchange)


def test_a_closed_transport_sends_nothing() -> None:
    transport = Httpx2Transport()
    transport.close()
    with pytest.raises(UsageError) as refused:
        transport.send(request("http://127.0.0.1:9/"), CLOCK)
    assert (refused.value.code, refused.value.about) == ("config_invalid", "transport")
