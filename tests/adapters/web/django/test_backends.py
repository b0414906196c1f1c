"""The authentication backend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from oidc_core.model.claims import Identity
from tests.adapters.web.django.project import Project, User, async_to_sync

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def backend() -> Any:
    from oidc_adapters.web.django.backends import OidcBackend

    return OidcBackend()


class TakesEverything:
    """A backend of another library, which looks at the request by itself."""

    calls: ClassVar[list[str]] = []

    def authenticate(self, request: object, **credentials: object) -> None:
        self.calls.extend(credentials)

    def get_user(self, user_id: object) -> None:
        """Find nobody."""


def test_an_identity_is_a_user(project: Made) -> None:
    project()
    alice = Identity("https://op.example", "alice")
    user = backend().authenticate(None, identity=alice, claims={})

    assert backend().get_user(user.pk) == user
    assert async_to_sync(backend().aauthenticate)(None, identity=alice, claims={}) == user


def test_no_other_backend_is_asked_about_an_identity_without_a_user(project: Made) -> None:
    from django.contrib import auth
    from django.core.exceptions import PermissionDenied

    asked = f"{TakesEverything.__module__}.{TakesEverything.__qualname__}"
    own = "oidc_adapters.web.django.backends.OidcBackend"
    project(AUTHENTICATION_BACKENDS=[own, asked])
    alice = Identity("https://op.example", "alice")
    assert auth.authenticate(None, identity=alice, claims={}) is not None
    User.objects.update(is_active=False)

    assert auth.authenticate(None, identity=alice, claims={}) is None
    assert TakesEverything.calls == []
    with pytest.raises(PermissionDenied):
        async_to_sync(backend().aauthenticate)(None, identity=alice, claims={})
    assert auth.authenticate(None, token="of another library") is None
    assert TakesEverything.calls == ["token"]


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
