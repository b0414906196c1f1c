"""The pages of the project with oidc-core."""

import os

import requests
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import include, path

from oidc_adapters.web.django import oidc_required, oidc_tokens


def index(request: HttpRequest) -> HttpResponse:
    csrf = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    button = "<button>Log out</button>"
    return HttpResponse(f'<form method="post" action="/logout">{csrf}{button}</form>')


@login_required
def orders(request: HttpRequest) -> HttpResponse:
    page = request.GET.get("page", "1")
    return HttpResponse(f"{request.user.get_full_name()}, {request.user.email}, page {page}")


@oidc_required
def report(request: HttpRequest) -> HttpResponse:
    bearer = {"Authorization": f"Bearer {oidc_tokens(request).fresh().access_token}"}
    url = f"{os.environ['API']}userinfo"
    return JsonResponse(requests.get(url, headers=bearer, timeout=10).json())


urlpatterns = [
    path("", index),
    path("orders", orders),
    path("report", report),
    path("", include("oidc_adapters.web.django.urls")),
]
