"""The application with this library's door for Django."""

import os

import requests
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from oidc_adapters.web.django import oidc_required, oidc_tokens


@oidc_required
def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


@oidc_required
def report(request: HttpRequest) -> HttpResponse:
    bearer = {"Authorization": f"Bearer {oidc_tokens(request).fresh().access_token}"}
    return JsonResponse(requests.get(os.environ["API"], headers=bearer, timeout=10).json())


urlpatterns = [
    path("", index),
    path("report", report),
    path("", include("oidc_adapters.web.django.urls")),
]
app = WSGIHandler()
