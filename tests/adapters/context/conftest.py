"""What the tests of the context share."""

import pytest

from tests.adapters.context.world import World


@pytest.fixture
def world() -> World:
    return World()
