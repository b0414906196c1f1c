"""The shared parts of the tests of the context."""

import pytest

from tests.adapters.context.world import World


@pytest.fixture
def world() -> World:
    return World()
