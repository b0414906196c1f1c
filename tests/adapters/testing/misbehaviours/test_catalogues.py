"""The catalogues name rows that there are; `tests/spec/test_catalogues.py` plays them."""

import pytest

from oidc_adapters.testing import MISBEHAVIOURS, ODD_BUT_LEGAL, FakeProvider
from oidc_adapters.testing.misbehaviours.catalogues import PROFESSOS, SUITE, Entries


@pytest.mark.parametrize("catalogue", [SUITE, PROFESSOS])
def test_an_entry_is_what_a_provider_takes(catalogue: Entries) -> None:
    known = {**MISBEHAVIOURS, **ODD_BUT_LEGAL}

    for name, rows in catalogue.items():
        provider = FakeProvider(misbehave=rows)
        assert provider.misbehaviours == tuple([known[row] for row in rows]), name
