"""The URLs and views of the project."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, auth
from django.contrib.auth.decorators import login_required, user_passes_test
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from oidc_adapters.web.django import (
    aoidc_session,
    aoidc_tokens,
    oidc_required,
    oidc_session,
    oidc_step_up,
    oidc_tokens,
)
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.wire.errors import StoreFailure


def index(request: HttpRequest) -> HttpResponse:
    """Say who is there, and count the visits of a browser."""
    visits = request.session["visits"] = request.session.get("visits", 0) + 1
    who = "somebody" if request.user.is_authenticated else "nobody"
    return HttpResponse(f"{who} {visits}")


@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """Show a page for users of Django."""
    user: Any = request.user
    return HttpResponse(f"{user.username} {user.first_name} {user.email}")


@oidc_required
def mine(request: HttpRequest) -> HttpResponse:
    """Show a page for users of the provider."""
    session = oidc_session(request)
    assert session is not None
    return HttpResponse(f"{session.identity.subject} {session.claims['name']}")


@oidc_required
def tokens(request: HttpRequest) -> HttpResponse:
    """Use an access token."""
    return HttpResponse(str(bool(oidc_tokens(request).fresh().access_token)))


@oidc_required
async def awaiting(request: HttpRequest) -> HttpResponse:
    """Use an access token in a view that awaits."""
    session, tokens = await aoidc_session(request), await aoidc_tokens(request)
    user: Any = await request.auser()
    assert session is not None
    fresh = bool((await tokens.fresh()).access_token)
    return HttpResponse(f"{session.identity.subject} {user.first_name} {fresh}")


async def awaited_later(_: HttpRequest) -> HttpResponse:
    """Meet an error of the library in a view that awaits."""
    raise StoreFailure("refresh_busy", retry_after=3)


def _is_superuser(user: Any) -> bool:
    return bool(user.is_superuser)


@user_passes_test(_is_superuser)
def staff(_: HttpRequest) -> HttpResponse:
    """Show a page for superusers."""
    return HttpResponse("staff")


@oidc_required
def safe(request: HttpRequest) -> HttpResponse:
    """Show a page for users with a second factor."""
    session = oidc_session(request)
    assert session is not None
    if session.claims.get("acr") == "urn:example:two-factor":
        return HttpResponse("open")
    asked = AuthenticationRequest(acr_values="urn:example:two-factor")
    return oidc_step_up(request, asked)


def later(_: HttpRequest) -> HttpResponse:
    """Meet an error of the library."""
    raise StoreFailure("refresh_busy", retry_after=3)


def ended(_: HttpRequest) -> HttpResponse:
    """Find that the provider has ended the grant."""
    raise StoreFailure("grant_unknown")


def wrong(request: HttpRequest) -> HttpResponse:
    """Ask for the tokens of nobody."""
    return HttpResponse(str(oidc_tokens(request)))


def leave(request: HttpRequest) -> HttpResponse:
    """Log out by Django's own call."""
    auth.logout(request)
    return HttpResponse("bye")


urlpatterns = [
    path("", include("oidc_adapters.web.django.urls")),
    path("", index),
    path("orders", orders),
    path("mine", mine),
    path("tokens", tokens),
    path("awaiting", awaiting),
    path("awaited-later", awaited_later),
    path("staff", staff),
    path("safe", safe),
    path("later", later),
    path("ended", ended),
    path("wrong", wrong),
    path("leave", leave),
    path("admin/", admin.site.urls),
]
