"""The port through which exchanges reach their client."""

from __future__ import annotations

import pytest

from oidc_adapters.clients.doors import Doors, Operation
from oidc_adapters.clients.grant_doors import (
    AwaitingDoors,
    AwaitingOperation,
    WaitingDoors,
    WaitingOperation,
)


def members(port: type) -> set[str]:
    return {name for name in vars(port) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("kind", "port"),
    [
        (WaitingDoors, Doors),
        (AwaitingDoors, Doors),
        (WaitingOperation, Operation),
        (AwaitingOperation, Operation),
    ],
)
def test_both_kinds_of_clients_have_what_the_port_names(kind: type, port: type) -> None:
    assert members(port)
    assert all(hasattr(kind, name) for name in members(port))
