"""The checks of ``manage.py check``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.web.django.project import BACKENDS, MIDDLEWARE, Project

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]


def found(project: Made, **changed: Any) -> list[tuple[str, str, str]]:
    from django.core.checks import run_checks

    project(**changed)
    return [(str(each.id), str(each.msg), str(each.hint)) for each in run_checks()]


def test_a_project_without_a_mistake(project: Made) -> None:
    assert found(project) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"ISSUER": "op.example"}, "issuer"),
        ({"CLIENT_SECRET": None}, "client_secret"),
        ({"REDIRECT_URI": "http://rp.example/callback"}, "redirect_uri"),
        ({"CLIENTID": "web"}, "CLIENT_ID"),
        ({"issuer": "https://op.example"}, "ISSUER"),
        ({"zzz": 1}, "zzz"),
        ({"USER_OF": "no.such.function"}, "USER_OF"),
        ({"DRAW": 5}, "DRAW"),
        ({"HOME": "https://evil.example"}, "home"),
        ({"LOGIN_BY_GET": "yes"}, "LOGIN_BY_GET"),
        ({"SECRET": "short"}, "secret"),
        ({"RECORDS": None}, "RECORDS"),
        ({"RECORDS": 5}, "records"),
        ({"SESSION_COOKIE_AGE": 0}, "lifetime"),
    ],
)
def test_a_wrong_setting_is_named(project: Made, changed: dict[str, Any], named: str) -> None:
    ((code, said, hint),) = found(project, **changed)

    assert (code, named in said, bool(hint)) == ("oidc.E001", True, True), said


def test_settings_that_are_no_dict(project: Made) -> None:
    from django.test.utils import override_settings

    project()
    with override_settings(OIDC=None):
        from oidc_adapters.web.django.checks import check_settings

        (message,) = check_settings()

    assert (message.id, "OIDC" in str(message.msg)) == ("oidc.E001", True)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"MIDDLEWARE": MIDDLEWARE[:-1]}, "oidc.E002"),
        ({"MIDDLEWARE": (MIDDLEWARE[0], MIDDLEWARE[-1], *MIDDLEWARE[1:-1])}, "oidc.E002"),
        ({"AUTHENTICATION_BACKENDS": BACKENDS[1:]}, "oidc.E003"),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, "oidc.E005"),
    ],
)
def test_a_part_that_is_missing(project: Made, changed: dict[str, Any], code: str) -> None:
    assert [each[0] for each in found(project, **changed)] == [code]


def test_routes_that_are_not_included(project: Made) -> None:
    missing = found(project, ROOT_URLCONF="tests.adapters.web.django.project_without_routes")

    assert [each[0] for each in missing] == ["oidc.E004"] * 3
    assert "/login" in missing[0][1]


def test_users_that_are_named_by_their_addresses(
    project: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.models import User

    from oidc_adapters.web.django.checks import check_settings

    project()
    monkeypatch.setattr(User, "USERNAME_FIELD", "email")

    assert [each.id for each in check_settings()] == ["oidc.W001"]

    project(USER_OF="tests.adapters.web.django.test_accounts.nobody")
    assert check_settings() == []
