"""The authentication backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from oidc_core.model.claims import Identity
from tests.adapters.web.django.project import Project, User, async_to_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def backend() -> Any:
    from oidc_adapters.web.django.backends import OidcBackend

    return OidcBackend()


def test_an_identity_is_a_user(project: Made) -> None:
    project()
    alice = Identity("https://op.example", "alice")
    user = backend().authenticate(None, identity=alice, claims={})

    assert backend().get_user(user.pk) == user
    assert async_to_sync(backend().aauthenticate)(None, identity=alice, claims={}) == user
    User.objects.update(is_active=False)
    assert backend().authenticate(None, identity=alice, claims={}) is None


@pytest.mark.parametrize(
    "credentials",
    [
        {"username": "carol", "password": "secret"},
        {"identity": ("https://op.example", "alice")},
        {"identity": Identity("https://op.example", "a"), "username": "carol", "password": "x"},
        {},
    ],
)
def test_nothing_else_is(project: Made, credentials: Any) -> None:
    project()
    User.objects.create_user("carol", password="secret")

    assert backend().authenticate(None, **credentials) is None
    assert async_to_sync(backend().aauthenticate)(None, **credentials) is None


def test_permissions_are_djangos(project: Made) -> None:
    project()
    carol = User.objects.create_superuser("carol")

    assert carol.has_perm("auth.add_user")
