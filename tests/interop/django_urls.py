"""The URLs of the Django project that is tried at real providers."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from oidc_adapters.web.django import (
    aoidc_session,
    aoidc_tokens,
    oidc_required,
    oidc_session,
    oidc_tokens,
)
from tests.interop.doors import told


@oidc_required
def me(request: HttpRequest) -> HttpResponse:
    """Say who is logged in, and renew the tokens."""
    session = oidc_session(request)
    assert session is not None
    return HttpResponse(told(session, oidc_tokens(request).fresh().access_token))


@oidc_required
async def awaited(request: HttpRequest) -> HttpResponse:
    """Do the same in a view that awaits."""
    session, tokens = await aoidc_session(request), await aoidc_tokens(request)
    assert session is not None
    return HttpResponse(told(session, (await tokens.fresh()).access_token))


urlpatterns = [
    path("", include("oidc_adapters.web.django.urls")),
    path("me", me),
    path("awaited", awaited),
]
