"""The URLs of the Django project that several workers serve."""

from __future__ import annotations

import os

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from oidc_adapters.web.django import oidc_required, oidc_tokens


@login_required
@oidc_required
def _page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{os.getpid()} {bool(oidc_tokens(request).fresh().access_token)}")


urlpatterns = [path("", include("oidc_adapters.web.django.urls")), path("orders", _page)]
