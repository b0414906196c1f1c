"""``manage.py oidc_check``."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

import pytest

from tests.adapters.web.django.project import Project, call_command

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def test_it_says_what_the_provider_publishes(project: Made) -> None:
    site, out = project(), StringIO()

    call_command("oidc_check", stdout=out)

    said = dict(line.split(None, 1) for line in out.getvalue().splitlines())
    assert said["issuer"] == site.provider.issuer
    assert said["redirect_uri"] == "https://rp.example/callback"
    assert "PKCE with S256          yes" in out.getvalue()


def test_a_provider_that_cannot_be_reached(project: Made) -> None:
    from django.core.management import CommandError

    project().transport.down = True

    with pytest.raises(CommandError, match="http_connect_failed"):
        call_command("oidc_check")


def test_a_wrong_setting(project: Made) -> None:
    from django.core.management import CommandError

    project(ISSUER="op.example")

    with pytest.raises(CommandError, match="issuer"):
        call_command("oidc_check")
