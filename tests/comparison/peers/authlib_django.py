"""The application with Authlib's client for Django, in the way of its documentation."""

from __future__ import annotations

from typing import Any

from authlib.integrations.django_client import OAuth
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import path, reverse

TOKENS: dict[str, Any] = {}  # in place of the table of the documentation


def fetch_token(_name: str, request: HttpRequest) -> Any:
    return TOKENS.get(request.session["user"]["sub"])


def update_token(_name: str, token: Any, refresh_token: str = "", **_found: str) -> None:
    for sub, known in TOKENS.items():
        if known["refresh_token"] == refresh_token:
            TOKENS[sub] = token


oauth = OAuth(fetch_token=fetch_token, update_token=update_token)
oauth.register("op")


def index(request: HttpRequest) -> HttpResponse:
    if "user" not in request.session:
        return redirect("login")
    return HttpResponse(f"Hello {request.session['user']['name']}")


def login(request: HttpRequest) -> HttpResponse:
    return oauth.op.authorize_redirect(request, request.build_absolute_uri(reverse("callback")))


def callback(request: HttpRequest) -> HttpResponse:
    token = oauth.op.authorize_access_token(request)
    request.session["user"] = dict(token["userinfo"])
    TOKENS[token["userinfo"]["sub"]] = token
    return redirect("index")


def report(request: HttpRequest) -> HttpResponse:
    return JsonResponse(oauth.op.get("userinfo", request=request).json())


urlpatterns = [
    path("", index, name="index"),
    path("login", login, name="login"),
    path("callback", callback, name="callback"),
    path("report", report, name="report"),
]
app = WSGIHandler()
