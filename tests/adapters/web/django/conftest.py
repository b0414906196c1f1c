"""A project for each test, with an empty database."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.adapters.web.django.project import Project


@pytest.fixture
def project() -> Generator[Callable[..., Project]]:
    """Return a function that makes a project; its settings are gone after the test."""
    from tests.adapters.web.django.project import Project, Session, User

    with ExitStack() as overridden:

        def made(**changed: Any) -> Project:
            project = Project(**changed)
            overridden.enter_context(project.override)
            return project

        yield made
    User.objects.all().delete()
    Session.objects.all().delete()
