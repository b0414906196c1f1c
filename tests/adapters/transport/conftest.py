"""A transport and a private authority for every test of this folder."""

from collections.abc import Iterator

import pytest

from oidc_adapters.testing.authority import Authority
from oidc_adapters.transport.over_urllib3 import Urllib3Transport


@pytest.fixture
def transport() -> Iterator[Urllib3Transport]:
    with Urllib3Transport() as made:
        yield made


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))
