"""Each provider with each feature: the run sees what the matrix declares."""

from collections.abc import Generator
from typing import Final

import pytest

from oidc_adapters.transport import Transport
from tests.interop.features import RUNS
from tests.interop.install import Unavailable
from tests.interop.matrix import FEATURES, TRIED, Feature, Tried
from tests.interop.parties import Party, running
from tests.interop.table import RecordRow

AUTHENTICATION: Final = "client_secret_basic"


@pytest.fixture(scope="session", params=TRIED, ids=lambda tried: tried.key)
def party(request: pytest.FixtureRequest) -> Generator[Party]:
    """One provider after the other: its declaration, and the running provider."""
    tried: Tried = request.param
    try:
        with running(tried) as party:
            yield party
    except Unavailable as why:
        pytest.skip(f"no {tried.name}: {why}")


@pytest.mark.parametrize("feature", FEATURES)
def test_a_provider_gives_what_the_matrix_says(
    party: Party, transport: Transport, interop_row: RecordRow, feature: Feature
) -> None:
    tried = party.tried
    declared = tried.cells[feature]
    interop_row(AUTHENTICATION, tried.id_token_alg, f"{tried.name}, {feature}: {declared.verdict}")

    assert str(RUNS[feature](party, transport)) == str(declared)
