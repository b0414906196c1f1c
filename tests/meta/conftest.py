from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.meta.trees import Tree, copy_of_the_tree

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def planted(tmp_path: Path) -> Tree:
    """A copy of the source tree, for a test to plant an offence in."""
    return copy_of_the_tree(tmp_path)
