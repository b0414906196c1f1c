"""Users of Django for the users of a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from oidc_core.model.claims import Identity
from tests.adapters.web.django.project import Project, User

if TYPE_CHECKING:
    from collections.abc import Callable

    Made = Callable[..., Project]

ALICE: Final = Identity("https://op.example", "alice")
VERIFIED: Final[dict[str, Any]] = {"email": "alice@op.example", "email_verified": True}


def a_superuser(identity: Any, claims: Any) -> Any:
    """Let each user of the provider be a superuser."""
    user, _ = User.objects.get_or_create(username=f"{identity.subject} {claims['name']}")
    user.is_staff = user.is_superuser = True
    user.save()
    return user


def nobody(_identity: Any, _claims: Any) -> Any:
    """Let nobody in."""
    return None


def mistaken(_identity: Any, _claims: Any) -> Any:
    """Make a mistake."""
    raise LookupError("no such group")


def user_of(identity: Identity = ALICE, **claims: Any) -> Any:
    from oidc_adapters.web.django import accounts

    return accounts.user_of(identity, claims)


def test_a_user_is_made_once(project: Made) -> None:
    project()
    user = user_of(given_name="Alice", family_name="Adams", **VERIFIED)

    assert (user.first_name, user.last_name, user.email) == ("Alice", "Adams", VERIFIED["email"])
    assert not user.has_usable_password()
    assert user_of() == user
    assert len(user.username) == len("oidc_") + 40


@pytest.mark.parametrize(
    "other", [Identity("https://op.example", "bob"), Identity("https://other.example", "alice")]
)
def test_the_same_address_makes_no_user(project: Made, other: Identity) -> None:
    """Two people have one address: neither gets the account of the other."""
    project()

    assert user_of(**VERIFIED) != user_of(other, **VERIFIED)


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_nobody_verified_is_not_kept(project: Made, verified: Any) -> None:
    project()

    assert user_of(email="alice@op.example", email_verified=verified).email == ""


def test_long_values_of_a_provider_fit(project: Made) -> None:
    project()
    user = user_of(given_name="A" * 1000, email="a" * 300, email_verified=True, family_name=5)

    assert (len(user.first_name), user.email, user.last_name) == (150, "", "")


def test_an_account_that_somebody_registered_is_refused(project: Made) -> None:
    from oidc_adapters.web.django.accounts import username_of

    site = project()
    User.objects.create_user(username_of(Identity(site.provider.issuer, "alice")), password="mine")

    reply = site.log_in()

    assert (reply.status_code, "account_refused" in reply.content.decode()) == (403, True)
    assert site.ask("/").content.startswith(b"nobody")


def test_names_change_at_a_login_and_rights_do_not(project: Made) -> None:
    site = project()
    site.log_in()
    User.objects.update(first_name="Old", is_staff=True)

    site.log_in(browser=site.another())

    (user,) = User.objects.all()
    assert (user.first_name, user.is_staff) == ("Alice", True)


def test_a_project_may_refuse_a_user(project: Made) -> None:
    reply = project(USER_OF=nobody).log_in()

    assert (reply.status_code, "account_refused" in reply.content.decode()) == (403, True)
