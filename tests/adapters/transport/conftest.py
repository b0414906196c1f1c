"""A transport and a private authority for every test of this folder."""

from collections.abc import Iterator

import pytest

from oidc_adapters.transport.over_urllib3 import Urllib3Transport
from tests.adapters.transport.fault_server import (
    Authority,
)


@pytest.fixture
def transport() -> Iterator[Urllib3Transport]:
    with Urllib3Transport() as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
