"""The pages of the project with mozilla-django-oidc."""

import os

import requests
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import include, path


def index(request):
    csrf = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    button = "<button>Log out</button>"
    return HttpResponse(f'<form method="post" action="/oidc/logout/">{csrf}{button}</form>')


@login_required
def orders(request):
    page = request.GET.get("page", "1")
    return HttpResponse(f"{request.user.get_full_name()}, {request.user.email}, page {page}")


@login_required
def report(request):
    bearer = {"Authorization": f"Bearer {request.session['oidc_access_token']}"}
    url = f"{os.environ['API']}userinfo"
    return JsonResponse(requests.get(url, headers=bearer, timeout=10).json())


def not_logged_in(_request):
    return HttpResponse("Not logged in", status=403)


urlpatterns = [
    path("", index),
    path("orders", orders),
    path("report", report),
    path("not-logged-in", not_logged_in),
    path("oidc/", include("mozilla_django_oidc.urls")),
]
